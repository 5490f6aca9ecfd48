"""What lies inside a property: lines, details, addresses, links; the types of their parts, checked at every depth.

Source: Intuit's schema and entity pages, reduced to `nested.json` beside this module. Groups of preferences take parts
that the schema does not name, as Intuit adds some from time to time.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.values import as_text, to_boolean, to_date, to_decimal
from counterfoil_schema.exact_json import JsonObject, JsonValue

# A host with a dot, with or without a scheme before and a path behind it.
_URL = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*://)?[^\s/]+\.[^\s/]+(?:/\S*)?")


class Part(NamedTuple):
    """One part: its type, longest text, permitted words, and whether it is a list."""

    type: str
    max_length: int | None
    values: frozenset[str]
    many: bool


@cache
def types() -> Mapping[str, Mapping[str, Part]]:
    """Every nested type with its parts."""
    raw: dict[str, dict[str, dict[str, object]]] = json.loads(
        files("counterfoil.quickbooks.emulator").joinpath("nested.json").read_text(encoding="utf-8")
    )
    return {kind: {name: _part(entry) for name, entry in table.items()} for kind, table in raw.items()}


def _part(entry: dict[str, object]) -> Part:
    longest, listed = entry.get("max_length"), entry.get("enum")
    values = frozenset(str(value) for value in listed) if isinstance(listed, list) else frozenset[str]()
    return Part(str(entry["type"]), longest if isinstance(longest, int) else None, values, bool(entry.get("list")))


def checked_inside(name: str, value: JsonValue, kind: str, *, longest: int | None = None) -> JsonValue:
    """A value of a nested type with each part in its own type; what is of no known type stays as it is.

    Args:
        name: where it lies, as `Line.SalesItemLineDetail`.
        longest: a length that the property sets instead of the type.

    Raises:
        QuickBooksFaultError: 2010 for an unknown part, else the fault of its type.
    """
    table = types().get(kind)
    if table is None:
        return value
    if not isinstance(value, dict):
        raise faults.unsupported_property(name)
    result: JsonObject = {}
    for inner, member in value.items():
        part = table.get(inner)
        if part is None and not kind.endswith("Prefs"):
            raise faults.unsupported_property(f"{name}.{inner}")
        result[inner] = member if part is None else _checked_part(name, inner, member, part, kind, longest)
    return result


def _checked_part(name: str, inner: str, value: JsonValue, part: Part, kind: str, longest: int | None) -> JsonValue:
    where = f"{name}.{inner}"
    if part.many:
        if not isinstance(value, list):
            raise faults.unsupported_property(where)
        return [checked_inside(where, member, part.type) for member in value]
    scalar = _SCALARS.get(part.type)
    if scalar is not None:
        return scalar(where, value)
    match part.type:
        case "enum":
            text = as_text(value)
            if text not in part.values:
                raise faults.bad_enum(where, text[:40])
            return text
        case "string" | "dateTime":
            return _text(name, inner, value, longest or part.max_length, kind)
        case _:
            return checked_inside(where, value, part.type)


def _integer(where: str, value: JsonValue) -> JsonValue:
    number = to_decimal(value, where)
    if number != number.to_integral_value():
        raise faults.bad_number(where, str(number))
    return int(number)


def _reference(where: str, value: JsonValue) -> JsonValue:
    if not isinstance(value, dict):
        raise faults.unsupported_property(where)
    return value


_SCALARS: Mapping[str, Callable[[str, JsonValue], JsonValue]] = {
    "ReferenceType": _reference,
    "boolean": lambda where, value: to_boolean(value, where),
    "date": lambda where, value: to_date(value, where),
    "decimal": lambda where, value: to_decimal(value, where),
    "integer": _integer,
}


def _text(name: str, inner: str, value: JsonValue, longest: int | None, kind: str) -> JsonValue:
    where = f"{name}.{inner}"
    if isinstance(value, list | dict):
        raise faults.unsupported_property(where)
    text = str(value).lower() if isinstance(value, bool) else as_text(value)
    if longest is not None and len(text) > longest:
        raise faults.bad_length(where, longest, len(text))
    if kind == "WebSiteAddress" and inner == "URI" and _URL.fullmatch(text) is None:
        raise faults.bad_url(where, text[:80])
    if kind == "EmailAddress" and inner == "Address" and not ("@" in text and "." in text):
        raise faults.bad_email(name)
    return text
