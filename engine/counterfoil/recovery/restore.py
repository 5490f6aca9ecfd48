"""What one company's log holds of its sources, handed to another company's log, so that its books are made anew.

Records are copied as they were observed last, in the order in which they depend on each other: lists, documents by
their dates, payments, payouts. From there on all is as ever: the other company's engine plans, sends and settles them
under the same mapping. Each copy is a delivery of its own, so that one that was made is not made twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol, assert_never

from counterfoil.dispatch.sources import CONTENT_RULE
from counterfoil.dispatch.view import EventSource, KeyedHash
from counterfoil.log import Append, Delivery, LogWriter, NewEvent, RecordedEvent
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.start import day_of
from counterfoil.state.rows import RecordRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import RestoreBegun, SourceEdited, SourceObserved
from counterfoil_schema.records import (
    ContractorPayment,
    CreditMemo,
    Custom,
    Customer,
    Employee,
    Estimate,
    Invoice,
    Payment,
    Payout,
    PayRun,
    Product,
    Record,
    Refund,
    TimeEntry,
    Vendor,
    content_of,
)

PAGE_RECORDS: Final = 200
SOURCE: Final = "restore"
"""By whom the copies are delivered."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a record stands in the order of a restore; some hundred bytes a record are kept of it."""

    rank: int
    day: date
    position: int


@dataclass(slots=True, kw_only=True)
class Left:
    """Records that are not copied: removed by their source, unreadable, or left out by a person on the first day."""

    removed: int = 0
    unreadable: int = 0
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a restore has put into the other log: `before` by an earlier try."""

    fresh: int = 0
    before: int = 0


class Progress(Protocol):
    """Told how far it is."""

    def __call__(self, done: int, total: int) -> None: ...


def rank_of(record: Record) -> int:
    """Lists before documents, documents before payments, payments before what passes them on."""
    match record:
        case Customer() | Vendor() | Employee() | Product():
            return 0
        case Custom():
            return 1
        case Estimate() | Invoice() | CreditMemo() | PayRun() | ContractorPayment() | TimeEntry():
            return 2
        case Payment() | Refund():
            return 3
        case Payout():
            return 4
        case _:
            assert_never(record)


@dataclass(slots=True, kw_only=True)
class Restoring:
    """Copies from one company's log into another's; both lie in the same database."""

    store: StateStore
    events: EventSource
    hashes: KeyedHash
    log: LogWriter
    old: int
    new: int

    async def order(self, mappings: dict[str, Mapping], reviewed: Callable[[str], bool]) -> tuple[list[Place], Left]:
        """All that is to be copied, in order, and how much is not.

        Args:
            reviewed: whether a person left a record out.
        """
        places: list[Place] = []
        left = Left()
        for connection, mapping in mappings.items():
            async for rows in self._rows(connection):
                found = await self.events.recorded_many(self.old, [row.position for row in rows])
                for row in rows:
                    if row.removed:
                        left.removed += 1
                    elif reviewed(row.record_key):
                        left.left_out.append(row.record_key)
                    else:
                        place = await _place(found.get(row.position), mapping)
                        left.unreadable += place is None
                        places += [place] if place is not None else []
        return sorted(places), left

    async def _rows(self, connection: str) -> AsyncIterator[list[RecordRow]]:
        after = ""
        while True:
            arguments = (self.old, f"{connection}:", after, PAGE_RECORDS)
            rows = await self.store.some(RecordRow, "records_after", *arguments)
            if rows:
                yield rows
            if len(rows) < PAGE_RECORDS:
                return
            after = rows[-1].record_key

    async def begin(self, through: int, author: str, reason: str) -> int:
        """Say in the new log what is about to come; the position of that, also if it was said before."""
        event = RestoreBegun(from_company=self.old, through=through, author=author, reason=reason)
        new = NewEvent(event, delivery=Delivery(SOURCE, f"begun from {self.old}"))
        return (await self.log.append(Append(self.new, [new]))).first_position

    async def copy(self, places: Sequence[Place], cause: int, progress: Progress) -> Copied:
        """Copy them, each once however often it is tried."""
        fresh = before = 0
        for start in range(0, len(places), PAGE_RECORDS):
            page = [place.position for place in places[start : start + PAGE_RECORDS]]
            found = await self.events.recorded_many(self.old, page)
            new = [copy for position in page if (copy := await self._copy(found[position], cause)) is not None]
            # Appends of one process keep the order in which they are asked for.
            answers = await asyncio.gather(*(self.log.append(Append(self.new, [one])) for one in new))
            before += sum(answer.duplicate for answer in answers)
            fresh += sum(not answer.duplicate for answer in answers)
            progress(start + len(page), len(places))
        return Copied(fresh=fresh, before=before)

    async def _copy(self, recorded: RecordedEvent, cause: int) -> NewEvent | None:
        event = await recorded.event()
        if not isinstance(event, SourceObserved):
            return None
        record = await self._shown(event)
        copy = SourceObserved(
            connection=event.connection,
            source_kind=event.source_kind,
            source_id=event.source_id,
            version=await self.hashes.keyed_hash(self.new, event.version.encode()),
            content_hash=CONTENT_RULE + await self.hashes.keyed_hash(self.new, content_of(record)),
            how="sync",
            record=event.record,
            raw=event.raw,
        )
        return NewEvent(
            copy,
            record_key=copy.subject(),
            cause=cause,
            trace=recorded.trace,
            delivery=Delivery(SOURCE, f"{self.old} at {recorded.position}"),
        )

    async def _shown(self, event: SourceObserved) -> Record:
        """What the source shows: of a record that a person corrected still the uncorrected one, so that it holds."""
        if not isinstance(event, SourceEdited):
            return event.record
        found = await self.events.recorded_many(self.old, [event.corrects])
        corrected = await found[event.corrects].event() if event.corrects in found else None
        return await self._shown(corrected) if isinstance(corrected, SourceObserved) else event.record


async def _place(recorded: RecordedEvent | None, mapping: Mapping) -> Place | None:
    event = await recorded.event() if recorded is not None else None
    if recorded is None or not isinstance(event, SourceObserved):
        return None
    return Place(rank_of(event.record), day_of(event.record, mapping) or date.min, recorded.position)
