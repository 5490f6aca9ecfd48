"""Answering a parsed query: filters, order, page; indexes where a condition names one record."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cmp_to_key
from zoneinfo import ZoneInfo

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import ATTACHED_TO, BY_PATH, EntitySpec
from counterfoil.quickbooks.emulator.fields import fields_of, rows
from counterfoil.quickbooks.emulator.query import Condition, Ordering, Query, Value
from counterfoil.quickbooks.emulator.tables import Row, unique_name
from counterfoil.quickbooks.emulator.taxes import BUILT_IN
from counterfoil.quickbooks.emulator.values import as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

Comparable = str | Decimal | datetime | bool


def answer(query: Query, books: Books) -> JsonObject:
    """The value of `QueryResponse`.

    Raises:
        QuickBooksFaultError: 4001 for an unknown entity, or a property that cannot be queried.
    """
    spec = BY_PATH.get(query.entity.lower())
    if spec is None:
        raise faults.invalid_query(f"Invalid context declaration: {query.entity[:60]}")
    named = [(condition, _property(condition.property, spec)) for condition in query.conditions]
    conditions = [_compile(condition, name, spec, books.zone) for condition, name in named if name not in ATTACHED_TO]
    if attached := [(condition, name) for condition, name in named if name in ATTACHED_TO]:
        conditions.append(_attached_to(attached))
    orderings = [_ordering(order, spec) for order in query.ordering]
    found = [
        row
        for row in _candidates(query, spec, books)
        if all(condition.matches(row, books) for condition in conditions) and _shown(query, spec, row)
    ]
    if query.count:
        return {"totalCount": len(found)}
    for order in reversed(orderings):
        found = _sorted(found, order, spec, books)
    page = _page(query, spec, found)
    if not page:
        return {}
    shown: list[JsonValue] = [books.show(spec.name, row) for row in page]
    return {spec.name: shown, "startPosition": query.start_position, "maxResults": len(page)}


def _page(query: Query, spec: EntitySpec, found: list[Row]) -> list[Row]:
    """The rows between STARTPOSITION and MAXRESULTS.

    Of tax codes the built-in ones come on top of the first page, beyond what was asked for, as clients have found.
    """
    on_top: list[Row] = []
    if spec.name == "TaxCode":
        on_top = [row for row in found if row.id in BUILT_IN] if query.start_position == 1 else []
        found = [row for row in found if row.id not in BUILT_IN]
    return [*on_top, *found[query.start_position - 1 : query.start_position - 1 + query.max_results]]


@dataclass(frozen=True, slots=True)
class _Test:
    """A condition bound to its property's type."""

    read: Callable[[Row, Books], Comparable | None]
    accepts: Callable[[Comparable], bool]

    def matches(self, row: Row, books: Books) -> bool:
        value = self.read(row, books)
        return value is not None and self.accepts(value)


def _compile(condition: Condition, name: str, spec: EntitySpec, zone: ZoneInfo) -> _Test:
    if name == "Id" and condition.operator not in {"=", "IN"}:
        raise faults.invalid_query("operator not supported for property 'Id': only = and IN")
    kind = _kind(name, spec)
    if condition.operator == "LIKE":
        pattern = _like(as_text(_plain(condition.values[0])))
        return _Test(_reader(name, kind, spec), lambda value: pattern.fullmatch(str(value)) is not None)
    wanted = [_typed(value, kind, name, zone) for value in condition.values]
    return _Test(_reader(name, kind, spec), _acceptor(condition.operator, wanted))


def _attached_to(conditions: list[tuple[Condition, str]]) -> _Test:
    """Whether a file hangs on one record of which all the conditions hold."""
    wanted: list[tuple[str, set[str]]] = []
    for condition, name in conditions:
        if condition.operator not in {"=", "IN"}:
            raise faults.invalid_query(f"operator not supported for property '{name}': only = and IN")
        part = name.rpartition(".")[2].lower()
        wanted.append((part, {_plain(value).casefold() for value in condition.values}))

    def hangs(row: Row, _books: Books) -> bool:
        records = [as_object(reference.get("EntityRef")) for reference in rows(row.body, "AttachableRef")]
        return any(all(as_text(record.get(part)).casefold() in texts for part, texts in wanted) for record in records)

    return _Test(hangs, lambda found: found is True)


def _plain(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _like(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.casefold().split("%")), re.DOTALL)


def _acceptor(operator: str, wanted: list[Comparable]) -> Callable[[Comparable], bool]:
    first = wanted[0]
    match operator:
        case "=" | "IN":
            return lambda value: value in wanted
        case "!=":
            return lambda value: value not in wanted
        case "<":
            return lambda value: _compare(value, first) < 0
        case ">":
            return lambda value: _compare(value, first) > 0
        case "<=":
            return lambda value: _compare(value, first) <= 0
        case _:
            return lambda value: _compare(value, first) >= 0


