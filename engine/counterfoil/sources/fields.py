"""Fields of a source's JSON, read one by one; what cannot be read is said by name, and becomes Unreadable."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from pydantic import ValidationError

from counterfoil.sources.port import Seen, SourceError, Unreadable
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps
from counterfoil_schema.records import Record

SHOWN_MAX = 60
RETRY_SECONDS = 60.0


class FieldError(SourceError):
    """A field that is not what it should be; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, remedy="Correct it at the source.")


class Fields:
    """One object of a source's answer. What is absent, null or blank is None."""

    def __init__(self, row: JsonObject) -> None:
        self.row = row

    def text(self, name: str) -> str | None:
        """Text; whole numbers count as such, since ids come as either.

        Raises:
            FieldError: something else.
        """
        value = self.row.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _bad(name, value, "text")
        return str(value).strip() or None

    def needed(self, name: str) -> str:
        """Text that must be there.

        Raises:
            FieldError: it is not.
        """
        value = self.text(name)
        if value is None:
            raise FieldError(f"{name} is missing")
        return value

    def amount(self, name: str) -> Decimal | None:
        """An exact number, whether it comes as number or as text.

        Raises:
            FieldError: no number, or one beyond all bounds.
        """
        value = self.row.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise _bad(name, value, "an amount")
        try:
            amount = Decimal(value)
        except InvalidOperation:
            raise _bad(name, value, "an amount") from None
        if not amount.is_finite():
            raise _bad(name, value, "an amount")
        return amount

    def needed_amount(self, name: str) -> Decimal:
        """An exact number that must be there.

        Raises:
            FieldError: it is not.
        """
        amount = self.amount(name)
        if amount is None:
            raise FieldError(f"{name} is missing")
        return amount

    def instant(self, name: str) -> datetime | None:
        """An instant with its zone, in UTC.

        Raises:
            FieldError: no instant, or one without a zone.
        """
        value = self.text(name)
        if value is None:
            return None
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise _bad(name, value, "an instant") from None
        if instant.tzinfo is None:
            raise _bad(name, value, "an instant with its zone")
        return instant.astimezone(UTC)

    def needed_instant(self, name: str) -> datetime:
        """An instant that must be there.

        Raises:
            FieldError: it is not.
        """
        instant = self.instant(name)
        if instant is None:
            raise FieldError(f"{name} is missing")
        return instant

    def day(self, name: str) -> date | None:
        """A date.

        Raises:
            FieldError: no date.
        """
        value = self.text(name)
        try:
            return None if value is None else date.fromisoformat(value)
        except ValueError:
            raise _bad(name, value, "a date") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false.

        Raises:
            FieldError: neither.
        """
        value = self.row.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise _bad(name, value, "true or false")
        return value

    def rows(self, name: str) -> "list[Fields]":
        """A list of objects; empty where absent.

        Raises:
            FieldError: something else.
        """
        value = self.row.get(name)
        if value is None:
            return []
        found = [Fields(member) for member in value if isinstance(member, dict)] if isinstance(value, list) else []
        if not isinstance(value, list) or len(found) != len(value):
            raise _bad(name, value, "a list of objects")
        return found


def read_row(
    kind: str, source_id: str, version: str, row: JsonObject, normalise: Callable[[Fields], Record], *, place: str
) -> Seen | Unreadable:
    """A row as its record, or as Unreadable with the field's name where it cannot be one.

    Args:
        normalise: raises FieldError (or pydantic's ValidationError) where a field is not what it should be.
        place: where a person finds the row, for example `Acme, sale 512`.
    """
    raw = dumps(row).decode()
    try:
        record = normalise(Fields(row))
    except FieldError as error:
        problem = error.message
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    else:
        return Seen(kind=kind, source_id=source_id, version=version, record=record, raw=raw)
    return Unreadable(
        kind=kind, source_id=source_id, place=place, problem=f"{problem}.", fix="Correct it at the source.", raw=raw
    )


def rows_of(answer: JsonObject, name: str, source: str) -> list[JsonObject]:
    """The list of objects in an answer.

    Raises:
        SourceError: it is not there, so that nothing is known about any record.
    """
    value = answer.get(name)
    rows = [member for member in value if isinstance(member, dict)] if isinstance(value, list) else None
    if rows is None or not isinstance(value, list) or len(rows) != len(value):
        raise SourceError(f"{source}'s answer has no list of objects {name!r}.", retry_after=RETRY_SECONDS)
    return rows


def _bad(name: str, value: JsonValue, wanted: str) -> FieldError:
    return FieldError(f"{name} is {str(value)[:SHOWN_MAX]!r}, which is not {wanted}")
