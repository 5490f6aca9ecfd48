"""Tables with effective dates: which row holds on a day. What begins later does not hold yet."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import PayRate

KEPT: Mapping[str, frozenset[str]] = {
    "jobInfo": frozenset({"id", "employeeId", "date", "department", "location", "jobTitle", "division"}),
    "employmentStatus": frozenset({"id", "employeeId", "date", "employmentStatus"}),
    "compensation": frozenset({"id", "employeeId", "startDate", "rate", "type", "paidPer"}),
}
"""Tables that are read, and what is kept of their rows: comments and reasons are not."""

JOB_FIELDS = {"department": "department", "location": "location", "job": "jobTitle"}


class RowError(Exception):
    """A row that cannot be read; the message names the field, never its value."""


def kept(table: str, rows: Iterable[JsonObject]) -> list[JsonObject]:
    """Rows as far as they are kept, in an order of their own: BambooHR's says nothing."""
    names = KEPT[table]
    told: list[JsonObject] = [{name: value for name, value in row.items() if name in names} for row in rows]
    return sorted(told, key=lambda row: (str(row.get("date") or row.get("startDate") or ""), _number(row.get("id"))))


def day_of(value: JsonValue, field: str) -> date | None:
    """A date; None where there is none, which BambooHR also writes as zeros.

    Raises:
        RowError: something else stands there.
    """
    if value in (None, "", "0000-00-00"):
        return None
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise RowError(f"{field} is not a date") from None


def holding(rows: Iterable[JsonObject], on: date) -> JsonObject | None:
    """The row that holds on a day; of two from one day the one made later."""
    begun = [(day, _number(row.get("id")), row) for row in rows if (day := day_of(row.get("date"), "date")) is not None]
    return max((one for one in begun if one[0] <= on), key=lambda one: one[:2], default=(on, 0, None))[2]


def beginning(rows: Iterable[JsonObject], after: date, until: date) -> set[str]:
    """Employees with a row that begins in these days, the first one not included."""
    found: set[str] = set()
    for row in rows:
        try:
            day = day_of(row.get("date") or row.get("startDate"), "date")
        except RowError:
            continue  # said where the employee is read
        if day is not None and after < day <= until:
            found.add(str(row.get("employeeId")))
    return found


def job_on(rows: Sequence[JsonObject] | None, on: date) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Department, location and job of a day; and which of them BambooHR withholds.

    Raises:
        RowError: a row cannot be read.
    """
    if rows is None:
        return {}, tuple(JOB_FIELDS)
    withheld = tuple(name for name, field in JOB_FIELDS.items() if rows and not any(field in row for row in rows))
    row = holding(rows, on) or {}
    return {name: _text(row.get(field), field) for name, field in JOB_FIELDS.items()}, withheld


def pay_of(rows: Iterable[JsonObject]) -> tuple[PayRate, ...]:
    """Rates of pay, the earliest first.

    Raises:
        RowError: a row cannot be read.
    """
    rates: list[PayRate] = []
    for row in rows:
        start = day_of(row.get("startDate"), "startDate")
        if start is None:
            continue
        rate = row.get("rate")
        amount, currency = (rate.get("value"), rate.get("currency")) if isinstance(rate, dict) else (rate, None)
        if currency is not None and not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
            raise RowError("the currency of a rate is none")
        rates.append(
            PayRate(
                effective=start,
                basis=_text(row.get("type"), "type"),
                per=_text(row.get("paidPer"), "paidPer"),
                amount=_amount(amount),
                currency=currency,
            )
        )
    return tuple(sorted(rates, key=lambda one: one.effective))


def _amount(value: JsonValue) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        amount = Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        raise RowError("a rate is no number") from None
    if not amount.is_finite():
        raise RowError("a rate is no number")
    return amount


def _text(value: JsonValue, field: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise RowError(f"{field} is not text")
    return value.strip() or None if value is not None else None


def _number(value: JsonValue) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0
