"""The seven reports as typed rows, over a socket, of a company whose figures are worked out by hand; and its papers.

The company sold 100 in January and 50 in March, of which 30 are paid; it bought for 40, 15 of it paid, and paid wages
of 20; in the year before it earned 7 (`traded`).
"""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import pytest
from pydantic import SecretStr

from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.oauth import ClientCredentials
from counterfoil.quickbooks.online.operations import PRINTABLE
from counterfoil.quickbooks.online.outcomes import Accepted
from counterfoil.quickbooks.online.papers import File
from counterfoil.quickbooks.online.reports import Report, ReportName, ReportRow
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Company, line
from support.quickbooks_double import Connected, connected_client
from support.quickbooks_reports import YEAR, traded

PERIOD = {name: YEAR[name] for name in ("start_date", "end_date")}
AGED = {"report_date": "2026-03-20"}


@pytest.fixture
def company() -> Company:
    return traded()


@pytest.fixture
async def quickbooks(company: Company) -> AsyncIterator[Connected]:
    async with company.emulator as emulator:
        ready = {name: str(value) for name, value in emulator.ready_line().items()}
        async with connected_client(
            ready["base_url"],
            grant_url=ready["token_url"],
            realm_id=ready["realm_id"],
            credentials=ClientCredentials(ready["client_id"], SecretStr(ready["client_secret"])),
            refresh_token=SecretStr(ready["refresh_token"]),
            refreshed=False,
        ) as connected:
            yield connected


async def report(quickbooks: Connected, name: ReportName, asked: dict[str, str]) -> Report:
    found = await quickbooks.client.papers.report(name, asked)
    assert isinstance(found, Report)
    assert (found.name, found.currency) == (name, "USD")
    return found


def money(*texts: str) -> tuple[Decimal | None, ...]:
    """Amounts; a dash is a blank."""
    return tuple(None if text == "-" else Decimal(text) for text in texts)


def told(rows: tuple[ReportRow, ...]) -> list[tuple[str, tuple[Decimal | None, ...]]]:
    return [(row.name, row.amounts) for row in rows]


async def test_profit_and_loss(quickbooks: Connected) -> None:
    found = await report(quickbooks, "ProfitAndLoss", PERIOD)
    assert (found.start, found.end, found.basis) == (date(2026, 1, 1), date(2026, 12, 31), "Accrual")
    assert [(row.path, row.kind, row.group, row.name, row.id, row.amounts) for row in found.rows] == [
        (("Income",), "data", "Income", "Services", "1", money("150.00")),
        (("Income",), "summary", "Income", "Total Income", "", money("150.00")),
        ((), "summary", "GrossProfit", "Gross Profit", "", money("150.00")),
        (("Expenses",), "data", "Expenses", "Advertising", "7", money("40.00")),
        (("Expenses",), "data", "Expenses", "Wages", "60", money("20.00")),
        (("Expenses",), "summary", "Expenses", "Total Expenses", "", money("60.00")),
        ((), "summary", "NetOperatingIncome", "Net Operating Income", "", money("90.00")),
        ((), "summary", "NetIncome", "Net Income", "", money("90.00")),
    ]
    quarters = await report(quickbooks, "ProfitAndLoss", {**PERIOD, "summarize_column_by": "Quarter"})
    assert [(column.start, column.end) for column in quarters.columns[:2]] == [
        (date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 4, 1), date(2026, 6, 30)),
    ]
    assert quarters.rows[-1].amounts == money("90.00", "0.00", "0.00", "0.00", "90.00")
    assert quarters.total("NetIncome") == Decimal(90)


async def test_the_balance_sheet(quickbooks: Connected) -> None:
    found = await report(quickbooks, "BalanceSheet", PERIOD)
    amounts = {name: values[0] for name, values in told(found.rows) if values}
    assert amounts == {
        "Checking": Decimal("-5.00"),
        "Total Bank Accounts": Decimal("-5.00"),
        "Accounts Receivable (A/R)": Decimal("127.00"),
        "Total Accounts Receivable": Decimal("127.00"),
        "Total Current Assets": Decimal("122.00"),
        "TOTAL ASSETS": Decimal("122.00"),
        "Accounts Payable (A/P)": Decimal("25.00"),
        "Total Accounts Payable": Decimal("25.00"),
        "Total Current Liabilities": Decimal("25.00"),
        "Total Liabilities": Decimal("25.00"),
        "Retained Earnings": Decimal("7.00"),
        "Net Income": Decimal("90.00"),
        "Total Equity": Decimal("97.00"),
        "TOTAL LIABILITIES AND EQUITY": Decimal("122.00"),
    }
    (checking,) = [row for row in found.rows if row.name == "Checking"]
    assert (checking.kind, checking.id, checking.path[-1]) == ("data", "35", "Bank Accounts")


