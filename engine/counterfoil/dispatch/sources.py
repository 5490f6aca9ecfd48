"""Reads the sources of one company: whole, since a cursor, or one record that a webhook hinted at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, NamedTuple

from counterfoil.dispatch.adapters import kept_apart, pages
from counterfoil.dispatch.erasures import erased_among, parties_of, person_of
from counterfoil.dispatch.readings import Mark, Readings
from counterfoil.dispatch.refusals import Refusals
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.steps import Step, no_step
from counterfoil.dispatch.view import NOT_READ, EventSource, KeyedHash
from counterfoil.log import NewEvent
from counterfoil.planning.money import to_cents
from counterfoil.planning.sale_lines import come_to
from counterfoil.ports import Clock
from counterfoil.sources import AtOneInstant, Removed, Seen, SourceAdapter, SourceChange, SourceError, Unreadable
from counterfoil.state.receipts import WITHHELD
from counterfoil.state.rows import ErasureRow, HintRow, RecordRow
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema import exact_json
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.receipts import (
    HintsSettled,
    How,
    SourceObserved,
    SourceRemoved,
    SourceUnreadable,
    SourceWithheld,
    WebhookReceived,
)
from counterfoil_schema.records import Estimate, Invoice, content_of, record_key

MERGE: Final = "merge"
"""The operation of a hint whose record was merged into `other_id`."""

READ_AGAIN_MAX: Final = 5
"""How many sales of one page that do not add up are read once more; where many do not, no edit is the cause."""

ERASED: Final = "erased"
"""The operation of a hint whose record the source has destroyed, as privacy laws ask for it: nothing is left to read,
and its signed delivery is the source's word for it.
"""

CONTENT_RULE: Final = "2:"
"""What a hash of a record's content begins with: by which rule it was made. Those of the first rule begin with nothing.

