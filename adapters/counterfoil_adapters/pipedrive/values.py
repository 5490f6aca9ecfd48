"""Reading Pipedrive's values: exact numbers, instants, dates, and what custom fields hold."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from counterfoil.sources import BadValueError, finite_number
from counterfoil.sources.port import SourceError
from counterfoil_schema.exact_json import JsonObject, JsonValue


class Row:
    """One record as Pipedrive shows it; missing, null and blank values are all None."""

    def __init__(self, kind: str, values: JsonObject) -> None:
        self.place = f"{kind} {values.get('id')}"
        self.values = values

    def text(self, name: str) -> str | None:
        """A value as text, without surrounding blanks."""
        return plain(self.values.get(name))

    def link(self, name: str) -> str | None:
        """The id of another record; 0 stands for none."""
        text = self.text(name)
        return text if text not in {None, "0"} else None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes or no."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else default

    def number(self, name: str) -> Decimal | None:
        """An exact number, whether it came as a number or as text.

        Raises:
            BadValueError: it is none.
        """
        return self.as_number(name, self.text(name))

    def instant(self, name: str) -> datetime | None:
        """An instant.

        Raises:
            BadValueError: it is none.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return instant(text)
        except ValueError:
            raise self.bad(name, text, "an instant") from None

    def as_number(self, name: str, text: str | None) -> Decimal | None:
        """Text as a number; `name` is the field's, for people.

        Raises:
            BadValueError: it is none.
        """
        if text is None:
            return None
        try:
            return finite_number(text)
        except ValueError:
            raise self.bad(name, text, "a number") from None

    def as_day(self, name: str, text: str | None) -> date | None:
        """Text as a date.

        Raises:
            BadValueError: it is none.
        """
        if text is None:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            raise self.bad(name, text, "a date") from None

    def bad(self, name: str, text: str, wanted: str) -> BadValueError:
        """That a value is not what it should be."""
        return BadValueError(
            f"{self.place}, field {name}",
            f"{name} of {self.place} is {text[:60]!r}, which is not {wanted}.",
            f"Correct {name} in Pipedrive.",
        )

    def missing(self, name: str, fix: str) -> BadValueError:
        """That a value is not there."""
        return BadValueError(f"{self.place}, field {name}", f"The {self.place} has no usable {name}.", fix)


def plain(value: JsonValue) -> str | None:
    """A simple value as text; None for nothing, blanks, lists and objects."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, Decimal):
        return f"{value:f}"
    return (str(value).lower() if isinstance(value, bool) else str(value)).strip() or None


def instant(text: str) -> datetime:
    """An instant in RFC 3339; one without a zone is in UTC.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def updated(row: JsonObject) -> datetime:
    """When a row was last changed.

    Raises:
        SourceError: it does not say.
    """
    try:
        return instant(str(row.get("update_time") or row.get("add_time")))
    except ValueError:
        raise SourceError(f"Pipedrive's record {row.get('id')} does not say when it changed.") from None


def primary(entries: JsonValue) -> str | None:
    """The value of an entry that is marked primary, else of the first that has one."""
    rows = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    values: list[Mapping[str, JsonValue]] = [row for row in rows if plain(row.get("value")) is not None]
    for row in values:
        if row.get("primary") is True:
            return plain(row.get("value"))
    return plain(values[0].get("value")) if values else None
