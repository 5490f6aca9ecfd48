"""Picks what may go out, keeps a bounded number of calls under way, and unblocks what was refused for now."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from counterfoil.dispatch.books import Books
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.observing import BOOKS, BooksReader
from counterfoil.dispatch.outbox import Outbox, Outgoing, Ready
from counterfoil.dispatch.sender import Sender
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.settle import Settler
from counterfoil.dispatch.view import EventSource
from counterfoil.dispatch.write_back import SourceWriter
from counterfoil.ports import Clock, Entropy
from counterfoil.state.rows import IntentRow
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import IntentParked

INTENTS_PER_TURN = 600
CALLS_MAX = 10
WRITE_BACKS_MAX = 4
LEASE_SECONDS_MIN = 5.0
BACKOFF_SECONDS_MAX = 60.0


class Sending:
    """The outbox of one company at work."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        outbox: Outbox,
        sender: Sender,
        settler: Settler,
        writer: SourceWriter,
        books: Books,
        reader: BooksReader,
        clock: Clock,
        entropy: Entropy,
        instruments: Instruments,
        in_flight: InFlight,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._outbox = outbox
        self._sender = sender
        self._settler = settler
        self._writer = writer
        self._books = books
        self._reader = reader
        self._clock = clock
        self._entropy = entropy
        self._instruments = instruments
        self._in_flight = in_flight
        self._calls = 0
        self._write_backs = 0
        self._not_before: dict[str, float] = {}
        self.swept_until: datetime | None = None

    async def dispatch(
        self, tasks: asyncio.TaskGroup, *, landed: Callable[[], None], is_stale: Callable[[], bool]
    ) -> bool:
        """Start as many calls as may be under way; returns whether anything moved.

        `landed` is called when a call has ended and is recorded; `is_stale` says whether that happened since the
        rows were folded, in which case they may still show as ready what was sent already.
        """
        if self._session.remaining() < LEASE_SECONDS_MIN:
            return False
        rows = await self._store.some(IntentRow, "ready_intents", self._session.company, INTENTS_PER_TURN)
        if is_stale():
            return True
        now = self._clock.monotonic()
        rows = [
            row
            for row in rows
            if row.intent_id not in self._in_flight and self._not_before.get(row.intent_id, 0.0) <= now
        ]
        moved = self._start_write_backs(tasks, [row for row in rows if row.target != BOOKS], landed)
        ours = [row for row in rows if row.target == BOOKS]
        free = CALLS_MAX - self._calls
        if not ours or free <= 0 or not await self._may_send():
            return moved
        outgoing, parked = await self._prepare(ours, free)
        if parked:
            await self._session.decide(parked)
        for call, members in outgoing[:free]:
            self._start(tasks, call, members, landed)
        return moved or bool(outgoing) or bool(parked)

    async def _may_send(self) -> bool:
        """Nothing goes out while somebody must connect QuickBooks again."""
        waiting = await self._store.some(IntentRow, "intents_in", self._session.company, ["reconnect"], 1)
        return not waiting

    async def _prepare(
        self, rows: Sequence[IntentRow], calls: int
    ) -> tuple[list[tuple[Outgoing, list[IntentRow]]], list[Event]]:
        ready: list[Ready] = []
        parked: list[Event] = []
        seen: set[str] = set()
        for row in rows:
            if row.record_key in seen:
                continue  # never two for one document at a time
            seen.add(row.record_key)
            prepared = await self._outbox.prepare(row)
            if isinstance(prepared, IntentParked):
                parked.append(prepared)
            elif prepared is not None:
                ready.append(prepared)
            if len(self._outbox.calls(ready)) > calls:
                break
        by_id = {one.row.intent_id: one.row for one in ready}
        return [(call, [by_id[item.intent_id] for item in call.items]) for call in self._outbox.calls(ready)], parked

    def _start(
        self, tasks: asyncio.TaskGroup, call: Outgoing, members: Sequence[IntentRow], landed: Callable[[], None]
    ) -> None:
        ids = {row.intent_id for row in members}
        self._in_flight.start(ids)
        self._calls += 1
        tasks.create_task(self._run(call, members, ids, landed), name=f"call {call.call.request_id}")

    async def _run(
        self, call: Outgoing, members: Sequence[IntentRow], ids: set[str], landed: Callable[[], None]
    ) -> None:
        try:
            planned = await self._events.recorded_at(self._session.company, members[0].planned)
            await self._sender.send(call, trace=planned.trace)
            self._delay(members)
        finally:
            self._in_flight.land(ids)
            self._calls -= 1
            landed()

    def _delay(self, members: Sequence[IntentRow]) -> None:
        """Should any of these come back for another try, it waits longer each time."""
        now = self._clock.monotonic()
        for row in members:
            wait = min(BACKOFF_SECONDS_MAX, 2.0**row.attempts) * (0.5 + self._entropy.random() / 2)
            self._not_before[row.intent_id] = now + wait
        if len(self._not_before) > 10 * INTENTS_PER_TURN:
            self._not_before = {key: at for key, at in self._not_before.items() if at > now}

    def _start_write_backs(
        self, tasks: asyncio.TaskGroup, rows: Sequence[IntentRow], landed: Callable[[], None]
    ) -> bool:
        started = False
        for row in rows:
            if self._write_backs >= WRITE_BACKS_MAX:
                break
            self._in_flight.start([row.intent_id])
            self._write_backs += 1
            tasks.create_task(self._write_back(row, landed), name=f"write-back {row.record_key}")
            started = True
        return started

    async def _write_back(self, row: IntentRow, landed: Callable[[], None]) -> None:
        try:
            planned = await self._events.recorded_at(self._session.company, row.planned)
            result = await self._writer.write(row, trace=planned.trace)
            self._delay([row])
            if result.retry_after is not None:
                self._not_before[row.intent_id] = self._clock.monotonic() + result.retry_after
        finally:
            self._in_flight.land([row.intent_id])
            self._write_backs -= 1
            landed()

    async def settle(self, rows: Sequence[IntentRow]) -> None:
        """Look for evidence of uncertain intents that are not under way.

        Raises:
            BooksUnreadableError: the search failed, which proves nothing.
        """
        await self._settler.settle([row for row in rows if row.intent_id not in self._in_flight])

    async def unblock(self, rows: Sequence[IntentRow]) -> None:
        """Read stale documents afresh and look up what clashes, then let their intents go on.

        Raises:
            BooksUnreadableError: a read failed.
        """
        for row in rows:
            if row.intent_id in self._in_flight:
                continue
            if row.state == "adopt":
                await self._session.decide([await self._settler.adopt(row)])
                continue
            await self._reader.record(await self._settler.refetch(row), "look-up")
            await self._session.decide([self._settler.resumed(row, "The document was read afresh.")])

    async def resume(self, rows: Sequence[IntentRow]) -> None:
        """Let everything go on that waited for somebody to connect QuickBooks again."""
        if await self._books.is_connected():
            reason = "QuickBooks is connected again."
            await self._session.decide([self._settler.resumed(row, reason) for row in rows])

    async def sweep(self, reader: BooksReader) -> None:
        """Read all changes since the last sweep that missed nothing.

        Raises:
            BooksUnreadableError: the read failed.
        """
        began = self._clock.now()
        since = self.swept_until or began - timedelta(days=1)
        until = await reader.sweep(since)
        if until is not None:
            self.swept_until = until
