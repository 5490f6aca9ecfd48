"""Named queries that give rows of projections, over rows in memory: each gives what `state_<name>.sql` gives.

The files are where a query is explained; a test runs both over the same rows and compares.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from counterfoil.state.rows import (
    CallRow,
    ChangeRow,
    DriftRow,
    ErasureRow,
    HintRow,
    IntentRow,
    LinkRow,
    RecordRow,
    RequestRow,
    Row,
    RunRow,
    SettlementRow,
)
from counterfoil.testing.memory_tables import BLOCKING, BOOKS, OPEN, CompanyTables

LANES: Final = ("live", "retry", "backfill", "reconcile")


def _planned(row: IntentRow) -> tuple[int, str]:
    return row.planned, row.intent_id


def _positions(row: ChangeRow) -> int:
    return row.position


def _intents_in(tables: CompanyTables, states: Sequence[str], limit: int) -> Sequence[IntentRow]:
    return sorted((row for row in tables.all(IntentRow) if row.state in states), key=_planned)[:limit]


def _intents_of_records(tables: CompanyTables, keys: Sequence[str]) -> Sequence[IntentRow]:
    return sorted((row for row in tables.all(IntentRow) if row.record_key in keys), key=_planned)


def _intents_of_changes(tables: CompanyTables, record_key: str) -> Sequence[IntentRow]:
    wanted = {one for row in tables.all(ChangeRow) if row.record_key == record_key for one in row.intents}
    found = (row for row in tables.all(IntentRow) if row.record_key == record_key or row.intent_id in wanted)
    return sorted(found, key=_planned)


def _ready(tables: CompanyTables) -> Iterator[IntentRow]:
    """What may go out: its needs have documents, what it waits for has ended, nothing of its record is before it."""
    beside: dict[tuple[str, str], list[IntentRow]] = defaultdict(list)
    ready: list[IntentRow] = []
    for row in tables.all(IntentRow):
        if row.state in OPEN:
            beside[row.record_key, row.target].append(row)
        if row.state == "ready":
            ready.append(row)
    for row in ready:
        others = (one for one in beside[row.record_key, row.target] if one.intent_id != row.intent_id)
        if any(one.state in BLOCKING or one.planned < row.planned for one in others):
            continue
        awaited = (tables.get(IntentRow, one) for one in row.waits_for)
        if any(one is not None and one.state not in {"accepted", "withdrawn"} for one in awaited):
            continue
        if all(tables.is_linked(need) for need in row.needs):
            yield row


def _ready_for(tables: CompanyTables, books: bool | None, limit: int) -> Sequence[IntentRow]:
    found = (row for row in _ready(tables) if books is None or (row.target == BOOKS) == books)
    return sorted(found, key=lambda row: (LANES.index(row.lane), *_planned(row)))[:limit]


def _ready_of(
    tables: CompanyTables,
    entities: Sequence[str],
    among: bool | None,
    lanes: Sequence[str],
    unfit: Sequence[str],
    limit: int,
) -> Sequence[IntentRow]:
    found = (
        row
        for row in _ready(tables)
        if row.target == BOOKS
        and (among is None or (row.entity in entities) == among)
        and row.lane in lanes
        and row.intent_id not in unfit
    )
    return sorted(found, key=_planned)[:limit]


def _refused_notes(tables: CompanyTables, record_key: str | None, after: int, limit: int) -> Sequence[IntentRow]:
    last: dict[tuple[str, str], int] = {}
    for row in tables.all(IntentRow):
        if row.operation in {"note", "write_back"} and row.state != "withdrawn":
            place = row.record_key, row.target
            last[place] = max(last.get(place, 0), row.planned)
    found = (
        row
        for row in tables.all(IntentRow)
        if row.state == "parked"
        and row.operation == "note"
        and (record_key is None or row.record_key == record_key)
        and row.planned > after
        and last[row.record_key, row.target] <= row.planned
    )
    return sorted(found, key=_planned)[:limit]


def _undecided_changes(tables: CompanyTables, after: int, limit: int) -> Sequence[ChangeRow]:
    return _changes(tables, lambda row: (row.state, row.code) == ("waiting", "decision") and row.position > after)[
        :limit
    ]


def _changes(tables: CompanyTables, wanted: Callable[[ChangeRow], bool]) -> Sequence[ChangeRow]:
    return sorted((row for row in tables.all(ChangeRow) if wanted(row)), key=_positions)


def _changes_in(tables: CompanyTables, state: str, after: int, limit: int) -> Sequence[ChangeRow]:
    return _changes(tables, lambda row: row.state == state and row.position > after)[:limit]


def _changes_of_record(tables: CompanyTables, record_key: str) -> Sequence[ChangeRow]:
    return _changes(tables, lambda row: row.record_key == record_key)


def _parked_for(tables: CompanyTables, codes: Sequence[str], after: int, limit: int) -> Sequence[ChangeRow]:
    return _changes(tables, lambda row: row.state == "parked" and row.code in codes and row.position > after)[:limit]


def _newest(tables: CompanyTables) -> Iterator[tuple[RecordRow, ChangeRow]]:
    """Each record with its newest change."""
    for record in tables.all(RecordRow):
        change = tables.get(ChangeRow, str(record.position))
        if change is not None and change.record_key == record.record_key:
            yield record, change


def _changes_to_tell(tables: CompanyTables, beginnings: Sequence[str], limit: int) -> Sequence[ChangeRow]:
    untold: list[ChangeRow] = []
    mended: list[ChangeRow] = []
    for record, change in _newest(tables):
        if record.removed or not record.record_key.startswith(tuple(beginnings)):
            continue
        if change.state == "parked" and _is_untold(tables, record, change):
            untold.append(change)
        over = change.state in {"applied", "unchanged", "skipped"} or change.code == "approval"
        if record.told is not None and over:
            mended.append(change)
    return [*untold, *mended][:limit]


def _is_untold(tables: CompanyTables, record: RecordRow, change: ChangeRow) -> bool:
    refused = [
        row.settled
        for row in tables.all(IntentRow)
        if (row.record_key, row.change, row.state) == (change.record_key, change.position, "parked")
        and row.operation != "note"
        and row.settled is not None
    ]
    times = [*refused, *([change.decided] if change.decided is not None else [])]
    return record.told is None or not times or record.told <= max(times)


def _decided_before(tables: CompanyTables, connection: str, position: int, limit: int) -> Sequence[ChangeRow]:
    gone = {"sent", "uncertain", "refetch", "adopt", "accepted"}
    kept = {"operator", "superseded", "left-out", "undecided", "unreadable"}
    found: list[ChangeRow] = []
    for _, change in _newest(tables):
        if change.side != "source" or not change.record_key.startswith(f"{connection}:"):
            continue
        if change.state not in {"waiting", "parked", "skipped"} or change.code in kept:
            continue
        if change.decided is None or change.decided >= position:
            continue
        rows = (tables.get(IntentRow, one) for one in change.intents)
        if not any(row is not None and row.state in gone for row in rows):
            found.append(change)
    return sorted(found, key=_positions)[:limit]


def _intents_waiting_for(tables: CompanyTables, record_key: str, limit: int) -> Sequence[IntentRow]:
    found = (row for row in tables.all(IntentRow) if row.state in {"ready", "held"} and record_key in row.needs)
    return sorted(found, key=_planned)[:limit]


def _pay_runs_of(tables: CompanyTables, beginning: str) -> Sequence[RecordRow]:
    found = (row for row in tables.all(RecordRow) if row.kind == "pay_run" and not row.removed)
    return sorted((row for row in found if row.record_key.startswith(beginning)), key=lambda row: row.position)


def _open_hints(tables: CompanyTables, limit: int) -> Sequence[HintRow]:
    found = (row for row in tables.all(HintRow) if row.settled is None)
    return sorted(found, key=lambda row: (row.received, row.connection, row.kind, row.source_id))[:limit]


def _open_calls(tables: CompanyTables, limit: int) -> Sequence[CallRow]:
    return sorted((row for row in tables.all(CallRow) if row.open_items), key=lambda row: row.sent)[:limit]


def _open_requests(tables: CompanyTables, limit: int) -> Sequence[RequestRow]:
    return _requests(tables, lambda row: row.action != "repair")[:limit]


def _open_requests_for(tables: CompanyTables, action: str, limit: int) -> Sequence[RequestRow]:
    return _requests(tables, lambda row: row.action == action)[:limit]


def _requests(tables: CompanyTables, wanted: Callable[[RequestRow], bool]) -> Sequence[RequestRow]:
    found = (row for row in tables.all(RequestRow) if row.taken is None and wanted(row))
    return sorted(found, key=lambda row: row.position)


def _open_drifts(tables: CompanyTables, about: str, kind: str, limit: int) -> Sequence[DriftRow]:
    found = (row for row in tables.all(DriftRow) if row.cleared is None and (row.about, row.kind) > (about, kind))
    return sorted(found, key=lambda row: (row.about, row.kind))[:limit]


def _open_runs(tables: CompanyTables, kind: str, limit: int) -> Sequence[RunRow]:
    found = (row for row in tables.all(RunRow) if row.kind == kind and row.taken is None)
    return sorted(found, key=lambda row: row.asked)[:limit]


def _intents_of_run(tables: CompanyTables, run: str) -> Sequence[IntentRow]:
    return sorted((row for row in tables.all(IntentRow) if row.run == run), key=_planned)


def _effects(
    tables: CompanyTables,
    run: str | None,
    beginning: str | None,
    keys: Sequence[str] | None,
    after: int,
    last: int,
    limit: int,
) -> Sequence[IntentRow]:
    found = [
        (row.settled, row)
        for row in tables.all(IntentRow)
        if (row.state, row.target) == ("accepted", BOOKS)
        and row.undone_by is None
        and (run is None or row.run == run)
        and (beginning is None or row.record_key.startswith(beginning))
        and (keys is None or row.record_key in keys)
        and row.settled is not None
        and after < row.settled <= last
    ]
    return [row for _, row in sorted(found, key=lambda pair: (pair[0], pair[1].intent_id))][:limit]


def _settlements_of(tables: CompanyTables, invoice_id: str) -> Sequence[SettlementRow]:
    found = (row for row in tables.all(SettlementRow) if row.invoice_id == invoice_id)
    return sorted(found, key=lambda row: (row.dated is None, row.dated or "", row.payment_id))


def _links_seen_since(tables: CompanyTables, position: int, after: str, limit: int) -> Sequence[LinkRow]:
    found = (row for row in tables.all(LinkRow) if row.latest > position and row.record_key.encode() > after.encode())
    return sorted(found, key=lambda row: row.record_key.encode())[:limit]


def _erased(tables: CompanyTables, after: str, limit: int) -> Sequence[ErasureRow]:
    found = (row for row in tables.all(ErasureRow) if row.subject.encode() > after.encode())
    return sorted(found, key=lambda row: row.subject.encode())[:limit]


ROWS: Final[Mapping[str, Callable[..., Sequence[Row]]]] = {
    "changes_in": _changes_in,
    "changes_of_record": _changes_of_record,
    "changes_to_tell": _changes_to_tell,
    "decided_before": _decided_before,
    "effects": _effects,
    "erased": _erased,
    "links_seen_since": _links_seen_since,
    "intents_in": _intents_in,
    "intents_of_changes": _intents_of_changes,
    "intents_of_records": _intents_of_records,
    "intents_of_run": _intents_of_run,
    "intents_waiting_for": _intents_waiting_for,
    "open_calls": _open_calls,
    "open_drifts": _open_drifts,
    "open_hints": _open_hints,
    "open_requests": _open_requests,
    "open_runs": _open_runs,
    "open_requests_for": _open_requests_for,
    "parked_for": _parked_for,
    "pay_runs_of": _pay_runs_of,
    "ready_for": _ready_for,
    "ready_of": _ready_of,
    "refused_notes": _refused_notes,
    "settlements_of": _settlements_of,
    "undecided_changes": _undecided_changes,
}
"""Queries whose answers are rows of projections."""
