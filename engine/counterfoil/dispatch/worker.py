"""One company's worker: folds, decides, sends and settles, for as long as it holds the company's lease."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counterfoil.dispatch.acquaintance import Acquaintance
from counterfoil.dispatch.after_merges import AfterMerges
from counterfoil.dispatch.books import BooksUnreadableError
from counterfoil.dispatch.breaker import Breaker
from counterfoil.dispatch.coverage import Coverage
from counterfoil.dispatch.decide import Decider
from counterfoil.dispatch.decided import Decided, compatible, fills_batches
from counterfoil.dispatch.erasures import Erasures
from counterfoil.dispatch.folding import Folder
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.limiter import ReadBudget
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.reconciling.repairing import Repairs
from counterfoil.dispatch.reconciling.schedule import Reconciling
from counterfoil.dispatch.recovering import Recovering
from counterfoil.dispatch.redrive.taking import RedriveTaker
from counterfoil.dispatch.replanning import Replanning
from counterfoil.dispatch.requests import RequestTaker
from counterfoil.dispatch.rollback.taking import RollbackTaker
from counterfoil.dispatch.sending import Sending
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.settle import Settler
from counterfoil.dispatch.sources import SourceReader
from counterfoil.dispatch.sweeping import Sweeper
from counterfoil.dispatch.telling import Teller
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.dispatch.watched import BOOKS, EVERYTHING
from counterfoil.log import Guard, RecordedEvent, StaleDecisionError
from counterfoil.ports import Clock
from counterfoil.sources import SourceError
from counterfoil.state.rows import ChangeRow, HintRow, IntentRow
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema.events.decisions import IntentWithdrawn

CHANGES_PER_TURN = 100
CHANGES_WHILE_BUSY = 25
"""Ten calls a second go out only if the outbox is looked at more often than it takes to plan a hundred changes."""

PAGES_PER_TURN = 10
HINTS_PER_TURN = 1_000
IN_DOUBT_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often what is looked at, in seconds."""

    idle_seconds: float = 0.5
    gather_seconds: float = 3.0
    poll_seconds: float = 60.0
    sweep_seconds: float = 300.0
    facts_seconds: float = 21_600.0
    doubt_seconds: float = 60.0
    settle_seconds: float = 2.0
    tell_seconds: float = 2.0
    reconnect_seconds: float = 15.0
    trouble_seconds: float = 5.0
    reconcile_seconds: float = 900.0


