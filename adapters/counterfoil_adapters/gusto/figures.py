"""Amounts, dates and lists in Gusto's answers: exact, or refused without their values, which are pay."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from counterfoil_schema.exact_json import JsonObject, JsonValue

CURRENCY = "USD"
CENT = Decimal("0.01")
AMOUNT_MAX = Decimal(10) ** 12
ZERO = Decimal(0)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


class FigureError(Exception):
    """Figures that cannot be trusted. The message never holds one person's name or pay."""


def rows_of(source: JsonObject, name: str) -> list[JsonObject]:
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FigureError(f"{name} is not a list")
    rows = [row for row in value if isinstance(row, dict)]
    if len(rows) != len(value):
        raise FigureError(f"{name} holds something that is no object")
    return rows


def total_of(rows: Sequence[JsonObject], name: str) -> Decimal:
    return sum((amount_of(row.get(name, 0), f"a {name}") for row in rows), ZERO)


def amount_of(value: JsonValue, what: str) -> Decimal:
    """An amount in whole cents, from a number or its text. The value itself stays out of the message: it is pay."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise FigureError(f"{what} is missing or no number")
    if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
        raise FigureError(f"{what} is not a number")
    amount = Decimal(value)
    if not amount.is_finite() or abs(amount) >= AMOUNT_MAX:
        raise FigureError(f"{what} is not a number that money can be")
    if amount != amount.quantize(CENT):
        raise FigureError(f"{what} is not whole in cents")
    return amount.quantize(CENT)


def date_of(source: JsonObject, name: str) -> date:
    value = source.get(name)
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise FigureError(f"its {name} is missing or not a date") from None