def _compare(left: Comparable, right: Comparable) -> int:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return (left > right) - (left < right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return (left > right) - (left < right)
    return (str(left) > str(right)) - (str(left) < str(right))


def _property(name: str, spec: EntitySpec) -> str:
    lowered = name.lower()
    for known in spec.filterable:
        if known.lower() == lowered:
            return known
    known_fields = {field.lower() for field in fields_of(spec.name)} | {"synctoken", "line", "metadata"}
    if lowered.partition(".")[0] in known_fields:
        raise faults.invalid_query(f"property '{name[:60]}' is not queryable")
    raise faults.invalid_query(f"Property {name[:60]} not found for Entity {spec.name}")


def _kind(name: str, spec: EntitySpec) -> str:
    if name.startswith("MetaData."):
        return "instant"
    field = fields_of(spec.name).get(name)
    if field is None:
        return "decimal" if name in {"Balance", "TotalAmt"} else "string"
    if field.type in {"decimal", "integer", "boolean", "date"}:
        return field.type
    return {"ReferenceType": "reference", "EmailAddress": "address"}.get(field.type, "string")


def _typed(value: Value, kind: str, name: str, zone: ZoneInfo) -> Comparable:
    text = _plain(value)
    try:
        match kind:
            case "instant":
                return parse_instant(text, zone)
            case "decimal" | "integer":
                return Decimal(text)
            case "boolean":
                if text.lower() not in {"true", "false"}:
                    raise faults.invalid_query(f"value '{text[:60]}' is not valid for property '{name}'")
                return text.lower() == "true"
            case _:
                return text.casefold()
    except (ValueError, InvalidOperation) as error:
        raise faults.invalid_query(f"value '{text[:60]}' is not valid for property '{name}'") from error


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """An instant with its offset; a bare one is in the company's zone.

    Raises:
        ValueError: not a date or time.
    """
    at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
    try:
        at.timestamp()
    except OverflowError as error:
        raise ValueError(f"{text[:40]} is out of range") from error
    return at


def _reader(name: str, kind: str, spec: EntitySpec) -> Callable[[Row, Books], Comparable | None]:
    if name == "Id":
        return lambda row, _books: row.id.casefold()
    if name == "MetaData.CreateTime":
        return lambda row, _books: row.created.replace(microsecond=0)
    if name == "MetaData.LastUpdatedTime":
        return lambda row, _books: row.updated.replace(microsecond=0)
    if spec.name in {"Customer", "Vendor"} and name == "Balance":
        return lambda row, books: books.ledger.party(row.id)
    if spec.name == "Account" and name == "CurrentBalance":
        return lambda row, books: books.ledger.account(row.id)
    return lambda row, _books: _stored(row.body.get(name), kind)


def _stored(value: JsonValue, kind: str) -> Comparable | None:
    if value is None:
        return None
    if kind == "reference":
        return as_text(as_object(value).get("value")).casefold()
    if kind == "address":
        return as_text(as_object(value).get("Address")).casefold()
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal) and kind in {"decimal", "integer"}:
        return Decimal(value)
    return as_text(value).casefold()


def _shown(query: Query, spec: EntitySpec, row: Row) -> bool:
    if not spec.active_by_default or row.active:
        return True
    return any(condition.property.lower() == "active" for condition in query.conditions)


def _candidates(query: Query, spec: EntitySpec, books: Books) -> Iterable[Row]:
    """The fewest rows that can match, by an index if a condition has one."""
    table = books.tables.table(spec.name)
    for condition in query.conditions:
        if condition.operator not in {"=", "IN"}:
            continue
        texts = {_plain(value).casefold(): None for value in condition.values}
        match condition.property.lower():
            # Of those with letters, as TAX and NON, there are few.
            case "id" if all(text.isdecimal() for text in texts):
                return [row for text in texts if (row := table.rows.get(text)) is not None]
            case "docnumber":
                ids = [identifier for text in texts for identifier in table.numbers.get(text, {})]
                return [table.rows[identifier] for identifier in ids]
            case "displayname":
                holders = [books.tables.holder_of_name(spec, text) for text in texts]
                return [table.rows[holder[1]] for holder in holders if holder and holder[0] == spec.name]
            case _:
                continue
    if query.ordering:
        return table.rows.values()
    if spec.kind == "list":
        # Lists come by name unless told otherwise, so that what is added shifts the pages behind it.
        return sorted(table.rows.values(), key=lambda row: (unique_name(spec, row.body).casefold(), _by_number(row)))
    return sorted(table.rows.values(), key=_by_number)


def _by_number(row: Row) -> int:
    return int(row.id) if row.id.isdigit() else 0


def _ordering(order: Ordering, spec: EntitySpec) -> Ordering:
    return Ordering(_property(order.property, spec), order.descending)


def _sorted(rows: list[Row], order: Ordering, spec: EntitySpec, books: Books) -> list[Row]:
    if order.property == "Id":
        return sorted(rows, key=_by_number, reverse=order.descending)
    read = _reader(order.property, _kind(order.property, spec), spec)

    def compare(left: Row, right: Row) -> int:
        one, other = read(left, books), read(right, books)
        if one is None or other is None:
            return (one is not None) - (other is not None)
        return _compare(one, other)

    return sorted(rows, key=cmp_to_key(compare), reverse=order.descending)
