"""Reading HubSpot's property values: text on the wire, whatever they stand for."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from counterfoil.sources import BadValueError, finite_number
from counterfoil_schema.exact_json import JsonObject, JsonValue

_MILLIS = re.compile(r"-?[0-9]{1,17}")


def parse_instant(text: str) -> datetime:
    """An instant, given as ISO 8601 or as milliseconds since 1970, in UTC.

    Raises:
        ValueError, OverflowError, OSError: neither.
    """
    if _MILLIS.fullmatch(text):
        seconds, millis = divmod(int(text), 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=millis * 1000)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def local_day(moment: datetime, zone: str) -> date:
    """The day that an instant falls on in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


class Properties:
    """The properties of one object; missing, null and blank ones are all None."""

    def __init__(self, kind: str, row: JsonObject) -> None:
        self._place = f"{kind} {row.get('id')}"
        values = row.get("properties")
        self._values: Mapping[str, JsonValue] = values if isinstance(values, dict) else {}

    def text(self, name: str | None) -> str | None:
        """The value as text, without surrounding blanks."""
        value = self._values.get(name) if name is not None else None
        if value is None:
            return None
        return (str(value).lower() if isinstance(value, bool) else str(value)).strip() or None

    def flag(self, name: str) -> bool:
        """Whether a yes/no property says yes."""
        return (self.text(name) or "").lower() == "true"

    def number(self, name: str) -> Decimal | None:
        """An exact number.

        Raises:
            BadValueError: text that is no finite number.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return finite_number(text)
        except ValueError:
            raise self._bad(name, text, "a number") from None

    def instant(self, name: str) -> datetime | None:
        """An instant, given as ISO 8601 or as milliseconds since 1970.

        Raises:
            BadValueError: text that is neither.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return parse_instant(text)
        except (ValueError, OverflowError, OSError):
            raise self._bad(name, text, "a date") from None

    def day(self, name: str | None) -> date | None:
        """A date property: HubSpot keeps it as midnight UTC, so no zone is applied.

        Raises:
            BadValueError: text that is no date.
        """
        moment = self.instant(name) if name is not None else None
        return moment.date() if moment is not None else None

    def local_day(self, name: str, zone: str) -> date | None:
        """The day of an instant in a zone; midnight UTC is how HubSpot keeps a day that was chosen as such.

        Raises:
            BadValueError: text that is no date.
        """
        moment = self.instant(name)
        if moment is None:
            return None
        return moment.date() if moment.time() == time() else local_day(moment, zone)

    def _bad(self, name: str, text: str, wanted: str) -> BadValueError:
        return BadValueError(
            f"{self._place}, property {name}",
            f"{name} of {self._place} is {text[:60]!r}, which is not {wanted}.",
            f"Correct {name} in HubSpot.",
        )