async def test_the_trial_balance(quickbooks: Connected) -> None:
    found = await report(quickbooks, "TrialBalance", PERIOD)
    assert [column.title for column in found.columns] == ["Debit", "Credit"]
    assert sorted(told(found.rows), key=lambda row: row[0]) == [
        ("Accounts Payable (A/P)", money("-", "25.00")),
        ("Accounts Receivable (A/R)", money("127.00", "-")),
        ("Advertising", money("40.00", "-")),
        ("Checking", money("-", "5.00")),
        ("Retained Earnings", money("-", "7.00")),
        ("Services", money("-", "150.00")),
        ("TOTAL", money("187.00", "187.00")),
        ("Wages", money("20.00", "-")),
    ]
    assert found.rows[-1].group == "GrandTotal"


async def test_what_is_owed_by_age(quickbooks: Connected) -> None:
    """Due 292 days before 7, 69 days before 100 less 30, 15 days before 50; and 25 due later to the vendor."""
    owed = await report(quickbooks, "AgedReceivables", AGED)
    assert told(owed.rows) == [
        ("Ann Lee", money("-", "50.00", "-", "70.00", "7.00", "127.00")),
        ("TOTAL", money("0.00", "50.00", "0.00", "70.00", "7.00", "127.00")),
    ]
    assert (owed.rows[0].kind, owed.rows[0].id, owed.rows[1].kind) == ("data", "1", "summary")
    owing = await report(quickbooks, "AgedPayables", AGED)
    assert told(owing.rows)[0] == ("Books by Bessie", money("25.00", "-", "-", "-", "-", "25.00"))


async def test_the_general_ledger(quickbooks: Connected) -> None:
    found = await report(quickbooks, "GeneralLedger", {**PERIOD, "start_date": "2026-03-01"})
    checking = [row for row in found.rows if row.path == ("Checking",)]
    # The first cell of a posting is its day; amount and running balance are money.
    assert [(row.kind, row.name, row.amounts) for row in checking] == [
        ("data", "Beginning Balance", money("-", "-15.00")),
        ("data", "2026-03-06", money("30.00", "15.00")),
        ("data", "2026-03-31", money("-20.00", "-5.00")),
        ("summary", "Total for Checking", money("10.00", "-")),
    ]
    assert checking[1].texts[:3] == ("Payment", "", "Ann Lee")


async def test_the_cash_flow(quickbooks: Connected) -> None:
    found = await report(quickbooks, "CashFlow", PERIOD)
    amounts = {name: values[0] for name, values in told(found.rows) if values}
    wanted = {
        "Net Income": "90.00",
        "Accounts Receivable (A/R)": "-120.00",
        "Accounts Payable (A/P)": "25.00",
        "Net cash by operating activities": "-5.00",
        "Cash at end of period": "-5.00",
    }
    assert {name: amounts[name] for name in wanted} == {name: Decimal(text) for name, text in wanted.items()}


def papers(company: Company) -> dict[str, str]:
    """One of each document that is printed, with its Id."""
    sale: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [line("1", "10.00")]}
    spent: JsonObject = {
        "Amount": Decimal(5),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "7"}},
    }
    bodies: dict[str, JsonObject] = {
        **dict.fromkeys(("Invoice", "Estimate", "CreditMemo", "SalesReceipt"), sale),
        "RefundReceipt": {**sale, "DepositToAccountRef": {"value": "35"}},
        "Payment": {"CustomerRef": {"value": "1"}, "TotalAmt": Decimal(1)},
        "PurchaseOrder": {"VendorRef": {"value": "2"}, "APAccountRef": {"value": "33"}, "Line": [spent]},
    }
    return {entity: str(company.write(entity, body)["Id"]) for entity, body in bodies.items()}


async def test_each_document_on_paper_is_printed_and_mailed(company: Company, quickbooks: Connected) -> None:
    made = papers(company)
    assert set(made) == PRINTABLE
    for entity, identifier in made.items():
        company.emulator.clock.advance(60)
        printed = await quickbooks.client.papers.pdf(entity, identifier, Lane.LIVE)
        assert isinstance(printed, File), (entity, printed)
        assert printed.content.startswith(b"%PDF-")
        deadline = quickbooks.clock.monotonic() + 20
        mailed = await quickbooks.client.papers.send(
            entity, identifier, "ann@example.com", request_id=f"mail-{entity}", lane=Lane.LIVE, deadline=deadline
        )
        assert isinstance(mailed, Accepted), (entity, mailed)
        assert company.shown(entity, identifier)["BillEmail"] == {"Address": "ann@example.com"}