Hashes of two rules are never compared; the record is, as it was recorded.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A source that could not be read now, for the report; nothing follows from it about any record.

    `hint`: kind and id of what was to be read.
    """

    connection: str
    hint: tuple[str, str]
    message: str
    retry_after: float | None


class Differing(NamedTuple):
    """A record that a source shows otherwise than the log last observed it, or that the log never observed."""

    key: str
    change: SourceChange
    known: bool


class SourceReader:
    """Appends what the sources of one company show, if it differs from what they showed before."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        hashes: KeyedHash,
        adapters: Mapping[str, SourceAdapter],
        clock: Clock,
        instruments: Instruments,
        erased_people: Literal["park", "skip"] = "park",
        step: Step = no_step,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._hashes = hashes
        self._adapters = adapters
        self._clock = clock
        self._instruments = instruments
        self._erased_people: Literal["park", "skip"] = erased_people
        self._step = step
        self._refusals = Refusals(session=session, store=store)
        self._readings = Readings()

    async def poll(self, connection: str, how: How) -> int:
        """Read everything new from one source; returns how many changes were recorded.

        Raises:
            SourceError: the source, or some of its kinds, cannot be read now; what could be read is kept.
        """
        try:
            recorded = await self._poll_kinds(connection, how)
        except SourceError as trouble:
            if trouble.retry_after is None:
                await self._refusals.refused(connection, trouble)
            raise
        await self._refusals.answered(connection)
        return recorded

    async def _poll_kinds(self, connection: str, how: How) -> int:
        recorded = 0
        troubles: list[SourceError] = []
        for kind in self._adapters[connection].kinds():
            try:
                recorded += await self._poll_kind(connection, kind, how)
            except SourceError as trouble:
                if not trouble.one_kind:
                    raise
                troubles.append(trouble)
        if troubles:
            raise _together(troubles)
        return recorded

    async def _poll_kind(self, connection: str, kind: str, how: How) -> int:
        recorded = 0
        cursor = await self._store.value("cursor", self._session.company, connection, kind)
        began = self._readings.begin()
        async for page in pages(connection, self._adapters[connection], kind, cursor):
            if page.afresh:
                self._instruments.read_afresh(connection, kind)
            recorded += await self.record(connection, page.changes, "sync" if cursor is None else how, began)
            began = self._readings.begin()
            self._step("source.recorded")
            await self._store.execute(
                "save_cursor", self._session.company, connection, kind, page.cursor, self._clock.now()
            )
            self._step("cursor.saved")
        return recorded

    async def record(self, connection: str, changes: Sequence[SourceChange], how: How, began: int | None = None) -> int:
        """Append what is new among these, in order; returns how many that were.

        Args:
            began: the number of their reading; one that begins now by default.

        Raises:
            SourceError: what another reading showed otherwise meanwhile could not be read again; nothing is recorded.
        """
        began = self._readings.begin() if began is None else began
        async with self._readings.judging:
            return await self._record(connection, changes, how, began)

    async def _record(self, connection: str, changes: Sequence[SourceChange], how: How, began: int) -> int:
        beside: dict[tuple[str, str], SourceChange] = {}
        judged: dict[str, Mark] = {}
        with self._instruments.span("counterfoil.observe", None, {"connection": connection, "how": how}) as span:
            fresh = await self._fresh(connection, changes, how, began, judged, beside)
            if beside:
                await self._record(connection, [*beside.values()], how, self._readings.begin())
            if fresh:
                await self._session.receive(
                    [NewEvent(event=one, record_key=key, trace=span.trace) for key, one in fresh]
                )
            self._readings.shown(judged)
        self._instruments.observed(connection, len(fresh))
        return len(fresh)

    async def _fresh(
        self,
        connection: str,
        changes: Sequence[SourceChange],
        how: How,
        began: int,
        judged: dict[str, Mark],
        beside: dict[tuple[str, str], SourceChange],
    ) -> list[tuple[str, Event]]:
        """What is new among these, with its key.

        Args:
            judged: takes what each record was found to be.
            beside: takes what was read with a record that was read again.
        """
        keys = {record_key(connection, change.kind, change.source_id) for change in changes}
        known = await self._store.load(self._session.company, RecordRow.table, [(key,) for key in keys])
        rows = [row for row in known.values() if isinstance(row, RecordRow)]
        folded: dict[str, Mark] = {row.record_key: (row.content_hash, row.removed) for row in rows}
        older = await self._recorded_by_an_older_rule(rows)
        erased = await erased_among(self._store, self._session.company, connection, changes)
        fresh: list[tuple[str, Event]] = []
        again = 0
        for first in changes:
            change = first
            key = record_key(connection, change.kind, change.source_id)
            event, mark = await self._event(connection, change, how, erased)
            latest = judged.get(key) or self._readings.latest(key, folded.get(key))
            if self._readings.is_overtaken(key, began, mark):
                found = await kept_apart(connection, self._adapters[connection].read(change.kind, change.source_id))
                same = [one for one in found if (one.kind, one.source_id) == (change.kind, change.source_id)]
                if not same:
                    continue
                change = same[-1]
                event, mark = await self._event(connection, change, how, erased)
            if latest == mark or (latest is None and isinstance(change, Removed)):
                judged[key] = mark
                continue
            if again < READ_AGAIN_MAX and self._may_be_torn(connection, change):
                again += 1
                change, shown = await self._read_again(connection, change)
                beside.update({(one.kind, one.source_id): one for one in shown})
                event, mark = await self._event(connection, change, how, erased)
                if latest == mark:
                    continue
            judged[key] = mark
            recorded = older.pop(key, None)
            if recorded is None or not isinstance(change, Seen) or recorded != content_of(change.record):
                fresh.append((key, event))
        return fresh

    async def differing(self, connection: str, changes: Sequence[SourceChange]) -> list[Differing]:
        """Those of which the log holds another state, or none; of several of one record the last. Appends nothing."""
        last = {record_key(connection, one.kind, one.source_id): one for one in changes}
        known = await self._store.load(self._session.company, RecordRow.table, [(key,) for key in last])
        rows = {key[0]: row for key, row in known.items() if isinstance(row, RecordRow)}
        older = await self._recorded_by_an_older_rule(rows.values())
        erased = await erased_among(self._store, self._session.company, connection, changes)
        found: list[Differing] = []
        for key, change in last.items():
            row = rows.get(key)
            _, mark = await self._event(connection, change, "look-up", erased)
            if row is not None and (row.content_hash, row.removed) == mark:
                continue
            if row is None and isinstance(change, Removed):
                continue
            if key in older and isinstance(change, Seen) and older[key] == content_of(change.record):
                continue
            found.append(Differing(key, change, row is not None))
        return found

    def _may_be_torn(self, connection: str, change: SourceChange) -> bool:
        """Whether a sale's total is not that of its lines: perhaps an edit fell between the readings of the two."""
        record = change.record if isinstance(change, Seen) else None
        if not isinstance(record, Invoice | Estimate) or record.stated_total is None or not record.lines:
            return False
        adapter = self._adapters[connection]
        if isinstance(adapter, AtOneInstant) and adapter.at_one_instant:
            return False
        return to_cents(record.stated_total) != come_to(record.lines)

    async def _read_again(self, connection: str, change: SourceChange) -> tuple[SourceChange, Sequence[SourceChange]]:
        """The record as a second reading shows it, or as it was read where there is none now; and what it names."""
        try:
            found = await kept_apart(connection, self._adapters[connection].read(change.kind, change.source_id))
        except SourceError:
            return change, ()
        same = [one for one in found if (one.kind, one.source_id) == (change.kind, change.source_id)]
        named = [one for one in found if one not in same and not self._may_be_torn(connection, one)]
        return same[-1] if same else change, named

    async def _recorded_by_an_older_rule(self, rows: Iterable[RecordRow]) -> dict[str, bytes]:
        """The contents of records whose hashes an earlier release made, by their keys."""
        positions = {
            row.position: row.record_key
            for row in rows
            if not (row.removed or row.kind in NOT_READ or row.content_hash.startswith(CONTENT_RULE))
        }
        if not positions:
            return {}
        found = await self._events.recorded_many(self._session.company, [*positions])
        events = [(positions[position], await recorded.event()) for position, recorded in found.items()]
        return {key: content_of(event.record) for key, event in events if isinstance(event, SourceObserved)}

    async def _event(
        self, connection: str, change: SourceChange, how: How, erased: Mapping[str, ErasureRow]
    ) -> tuple[Event, tuple[str, bool]]:
        gone = None if isinstance(change, Removed) else erased.get(person_of(connection, change))
        if gone is not None:
            return self._withheld(connection, change, how, gone), (WITHHELD, False)
        match change:
            case Seen():
                content = content_of(change.record)
                digest = CONTENT_RULE + await self._hashes.keyed_hash(self._session.company, content)
                # Where a source has no versions, an adapter's is a hash of the content: nobody shall try names on it.
                version = await self._hashes.keyed_hash(self._session.company, change.version.encode())
                return SourceObserved(
                    connection=connection,
                    source_kind=change.kind,
                    source_id=change.source_id,
                    version=version,
                    content_hash=digest,
                    how=how,
                    record=change.record,
                    # The payload may name whom the record names.
                    raw=change.raw if erased.keys().isdisjoint(parties_of(change)) else None,
                ), (digest, False)
            case Removed():
                return SourceRemoved(
                    connection=connection,
                    source_kind=change.kind,
                    source_id=change.source_id,
                    how=how,
                    evidence=change.evidence,
                    merged_into=change.merged_into,
                ), ("", True)
            case Unreadable():
                digest = await self._hashes.keyed_hash(
                    self._session.company, exact_json.canonical([change.place, change.problem, change.raw])
                )
                return SourceUnreadable(
                    connection=connection,
                    source_kind=change.kind,
                    source_id=change.source_id,
                    content_hash=digest,
                    place=change.place,
                    problem=change.problem,
                    fix=change.fix,
                    raw=change.raw,
                ), (digest, False)

    def _withheld(self, connection: str, change: SourceChange, how: How, gone: ErasureRow) -> SourceWithheld:
        return SourceWithheld(
            connection=connection,
            source_kind=change.kind,
            source_id=change.source_id,
            how=how,
            person=gone.subject,
            erased_on=date.fromisoformat(gone.erased_on),
            then=self._erased_people,
        )

    async def follow(self, connection: str, hints: Sequence[HintRow]) -> list[Trouble]:
        """Read what webhooks hinted at, one reading for all hints of a record."""
        adapter = self._adapters[connection]
        troubles: list[Trouble] = []
        settled: list[tuple[str, str]] = []
        for hint in hints:
            began = self._readings.begin()
            try:
                changes = await self._hinted(connection, adapter, hint)
                if hint.operation == MERGE:
                    changes = [await self._with_winner(change, hint) for change in changes]
                await self.record(connection, changes, "webhook", began)
            except SourceError as trouble:
                about = (hint.kind, hint.source_id)
                troubles.append(
                    Trouble(connection=connection, hint=about, message=str(trouble), retry_after=trouble.retry_after)
                )
                continue
            settled.append((hint.kind, hint.source_id))
        if settled:
            through = max(hint.received for hint in hints)
            done = HintsSettled(connection=connection, through=through, settled=tuple(settled))
            await self._session.receive([NewEvent(event=done)])
        return troubles

    async def _hinted(self, connection: str, adapter: SourceAdapter, hint: HintRow) -> Sequence[SourceChange]:
        if hint.operation == ERASED:
            evidence = f"Its webhook says that the source erased {hint.kind} {hint.source_id} for good."
            return [Removed(kind=hint.kind, source_id=hint.source_id, evidence=evidence)]
        return await kept_apart(connection, adapter.read(hint.kind, hint.source_id))

    async def _with_winner(self, change: SourceChange, hint: HintRow) -> SourceChange:
        """Some sources say only by webhook what a record was merged into, and show afterwards that it is gone."""
        if not isinstance(change, Removed) or change.source_id != hint.source_id or change.merged_into is not None:
            return change
        event = await self._events.event_at(self._session.company, hint.received)
        for one in event.hints if isinstance(event, WebhookReceived) else ():
            if (one.kind, one.source_id, one.operation) == (hint.kind, hint.source_id, MERGE) and one.other_id:
                evidence = f"{change.evidence} Its webhook says that it was merged into {one.other_id}."
                return replace(change, evidence=evidence, merged_into=one.other_id)
        return change


def _together(troubles: Sequence[SourceError]) -> SourceError:
    """All of them as one; tried again as soon as it makes sense for any."""
    if len(troubles) == 1:
        return troubles[0]
    seconds = [one.retry_after for one in troubles if one.retry_after is not None]
    return SourceError(" ".join(map(str, troubles)), retry_after=min(seconds, default=None), one_kind=True)
