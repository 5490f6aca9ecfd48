"""Picks what may go out, keeps a bounded number of calls under way, and unblocks what was refused for now."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from counterfoil.dispatch.approval import Approval
from counterfoil.dispatch.batch_size import REFUSED_CODE, BatchSize
from counterfoil.dispatch.books import Books, BooksUnreadableError, Done, Outcome, Refused
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.looks import Looks
from counterfoil.dispatch.missing_names import MissingNames
from counterfoil.dispatch.needless import needless
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.outbox import (
    SINGLE_ENTITIES,
    Instead,
    MissingRates,
    Nameless,
    Needless,
    Outbox,
    Outgoing,
    Prepared,
    ReadFirst,
    Ready,
)
from counterfoil.dispatch.picking import Picker
from counterfoil.dispatch.places import SINGLE_CALLS_MAX, Places
from counterfoil.dispatch.sender import Sender
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.settle import Settler
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.dispatch.write_back import SourceWriter
from counterfoil.log import RecordedEvent
from counterfoil.ports import Clock, Entropy
from counterfoil.state.rows import IntentRow
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema.events.decisions import Decision, IntentParked, IntentWithdrawn

DELAYS_MAX = 6_000
WRITE_BACKS_PER_TURN = 100
WRITE_BACKS_MAX = 8
LEASE_SECONDS_MIN = 5.0
OUTDATED = frozenset({"2220", "5030", "6100", "6200", "6210"})
"""Refusals by which the books show that their settings have changed: currency, feature, tax code, closed period."""
SETTLING = frozenset({"CreditMemo", "Invoice", "Payment"})
"""Entities by which an invoice comes to be what its source is told."""
BACKOFF_SECONDS_MAX = 60.0
UNREADABLE_SECONDS = 5.0


class Sending:
    """The outbox of one company at work.

    Attributes:
        is_busy: more is ready for the books than may be under way at once.
        facts_in_doubt: the books refused something by a setting that we do not know of yet.
        settling: how many documents were written of which a source is told once the books show them.
    """

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
        view: ViewLoader,
        clock: Clock,
        entropy: Entropy,
        instruments: Instruments,
        in_flight: InFlight,
        approval: Approval,
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
        self._approval = approval
        self._places = Places()
        self._names_under_way = 0
        self._unsent: set[asyncio.Task[None]] = set()
        self._draining = False
        self._write_backs = 0
        self._not_before: dict[str, float] = {}
        self._looks = Looks()
        self._batch_size = BatchSize(company=session.company, store=store, clock=clock)
        self._picker = Picker(
            company=session.company,
            store=store,
            books=books,
            places=self._places,
            batch_size=self._batch_size,
            clock=clock,
        )
        self._missing_names = MissingNames(company=session.company, store=store, view=view, reader=reader, clock=clock)
        self.is_busy = False
        self.facts_in_doubt = False
        self.settling = 0
        self._unsent_in_a_row = 0
        self._resting_until = 0.0
        self._rates_read: set[tuple[str, str]] = set()

    async def dispatch(
        self, tasks: asyncio.TaskGroup, *, more: bool, landed: Callable[[], None], is_stale: Callable[[], bool]
    ) -> bool:
        """Start as many calls as may be under way; returns whether anything moved.

        `more` says that further intents are on their way; `landed` is called when a call has ended and is recorded;
        `is_stale` says whether that happened since the rows were folded, in which case they may still show as ready
        what was sent already.
        """
        if self._session.remaining() < LEASE_SECONDS_MIN or await self.only_previews():
            return False
        # Each side has a page of its own, so that a slow source cannot fill the page and keep the books waiting.
        company, now = self._session.company, self._clock.monotonic()
        theirs = await self._store.some(IntentRow, "ready_for", company, False, WRITE_BACKS_PER_TURN)
        unfit = [*self._in_flight, *(key for key, at in self._not_before.items() if at > now)]
        ours = [] if now < self._resting_until else await self._picker.page(unfit)
        if is_stale():
            return True
        self.is_busy = len(ours) + len(self._places) > SINGLE_CALLS_MAX
        moved = self._start_write_backs(tasks, self._startable(theirs, now), landed)
        if ours and await self._may_send():
            moved |= await self._send_ours(tasks, ours, more, landed)
        return moved

    async def only_previews(self) -> bool:
        """Whether what is ready stays where it is, until a person approves the company's first run."""
        return await self._approval.is_lacking()

    def _startable(self, rows: Sequence[IntentRow], now: float) -> list[IntentRow]:
        return [
            row
            for row in rows
            if row.intent_id not in self._in_flight and self._not_before.get(row.intent_id, 0.0) <= now
        ]

    async def _send_ours(
        self, tasks: asyncio.TaskGroup, rows: Sequence[IntentRow], more: bool, landed: Callable[[], None]
    ) -> bool:
        """Fill the free places with calls, one call's intents prepared side by side; returns whether any moved."""
        moved = False
        for chunks in await self._picker.chunks(rows, more=more or self._names_under_way > 0):
            for chunk, size in chunks:
                prepared = await asyncio.gather(*(self._outbox.prepare(row) for row in chunk))
                self._let_wait([row for row, one in zip(chunk, prepared, strict=True) if one is None])
                ready = [one for one in prepared if isinstance(one, Ready)]
                by_id = {one.row.intent_id: one.row for one in ready}
                for call in self._outbox.calls(ready, size):
                    self._start(tasks, call, [by_id[item.intent_id] for item in call.items], landed)
                moved |= bool(ready)
                if await self._put_aside(chunk, prepared):
                    return True  # what follows may rest on it: fold first
        return moved

    def _let_wait(self, rows: Sequence[IntentRow]) -> None:
        """What cannot be composed yet must not stand at the head of the queue for ever."""
        until = self._clock.monotonic() + UNREADABLE_SECONDS
        self._not_before.update(dict.fromkeys((row.intent_id for row in rows), until))

    async def _put_aside(self, rows: Sequence[IntentRow], prepared: Sequence[Prepared | None]) -> bool:
        """Record what of these rows cannot or need not go out; returns whether anything is to be folded.

        What must be read before, and cannot be read now, waits.
        """
        aside: list[Decision] = [one for one in prepared if isinstance(one, IntentParked)]
        for one in prepared:
            if isinstance(one, Instead):
                aside.extend(event for event in one.events if isinstance(event, Decision))
            if isinstance(one, Needless):
                aside.extend(await needless(self._session.company, one, self._store))
        nameless = [one for one in prepared if isinstance(one, Nameless)]
        first = [one for one in prepared if isinstance(one, ReadFirst)]
        rates = [one for one in prepared if isinstance(one, MissingRates)]
        news = False
        try:
            for reading in first:
                fresh = await self._reader.record(await self._settler.refetch(reading.row), "look-up")
                news |= bool(fresh)
                self._not_before[reading.row.intent_id] = self._clock.monotonic() + (0 if fresh else UNREADABLE_SECONDS)
            named = await self._missing_names.decide(nameless) if nameless else []
            aside.extend(named or ())
            news |= named is None
            for missing in rates:
                park = await self._learn_rates(missing)
                aside.extend([park] if park else ())
                news |= park is None
        except BooksUnreadableError as trouble:
            wait = trouble.retry_after if trouble.retry_after is not None else UNREADABLE_SECONDS
            until = self._clock.monotonic() + wait
            unread = [*(one.row for one in first), *(one.row for one in nameless), *(one.row for one in rates)]
            self._not_before.update(dict.fromkeys((row.intent_id for row in unread), until))
        if aside:
            of_change = {row.change: row for row in rows}
            traced = [(event, await self._trace_of(of_change[event.change])) for event in aside]
            await self._session.decide_each(traced)
            self._in_flight.land(
                event.intent_id for event in aside if isinstance(event, IntentParked | IntentWithdrawn)
            )
        return bool(aside) or news

    async def _learn_rates(self, missing: MissingRates) -> IntentParked | None:
        """Ask the books for rates and record them; a rate that they do not keep parks the document.

        Raises:
            BooksUnreadableError: the read failed.
        """
        for currency, day in missing.rates:
            if (currency, day) in self._rates_read:
                continue  # the rows will show it after the next fold
            if not await self._reader.learn_rate(currency, date.fromisoformat(day)):
                return _park_rate(missing.row, currency, day)
            self._rates_read.add((currency, day))
        return None

    async def _may_send(self) -> bool:
        """Nothing goes out while somebody must connect QuickBooks again."""
        waiting = await self._store.some(IntentRow, "intents_in", self._session.company, ["reconnect"], 1)
        return not waiting

    def _start(
        self, tasks: asyncio.TaskGroup, call: Outgoing, members: Sequence[IntentRow], landed: Callable[[], None]
    ) -> None:
        if self._draining:
            return
        ids = {row.intent_id for row in members}
        self._in_flight.start(ids)
        self._places.take(call.call.lane, batch=call.call.is_batch)
        self._names_under_way += call.items[0].entity in SINGLE_ENTITIES
        task = tasks.create_task(self._run(call, members), name=f"call {call.call.request_id}")
        self._unsent.add(task)

        # A task that is let go before its first step runs nothing of itself, no `finally` either.
        def ended(_: object) -> None:
            self._unsent.discard(task)
            self._in_flight.land(ids)
            self._places.give_back(call.call.lane, batch=call.call.is_batch)
            self._names_under_way -= call.items[0].entity in SINGLE_ENTITIES
            landed()

        task.add_done_callback(ended)

    def drain(self) -> None:
        """Let go of the calls that still wait for their slot: nothing of them is recorded or sent."""
        self._draining = True
        for task in list(self._unsent):
            task.cancel()

    async def _run(self, call: Outgoing, members: Sequence[IntentRow]) -> None:
        task = asyncio.current_task()
        leaves = (lambda: self._unsent.discard(task)) if task is not None else (lambda: None)
        known = await self._behind(members)
        traces = {row.intent_id: known[row.planned].trace for row in members}
        outcomes = await self._sender.send(call, traces=traces, leaves=leaves)
        self._learn(outcomes)
        self.facts_in_doubt |= any(isinstance(one, Refused) and one.code in OUTDATED for one in outcomes.values())
        done = [row for row in members if isinstance(outcomes.get(row.intent_id), Done)]
        self.settling += sum(row.entity in SETTLING for row in done)
        self._note_lag(done, known, "books")
        if any(isinstance(one, Refused) and one.code == REFUSED_CODE for one in outcomes.values()):
            await self._batch_size.refused(len(call.items))
        self._delay(members)

    async def _behind(self, rows: Sequence[IntentRow]) -> Mapping[int, RecordedEvent]:
        """The plans of these intents, and the changes that they follow from."""
        positions = [position for row in rows for position in (row.planned, row.change)]
        return await self._events.recorded_many(self._session.company, positions)

    def _note_lag(self, rows: Sequence[IntentRow], known: Mapping[int, RecordedEvent], direction: str) -> None:
        now = self._clock.now()
        for row in rows:
            self._instruments.lag((now - known[row.change].recorded_at).total_seconds(), direction)

    def _learn(self, outcomes: Mapping[str, Outcome]) -> None:
        """Where nothing can be sent at all, rest: longer each time, and for nobody's account."""
        unsent = [one for one in outcomes.values() if isinstance(one, Refused) and one.unsent]
        if len(unsent) < len(outcomes) or not unsent:
            self._unsent_in_a_row = 0
            return
        self._unsent_in_a_row += 1
        told = max((one.retry_after or 0.0 for one in unsent), default=0.0)
        wait = max(told, min(BACKOFF_SECONDS_MAX, 2.0**self._unsent_in_a_row))
        self._resting_until = self._clock.monotonic() + wait

    def _delay(self, members: Sequence[IntentRow]) -> None:
        """Should any of these come back for another try, it waits longer each time."""
        now = self._clock.monotonic()
        for row in members:
            wait = min(BACKOFF_SECONDS_MAX, 2.0**row.attempts) * (0.5 + self._entropy.random() / 2)
            self._not_before[row.intent_id] = now + wait
        if len(self._not_before) > DELAYS_MAX:
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
            known = await self._behind([row])
            result = await self._writer.write(row, trace=known[row.planned].trace)
            self._note_lag([row] if result.outcome == "accepted" else [], known, "source")
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
        landed = [row for row in rows if row.intent_id not in self._in_flight]
        due = self._looks.due(landed, self._clock.monotonic())
        if due:
            await self._settler.settle(due)

    async def unblock(self, rows: Sequence[IntentRow]) -> None:
        """Read stale documents afresh and look up what clashes, then let their intents go on.

        Raises:
            BooksUnreadableError: a read failed.
        """
        for row in rows:
            if row.intent_id in self._in_flight:
                continue
            trace = await self._trace_of(row)
            if row.state == "adopt":
                await self._session.decide(await self._settler.adopt(row), trace=trace)
                continue
            await self._reader.record(await self._settler.refetch(row), "look-up")
            await self._session.decide([self._settler.resumed(row, "The document was read afresh.")], trace=trace)

    async def _trace_of(self, row: IntentRow) -> str | None:
        """The trace of an intent's plan, which all that becomes of it continues."""
        planned = await self._events.recorded_at(self._session.company, row.planned)
        return planned.trace

    async def resume(self, rows: Sequence[IntentRow]) -> None:
        """Let everything go on that waited for somebody to connect QuickBooks again."""
        if await self._books.is_connected():
            reason = "QuickBooks is connected again."
            await self._session.decide([self._settler.resumed(row, reason) for row in rows])


def _park_rate(row: IntentRow, currency: str, day: str) -> IntentParked:
    reason = f"QuickBooks keeps no rate of {currency} for {day}, and {row.record_key} states none."
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code="no_rate",
        reason=reason,
        fix="Enter the rate in QuickBooks or state it at the source, then retry the record.",
        outside=reason,
    )
