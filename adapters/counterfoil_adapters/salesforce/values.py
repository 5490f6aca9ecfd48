"""Reading the values of a row, by the fields that a shape names."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from counterfoil.sources import BadValueError, finite_number
from counterfoil_adapters.salesforce.client import instant_of
from counterfoil_adapters.salesforce.shapes import Paths
from counterfoil_schema.exact_json import JsonObject, JsonValue


class Values:
    """A row under our names; missing, null and blank are all None."""

    def __init__(self, what: str, row: JsonObject, fields: Mapping[str, Paths]) -> None:
        self.what = f"{what} {row.get('Id')}"
        self._row = row
        self._fields = fields

    def text(self, name: str) -> str | None:
        """The value as text, without surrounding blanks."""
        value = self._value(name)
        if value is None:
            return None
        return str(value).lower() if isinstance(value, bool) else str(value).strip()

    def flag(self, name: str) -> bool | None:
        """Whether a yes/no field says yes; None where it says nothing."""
        text = self.text(name)
        return None if text is None else text.lower() in {"true", "1", "yes"}

    def number(self, name: str) -> Decimal | None:
        """An exact number.

        Raises:
            BadValueError: something that is no finite number.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return finite_number(text)
        except ValueError:
            raise self.bad(name, "a number") from None

    def day(self, name: str) -> date | None:
        """A date; of an instant, its date in UTC.

        Raises:
            BadValueError: something that is no date.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            raise self.bad(name, "a date") from None

    def instant(self, name: str) -> datetime | None:
        """An instant; a date stands for its midnight in UTC.

        Raises:
            BadValueError: something that is neither.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return instant_of(text) if "T" in text else datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            raise self.bad(name, "an instant") from None

    def missing(self, name: str, fix: str) -> BadValueError:
        """What to raise where something that must be there is not."""
        return BadValueError(f"{self.what}, field {self._names(name)}", f"The {self.what} has no usable {name}.", fix)

    def bad(self, name: str, wanted: str) -> BadValueError:
        """What to raise where a value is of another sort."""
        names, text = self._names(name), self.text(name) or ""
        return BadValueError(
            f"{self.what}, field {names}",
            f"{names} of {self.what} is {text[:60]!r}, which is not {wanted}.",
            f"Correct {names} in Salesforce, or name another field in the mapping.",
        )

    def _names(self, name: str) -> str:
        return " or ".join(self._fields.get(name, (name,)))

    def _value(self, name: str) -> JsonValue:
        for path in self._fields.get(name, ()):
            value: JsonValue = self._row
            for part in path.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None and str(value).strip():
                return value
        return None
