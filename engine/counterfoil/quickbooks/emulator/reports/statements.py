"""Profit and loss, and the balance sheet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.lists import CLASSIFICATION
from counterfoil.quickbooks.emulator.reports.asked import Asked, Period
from counterfoil.quickbooks.emulator.reports.layout import (
    Amounts,
    Line,
    Report,
    minus,
    plus,
    section,
    sum_line,
    total_of,
)
from counterfoil.quickbooks.emulator.reports.movements import BEGINNING, RESULT, Movements
from counterfoil.quickbooks.emulator.reports.nesting import nested
from counterfoil_schema.exact_json import JsonObject, JsonValue

CURRENT_ASSETS = (
    ("BankAccounts", "Bank Accounts", ("Bank",)),
    ("AR", "Accounts Receivable", ("Accounts Receivable",)),
    ("OtherCurrentAssets", "Other Current Assets", ("Other Current Asset",)),
)
CURRENT_LIABILITIES = (
    ("AP", "Accounts Payable", ("Accounts Payable",)),
    ("CreditCards", "Credit Cards", ("Credit Card",)),
    ("OtherCurrentLiabilities", "Other Current Liabilities", ("Other Current Liability",)),
)


def profit_and_loss(books: Books, asked: Asked) -> Report:
    """Income less costs, expenses, and what lies beside the business."""
    moved = Movements(books, asked)
    periods = moved.columns(RESULT)
    rows: list[JsonValue] = []

    def part(group: str, title: str, kind: str, sign: int) -> Amounts:
        lines = moved.lines((kind,), periods, sign)
        total = total_of([line.amounts for line in lines], len(periods))
        if lines:
            rows.append(section(group, title, nested(books, lines), total))
        return total

    income = part("Income", "Income", "Income", -1)
    costs = part("COGS", "Cost of Goods Sold", "Cost of Goods Sold", 1)
    gross = minus(income, costs)
    rows.append(sum_line("GrossProfit", "Gross Profit", gross))
    expenses = part("Expenses", "Expenses", "Expense", 1)
    operating = minus(gross, expenses)
    rows.append(sum_line("NetOperatingIncome", "Net Operating Income", operating))
    other = part("OtherIncome", "Other Income", "Other Income", -1)
    beside = part("OtherExpenses", "Other Expenses", "Other Expense", 1)
    net_other = minus(other, beside)
    if any(net_other):
        rows.append(sum_line("NetOtherIncome", "Net Other Income", net_other))
    rows.append(sum_line("NetIncome", "Net Income", plus(operating, net_other)))
    return Report(_columns(periods), rows)


def balance_sheet(books: Books, asked: Asked) -> Report:
    """What the company has and owes at the end of each period; both sides come to the same."""
    moved = Movements(books, asked)
    ends = [replace(period, start=BEGINNING) for period in moved.columns(CLASSIFICATION)]
    current, current_total = _group(books, moved, CURRENT_ASSETS, ends, 1)
    fixed, fixed_total = _group(books, moved, (("FixedAssets", "Fixed Assets", ("Fixed Asset",)),), ends, 1)
    other, other_total = _group(books, moved, (("OtherAssets", "Other Assets", ("Other Asset",)),), ends, 1)
    assets = plus(current_total, fixed_total, other_total)
    inside = [section("CurrentAssets", "Current Assets", current, current_total), *fixed, *other]
    short, short_total = _group(books, moved, CURRENT_LIABILITIES, ends, -1)
    long, long_total = _group(
        books, moved, (("LongTermLiabilities", "Long-Term Liabilities", ("Long Term Liability",)),), ends, -1
    )
    liabilities = plus(short_total, long_total)
    owed = [section("CurrentLiabilities", "Current Liabilities", short, short_total), *long]
    equity, equity_total = _equity(books, moved, ends)
    both = plus(liabilities, equity_total)
    rows: list[JsonValue] = [
        section("TotalAssets", "ASSETS", inside, assets, "TOTAL ASSETS"),
        section(
            "TotalLiabilitiesAndEquity",
            "LIABILITIES AND EQUITY",
            [section("Liabilities", "Liabilities", owed, liabilities), equity],
            both,
            "TOTAL LIABILITIES AND EQUITY",
        ),
    ]
    return Report(_columns(ends), rows)


def _group(
    books: Books, moved: Movements, parts: Sequence[tuple[str, str, tuple[str, ...]]], periods: list[Period], sign: int
) -> tuple[list[JsonObject], Amounts]:
    sections: list[JsonObject] = []
    totals: list[Amounts] = []
    for group, title, types in parts:
        lines = moved.lines(types, periods, sign)
        if lines:
            total = total_of([line.amounts for line in lines], len(periods))
            totals.append(total)
            sections.append(section(group, title, nested(books, lines), total))
    return sections, total_of(totals, len(periods))


def _equity(books: Books, moved: Movements, periods: list[Period]) -> tuple[JsonObject, Amounts]:
    """Equity, with the result of former years as retained earnings and this year's beside them."""
    lines = moved.lines(("Equity",), periods, -1)
    years = [date(period.end.year, 1, 1) for period in periods]
    this_year = tuple(
        moved.result(year, period.end, period.member) for year, period in zip(years, periods, strict=True)
    )
    until_now = tuple(moved.result(BEGINNING, period.end, period.member) for period in periods)
    before = minus(until_now, this_year)
    kept = next((line for line in lines if line.name == "Retained Earnings"), None)
    retained = plus(before, kept.amounts) if kept is not None else before
    rest = [line for line in lines if line is not kept]
    lines = [*rest, Line("Retained Earnings", "2", retained), Line("Net Income", "", this_year)]
    total = total_of([line.amounts for line in lines], len(periods))
    return section("Equity", "Equity", nested(books, lines), total), total


def _columns(periods: list[Period]) -> tuple[tuple[str, str], ...]:
    return (("", "Account"), *((period.title, "Money") for period in periods))
