"""Carries out what the schedule says, and remembers what was done."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import asyncpg

from counterfoil.postgres import LOST
from support.chaos.fleet import Death, Slot
from support.chaos.scene import LEASE_SECONDS, Scene
from support.chaos.schedule import Blow, Kind
from support.processes import is_running

WATCH_SECONDS: Final = 0.2
CATCH_SECONDS_MAX: Final = 20.0
STEAL_SECONDS_MAX: Final = 6 * LEASE_SECONDS
WRITE_MARK: Final = b"requestid="
HOLDERS: Final = "SELECT company, holder, epoch FROM counterfoil_log.leases"


@dataclass(frozen=True, slots=True)
class Stall:
    """An engine that was halted.

    Attributes:
        in_flight: a write of this company had left when it was halted; None if none did in time.
        stolen: by company, the epoch that it held and the one that another took meanwhile.
        woken: when it went on; None if it was killed as it lay.
    """

    pid: int
    halted: datetime
    in_flight: int | None
    stolen: Mapping[int, tuple[int, int]]
    woken: datetime | None


@dataclass
class Blows:
    """Does it.

    Attributes:
        done: how often what was done.
        deaths: SIGKILLs to Postgres.
        stalls: engines that were halted.
        full_seconds: for which the disk was full.
    """

    scene: Scene
    done: Counter[str] = field(default_factory=Counter)
    deaths: list[Death] = field(default_factory=list)
    stalls: list[Stall] = field(default_factory=list)
    full_seconds: float = 0.0

    def __post_init__(self) -> None:
        self._works: set[asyncio.Task[None]] = set()
        # One at a time: a proxy catches one request, and whoever is left must take over what the halted one held.
        self._halting = asyncio.Lock()
        self._acts: Mapping[Kind, Callable[[Blow], Awaitable[bool]]] = {
            "engine": self._engine,
            "postmaster": self._postmaster,
            "backend": self._backend,
            "stop": self._stop,
            "partition": self._partition,
            "outage": self._outage,
            "disk full": self._disk_full,
            "token": self._token,
        }

    @property
    def kills(self) -> int:
        """SIGKILLs to engines and to Postgres."""
        return len(self.scene.fleet.deaths) + len(self.deaths)

    async def strike(self, blow: Blow) -> None:
        """Begin one; what lasts goes on beside the next."""
        work = asyncio.create_task(self._count(blow), name=blow.kind)
        self._works.add(work)
        if blow.kind in {"engine", "postmaster", "backend", "token"}:
            await work

    async def rest(self) -> None:
        """Until all that lasts is over.

        Raises: whatever went wrong in one of them.
        """
        for work in list(self._works):
            await work

    async def _count(self, blow: Blow) -> None:
        if await self._acts[blow.kind](blow):
            self.done[blow.kind] += 1

    async def watch_leases(self) -> None:
        """Keep an eye on who holds what, until cancelled."""
        while True:
            with suppress(*LOST, asyncpg.PostgresError):
                await self._look()
            await asyncio.sleep(WATCH_SECONDS)

    async def _look(self) -> None:
        for company, holder, epoch in await self.scene.cluster.rows(HOLDERS):
            pid = int(str(holder).split(":")[1])
            self.scene.fleet.held[int(str(company))] = (pid, int(str(epoch)))

    async def _engine(self, blow: Blow) -> bool:
        slot = self.scene.fleet.victim(blow.choice)
        return slot is not None and self.scene.fleet.kill(slot)

    async def _postmaster(self, _: Blow) -> bool:
        at = datetime.now(UTC)
        return self._noted("postmaster", at, killed=self.scene.cluster.kill())

    async def _backend(self, _: Blow) -> bool:
        at = datetime.now(UTC)
        return self._noted("backend", at, killed=await self.scene.cluster.kill_backend())

    def _noted(self, what: str, at: datetime, *, killed: bool) -> bool:
        if killed:
            self.deaths.append(Death(at, what, tuple(self.scene.trades)))
        return killed

    async def _stop(self, blow: Blow) -> bool:
        """Halt an engine while a write of it is in flight, until others hold all that it held."""
        async with self._halting:
            return await self._halt(blow)

    async def _halt(self, blow: Blow) -> bool:
        fleet = self.scene.fleet
        slot = fleet.victim(blow.choice * 0.8)
        if slot is None or not (held := fleet.companies_of(slot)):
            return False
        company = held[int(blow.force * 97) % len(held)]
        proxy = self.scene.trades[company].proxy
        caught = proxy.catch(WRITE_MARK)
        try:
            try:
                async with asyncio.timeout(CATCH_SECONDS_MAX):
                    await caught.at.wait()
            except TimeoutError:
                pass
            pid, before = slot.pid, {one: fleet.held[one] for one in fleet.companies_of(slot)}
            if not pid or not before or slot.stopped or not is_running(pid):
                return False
            slot.stopped = True
            os.kill(pid, signal.SIGSTOP)
            in_flight = company if caught.at.is_set() and company in before else None
            await self._halted(slot, pid, in_flight, {one: epoch for one, (_, epoch) in before.items()})
            return True
        finally:
            proxy.drop_catch()
            caught.release.set()

    async def _halted(self, slot: Slot, pid: int, in_flight: int | None, epochs: Mapping[int, int]) -> None:
        fleet, halted = self.scene.fleet, datetime.now(UTC)
        stolen: dict[int, tuple[int, int]] = {}
        try:
            async with asyncio.timeout(STEAL_SECONDS_MAX):
                while set(stolen) != set(epochs) and is_running(pid):
                    await asyncio.sleep(WATCH_SECONDS)
                    now = {one: fleet.held[one] for one in epochs}
                    stolen.update({one: (epochs[one], new) for one, (who, new) in now.items() if who != pid})
        except TimeoutError:
            pass
        woken = None
        if slot.pid == pid and is_running(pid):
            woken = datetime.now(UTC)
            os.kill(pid, signal.SIGCONT)
            slot.stopped = False
        self.stalls.append(Stall(pid, halted, in_flight, stolen, woken))

    async def _partition(self, blow: Blow) -> bool:
        """An engine does not reach Postgres any more, and is not told so."""
        slot = self.scene.fleet.victim(blow.choice)
        if slot is None:
            return False
        slot.proxy.silence()
        try:
            await asyncio.sleep(2.0 + blow.force * 1.5 * LEASE_SECONDS)
        finally:
            slot.proxy.restore()
        return True

    async def _outage(self, blow: Blow) -> bool:
        """A company's books are cut off, or fall silent."""
        trades = list(self.scene.trades.values())
        proxy = trades[int(blow.choice * len(trades))].proxy
        if blow.force < 0.5:
            proxy.cut_all()
            return True
        proxy.silence()
        try:
            await asyncio.sleep(6 * blow.force)
        finally:
            proxy.restore()
        return True

    async def _disk_full(self, blow: Blow) -> bool:
        """No space is left where Postgres writes, for some seconds."""
        disk = self.scene.disk
        if disk.refused:
            return False
        seconds = 2.0 + 6.0 * blow.force
        try:
            await asyncio.to_thread(disk.fill)
            await asyncio.sleep(seconds)
        finally:
            disk.free()
        self.full_seconds += seconds
        return True

    async def _token(self, blow: Blow) -> bool:
        """An access token no longer counts."""
        trades = list(self.scene.trades.values())
        await trades[int(blow.choice * len(trades))].control("/oauth", {"expire_access": True})
        return True
