"""Runs an engine until nothing moves by itself any more, and says why it stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from counterfoil.engine import Engine
from counterfoil.ports import Clock
from counterfoil.runner import CompanyRunner

SAMPLE_SECONDS = 0.2
PATIENCE_SECONDS = 25.0
"""How long a trouble may last without anything moving before a synchronisation gives up on it."""

Ending = Literal["quiet", "recovering", "stopped", "failing", "elsewhere", "unreadable", "time is up"]


@dataclass(slots=True)
class Watched:
    """One company under observation.

    Attributes:
        lease_seconds: for how long a process that was killed still holds the company.
        limited_seconds: for how long calls stood before Intuit's limits.
        ending: why the watch is over; None while it is not.
    """

    runner: CompanyRunner
    lease_seconds: float
    ending: Ending | None = None
    limited_seconds: float = 0.0
    quiet_turns: set[int] = field(default_factory=set)
    _moved: tuple[int, int] = (-1, -1)
    _moved_at: float = 0.0
    _looked_at: float = 0.0

    def look(self, now: float, patience: float) -> None:
        """Take one look."""
        if self.ending is not None:
            return
        self._count_limited(now)
        worker = self.runner.worker
        state = self.runner.state
        moved = (worker.progress.head, worker.progress.decided) if worker is not None else (-1, -1)
        if moved != self._moved or self._moved_at == 0.0:
            self._moved, self._moved_at = moved, now
        if worker is not None and state == "working":
            worker.finish()
            self._count_quiet(worker.progress.turns, quiet=worker.progress.quiet)
        if state in ("stopped", "recovering"):
            self.ending = state
        elif len(self.quiet_turns) > 1:
            self.ending = "quiet"
        elif now - self._moved_at > patience:
            self._lose_patience(now, patience)

    def _count_quiet(self, turn: int, *, quiet: bool) -> None:
        if quiet:
            self.quiet_turns.add(turn)
        else:
            self.quiet_turns.clear()

    def _lose_patience(self, now: float, patience: float) -> None:
        worker = self.runner.worker
        match self.runner.state:
            case "failing":
                self.ending = "failing"
            case "elsewhere" if now - self._moved_at > self.lease_seconds + patience:
                self.ending = "elsewhere"
            case "working" if worker is not None and worker.progress.troubles:
                self.ending = "unreadable"
            case _:
                pass

    def _count_limited(self, now: float) -> None:
        snapshot = self.runner.connected.gate.snapshot()
        if self._looked_at and (sum(snapshot.waiting.values()) or snapshot.paused_until is not None):
            self.limited_seconds += now - self._looked_at
        self._looked_at = now


async def until_quiet(
    engine: Engine,
    clock: Clock,
    *,
    timeout_seconds: float | None,
    patience_seconds: float = PATIENCE_SECONDS,
    watching: Callable[[dict[int, Watched]], Awaitable[None]] | None = None,
) -> dict[int, Watched]:
    """Start the engine and wait until each company is quiet, or cannot be."""
    began = clock.monotonic()
    watched = {number: Watched(runner, engine.settings.lease_seconds) for number, runner in engine.runners.items()}
    engine.start()
    while any(one.ending is None for one in watched.values()):
        now = clock.monotonic()
        for one in watched.values():
            one.look(now, patience_seconds)
            if one.ending is None and timeout_seconds is not None and now - began > timeout_seconds:
                one.ending = "time is up"
        if watching is not None:
            await watching(watched)
        await asyncio.sleep(SAMPLE_SECONDS)
    return watched
