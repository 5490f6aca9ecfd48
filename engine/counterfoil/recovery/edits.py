"""Corrections of a source record, place by place: `lines.0.amount=120.00`. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from pydantic import TypeAdapter, ValidationError

from counterfoil.errors import CounterfoilError
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Record

_RECORDS: TypeAdapter[Record] = TypeAdapter(Record)
_JSON_BEGINS = ("{", "[", '"')
_JSON_WORDS = frozenset({"null", "true", "false"})
MISTAKES_SHOWN = 5


class EditError(CounterfoilError):
    """A correction that cannot be made as it is written."""


def assigned(record: Record, assignments: Sequence[str]) -> Record:
    """The record with each `place=value` put in; a value is text, or JSON where it looks like it (`null`, `[…]`).

    Raises:
        EditError: there is no such place, or what stands there then is no such record.
    """
    values = fields_of(record)
    for assignment in assignments:
        place, equals, text = assignment.partition("=")
        if not equals or not place.strip():
            raise EditError(f"{assignment!r} is no correction.", remedy="Write PLACE=VALUE: lines.0.amount=120.00")
        _put(values, place.strip(), _value(place.strip(), text.strip()))
    return _record(values, record)


def replaced(record: Record, text: str) -> Record:
    """The record as a JSON text says, which must be of the same kind.

    Raises:
        EditError: it is not JSON, or no such record.
    """
    try:
        values = exact_json.loads_object(text)
    except ValueError as problem:
        raise EditError(f"This is no JSON object: {problem}", remedy="`deadletters show --json` has one.") from None
    return _record(values, record)


def changed_places(before: Record, after: Record) -> tuple[str, ...]:
    """Where two records of one kind differ: `memo`, `lines.0.amount`; a list of another length counts as one place."""
    return tuple(_differences("", fields_of(before), fields_of(after)))


def value_at(record: Record, place: str) -> JsonValue:
    """What stands at a place; None where there is nothing."""
    value: JsonValue = fields_of(record)
    for part in place.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def fields_of(record: Record) -> JsonObject:
    """A record as JSON, amounts as text."""
    fields: JsonObject = record.model_dump(mode="json")
    return fields


def _record(values: JsonObject, like: Record) -> Record:
    if values.get("kind") != like.kind:
        raise EditError(f"What is of the kind {like.kind} stays so.", remedy="Leave `kind` as it is.")
    try:
        return _RECORDS.validate_python(values)
    except ValidationError as refused:
        mistakes = [
            f"{'.'.join(str(part) for part in one['loc'] if part != like.kind)}: {one['msg']}"
            for one in refused.errors(include_url=False)[:MISTAKES_SHOWN]
        ]
        raise EditError(
            f"That would be no record of the kind {like.kind}: {'; '.join(mistakes)}.",
            remedy="Nothing was recorded; correct the value.",
        ) from None


def _value(place: str, text: str) -> JsonValue:
    if text in _JSON_WORDS or text.startswith(_JSON_BEGINS):
        try:
            return exact_json.loads(text)
        except ValueError as problem:
            raise EditError(f"{place}: {text!r} looks like JSON and is none: {problem}") from None
    return text


def _put(values: JsonObject, place: str, value: JsonValue) -> None:
    *way, last = place.split(".")
    inner: JsonValue = values
    walked: list[str] = []
    for part in way:
        inner = _inside(inner, part, walked)
        walked.append(part)
    if isinstance(inner, dict):
        _known(inner, last, walked)
        inner[last] = value
    elif isinstance(inner, list):
        _inside(inner, last, walked)
        inner[int(last)] = value
    else:
        raise EditError(f"{place}: there is nothing inside {'.'.join(walked)}.", remedy="Correct that place itself.")


def _inside(inner: JsonValue, part: str, walked: Sequence[str]) -> JsonValue:
    if isinstance(inner, dict):
        _known(inner, part, walked)
        return inner[part]
    if isinstance(inner, list):
        if part.isdecimal() and int(part) < len(inner):
            return inner[int(part)]
        raise EditError(
            f"{'.'.join((*walked, part))}: {'.'.join(walked)} has {len(inner)} entries.",
            remedy="They are counted from 0.",
        )
    raise EditError(f"There is nothing inside {'.'.join(walked)}.", remedy="Correct that place itself.")


def _known(inner: Mapping[str, JsonValue], name: str, walked: Sequence[str]) -> None:
    if name in inner:
        return
    near = get_close_matches(name, inner, n=1)
    meant = f"Did you mean {'.'.join((*walked, near[0]))}?" if near else f"There are {', '.join(inner)}."
    raise EditError(f"There is no {'.'.join((*walked, name))} in such a record.", remedy=meant)


def _differences(place: str, before: JsonValue, after: JsonValue) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before | after:
            inner = f"{place}.{name}" if place else name
            yield from _differences(inner, before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{place}.{number}", old, new)
    elif before != after:
        yield place
