"""The course of the demo: start, break, kill, change, wait until nothing moves, stop."""

import asyncio
from dataclasses import dataclass, field

from counterfoil.clock import SystemClock
from counterfoil.demo.changes import Change, count_of, make_changes
from counterfoil.demo.control import part_of, rows_of
from counterfoil.demo.expected import Expected, expect
from counterfoil.demo.generator import make_sample
from counterfoil.demo.home import COMPANY, SWEEP_SECONDS
from counterfoil.demo.incidents import Incidents, at_the_start, burst, lost_notification, moment_of_the_kill
from counterfoil.demo.progress import Show, Standing
from counterfoil.demo.sample import FAST, Sample, Size
from counterfoil.demo.stage import Stage
from counterfoil.demo.tally import Tally
from counterfoil.log import Append, NewEvent
from counterfoil.ports import Clock
from counterfoil.state.rows import ChangeRow, HintRow, IntentRow, RequestRow
from counterfoil_schema.events.receipts import OperatorRequested

SECONDS_MAX = 420.0
STILL_SECONDS = 4.0
_LOOK_SECONDS = 0.5
_TOLD_BEFORE_THE_BURST = 20
_DELIVERED = 200
_MOVING = ["sent", "uncertain", "refetch", "adopt", "reconnect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is played: the sample, the live changes, and what must come of it."""

    seed: int
    fast: bool
    sample: Sample
    changes: tuple[Change, ...]
    expected: Expected

    @property
    def whole(self) -> Standing:
        """Where the progress bars end."""
        expected = self.expected
        read = len(self.sample.deals) + self.sample_parties
        booked = len(expected.customers) + expected.items + len(expected.invoices) + len(expected.entries)
        return Standing(
            read=read, planned=read + len(expected.invoices), booked=booked, written_back=len(expected.invoices)
        )

    @property
    def sample_parties(self) -> int:
        """Customers, products, people and pay runs to read."""
        sample = self.sample
        return len(self.expected.customers) + len(sample.products) + len(sample.employees) + len(sample.pay_runs)


def make_script(seed: int, *, fast: bool) -> Script:
    """The script of a seed."""
    size = FAST if fast else Size()
    sample = make_sample(seed, size)
    changes = make_changes(seed, sample, size.changes)
    return Script(seed=seed, fast=fast, sample=sample, changes=changes, expected=expect(sample, changes))


@dataclass(slots=True)
class Course:
    """What happened on the way.

    Attributes:
        settled: nothing moved any more before the time was up.
        seconds: how long it took, and parts of it by name.
        incidents: faults with how often they struck.
        approved: pay runs approved.
    """

    settled: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    incidents: list[tuple[str, int]] = field(default_factory=list)
    approved: int = 0
    kills: int = 0
    changes_told: int = 0


class Director:
    """Plays a script on a stage."""

    def __init__(self, stage: Stage, script: Script, show: Show, clock: Clock | None = None) -> None:
        self._stage = stage
        self._script = script
        self._show = show
        self._clock: Clock = clock or SystemClock()
        self._incidents = Incidents(stage.quickbooks)
        self.tally = Tally(COMPANY)
        self.course = Course()
        self._rest_from = 0.0

    async def play(self) -> None:
        """From the start of the engine until nothing moves any more."""
        for incident in at_the_start(fast=self._script.fast):
            await self._incidents.arm(incident)
        kill = await self._incidents.arm(moment_of_the_kill(fast=self._script.fast))
        self._show.say("The engine starts: it reads HubSpot and Gusto, and writes QuickBooks.")
        await self._stage.start_engine()
        try:
            async with asyncio.timeout(SECONDS_MAX), asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                await self._act(tasks, kill)
                await self._until_still()
                self.course.settled = True
                watching.cancel()
        except TimeoutError:
            self._show.say("The time is up; something still moves.")
        self.course.incidents = await self._incidents.told()
        self.course.seconds["all"] = self._show.seconds
        await self._stage.stop_engine()
        await self.tally.catch_up(self._stage.opened.reader)

    async def _act(self, tasks: asyncio.TaskGroup, kill: int) -> None:
        approving = tasks.create_task(self._approve())
        changing = tasks.create_task(self._change())
        if not self._script.fast:
            tasks.create_task(self._refuse())
        await self._incidents.until_fired(kill)
        await self._stage.kill_engine()
        self.course.kills += 1
        self._show.say("The engine was killed while a batch of invoices was under way. It starts again.")
        began = self._clock.monotonic()
        await self._stage.start_engine()
        self.course.seconds["restart"] = self._clock.monotonic() - began
        self._show.say("It runs again, and first finds out what became of the calls that were under way.")
        await changing
        await approving

    async def _change(self) -> None:
        """People at work, one change after the other."""
        await self._until_booked(len(self._script.sample.deals) // 6)
        self._show.say("Meanwhile people work in HubSpot and in QuickBooks.")
        pause = 0.05 if self._script.fast else 0.5
        if not self._script.fast:
            await self._incidents.arm(lost_notification())
        for change in self._script.changes:
            await self._stage.people.act(change)
            self.course.changes_told += count_of((change,))
            await asyncio.sleep(pause)
        self._show.say("People have done their changes.")
        if not self._script.fast:
            # What a lost webhook should have told is found by the sweep that follows.
            self._rest_from = self._clock.monotonic() + SWEEP_SECONDS

    async def _refuse(self) -> None:
        """A burst of 429, once most is in the books and HubSpot is being told of it."""
        won = sum(deal.won for deal in self._script.sample.deals)
        await self._until_booked(won * 95 // 100)
        while True:
            if len(self.tally.written_back) >= _TOLD_BEFORE_THE_BURST:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await self._incidents.arm(burst())
        self._show.say("QuickBooks answers 429 for three seconds; Intuit wants a minute's rest after that.")

    async def _until_booked(self, invoices: int) -> None:
        while True:
            if self.tally.count("Invoice") >= invoices:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _approve(self) -> None:
        """A person looks at the pay runs, and approves all but the last."""
        runs = self._script.sample.pay_runs
        wanted = {f"gusto:payroll:{run.uuid}" for run in runs[:-1]}
        log = await self._stage.opened.writer()
        while wanted:
            rows = await self._stage.opened.store.some(IntentRow, "intents_in", COMPANY, ["held"], 100)
            for row in rows:
                if row.record_key not in wanted:
                    continue
                wanted.discard(row.record_key)
                event = OperatorRequested(
                    action="approve",
                    record_key=row.record_key,
                    intent_id=row.intent_id,
                    author="demo",
                    reason="Compared with the pay slips.",
                )
                await log.append(Append(COMPANY, [NewEvent(event=event)]))
                self.course.approved += 1
            await asyncio.sleep(_LOOK_SECONDS)
        self._show.say(f"{self.course.approved} pay runs were approved; the last one is left waiting.")

    async def _watch(self) -> None:
        while True:
            await self.tally.catch_up(self._stage.opened.reader)
            self._show.stands(self._standing())
            await asyncio.sleep(_LOOK_SECONDS)

    def _standing(self) -> Standing:
        tally = self.tally
        return Standing(
            read=len(tally.records_read),
            planned=tally.decided,
            booked=len(tally.documents),
            written_back=len(tally.written_back),
        )

    async def _until_still(self) -> None:
        """Nothing is under way, and nothing was appended for a while."""
        still_since = self._clock.monotonic()
        position = -1
        while self._clock.monotonic() - still_since < STILL_SECONDS:
            await asyncio.sleep(_LOOK_SECONDS)
            early = self._clock.monotonic() < self._rest_from
            if early or self.tally.position != position or await self._moves():
                still_since = self._clock.monotonic()
                position = self.tally.position

    async def _moves(self) -> bool:
        store = self._stage.opened.store
        checks: tuple[tuple[type[IntentRow | ChangeRow | HintRow | RequestRow], str, tuple[object, ...]], ...] = (
            (IntentRow, "intents_in", (_MOVING, 1)),
            (IntentRow, "ready_for", (None, 1)),
            (ChangeRow, "undecided_changes", (0, 1)),
            (HintRow, "open_hints", (1,)),
            (RequestRow, "open_requests", (1,)),
        )
        for row_type, query, arguments in checks:
            if await store.some(row_type, query, COMPANY, *arguments):
                return True
        return await self._is_being_told()

    async def _is_being_told(self) -> bool:
        """Whether webhooks are on their way; while the engine was down they failed, and are delivered again."""
        books = await self._stage.quickbooks.get("/webhooks")
        deliveries = rows_of(books, "deliveries")
        statuses = deliveries[-1].get("statuses") if deliveries else None
        failed = isinstance(statuses, list) and statuses[-1] != _DELIVERED
        hubspot = part_of(await self._stage.hubspot.get("/state"), "webhooks")
        return failed or bool(books.get("pending")) or bool(hubspot.get("waiting"))
