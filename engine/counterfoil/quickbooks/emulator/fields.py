"""The properties of each entity, with types, lengths and enumerations, and the check of a body against them.

Source: Intuit's schema and entity pages, reduced to `fields.json` beside this module.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.nested import checked_inside
from counterfoil.quickbooks.emulator.values import (
    as_list,
    as_object,
    as_text,
    to_boolean,
    to_date,
    to_decimal,
)
from counterfoil_schema.exact_json import JsonObject, JsonValue

# Accepted everywhere and never stored as sent.
SERVER_PROPERTIES = frozenset({"Id", "SyncToken", "MetaData", "domain", "sparse", "status", "AttachableRef"})

# Documented or marked writable by the schema, yet computed by the server.
COMPUTED = {
    "Account": frozenset({"CurrentBalance", "CurrentBalanceWithSubAccounts", "Classification", "SubAccount"}),
    "Customer": frozenset({"Balance", "BalanceWithJobs", "FullyQualifiedName", "Level"}),
    "CreditMemo": frozenset({"TotalAmt", "Balance", "RemainingCredit", "HomeTotalAmt", "HomeBalance"}),
    "Invoice": frozenset({"TotalAmt", "Balance", "HomeTotalAmt", "HomeBalance"}),
    "JournalEntry": frozenset({"TotalAmt", "HomeTotalAmt"}),
    "Bill": frozenset({"TotalAmt", "Balance", "HomeBalance", "HomeTotalAmt"}),
    "Deposit": frozenset({"TotalAmt", "HomeTotalAmt"}),
    "Estimate": frozenset({"TotalAmt", "HomeTotalAmt"}),
    "Purchase": frozenset({"TotalAmt", "HomeTotalAmt"}),
    "PurchaseOrder": frozenset({"TotalAmt", "HomeTotalAmt"}),
    "RefundReceipt": frozenset({"TotalAmt", "Balance", "RemainingCredit", "HomeTotalAmt", "HomeBalance"}),
    "SalesReceipt": frozenset({"TotalAmt", "Balance", "HomeTotalAmt", "HomeBalance"}),
    "VendorCredit": frozenset({"TotalAmt", "Balance", "HomeBalance", "HomeTotalAmt"}),
    "Payment": frozenset({"UnappliedAmt", "HomeTotalAmt"}),
    "Vendor": frozenset({"Balance"}),
}
WRITABLE = {
    "Payment": frozenset({"TotalAmt", "CurrencyRef", "CustomerRef"}),
    "Customer": frozenset({"CurrencyRef"}),
    "Vendor": frozenset({"CurrencyRef"}),
    "Class": frozenset({"SubClass"}),
    "BillPayment": frozenset({"TotalAmt", "CurrencyRef", "VendorRef"}),
}
WORDS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Field:
    """One property: its type, longest text, permitted values, and whether clients may set it."""

    type: str
    max_length: int | None
    values: frozenset[str]
    read_only: bool
    many: bool


@cache
def fields_of(entity: str) -> dict[str, Field]:
    """The properties of an entity by name; empty for an entity without a table."""
    return _tables().get(entity, {})


@cache
def _tables() -> dict[str, dict[str, Field]]:
    raw: dict[str, dict[str, dict[str, object]]] = json.loads(
        files("counterfoil.quickbooks.emulator").joinpath("fields.json").read_text(encoding="utf-8")
    )
    return {
        entity: {name: _field(entity, name, entry) for name, entry in table.items()} for entity, table in raw.items()
    }


def _field(entity: str, name: str, entry: dict[str, object]) -> Field:
    longest = entry.get("max_length")
    listed = entry.get("enum")
    computed = name in COMPUTED.get(entity, ())
    read_only = computed or (bool(entry.get("read_only")) and name not in WRITABLE.get(entity, ()))
    return Field(
        type=str(entry["type"]),
        max_length=longest if isinstance(longest, int) else None,
        values=frozenset(str(value) for value in listed) if isinstance(listed, list) else frozenset(),
        read_only=read_only,
        many=bool(entry.get("list")),
    )


def checked(entity: str, body: JsonObject) -> JsonObject:
    """The writable properties of a body, each of its documented type and length; read-only ones dropped.

    Raises:
        QuickBooksFaultError: 2010 for an unknown property, else the fault of its type.
    """
    table = fields_of(entity)
    result: JsonObject = {}
    for name, value in body.items():
        if name in SERVER_PROPERTIES and not (entity == "Attachable" and name == "AttachableRef"):
            continue
        field = table.get(name)
        if field is None:
            raise faults.unsupported_property(name)
        if field.read_only:
            continue
        kept = _checked_value(name, value, field)
        if kept is not None:
            result[name] = kept
    return result


def _checked_value(name: str, value: JsonValue, field: Field) -> JsonValue:
    scalar = _SCALARS.get(field.type)
    if scalar is not None:
        return scalar(name, value, field)
    if field.many:
        if not isinstance(value, list):
            raise faults.unsupported_property(name)
        return [checked_inside(name, member, field.type) for member in value]
    if not isinstance(value, dict):
        raise faults.unsupported_property(name)
    if field.type == "ReferenceType":
        return _checked_reference(name, value)
    if field.type == "value:string":
        check_text(f"{name}.value", value.get("value"), field.max_length or WORDS_MAX)
    # An address sets the lengths of its parts itself; any other property may set its only text's.
    longest = None if field.type == "PhysicalAddress" else field.max_length
    return checked_inside(name, value, field.type, longest=longest) or None


def _checked_reference(name: str, value: JsonObject) -> JsonObject | None:
    identifier = as_text(value.get("value"))
    if identifier:
        return {"value": identifier}
    if value.get("name") is not None:
        raise faults.required(f"{name}.value")
    return None


def _text(name: str, value: JsonValue, field: Field) -> JsonValue:
    if isinstance(value, list | dict):
        raise faults.unsupported_property(name)
    text = str(value).lower() if isinstance(value, bool) else as_text(value)
    if field.max_length is not None and len(text) > field.max_length:
        raise faults.bad_length(name, field.max_length, len(text))
    return text or None


def _enum(name: str, value: JsonValue, field: Field) -> JsonValue:
    text = as_text(value)
    if text not in field.values:
        raise faults.bad_enum(name, text[:40])
    return text


def _integer(name: str, value: JsonValue, _field: Field) -> JsonValue:
    number = to_decimal(value, name)
    if number != number.to_integral_value():
        raise faults.bad_number(name, str(number))
    return int(number)


_SCALARS: dict[str, Callable[[str, JsonValue, Field], JsonValue]] = {
    "string": _text,
    "dateTime": _text,
    "enum": _enum,
    "integer": _integer,
    "decimal": lambda name, value, _field: to_decimal(value, name),
    "date": lambda name, value, _field: to_date(value, name),
    "boolean": lambda name, value, _field: to_boolean(value, name),
}


def check_text(name: str, value: JsonValue, longest: int) -> None:
    """A text inside a nested object.

    Raises:
        QuickBooksFaultError: 2050.
    """
    text = as_text(value)
    if len(text) > longest:
        raise faults.bad_length(name, longest, len(text))


def part(body: JsonObject, *path: str) -> JsonValue:
    """The value at a path of objects, or None."""
    value: JsonValue = body
    for name in path:
        value = as_object(value).get(name)
    return value


def rows(body: JsonObject, name: str) -> list[JsonObject]:
    """The objects of a list property.

    Raises:
        QuickBooksFaultError: 2010 if a member is no object.
    """
    members = as_list(body.get(name))
    if not all(isinstance(member, dict) for member in members):
        raise faults.unsupported_property(name)
    return [as_object(member) for member in members]
