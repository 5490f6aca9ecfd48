"""The cash flow statement, by the indirect method: from the result to the change in what lies at the bank."""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.lists import CLASSIFICATION
from counterfoil.quickbooks.emulator.reports.asked import Asked, Period
from counterfoil.quickbooks.emulator.reports.layout import (
    Amounts,
    Report,
    data,
    plus,
    section,
    sum_line,
    summary,
    total_of,
)
from counterfoil.quickbooks.emulator.reports.movements import BEGINNING, Movements
from counterfoil.quickbooks.emulator.values import ZERO
from counterfoil_schema.exact_json import JsonObject, JsonValue

CASH = ("Bank",)
OPERATING = (
    "Accounts Receivable",
    "Other Current Asset",
    "Accounts Payable",
    "Credit Card",
    "Other Current Liability",
)
INVESTING = ("Fixed Asset", "Other Asset")
FINANCING = ("Long Term Liability", "Equity")


def cash_flow(books: Books, asked: Asked) -> Report:
    """Where the money at the bank came from and went."""
    moved = Movements(books, asked)
    periods = moved.columns(CLASSIFICATION)
    net = tuple(moved.result(period.start, period.end, period.member) for period in periods)
    adjustments, adjusted = _changes(moved, OPERATING, periods)
    inside: list[JsonValue] = [
        {**summary("Net Income", net), "type": "Data", "group": "NetIncome"},
        section(
            "OperatingAdjustments",
            "Adjustments to reconcile Net Income to Net Cash provided by operations:",
            adjustments,
            adjusted,
        ),
    ]
    operating = plus(net, adjusted)
    rows: list[JsonValue] = [
        section("OperatingActivities", "OPERATING ACTIVITIES", inside, operating, "Net cash by operating activities")
    ]
    increase = operating
    for group, title, types in (
        ("InvestingActivities", "INVESTING ACTIVITIES", INVESTING),
        ("FinancingActivities", "FINANCING ACTIVITIES", FINANCING),
    ):
        lines, total = _changes(moved, types, periods)
        if lines:
            rows.append(section(group, title, lines, total, f"Net cash by {title.lower()}"))
        increase = plus(increase, total)
    rows.append(sum_line("CashIncrease", "Net cash increase for period", increase))
    beginning = tuple(_at_bank(moved, period) for period in periods)
    rows.append(sum_line("BeginningCash", "Cash at beginning of period", beginning))
    rows.append(sum_line("EndingCash", "Cash at end of period", plus(beginning, increase)))
    return Report((("", "Account"), *((period.title, "Money") for period in periods)), rows)


def _changes(moved: Movements, types: Collection[str], periods: list[Period]) -> tuple[list[JsonObject], Amounts]:
    """What an account gained is money spent, whichever side it stands on."""
    lines = moved.lines(types, periods, -1)
    return [data(line) for line in lines], total_of([line.amounts for line in lines], len(periods))


def _at_bank(moved: Movements, period: Period) -> Decimal:
    if period.start == BEGINNING:
        return ZERO
    before = period.start - timedelta(days=1)
    return sum((moved.sum(row.id, BEGINNING, before, period.member) for row in moved.accounts(CASH)), ZERO)
