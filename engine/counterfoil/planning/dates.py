"""Accounting dates: an instant's date in the zone that the mapping names, never a cut-off UTC instant."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from counterfoil_schema.records import Estimate, Invoice

# Years outside these are typing mistakes or empty fields in disguise (1900, 1970, 9999) in every system we know.
_FIRST_YEAR, _LAST_YEAR = 1980, 2099


class NoDateError(ValueError):
    """There is no date to post with; the message says why."""


def accounting_date(instant: datetime, zone: str) -> date:
    """The date that the calendar in `zone` shows at an instant.

    Raises:
        NoDateError: the instant has no zone of its own, so that its date could be either of two.
    """
    if instant.tzinfo is None:
        raise NoDateError(f"its time {instant.isoformat()} names no zone")
    return instant.astimezone(ZoneInfo(zone)).date()


def plausible(day: date) -> date:
    """The same date.

    Raises:
        NoDateError: a year in which nobody books.
    """
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise NoDateError(f"its date {day.isoformat()} cannot be right")
    return day


def sale_date(record: Invoice | Estimate, zone: str, prefer: str) -> date:
    """The accounting date of a sale; `prefer` is `dated` or `happened`, the other one stands in.

    Raises:
        NoDateError: no date, or one that cannot be right.
    """
    happened = accounting_date(record.happened_at, zone) if record.happened_at is not None else None
    first, second = (happened, record.dated) if prefer == "happened" else (record.dated, happened)
    day = first or second
    if day is None:
        raise NoDateError("it has no date")
    return plausible(day)
