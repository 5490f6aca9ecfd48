"""Answers queries: which rows pass, in which order, and how they look."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from counterfoil_adapters.salesforce.emulator.errors import OrgError
from counterfoil_adapters.salesforce.emulator.org import Org, Row
from counterfoil_adapters.salesforce.emulator.schema import FieldDef, ObjectDef
from counterfoil_adapters.salesforce.emulator.soql import Combined, Compare, Condition, Query, Value
from counterfoil_adapters.salesforce.emulator.values import SHORT_ID, long_id, parse_instant
from counterfoil_schema.exact_json import JsonObject, JsonValue

_CASED = frozenset({"id", "reference"})
_NUMBERS = frozenset({"double", "currency", "percent", "int"})


class Selection:
    """One query against the org.

    Args:
        everything: rows in the recycle bin count too (queryAll).

    Raises:
        OrgError: unknown object or field.
    """

    def __init__(self, org: Org, query: Query, version: str, *, everything: bool) -> None:
        self._org = org
        self._query = query
        self._version = version
        self._everything = everything
        definition = org.definition(query.object)
        if definition is None:
            raise OrgError(
                "INVALID_TYPE",
                f"sObject type '{query.object}' is not supported. If you are attempting to use a custom object, be sure"
                " to append the '__c' after the entity name.",
            )
        self._definition = definition
        self._known: dict[str, FieldDef] = {}
        self._ids: dict[int, frozenset[Value]] = {}
        for name in query.fields:
            self._resolve(name)
        if query.where is not None:
            self._check(query.where)

    def rows(self) -> list[Row]:
        """The rows that pass, in order, within limit and offset."""
        query = self._query
        if _names(query) == ("SystemModstamp", "Id") and query.limit is not None and not query.offset:
            passing = (row for row in self._by_stamp() if self._passes(row))
            return list(islice(passing, query.limit))
        found = [row for row in self._candidates() if self._passes(row)]
        for order in reversed(query.order):  # the sort is stable: the last key first
            known = [(row, self._value(row, order.field)[1]) for row in found]
            blank = [row for row, value in known if value is None]
            full = [(row, value) for row, value in known if value is not None]
            full.sort(key=lambda pair: _sortable(pair[1]), reverse=order.descending)
            ordered = [row for row, _ in full]
            # Nulls come first, whichever the direction, unless the query says otherwise.
            found = [*ordered, *blank] if order.nulls_last else [*blank, *ordered]
        end = None if query.limit is None else query.offset + query.limit
        return found[query.offset : end]

    def _conditions(self) -> tuple[Condition, ...]:
        """Those that must all hold."""
        where = self._query.where
        if isinstance(where, Combined):
            return where.parts if where.how == "AND" else ()
        return () if where is None else (where,)

    def _by_stamp(self) -> Iterator[Row]:
        rows = self._org.tables[self._definition.name].by_stamp()
        for part in self._conditions():
            if isinstance(part, Compare) and (part.field, part.operator) == ("SystemModstamp", ">="):
                start = part.value
                if isinstance(start, datetime):
                    return islice(rows, bisect_left(rows, start, key=lambda row: row.stamp), None)
        return iter(rows)

    def _candidates(self) -> Iterable[Row]:
        """Rows among which all that pass are: a list of ids is looked up."""
        table = self._org.tables[self._definition.name]
        for part in self._conditions():
            if not isinstance(part, Compare) or part.operator != "IN" or not isinstance(part.value, tuple):
                continue
            kind = self._resolve(part.field)
            if "." in part.field or kind.type not in _CASED:
                continue
            ids = dict.fromkeys(long_id(str(v)) if len(str(v)) == SHORT_ID else str(v) for v in part.value)
            if kind.name == "Id":
                return [table.rows[one] for one in ids if one in table.rows]
            groups = table.by_reference(kind.name)
            return [row for one in ids for row in groups.get(one, ())]
        return table.rows.values()

    def shown(self, row: Row) -> JsonObject:
        """A row with the fields that were asked for; relationships become objects inside."""
        body: JsonObject = {"attributes": attributes(self._version, row)}
        for name in self._query.fields:
            self._place(body, row, name.split("."))
        return body

    def _passes(self, row: Row) -> bool:
        if row.purged or row.held or (row.deleted_at is not None and not self._everything):
            return False
        return self._query.where is None or self._holds(self._query.where, row)

    def _holds(self, condition: Condition, row: Row) -> bool:
        if isinstance(condition, Compare):
            kind, held = self._value(row, condition.field)
            if isinstance(condition.value, tuple):
                return self._inside(kind, held, condition, condition.value)
            return _single(kind, held, condition.operator, condition.value)
        outcomes = (self._holds(part, row) for part in condition.parts)
        match condition.how:
            case "AND":
                return all(outcomes)
            case "OR":
                return any(outcomes)
            case _:
                return not next(outcomes)

    def _inside(self, kind: FieldDef, held: JsonValue, condition: Compare, values: tuple[Value, ...]) -> bool:
        if kind.type in _CASED:
            # Lists of ids are long: looked up, not gone through.
            if id(condition) not in self._ids:
                self._ids[id(condition)] = frozenset(long_id(str(v)) if len(str(v)) == SHORT_ID else v for v in values)
            inside = held in self._ids[id(condition)]
        else:
            inside = any(_single(kind, held, "=", value) for value in values)
        return inside == (condition.operator == "IN")

    def _check(self, condition: Condition) -> None:
        if isinstance(condition, Combined):
            for part in condition.parts:
                self._check(part)
            return
        kind = self._resolve(condition.field).type
        for value in condition.value if isinstance(condition.value, tuple) else (condition.value,):
            if value is not None and not _fits(kind, value):
                raise OrgError(
                    "INVALID_FIELD",
                    f"value of filter criterion for field '{condition.field}' must be of type {kind} and should"
                    f" {'not ' if isinstance(value, str) else ''}be enclosed in quotes",
                )

    def _resolve(self, path: str) -> FieldDef:
        if path not in self._known:
            self._known[path] = self._found(path)
        return self._known[path]

    def _found(self, path: str) -> FieldDef:
        definition = self._definition
        *relations, name = path.split(".")
        for relation in relations:
            reference = definition.related(relation)
            target = self._org.definition(reference.refers_to or "") if reference is not None else None
            if target is None:
                raise _unknown(f"Didn't understand relationship '{relation}' in field path.")
            definition = target
        found = self._org.visible(definition, name)
        if found is None:
            raise _unknown(f"No such column '{name}' on entity '{definition.name}'.")
        return found

    def _value(self, row: Row, path: str) -> tuple[FieldDef, JsonValue]:
        definition, current = self._definition, row
        found = self._resolve(path)
        if "." not in path:
            return found, row.values.get(found.name)
        *relations, name = path.split(".")
        for relation in relations:
            reference = definition.related(relation)
            following = self._follow(current, reference)
            if reference is None or following is None:
                return found, None
            definition, current = self._org.tables[following.object].definition, following
        return found, current.values.get(_exact(definition, name))

    def _follow(self, row: Row, reference: FieldDef | None) -> Row | None:
        if reference is None or reference.refers_to is None:
            return None
        return self._org.tables[reference.refers_to].rows.get(str(row.values.get(reference.name)))

    def _place(self, body: JsonObject, row: Row, path: list[str]) -> None:
        definition = self._org.tables[row.object].definition
        if len(path) == 1:
            name = _exact(definition, path[0])
            body[name] = row.values.get(name)
            return
        reference = definition.related(path[0])
        following = self._follow(row, reference)
        relation = reference.relation or path[0] if reference is not None else path[0]
        if following is None:
            body[relation] = None
            return
        inner = body.setdefault(relation, {"attributes": attributes(self._version, following)})
        if isinstance(inner, dict):
            self._place(inner, following, path[1:])


def _names(query: Query) -> tuple[str, ...]:
    return tuple(order.field for order in query.order if not order.descending)


def attributes(version: str, row: Row) -> JsonObject:
    """What each record in an answer begins with."""
    return {"type": row.object, "url": f"/services/data/{version}/sobjects/{row.object}/{row.id}"}


def _exact(definition: ObjectDef, name: str) -> str:
    found = definition.find(name)
    return found.name if found is not None else name


def _sortable(value: JsonValue) -> tuple[Decimal, str]:
    if isinstance(value, bool | int | Decimal):
        return Decimal(value), ""
    return Decimal(0), str(value)


def _fits(kind: str, value: Value) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "datetime":
            return isinstance(value, datetime)
        case "date":
            return isinstance(value, date) and not isinstance(value, datetime)
        case _ if kind in _NUMBERS:
            return isinstance(value, Decimal)
        case _:
            return isinstance(value, str)


def _single(definition: FieldDef, held: JsonValue, operator: str, value: Value) -> bool:
    if held is None or value is None:
        return (held is None and value is None) if operator == "=" else operator == "!=" and held is not value
    if operator == "LIKE":
        return _like(str(value)).fullmatch(str(held)) is not None
    left, right = _comparable(definition, held, value)
    match operator:
        case "=":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _comparable(definition: FieldDef, held: JsonValue, value: Value) -> tuple[tuple[Decimal, str], tuple[Decimal, str]]:
    """Both as (number, text): instants and numbers as numbers, ids with their case, other text without."""
    if isinstance(value, datetime):
        return (Decimal(parse_instant(str(held)).timestamp()), ""), (Decimal(value.timestamp()), "")
    if isinstance(value, date):
        return (Decimal(0), str(held)), (Decimal(0), value.isoformat())
    if isinstance(value, bool | Decimal):
        return _sortable(held), (Decimal(value), "")
    text = str(value)
    if definition.type in _CASED:
        return (Decimal(0), str(held)), (Decimal(0), long_id(text) if len(text) == SHORT_ID else text)
    return (Decimal(0), str(held).lower()), (Decimal(0), (text or "").lower())


def _like(pattern: str) -> re.Pattern[str]:
    parts = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _unknown(message: str) -> OrgError:
    return OrgError(
        "INVALID_FIELD",
        f"{message} If you are attempting to use a custom field, be sure to append the '__c' after the custom field"
        " name. Please reference your WSDL or the describe call for the appropriate names.",
    )
