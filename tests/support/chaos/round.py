"""One round: trade in bad weather until enough was killed, then calm, then everything is looked at."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncpg

from counterfoil.postgres import LOST, Names, create_pool
from counterfoil.state.store import PostgresStateStore
from counterfoil.testing.simulation.oracle import judge
from support.chaos.blows import Blows, Stall
from support.chaos.figures import Recovery, late_decisions, late_writes, recoveries
from support.chaos.scene import Scene, Size, open_scene, subscribe
from support.chaos.schedule import Blow, blows
from support.chaos.witness import Witness, effects_of, testify
from support.running import Rest

UNDER_WAY_MAX: Final = timedelta(seconds=2.5)
STILL_SECONDS: Final = 1.5
REST_SECONDS_MAX: Final = 240.0
COMMAND_SECONDS_MAX: Final = 120.0
BLOWS_PER_KILL: Final = 4
GRACE_SECONDS: Final = 3.0

logger = logging.getLogger("chaos")


@dataclass(frozen=True, slots=True)
class Order:
    """What a round shall be.

    Attributes:
        kills: SIGKILLs to engines and Postgres until it is calm.
        gap_seconds: between two blows, on average; pause_seconds: between two acts of one company's people.
        seconds_max: after so long it is calm in any case.
        only: these blows instead of the seed's; then kills are not counted.
        points: whether lives of engines may end at named points.
    """

    seed: int
    kills: int
    size: Size = field(default_factory=Size)
    gap_seconds: float = 2.0
    pause_seconds: float = 0.8
    seconds_max: float = 900.0
    small_disk: bool = True
    only: Sequence[Blow] | None = None
    points: bool = True

    @property
    def blows(self) -> Sequence[Blow]:
        """What happens."""
        if self.only is not None:
            return self.only
        return blows(self.seed, self.kills * BLOWS_PER_KILL, gap_seconds=self.gap_seconds)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it.

    Attributes:
        broken: what is not as promised; empty if all is.
        done: blows by kind; proxied: fates of requests; ends: exit codes of engines that ended by themselves.
        engine_kills, postgres_kills: SIGKILLs, by point or kind.
        disk: why it was never full; empty if it was.
        stuck: how often Postgres began to recover and had to be ended and started once more.
        said: the engines, to their operator.
    """

    seed: int
    broken: Sequence[str]
    done: Mapping[str, int]
    proxied: Mapping[str, int]
    ends: Mapping[str, int]
    engine_kills: Mapping[str, int]
    postgres_kills: Mapping[str, int]
    stalls: Sequence[Stall]
    recoveries: Sequence[Recovery]
    documents: int
    effects: int
    events: int
    lives: int
    calls_repeated: int
    disk: str
    said: Sequence[str]
    full_seconds: float
    stuck: int
    bad_seconds: float
    quiet_seconds: float

    @property
    def kills(self) -> int:
        """All SIGKILLs."""
        return sum(self.engine_kills.values()) + sum(self.postgres_kills.values())


@dataclass
class _Times:
    bad: float = 0.0
    quiet: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)


async def run_round(folder: Path, order: Order) -> Result:
    """A round, from the first record to the verdict.

    Raises:
        TimeoutError: it does not come to rest.
    """
    times = _Times()
    async with open_scene(folder, order.seed, order.size, small_disk=order.small_disk, points=order.points) as scene:
        struck = await _bad_weather(scene, order, times)
        began = time.monotonic()
        await _rest(scene)
        times.quiet = time.monotonic() - began
        broken = [f"an engine told to stop left with {code}" for code in await scene.fleet.stop() if code]
        witnesses = await _witnesses(scene)
        broken += await _commands(scene)
        for company, witness in witnesses.items():
            broken += [f"company {company}: {one}" for one in judge(witness.evidence)]
            broken += [f"company {company}: {one}" for one in late_writes(witness.sent, witness.writes, UNDER_WAY_MAX)]
        return _result(scene, struck, order, times, broken, witnesses)


async def _bad_weather(scene: Scene, order: Order, times: _Times) -> Blows:
    struck, began = Blows(scene), time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        works = [tasks.create_task(trade.work(order.pause_seconds)) for trade in scene.trades.values()]
        watch = tasks.create_task(struck.watch_leases())
        await _until_first_effects(scene)
        for blow in order.blows:
            if (order.only is None and struck.kills >= order.kills) or time.monotonic() - began > order.seconds_max:
                break
            await asyncio.sleep(blow.after)
            logger.info("%s (%d killed so far)", blow.kind, struck.kills)
            await struck.strike(blow)
        scene.calm()
        await struck.rest()
        # The last kill's recovery counts as well: people go on for a while.
        await asyncio.sleep(GRACE_SECONDS)
        await _until_held(struck)
        for task in (*works, watch):
            task.cancel()
    times.bad = time.monotonic() - began
    return struck


