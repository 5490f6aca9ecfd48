"""A load run: emulators, a Postgres and an engine of its own, and the load; all of it gone at the end."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp

from counterfoil.cli.opening import Opened, open_state
from counterfoil.demo.control import Control, rows_of, text_of
from counterfoil.demo.home import free_port
from counterfoil.demo.processes import Child, launch, launched
from counterfoil.errors import ConfigurationError
from counterfoil.loadtest.feed import Feed, key_of
from counterfoil.loadtest.figures import Course, Delays, Sample, course_of, delays_of, most_within, thinned
from counterfoil.loadtest.home import feed_of, write_home
from counterfoil.loadtest.plan import Made, Plan
from counterfoil.loadtest.watch import Watch
from counterfoil.ports import Clock
from counterfoil.settings import CONFIG_FILE, CompanySettings
from counterfoil_schema.exact_json import JsonObject

TICK_SECONDS = 1.0
BEFORE_SECONDS_MAX = 300.0
SAMPLES_KEPT_MAX = 600
"""Of the backlog, for plot and JSON."""

DRAIN_SECONDS_MAX = 120.0
"""How long is waited after the load until nothing is left; what is left then was not borne."""

_THROTTLED = 429
_WRITES = ("create", "update", "batch")

Tick = Callable[[str, float, float], None]
"""Told what is done, how far it is, and how far it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one company's load came to.

    Attributes:
        planned, made: changes planned, and made at the source.
        outcomes: how they ended: applied, skipped, parked.
        effects: on the books, by the emulator's own journal.
        calls: to QuickBooks, and of them those that write; `throttled` were answered 429.
        in_minute, in_second, batches_in_minute: the most in any window of 60 s and of 1 s.
    """

    company: int
    planned: int
    made: int
    outcomes: Mapping[str, int]
    course: Course
    samples: tuple[Sample, ...]
    delays: Delays | None
    effects: int
    calls: int
    writes: int
    throttled: int
    in_minute: int
    in_second: int
    batches_in_minute: int

    @property
    def keeps_up(self) -> bool:
        """Whether the load was borne: the backlog did not grow, and every change ended well."""
        return self.course.keeps_up and self.made == self.planned and not self.outcomes.get("parked")


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to QuickBooks, as the emulator saw it; `at` in seconds since 1970."""

    at: float
    kind: str
    status: str


@dataclass(slots=True)
class _Lane:
    """One company while the load runs."""

    settings: CompanySettings
    plan: Plan
    feed: Feed
    watch: Watch
    control: Control
    coming: list[Made]
    samples: list[Sample]
    calls: list[_Call] = field(default_factory=list)
    effects_before: int = 0
    last_call: int = 0


async def run_load(
    home: Path, plans: Sequence[tuple[CompanySettings, Plan]], *, seconds: float, seed: int, clock: Clock, tick: Tick
) -> tuple[list[Measured], int | None]:
    """Run the load of each company in a folder; what it came to, and the engine's peak memory in bytes, where known.

    Raises:
        DemoError, ConfigurationError: something could not be started, or the engine ended.
    """
    tick("starting", 0, 1)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        ready: dict[int, JsonObject] = {}
        for company, _ in plans:
            number = company.company
            arguments = ["emulator", "quickbooks", "--port", "0", "--json", "--seed", str(seed), "--limits", "on"]
            ready[number] = await stack.enter_async_context(launched(f"emulator-{number}", arguments, home))
        companies = [company for company, _ in plans]
        settings = await asyncio.to_thread(write_home, home, companies, ready)
        dated = f"{clock.now():%Y-%m-%d}"
        lanes = [
            _Lane(
                settings=company,
                plan=plan,
                feed=Feed(feed_of(home, company.company), dated),
                watch=Watch(company.company),
                control=Control(http, text_of(ready[company.company], "control_url"), "the emulator of QuickBooks"),
                coming=[*plan.load],
                samples=[],
            )
            for company, plan in plans
        ]
        opened = await stack.enter_async_context(open_state(settings))
        for lane in lanes:
            _write(lane, lane.plan.before, clock.now())
        arguments = ["serve", "--config", str(home / CONFIG_FILE), "--port", str(free_port()), "--json"]
        engine = await launch("engine", arguments, home)
        stack.push_async_callback(engine.stop)
        await engine.ready()
        scene = _Scene(lanes, opened, engine, clock, tick)
        await scene.settle_before()
        await scene.load(seconds)
        memory = await asyncio.to_thread(_peak_memory, engine.pid)
        return [await _measured(lane, seconds) for lane in lanes], memory


