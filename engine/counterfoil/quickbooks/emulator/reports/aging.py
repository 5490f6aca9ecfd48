"""What customers owe and what vendors are owed, by how long it is overdue.

Open balances are those of now: a day in the past ages them, it does not open what was paid since.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.reports.asked import Asked
from counterfoil.quickbooks.emulator.reports.layout import Line, Report, data, summary, total_of
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text, to_decimal
from counterfoil_schema.exact_json import JsonObject, JsonValue

STEP_DAYS = 30
BUCKETS = ("Current", "1 - 30", "31 - 60", "61 - 90", "91 and over")
RECEIVABLE = (("Invoice", 1, "Balance"), ("CreditMemo", -1, "Balance"), ("Payment", -1, "UnappliedAmt"))
PAYABLE = (("Bill", 1, "Balance"), ("VendorCredit", -1, "Balance"))


def aged_receivables(books: Books, asked: Asked) -> Report:
    """Customers and what they owe."""
    return _aged(books, asked, RECEIVABLE, "CustomerRef")


def aged_payables(books: Books, asked: Asked) -> Report:
    """Vendors and what they are owed."""
    return _aged(books, asked, PAYABLE, "VendorRef")


def _aged(books: Books, asked: Asked, kinds: tuple[tuple[str, int, str], ...], party: str) -> Report:
    open_by: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO] * len(BUCKETS))
    for entity, sign, name in kinds:
        for row in books.tables.table(entity).rows.values():
            amount = sign * to_decimal(row.body.get(name, 0), name)
            day = date.fromisoformat(as_text(row.body["TxnDate"]))
            if amount and day <= asked.as_of:
                reference = as_object(row.body.get(party))
                key = (as_text(reference.get("name")), as_text(reference.get("value")))
                due = as_text(row.body.get("DueDate")) or day.isoformat()
                open_by[key][_bucket(asked.as_of, date.fromisoformat(due))] += amount
    lines = [
        Line(name, identifier, (*amounts, sum(amounts, ZERO)))
        for (name, identifier), amounts in sorted(open_by.items())
        if any(amounts)
    ]
    rows: list[JsonValue] = [data(line) for line in lines]
    if lines:
        total = total_of([line.amounts for line in lines], len(BUCKETS) + 1)
        closing: JsonObject = {"Summary": summary("TOTAL", total), "type": "Section", "group": "GrandTotal"}
        rows.append(closing)
    first = ("", "Customer" if party == "CustomerRef" else "Vendor")
    return Report((first, *((bucket, "Money") for bucket in BUCKETS), ("Total", "Money")), rows)


def _bucket(as_of: date, due: date) -> int:
    overdue = (as_of - due).days
    return 0 if overdue <= 0 else min((overdue - 1) // STEP_DAYS + 1, len(BUCKETS) - 1)
