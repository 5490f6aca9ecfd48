"""Reports of the QuickBooks emulator, read as rows of text; and a company whose figures are worked out by hand."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from counterfoil.quickbooks.emulator.reports import answer
from counterfoil.quickbooks.emulator.values import as_text
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Company, applied, line, posting

YEAR = {"start_date": "2026-01-01", "end_date": "2026-12-31", "report_date": "2026-12-31"}


def report(company: Company, name: str, /, **asked: str) -> Any:
    return answer(company.books, name, {**YEAR, **asked})


def lines(rows: Any) -> Iterator[list[str]]:
    """All rows at any depth as lists of text."""
    for row in rows.get("Row", []):
        for part in ("Header", "Summary"):
            if part in row:
                yield [cell["value"] for cell in row[part]["ColData"]]
        if "ColData" in row:
            yield [cell["value"] for cell in row["ColData"]]
        if "Rows" in row:
            yield from lines(row["Rows"])


def amounts(found: Any) -> dict[str, str]:
    """The first amount by title; a heading has none."""
    return {title: value for title, value, *_ in lines(found["Rows"]) if value}


def traded() -> Company:
    """Sold 100 in January, 50 in March, 30 of it paid; bought for 40, 15 paid; wages 20; 7 earned the year before."""
    company = Company()
    who, item = company.customer(), company.item()
    for day, amount in (("2025-06-01", "7.00"), ("2026-01-10", "100.00"), ("2026-03-05", "50.00")):
        company.invoice(who, [line(item, amount)], TxnDate=day, DueDate=day)
    company.write(
        "Payment",
        {
            "CustomerRef": {"value": who},
            "TotalAmt": Decimal(30),
            "TxnDate": "2026-03-06",
            "DepositToAccountRef": {"value": "35"},
            "Line": [applied("Invoice", "2", "30.00")],
        },
    )
    vendor = as_text(company.write("Vendor", {"DisplayName": "Books by Bessie"})["Id"])
    detail: JsonObject = {"AccountRef": {"value": "7"}}
    bought: JsonObject = {
        "Amount": 40,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    }
    bill = company.write(
        "Bill", {"VendorRef": {"value": vendor}, "TxnDate": "2026-02-01", "DueDate": "2026-12-01", "Line": [bought]}
    )
    link: JsonObject = {"TxnId": bill["Id"], "TxnType": "Bill"}
    company.write(
        "BillPayment",
        {
            "VendorRef": {"value": vendor},
            "TotalAmt": 15,
            "TxnDate": "2026-02-02",
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": "35"}},
            "Line": [{"Amount": 15, "LinkedTxn": [link]}],
        },
    )
    wages = [posting("Debit", "60", "20.00"), posting("Credit", "35", "20.00")]
    company.write("JournalEntry", {"TxnDate": "2026-03-31", "Line": [*wages]})
    return company
