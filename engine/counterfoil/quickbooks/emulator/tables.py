"""Rows by entity, with the indexes that keep every write independent of how many rows there are."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.catalog import ENTITIES, EntitySpec
from counterfoil.quickbooks.emulator.values import as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its counter, its instants, and its properties without Id, SyncToken and MetaData."""

    id: str
    token: int
    created: datetime
    updated: datetime
    body: JsonObject
    lines_made: int = 0

    @property
    def active(self) -> bool:
        return self.body.get("Active") is not False


@dataclass(slots=True)
class Table:
    """The rows of one entity, in order of their last change, and what was deleted."""

    spec: EntitySpec
    rows: dict[str, Row] = field(default_factory=dict)
    deleted: dict[str, Row] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, dict[str, None]] = field(default_factory=dict)

    def changed_last(self) -> Iterator[Row]:
        """Rows, latest change first."""
        return reversed(self.rows.values())


class Tables:
    """All rows of one company."""

    def __init__(self) -> None:
        self._tables = {name: Table(spec) for name, spec in ENTITIES.items()}
        self._spaces: dict[str, dict[str, tuple[str, str]]] = {}
        self.sequences: dict[str, int] = {}

    def table(self, entity: str) -> Table:
        return self._tables[entity]

    def get(self, entity: str, identifier: str) -> Row | None:
        return self._tables[entity].rows.get(identifier)

    def find(self, entity: str, identifier: str) -> Row:
        """The row.

        Raises:
            QuickBooksFaultError: 2030 for an Id that is no number, 610 if there is none such.
        """
        row = self._tables[entity].rows.get(identifier)
        if row is None and not (identifier.isascii() and identifier.isdigit()):
            raise faults.bad_id("Id", identifier[:40])
        if row is None:
            raise faults.not_found()
        return row

    def next_id(self, spec: EntitySpec) -> str:
        """The next Id; transactions share one sequence, as do the three kinds of party."""
        number = self.sequences.get(spec.sequence, 0) + 1
        self.sequences[spec.sequence] = number
        return str(number)

    def put(self, spec: EntitySpec, row: Row) -> None:
        """Store a new or changed row and index it."""
        table = self._tables[spec.name]
        previous = table.rows.pop(row.id, None)
        if previous is not None:
            self._unindex(table, previous)
        table.rows[row.id] = row
        self._index(table, row)
        if row.id.isdigit():
            self.sequences[spec.sequence] = max(self.sequences.get(spec.sequence, 0), int(row.id))

    def amend(self, entity: str, row: Row) -> None:
        """Replace what a row holds; its place among the latest changes stays."""
        table = self._tables[entity]
        self._unindex(table, table.rows[row.id])
        table.rows[row.id] = row
        self._index(table, row)

    def remove(self, spec: EntitySpec, row: Row, at: datetime) -> None:
        """Delete a row, keeping the stub that change data capture reports."""
        table = self._tables[spec.name]
        table.rows.pop(row.id, None)
        self._unindex(table, row)
        table.deleted[row.id] = replace(row, updated=at)

    def holder_of_name(self, spec: EntitySpec, name: str) -> tuple[str, str] | None:
        """Who in the name space bears this name (in any case), inactive ones included: entity and Id."""
        return self._spaces.get(spec.name_space, {}).get(name.casefold())

    def holder_of_number(self, entity: str, number: str) -> str | None:
        """The Id of a document that bears this number."""
        holders = self._tables[entity].numbers.get(number.casefold())
        return next(iter(holders)) if holders else None

    def _index(self, table: Table, row: Row) -> None:
        name = self._name_key(table.spec, row)
        if name:
            self._spaces.setdefault(table.spec.name_space, {})[name] = (table.spec.name, row.id)
        number = as_text(row.body.get("DocNumber"))
        if number:
            table.numbers.setdefault(number.casefold(), {})[row.id] = None

    def _unindex(self, table: Table, row: Row) -> None:
        name = self._name_key(table.spec, row)
        space = self._spaces.get(table.spec.name_space, {})
        if name and space.get(name) == (table.spec.name, row.id):
            del space[name]
        number = as_text(row.body.get("DocNumber")).casefold()
        if number and number in table.numbers:
            table.numbers[number].pop(row.id, None)
            if not table.numbers[number]:
                del table.numbers[number]

    def _name_key(self, spec: EntitySpec, row: Row) -> str:
        return unique_name(spec, row.body).casefold()


def unique_name(spec: EntitySpec, body: JsonObject) -> str:
    """The name that must be unique: of a party its DisplayName, of a nested list entry its full path."""
    if not spec.name_property:
        return ""
    full: JsonValue = body.get("FullyQualifiedName") if spec.name_property == "Name" else None
    return as_text(full or body.get(spec.name_property))