@dataclass(slots=True)
class _Scene:
    lanes: list[_Lane]
    opened: Opened
    engine: Child
    clock: Clock
    tick: Tick

    async def settle_before(self) -> None:
        """What is there before the load goes into the books; it is not measured."""
        until = self.clock.monotonic() + BEFORE_SECONDS_MAX
        whole = sum(len(lane.plan.before) for lane in self.lanes)
        while True:
            await self._look()
            done = sum(lane.watch.done for lane in self.lanes)
            self.tick("records that are there before", done, whole)
            if done >= whole:
                break
            if self.clock.monotonic() > until:
                raise ConfigurationError(
                    f"Of {whole} records that the load needs beforehand {whole - done} were not in the books in time.",
                    remedy="This machine may be too busy; try again.",
                )
            await self.clock.sleep(TICK_SECONDS)
        for lane in self.lanes:
            if lane.watch.outcomes.get("parked"):
                raise ConfigurationError(
                    "The emulator's books did not take what the load needs beforehand.", remedy="Report this."
                )
            lane.effects_before = await _count_effects(lane.control)
            lane.watch.begin()
            lane.calls.clear()

    async def load(self, seconds: float) -> None:
        """Make the changes as they are due, until the time is up and nothing is left, or too much time has gone."""
        began = self.clock.monotonic()
        whole = sum(len(lane.plan.load) for lane in self.lanes)
        while True:
            at = self.clock.monotonic() - began
            for lane in self.lanes:
                due = [one for one in lane.coming if one.at <= at]
                lane.coming = _write(lane, due, self.clock.now()) + lane.coming[len(due) :]
            await self._look()
            for lane in self.lanes:
                lane.samples.append(Sample(self.clock.monotonic() - began, lane.watch.made, lane.watch.done))
            done = sum(lane.watch.done for lane in self.lanes)
            self.tick("under load" if at < seconds else "what is left", done, whole)
            if at >= seconds and (done >= whole or at > seconds + DRAIN_SECONDS_MAX):
                return
            await self.clock.sleep(TICK_SECONDS)

    async def _look(self) -> None:
        if not self.engine.is_running:
            raise ConfigurationError(
                f"The engine ended in the middle of the load: {(await self.engine.said())[-300:]}",
                remedy="Report this, or give the machine more room.",
            )
        for lane in self.lanes:
            lane.feed.take_away(await lane.watch.catch_up(self.opened.reader))
            await _take_calls(lane)


def _write(lane: _Lane, due: Sequence[Made], now: datetime) -> list[Made]:
    """Make changes at the source; those that have to wait."""
    written, later = lane.feed.write(due)
    lane.watch.tell([key_of(one) for one in written], now)
    return later


async def _count_effects(control: Control) -> int:
    found = (await control.get("/stats")).get("effects")
    return found if isinstance(found, int) else 0


async def _take_calls(lane: _Lane) -> None:
    """The calls since the last look: the emulator remembers only so many."""
    for row in rows_of(await lane.control.get(f"/calls?after={lane.last_call}"), "calls"):
        at = datetime.fromisoformat(text_of(row, "time")).timestamp()
        lane.calls.append(_Call(at, text_of(row, "kind"), text_of(row, "status")))
        lane.last_call = max(lane.last_call, int(text_of(row, "sequence")))


async def _measured(lane: _Lane, seconds: float) -> Measured:
    calls, watch = lane.calls, lane.watch
    instants = [one.at for one in calls]
    return Measured(
        company=lane.settings.company,
        planned=len(lane.plan.load),
        made=watch.made,
        outcomes=dict(sorted(watch.outcomes.items())),
        course=course_of(lane.samples, seconds),
        samples=thinned(lane.samples, SAMPLES_KEPT_MAX),
        delays=delays_of(watch.delays),
        effects=await _count_effects(lane.control) - lane.effects_before,
        calls=len(calls),
        writes=sum(one.kind in _WRITES for one in calls),
        throttled=sum(one.status == str(_THROTTLED) for one in calls),
        in_minute=most_within(instants, 60.0),
        in_second=most_within(instants, 1.0),
        batches_in_minute=most_within([one.at for one in calls if one.kind == "batch"], 60.0),
    )


def _peak_memory(process: int) -> int | None:
    """The most memory that a process held, in bytes; None where the system does not say."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(sizes[0]) * 1024 if sizes else None
