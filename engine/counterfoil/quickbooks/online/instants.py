"""Intuit's instants: any offset with or without colon, `Z`, and 0 to 9 digits of a second."""

import re
from datetime import UTC, datetime, timedelta, timezone

_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))", re.ASCII)


def parse_instant(value: object) -> datetime | None:
    """The instant in UTC, cut to microseconds; None for anything that is none."""
    if not isinstance(value, str) or (match := _FORM.fullmatch(value.strip())) is None:
        return None
    fraction = int((match[7] or "0").ljust(6, "0")[:6])
    offset = timedelta()
    if match[9]:
        offset = timedelta(hours=int(match[10]), minutes=int(match[11])) * (-1 if match[9] == "-" else 1)
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    try:
        local = datetime(year, month, day, hour, minute, second, fraction, tzinfo=timezone(offset))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
