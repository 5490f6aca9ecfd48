"""What happens to machines: they crash, stop, lose their lease, their clock jumps; and to tokens, while they work.

Each strikes before a step at which a process does what it was waited for, whatever it awaits there.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from counterfoil.quickbooks.emulator import QuickBooksEmulator
from counterfoil.testing.simulation.durable import Durable
from counterfoil.testing.simulation.node import Node
from counterfoil.testing.simulation.phases import phase_of
from counterfoil.testing.simulation.tally import CELLS, MACHINE, Tally

PATIENCE_SECONDS: Final = 40.0
RARE: Final = frozenset({"send create", "send update", "send batch", "sweeping"})
"""What a process seldom does: sought more often than the rest, and waited for longer."""

RARE_WEIGHT: Final = 3
RARE_PATIENCE_SECONDS: Final = 120.0
CLOCK_SECONDS_MAX: Final = 1200.0
"""Two machines' clocks may differ by less than an hour: beyond that the engine promises nothing."""


@dataclass(slots=True)
class Disasters:
    """Strikes one process after the other: whichever does first what is wanted.

    Args:
        nodes: the processes, by name; a dead one is replaced.
        make: starts another process on a machine.
    """

    nodes: dict[str, Node]
    make: Callable[[str], Node]
    emulator: QuickBooksEmulator
    durable: Durable
    company: int
    tally: Tally
    chance: random.Random
    pause_seconds: float
    _restarts: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Strike until cancelled; who is down then stays so."""
        while True:
            await asyncio.sleep(self.chance.expovariate(1.0 / self.pause_seconds))
            await self._strike()

    def repair(self) -> None:
        """Every machine is up again, at once."""
        for task in self._restarts:
            task.cancel()
        for name, node in self.nodes.items():
            node.process.before_step = None
            if not node.process.running:
                node.process.go_on()
            if not node.process.alive:
                self.nodes[name] = self.make(name)

    async def _strike(self) -> None:
        fault, phases = self._wanted()
        living = [node for node in self.nodes.values() if node.process.alive and node.process.running]
        struck: asyncio.Future[tuple[Node, str]] = asyncio.get_running_loop().create_future()
        skipped = self.chance.randrange(4)

        def look(node: Node, callback: object) -> None:
            nonlocal skipped
            phase = phase_of(callback)
            if phase not in phases or struck.done():
                return
            if skipped:
                skipped -= 1
                return
            node.process.before_step = None
            _hit(fault, node)
            struck.set_result((node, phase))

        for node in living:
            node.process.before_step = partial(look, node)
        if "token refresh" in phases:
            self.emulator.office.expire_access()
        elif "meeting the books" in phases:
            self.durable.log.end_lease(self.company)
        rare = not phases.isdisjoint(RARE)
        await asyncio.wait([struck], timeout=RARE_PATIENCE_SECONDS if rare else PATIENCE_SECONDS)
        for node in living:
            node.process.before_step = None
        if struck.done():
            hit, phase = struck.result()
            self.tally.add(fault, phase)
            await self._follow_up(fault, hit)

    def _wanted(self) -> tuple[str, frozenset[str]]:
        """A fault, and what a process must be doing when it comes: one thing, or whichever rare one is first."""
        counts = self.tally.counts
        cells = [
            (fault, phase)
            for fault in MACHINE
            for phase in CELLS[fault]
            for _ in range(RARE_WEIGHT if phase in RARE else 1)
        ]
        self.chance.shuffle(cells)
        fault, phase = min(cells[: len(cells) // 4], key=lambda cell: counts[cell])
        if phase not in RARE:
            return fault, frozenset({phase})
        return fault, frozenset(one for one in RARE if counts[fault, one] <= counts[fault, phase])

    async def _follow_up(self, fault: str, node: Node) -> None:
        match fault:
            case "crash":
                self._later(self.chance.uniform(0.5, 40.0), lambda: self._restart(node))
            case "stopped and continued":
                self._later(self.chance.uniform(1.0, 120.0), node.process.go_on)
            case "lease stolen":
                await self._steal()
            case "clock jumps":
                node.clock.ahead_seconds = self.chance.uniform(-CLOCK_SECONDS_MAX, CLOCK_SECONDS_MAX)
            case "connection revoked":
                self.emulator.office.disconnect()
            case "token expired":
                self.emulator.office.expire_access()
                if self.chance.random() < 0.5:
                    self.emulator.office.rotate()
            case _:
                raise ValueError(f"no disaster is called {fault}")

    async def _steal(self) -> None:
        """Another process gets the lease although the holder's has not run out, as after an operator's hand."""
        self.durable.log.end_lease(self.company)
        await self.durable.log.acquire(self.company, "thief", self.chance.uniform(0.5, 5.0))

    def _restart(self, node: Node) -> None:
        self.nodes[node.machine] = self.make(node.machine)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            do()

        task = asyncio.get_running_loop().create_task(wait())
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)


def _hit(fault: str, node: Node) -> None:
    """What must happen before the step: all else follows it."""
    if fault == "crash":
        node.process.kill()
    elif fault == "stopped and continued":
        node.process.stop()
