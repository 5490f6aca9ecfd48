"""The order of a report's rows, where a request asks for one: by a column of single documents, else by the last amount.

Source: Intuit's report pages: `sort_order` is `ascend` or `descend`, `sort_by` the key of a column. Rows are ordered
inside their section; sections that Intuit names (Income, Expenses …), and what only sums up, stay where they are. A
balance that runs along stays beside its document.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.reports.columns import TITLES
from counterfoil.quickbooks.emulator.reports.layout import Report
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

ORDERS: Mapping[str, bool] = {"ascend": False, "descend": True}
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
Rank = tuple[int, Decimal, str]


def ordered(report: Report, parameters: Mapping[str, str]) -> list[JsonValue]:
    """The rows, in the order that is asked for, or as they are.

    Raises:
        QuickBooksFaultError: 2170 for an order or a column that there is not.
    """
    order, column = parameters.get("sort_order", "").lower(), parameters.get("sort_by", "").lower()
    if order and order not in ORDERS:
        raise faults.bad_enum("sort_order", order[:40])
    if column and column not in TITLES:
        raise faults.bad_enum("sort_by", column[:40])
    keys = [kind for _, kind in report.columns]
    if not (order or column) or (column and column not in keys):
        return report.rows
    # Of single documents the first column is what they are listed by; of sums the last is their total.
    place = keys.index(column) if column else 0 if any(key in TITLES for key in keys) else len(keys) - 1
    return _sorted(report.rows, place, descending=ORDERS.get(order, False))


def _sorted(rows: list[JsonValue], place: int, *, descending: bool) -> list[JsonValue]:
    inside = [_with_sorted(as_object(row), place, descending=descending) for row in rows]
    movable = [index for index, row in enumerate(inside) if "group" not in row and _cells(row)]
    moved = sorted((inside[index] for index in movable), key=lambda row: _rank(row, place), reverse=descending)
    for index, row in zip(movable, moved, strict=True):
        inside[index] = row
    return [*inside]


def _with_sorted(row: JsonObject, place: int, *, descending: bool) -> JsonObject:
    if "Rows" not in row:
        return row
    rows = as_list(as_object(row["Rows"]).get("Row"))
    return {**row, "Rows": {"Row": _sorted(rows, place, descending=descending)}}


def _cells(row: JsonObject) -> list[JsonValue]:
    """Those that say what a row is about and what it comes to: of a section, its title and its sums."""
    sums = as_list(as_object(row.get("Summary")).get("ColData"))
    title = as_list(as_object(row.get("Header")).get("ColData"))
    return as_list(row.get("ColData")) or [*title[:1], *sums[1:]]


def _rank(row: JsonObject, place: int) -> Rank:
    """Numbers by their size, everything else as text; what is blank comes first."""
    cells = _cells(row)
    text = as_text(as_object(cells[place]).get("value")) if place < len(cells) else ""
    if NUMBER.fullmatch(text):
        return (1, Decimal(text), "")
    return (2 if text else 0, Decimal(0), text.casefold())