async def _until_first_effects(scene: Scene) -> None:
    """Nobody is hit before there is something to lose."""
    async with asyncio.timeout(REST_SECONDS_MAX):
        for trade in scene.trades.values():
            while not (await trade.control("/journal"))["total"]:
                await asyncio.sleep(0.2)


async def _until_held(struck: Blows) -> None:
    """Until a living engine holds each company."""
    fleet = struck.scene.fleet
    async with asyncio.timeout(REST_SECONDS_MAX):
        while {pid for pid, _ in fleet.held.values()} - {slot.pid for slot in fleet.slots}:
            await asyncio.sleep(0.2)


async def _rest(scene: Scene) -> None:
    """Until all that was ordered and paid has come to its end at the other side."""
    await scene.cluster.until_ready()
    for proxy in scene.proxies:
        proxy.restore()
    await subscribe(scene)
    names = Names()
    pool = await create_pool(scene.cluster.admin_dsn, names, application_name="watch")
    try:
        for company, trade in scene.trades.items():

            async def head(company: int = company) -> int:
                with suppress(*LOST, asyncpg.PostgresError):
                    query = 'SELECT "position" FROM counterfoil_log.heads WHERE company = $1'
                    return int(await pool.fetchval(query, company) or 0)
                return -1

            rest = Rest(PostgresStateStore(pool, names), trade.sales.shelf, head, company)
            await rest.reached(still_seconds=STILL_SECONDS, give_up_seconds=REST_SECONDS_MAX)
    finally:
        await pool.close()


async def _witnesses(scene: Scene) -> Mapping[int, Witness]:
    names, home = Names(), scene.folder / "home"
    said = _said(scene)
    pool = await create_pool(scene.cluster.engine_dsn, names, application_name="witness")
    try:
        return {company: await testify(trade, pool, names, home, said) for company, trade in scene.trades.items()}
    finally:
        await pool.close()


def _said(scene: Scene) -> list[str]:
    """Everything that the engines said."""
    lines: list[str] = []
    for path in sorted(scene.folder.glob("engine-*.err")):
        lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines


async def _commands(scene: Scene) -> list[str]:
    """What an operator would ask, by the same commands."""
    broken = []
    commands = {"verify": ["log", "verify"], "rebuild": ["rebuild", "--check", "--processes", "1"]}
    for name, words in commands.items():
        pid = await scene.fleet.run(name, [*words, "--config", str(scene.aside()), "--json"])
        code, out = await scene.fleet.finished(name, pid, COMMAND_SECONDS_MAX)
        if code:
            broken.append(f"`counterfoil {' '.join(words)}` leaves with {code}: {out[-500:]}")
    return broken


def _result(
    scene: Scene,
    struck: Blows,
    order: Order,
    times: _Times,
    broken: Sequence[str],
    witnesses: Mapping[int, Witness],
) -> Result:
    deaths = sorted((*scene.fleet.deaths, *struck.deaths), key=lambda one: one.at)
    sent = {company: one.sent for company, one in witnesses.items()}
    effects = {company: effects_of(one) for company, one in witnesses.items()}
    instants = {company: [(at, str(one["request_id"])) for at, one in found] for company, found in effects.items()}
    return Result(
        seed=order.seed,
        broken=[*broken, *_fencing_broken(struck.stalls, witnesses)],
        done=dict(struck.done),
        proxied=dict(sum((proxy.counts for proxy in scene.proxies), Counter[str]())),
        ends=dict(scene.fleet.ends),
        engine_kills=Counter(one.what for one in scene.fleet.deaths),
        postgres_kills=Counter(one.what for one in struck.deaths),
        stalls=struck.stalls,
        recoveries=recoveries(deaths, sent, instants),
        documents=sum(len(one.evidence.orders) for one in witnesses.values()),
        effects=sum(map(len, effects.values())),
        events=sum(len(one.evidence.events) for one in witnesses.values()),
        lives=sum(slot.lives for slot in scene.fleet.slots),
        calls_repeated=sum(len(one.sent) - len({call.request_id for call in one.sent}) for one in witnesses.values()),
        disk=scene.disk.refused,
        said=_said(scene),
        full_seconds=struck.full_seconds,
        stuck=scene.cluster.stuck,
        bad_seconds=times.bad,
        quiet_seconds=times.quiet,
    )


def _fencing_broken(stalls: Sequence[Stall], witnesses: Mapping[int, Witness]) -> list[str]:
    """What a holder that was halted did after another had taken its company over."""
    broken = []
    for stall in stalls:
        for company, (old, new) in stall.stolen.items():
            epochs = [(event.position, event.epoch) for event in witnesses[company].evidence.events]
            late = late_decisions(epochs, old, new)
            broken += [f"company {company}: {position} was decided in epoch {old}, after {new}" for position in late]
    return broken