@dataclass(slots=True)
class Progress:
    """What the worker has done since it started; for progress bars and for knowing when nothing is left."""

    polled: set[str] = field(default_factory=set)
    troubles: dict[str, str] = field(default_factory=dict)
    decided: int = 0
    turns: int = 0
    quiet: bool = False
    head: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What the worker puts to work."""

    store: StateStore
    events: EventSource
    view: ViewLoader
    mappings: Mappings
    folder: Folder
    erasures: Erasures
    decider: Decider
    breaker: Breaker
    sending: Sending
    settler: Settler
    sources: SourceReader
    books: BooksReader
    sweeper: Sweeper
    coverage: Coverage
    reconciling: Reconciling
    requests: RequestTaker
    rollbacks: RollbackTaker
    redrives: RedriveTaker
    repairs: Repairs
    replanning: Replanning
    after_merges: AfterMerges
    teller: Teller
    acquaintance: Acquaintance
    recovering: Recovering
    connections: tuple[str, ...]
    in_flight: InFlight
    budget: ReadBudget


class CompanyWorker:
    """Works for one company under its lease.

    Everything that folds or decides runs in one loop; calls and readings run beside it, each owned by a task group.
    """

    def __init__(self, *, session: Session, rooms: Rooms, clock: Clock, pace: Pace, instruments: Instruments) -> None:
        self._session = session
        self._rooms = rooms
        self._clock = clock
        self._pace = pace
        self._instruments = instruments
        self._wake = asyncio.Event()
        self._draining = False
        self._due: dict[str, float] = {}
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._recovering: set[str] | None = None
        self._filling = False
        self._met = False
        self._calm = False
        self._finishing = False
        self._looked_for = 0
        self._landings = 0
        self._landings_folded = 0
        self._told = 0
        self._followed: dict[str, int] = {}
        self._postponed: dict[tuple[str, str, str], float] = {}
        self.progress = Progress()

    def wake(self) -> None:
        """Something was appended: look now instead of later."""
        self._wake.set()

    def finish(self) -> None:
        """Nobody waits for webhooks here: before this worker is quiet, it looks once more for what it wrote."""
        self._finishing = True

    def _landed(self) -> None:
        """A call or a reading has ended: what it appended must be folded before anything rests on the rows."""
        self._landings += 1
        self._wake.set()

    def _is_stale(self) -> bool:
        return self._landings != self._landings_folded

    def drain(self) -> None:
        """Begin nothing new; end when what is under way has ended."""
        self._draining = True
        self._rooms.sending.drain()
        self._wake.set()

    async def run(self) -> None:
        """Work until drained.

        Raises:
            ProjectionStoppedError: an event of this company cannot be folded.
            LeaseLostError: another process holds the company now.
            LogForgetfulError: a recovery was begun and has not ended.
        """
        await self._rooms.folder.to_head()
        await self._rooms.recovering.refuse_if_open()
        await self._rooms.erasures.enforce()
        await self._rooms.acquaintance.register()
        async with asyncio.TaskGroup() as tasks:
            while not (self._draining and not self._jobs and not self._rooms.in_flight):
                self._calm = False
                moved = await self._turn(tasks)
                self.progress.quiet = self._calm
                self.progress.turns += 1
                if not moved:
                    await self._pause()
        await self._rooms.folder.to_head()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._pace.idle_seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _turn(self, tasks: asyncio.TaskGroup) -> bool:
        """One round; returns whether anything moved."""
        self._landings_folded = self._landings
        landed = self._rooms.in_flight.fold_begins()
        head = await self._rooms.folder.to_head()
        self._rooms.in_flight.fold_ended(landed)
        moved = head != self.progress.head
        if moved:
            self._rooms.view.forget()
            self._rooms.mappings.forget()
        self.progress.head = head
        if self._recovering is None:
            self._recovering = await self._take_over()
            return True
        if self._draining:
            return False
        self._read(tasks)
        if not self._met:
            self._meet(tasks)
            return moved
        if await self._take_requests(head):
            return True
        if await self._rooms.redrives.take(head) or await self._rooms.replanning.take():
            return True
        if await self._rooms.after_merges.take(head, anyway=self._is_due("after merges", self._pace.facts_seconds)):
            return True
        decided = await self._decide(head)
        await self._settle(tasks)
        moved |= decided
        if not self._recovering:
            moved |= await self._send(tasks, more=self._filling)
        moved |= await self._tell(head, at_once=not moved)
        if self._is_stale():
            return True
        hints = await self._rooms.store.some(HintRow, "open_hints", self._session.company, HINTS_PER_TURN)
        self._follow(tasks, hints)
        idle = not moved and not self._jobs and not any(self._moves(hint) for hint in hints)
        self._calm = idle and await self._is_quiet() and not self._is_stale()
        return moved

    def _meet(self, tasks: asyncio.TaskGroup) -> None:
        """Nothing is decided, and nothing sent, before the books are known to be the right ones."""
        if self._is_due("meet", self._pace.trouble_seconds):
            self._job(tasks, "meet", self._get_to_know())

    async def _get_to_know(self) -> None:
        await self._rooms.acquaintance.meet()
        now = self._clock.monotonic()
        self._due["facts"] = now + self._pace.facts_seconds
        self._due["sweep"] = now + await self._rooms.sweeper.first_in(self._pace.sweep_seconds)
        self._met = True

    async def _learn_facts(self) -> None:
        """Somebody may close a period or switch on taxes at any time; a refusal that says so makes us look at once."""
        await self._rooms.books.learn_preferences()
        self._rooms.sending.facts_in_doubt = False

    async def _take_over(self) -> set[str]:
        """What an earlier holder had sent without recording an answer is uncertain, and is settled before all else."""
        company = self._session.company
        rows = await self._rooms.store.some(IntentRow, "intents_in", company, ["sent", "uncertain"], IN_DOUBT_MAX)
        lost = [row for row in rows if row.state == "sent"]
        if lost:
            plans = await self._rooms.events.recorded_many(company, [row.planned for row in lost])
            why = "The process that sent it ended before an answer was recorded."
            doubts = [(self._rooms.settler.lost(row, why), plans[row.planned].trace) for row in lost]
            await self._session.decide_each(doubts)
        # Values on their way to a source hold up nothing but newer values for the same record.
        return {row.intent_id for row in rows if row.target == BOOKS}

    async def _take_requests(self, head: int) -> bool:
        """What operators asked for; returns whether there was anything."""
        rooms = self._rooms
        return await rooms.repairs.take() or await rooms.requests.take(head) or await rooms.rollbacks.take(head)

    async def _decide(self, head: int) -> bool:
        """Decide a group of changes; what has to wait for something in flight does not hold up those behind it."""
        self._filling = False
        most = CHANGES_WHILE_BUSY if self._rooms.sending.is_busy else CHANGES_PER_TURN
        after = 0
        for _ in range(PAGES_PER_TURN):
            changes = await self._rooms.store.some(ChangeRow, "undecided_changes", self._session.company, after, most)
            if not changes:
                return False
            if await self._decide_among(changes, head):
                return True
            if len(changes) < most:
                return False
            after = changes[-1].position
        return False

    async def _decide_among(self, changes: Sequence[ChangeRow], head: int) -> bool:
        """Planned side by side, appended at once; refused if anything newer bears on it."""
        found = await self._rooms.events.recorded_many(self._session.company, [change.position for change in changes])
        traces = [recorded.trace for recorded in found.values()]
        attributes = {"changes": len(changes)}
        with self._instruments.span("counterfoil.plan", next(iter(traces), None), attributes, traces):
            group = compatible(await self._plan(changes, found))
            if not group:
                return False
            group = await self._rooms.breaker.held(group, head)
            events = [
                (event, one.trace or found[change.position].trace) for change, one in group for event in one.events
            ]
            bears_on = tuple(dict.fromkeys(key for _, one in group for key in one.bears_on))
            try:
                await self._session.decide_each(events, guard=Guard(bears_on, head))
            except StaleDecisionError:
                self._filling = True
                return True  # fold what is new, then plan again
        self._filling = fills_batches(event for event, _ in events)
        # Rows still call these ready until the next fold.
        self._rooms.in_flight.land(event.intent_id for event, _ in events if isinstance(event, IntentWithdrawn))
        for event, _ in events:
            self._instruments.decided(event.event_type)
        self.progress.decided += len(group)
        return True

    async def _plan(
        self, changes: Sequence[ChangeRow], found: Mapping[int, RecordedEvent]
    ) -> list[tuple[ChangeRow, Decided | None]]:
        async def plan_one(change: ChangeRow) -> tuple[ChangeRow, Decided | None]:
            event = await found[change.position].event()
            return change, await self._rooms.decider.decide(change, event)

        # In step with one another, they ask the same questions at the same time, which the store answers as one.
        return list(await asyncio.gather(*(plan_one(change) for change in changes)))

    async def _settle(self, tasks: asyncio.TaskGroup) -> None:
        company = self._session.company
        rows = await self._rooms.store.some(
            IntentRow, "intents_in", company, ["uncertain", "refetch", "adopt", "reconnect"], IN_DOUBT_MAX
        )
        if self._is_stale():
            return
        uncertain = [row for row in rows if row.state == "uncertain"]
        if self._recovering:
            self._recovering &= {row.intent_id for row in uncertain}
        if uncertain and self._is_due("settle", self._pace.settle_seconds):
            self._job(tasks, "settle", self._rooms.sending.settle(uncertain))
        stuck = [row for row in rows if row.state in {"refetch", "adopt"}]
        if stuck and self._is_due("unblock", self._pace.settle_seconds / 4):
            self._job(tasks, "unblock", self._rooms.sending.unblock(stuck))
        waiting = [row for row in rows if row.state == "reconnect"]
        if waiting and self._is_due("reconnect", self._pace.reconnect_seconds):
            self._job(tasks, "reconnect", self._rooms.sending.resume(waiting))

    async def _send(self, tasks: asyncio.TaskGroup, *, more: bool) -> bool:
        return await self._rooms.sending.dispatch(tasks, more=more, landed=self._landed, is_stale=self._is_stale)

    async def _tell(self, head: int, *, at_once: bool) -> bool:
        """Tell the sources of what is parked, once for each time that the state has moved."""
        if head == self._told or self._is_stale() or not (at_once or self._is_due("tell", self._pace.tell_seconds)):
            return False
        told = await self._rooms.teller.tell(head)
        self._told = self._told if told else head
        return told

    def _read(self, tasks: asyncio.TaskGroup) -> None:
        for connection in self._rooms.connections:
            if self._is_due(f"poll {connection}", self._pace.poll_seconds):
                self._job(tasks, f"poll {connection}", self._poll(connection))
        if self._met and self._is_due("sweep", self._pace.sweep_seconds):
            self._job(tasks, "sweep", self._sweep())
        if self._met and self._is_due("reconcile", self._pace.reconcile_seconds):
            self._job(tasks, "reconcile", self._rooms.reconciling.run_if_due())
        doubt = self._rooms.sending.facts_in_doubt and self._is_due("facts in doubt", self._pace.doubt_seconds)
        if self._met and (doubt or self._is_due("facts", self._pace.facts_seconds)):
            self._job(tasks, "facts in doubt" if doubt else "facts", self._learn_facts())

    async def _sweep(self) -> None:
        """What webhooks did not tell of; the next one when the month's budget allows it."""
        self._looked_for = self._rooms.sending.settling
        await self._rooms.sweeper.sweep()
        await self._rooms.sweeper.poll_left_out()
        await self._rooms.coverage.check()
        self._due["sweep"] = self._clock.monotonic() + self._rooms.sweeper.spacing(self._pace.sweep_seconds)

    def _follow(self, tasks: asyncio.TaskGroup, hints: list[HintRow]) -> None:
        by_connection: dict[str, list[HintRow]] = {}
        now = self._clock.monotonic()
        self._postponed = {about: until for about, until in self._postponed.items() if until > now}
        for hint in hints:
            if (hint.connection, hint.kind, hint.source_id) not in self._postponed:
                by_connection.setdefault(hint.connection, []).append(hint)
        for connection, group in by_connection.items():
            name = f"follow {connection}"
            # What is left open waits for its turn; what is new is followed at once, unless the source is resting.
            newest = max(hint.received for hint in group)
            fresh = newest > self._followed.get(connection, 0)
            # Reading the books is metered: the first notification is followed at once, those behind it are gathered,
            # for longer and longer as the month's budget runs out.
            gathering = connection == BOOKS
            pause = self._gather_seconds() if gathering else self._pace.idle_seconds
            if not self._is_due(name, pause, at_once=fresh and not gathering):
                continue
            self._followed[connection] = newest
            if connection == BOOKS:
                self._job(tasks, name, self._follow_books(group))
            elif connection in self._rooms.connections:
                self._job(tasks, name, self._follow_source(connection, group))

    def _gather_seconds(self) -> float:
        return self._rooms.budget.gather_seconds(self._pace.gather_seconds)

    def _moves(self, hint: HintRow) -> bool:
        """Whether a hint is followed soon: one at the books may have to wait for budget."""
        return hint.connection != BOOKS or self._gather_seconds() <= self._pace.gather_seconds

    async def _follow_books(self, hints: list[HintRow]) -> None:
        swept = self._rooms.sweeper.sweeps
        unclear = [hint for hint in hints if hint.kind == EVERYTHING.kind]
        if unclear:
            await self._rooms.sweeper.find_everything(unclear)
        await self._rooms.sweeper.follow([hint for hint in hints if hint.kind != EVERYTHING.kind])
        if self._rooms.sweeper.sweeps > swept:
            self._due["sweep"] = self._clock.monotonic() + self._rooms.sweeper.spacing(self._pace.sweep_seconds)

    async def _follow_source(self, connection: str, hints: list[HintRow]) -> None:
        for trouble in await self._rooms.sources.follow(connection, hints):
            self.progress.troubles[connection] = trouble.message
            now = self._clock.monotonic()
            if trouble.retry_after is None:
                # Nothing that waiting helps: this one alone is left for later, the source's others go on.
                self._postponed[connection, *trouble.hint] = now + self._pace.poll_seconds
            else:
                self._due[f"follow {connection}"] = now + max(trouble.retry_after, self._pace.trouble_seconds / 2)

    async def _poll(self, connection: str) -> None:
        try:
            await self._rooms.sources.poll(connection, "poll")
        except SourceError as trouble:
            self.progress.troubles[connection] = str(trouble)
            if trouble.retry_after is not None:
                wait = max(trouble.retry_after, self._pace.trouble_seconds)
                self._due[f"poll {connection}"] = self._clock.monotonic() + wait
                return
        else:
            self.progress.troubles.pop(connection, None)
        self.progress.polled.add(connection)

    async def _is_quiet(self) -> bool:
        """Whether nothing is left that would move by itself."""
        if set(self._rooms.connections) - self.progress.polled or self._rooms.in_flight:
            return False
        company = self._session.company
        moving = ["sent", "uncertain", "refetch", "adopt"]
        rows = await self._rooms.store.some(IntentRow, "intents_in", company, moving, 1)
        if rows or await self._rooms.sending.only_previews():
            return not rows
        if await self._rooms.store.some(IntentRow, "ready_for", company, None, 1):
            return False
        if self._finishing and await self._has_news_for_sources():
            self._due["sweep"] = self._clock.monotonic()
            return False
        return True

    async def _has_news_for_sources(self) -> bool:
        """Whether a source is to be told of what we wrote, which a sweep shows; not where the budget spaces sweeps."""
        if self._rooms.sending.settling == self._looked_for:
            return False
        held = [await self._rooms.mappings.held(connection) for connection in self._rooms.connections]
        told = any(one is not None and one.mapping.write_back.tells_of_invoices for one in held)
        return told and self._rooms.sweeper.spacing(self._pace.sweep_seconds) <= self._pace.sweep_seconds

    def _is_due(self, name: str, every: float, *, at_once: bool = False) -> bool:
        """Whether it is its turn again; `at_once` passes over the usual time between two, not over a longer rest."""
        now = self._clock.monotonic()
        if name in self._jobs or self._due.get(name, 0.0) > now + (every if at_once else 0.0):
            return False
        self._due[name] = now + every
        return True

    def _job(self, tasks: asyncio.TaskGroup, name: str, work: Coroutine[Any, Any, Any]) -> None:
        self._jobs[name] = tasks.create_task(self._guarded(name, work), name=name)

    async def _guarded(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """A reading that fails proves nothing and stops nothing: it is shown, and tried again."""
        try:
            await work
        except BooksUnreadableError as trouble:
            self.progress.troubles[name] = str(trouble)
            wait = trouble.retry_after if trouble.retry_after is not None else self._pace.trouble_seconds
            self._due[name] = self._clock.monotonic() + wait
        else:
            self.progress.troubles.pop(name, None)
        finally:
            self._jobs.pop(name, None)
            self._landed()
