"""Change data capture: net state since an instant, grouped by type, deleted stubs last.

Source: Intuit's change-data-capture page. The answer to a `changedSince` before the window is not documented;
a public extractor asks so, and counts on an answer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import BY_PATH, EntitySpec
from counterfoil.quickbooks.emulator.select import parse_instant
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.views import stamp
from counterfoil_schema.exact_json import JsonObject, JsonValue

OBJECTS_MAX = 1000
WINDOW = timedelta(days=30)
COVERED = frozenset({"list", "transaction", "file"})
# TimeActivity is left out by the page, and told of since a release of 2021.
LEFT_OUT: frozenset[str] = frozenset({"JournalCode", "TaxAgency"})


def changes(
    books: Books,
    entities: str,
    changed_since: str,
    now: datetime,
    *,
    falsely_deleted: frozenset[tuple[str, str]],
    refuse_old: bool = False,
    left_out: frozenset[str] = LEFT_OUT,
) -> JsonObject:
    """The value of `CDCResponse[0]`.

    Args:
        entities: names separated by commas.
        changed_since: an ISO instant.
        falsely_deleted: live records to report as Deleted, as has been seen to happen.
        left_out: kinds of record that it does not tell of.
        refuse_old: refuse an instant before the window instead of telling what changed inside it.

    Raises:
        QuickBooksFaultError: 2020, 2060 or 4001.
    """
    specs = _specs(entities, left_out)
    if not changed_since:
        raise faults.required("changedSince")
    try:
        since = parse_instant(changed_since, books.zone)
    except ValueError as error:
        raise faults.bad_date("changedSince", changed_since[:40]) from error
    if now - since > WINDOW:
        if refuse_old:
            raise faults.invalid_query("changedSince must not be more than 30 days ago")
        since = now - WINDOW
    groups: list[JsonValue] = []
    room = OBJECTS_MAX
    for spec in specs:
        members = _members(books, spec, since, falsely_deleted, room)
        room -= len(members)
        if members:
            groups.append({spec.name: members, "startPosition": 1, "maxResults": len(members)})
    return {"QueryResponse": groups or [{}]}


def _specs(entities: str, left_out: frozenset[str]) -> list[EntitySpec]:
    names = [name for part in entities.split(",") if (name := part.strip())]
    if not names:
        raise faults.required("entities")
    specs: dict[str, EntitySpec] = {}
    for name in names:
        spec = BY_PATH.get(name.lower())
        if spec is None or spec.kind not in COVERED or spec.name in left_out:
            raise faults.invalid_query(f"Entity {name[:60]} is not supported by change data capture")
        specs[spec.name] = spec
    return list(specs.values())


def _members(
    books: Books, spec: EntitySpec, since: datetime, falsely_deleted: frozenset[tuple[str, str]], room: int
) -> list[JsonValue]:
    """At most so many, longest unchanged first; nothing says that there would be more."""
    table = books.tables.table(spec.name)
    changed = _since(table.changed_last(), since)
    told = [row for row in changed if (spec.name, row.id) not in falsely_deleted][:room]
    live: list[JsonValue] = [books.show(spec.name, row) for row in told]
    false = [row for row in changed if (spec.name, row.id) in falsely_deleted]
    gone = [*_since(reversed(table.deleted.values()), since), *false]
    stubs: list[JsonValue] = [_stub(row, books) for row in gone[: room - len(live)]]
    return [*live, *stubs]


def _since(latest_first: Iterable[Row], since: datetime) -> list[Row]:
    rows: list[Row] = []
    for row in latest_first:
        if row.updated < since:
            break
        rows.append(row)
    return rows[::-1]


def _stub(row: Row, books: Books) -> JsonObject:
    return {
        "domain": "QBO",
        "status": "Deleted",
        "Id": row.id,
        "MetaData": {"LastUpdatedTime": stamp(row.updated, books.zone)},
    }
