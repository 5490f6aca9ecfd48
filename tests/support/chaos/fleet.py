"""Several engines on one database, each `counterfoil serve` in a process of its own, started again when it ends."""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from counterfoil_schema.exact_json import loads_object
from support.chaos.proxy import Address, TcpProxy
from support.chaos.schedule import Fate, fate
from support.processes import ROOT, is_running, python_environment

LOOK_SECONDS: Final = 0.05
RESTART_SECONDS_MAX: Final = 0.5
STOP_SECONDS_MAX: Final = 90.0
POINT_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Death:
    """A SIGKILL. `held`: the companies that the process held, as far as was known."""

    at: datetime
    what: str
    held: tuple[int, ...]


@dataclass
class Slot:
    """One machine of the fleet: its way to Postgres, and the life that it is in.

    Attributes:
        pid: 0 while nobody lives.
        stopped: halted by SIGSTOP.
        ready: port of its web server once it listens.
    """

    number: int
    config: Path
    proxy: TcpProxy
    pid: int = 0
    lives: int = 0
    stopped: bool = False
    ready: int = 0

    @property
    def name(self) -> str:
        """Of the present life, in its folder's file names."""
        return f"engine-{self.number}-{self.lives}"


@dataclass
class Fleet:
    """All engines.

    Attributes:
        deaths: every SIGKILL to an engine.
        ends: exit codes of lives that ended by themselves.
        held: by company, process id and epoch of the holder, as last seen.
        points_on: whether lives may be told to end at a point.
    """

    folder: Path
    slots: Sequence[Slot]
    dice: random.Random
    deaths: list[Death] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    held: dict[int, tuple[int, int]] = field(default_factory=dict)
    points_on: bool = True

    async def __aenter__(self) -> Self:
        script = Path(__file__).with_name("nursery.py")
        self._errors = (self.folder / "nursery").open("wb")
        pipe = asyncio.subprocess.PIPE
        self._nursery = await asyncio.create_subprocess_exec(
            *(sys.executable, str(script)),
            stdin=pipe,
            stdout=pipe,
            stderr=self._errors,
            cwd=ROOT,
            env=python_environment(),
        )
        self._lock = asyncio.Lock()
        self._keepers = [asyncio.create_task(self._keep(slot), name=slot.config.name) for slot in self.slots]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.wait(self._keepers)
        for slot in self.slots:
            if slot.pid and is_running(slot.pid):
                os.kill(slot.pid, signal.SIGKILL)
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        await self._nursery.wait()
        self._errors.close()

    def front(self) -> Address | None:
        """Where a delivery goes now: any engine that listens, as from behind a load balancer."""
        living = [slot.ready for slot in self.slots if slot.pid and slot.ready]
        return ("127.0.0.1", self.dice.choice(living)) if living else None

    async def run(self, name: str, arguments: Sequence[str], ends_at: Fate | None = None) -> int:
        """Start a command of `counterfoil`; its process id."""
        order: dict[str, Any] = {"name": name, "arguments": list(arguments), "folder": str(self.folder)}
        if ends_at is not None:
            order |= {"step": ends_at.step, "passes": ends_at.passes}
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        async with self._lock:
            self._nursery.stdin.write(json.dumps(order).encode() + b"\n")
            return int(await self._nursery.stdout.readline())

    async def finished(self, name: str, pid: int, seconds: float) -> tuple[int, str]:
        """Exit code and output of a command, once it has ended by itself."""
        async with asyncio.timeout(seconds):
            while is_running(pid):
                await asyncio.sleep(LOOK_SECONDS)
        return self._code(name), (self.folder / f"{name}.out").read_text(encoding="utf-8")

    def _code(self, name: str) -> int:
        path = self.folder / f"{name}.exit"
        return int(path.read_text(encoding="ascii")) if path.exists() else -signal.SIGKILL

    def victim(self, choice: float) -> Slot | None:
        """A living engine that is not halted: mostly one that holds a company."""
        living = [slot for slot in self.slots if slot.pid and not slot.stopped]
        holding = [slot for slot in living if self.companies_of(slot)]
        among = holding if holding and choice < 0.85 else living
        return among[int(choice * 997) % len(among)] if among else None

    def companies_of(self, slot: Slot) -> tuple[int, ...]:
        """The companies that it holds, as last seen."""
        return tuple(company for company, (pid, _) in self.held.items() if pid == slot.pid)

    def kill(self, slot: Slot) -> bool:
        """SIGKILL; whether it lived."""
        pid, held = slot.pid, self.companies_of(slot)
        if not pid or not is_running(pid):
            return False
        os.kill(pid, signal.SIGKILL)
        self.deaths.append(Death(datetime.now(UTC), "at random", held))
        return True

    async def _keep(self, slot: Slot) -> None:
        """Life after life."""
        while True:
            slot.lives += 1
            ends_at = fate(self.dice, POINT_SHARE) if self.points_on else None
            arguments = ["serve", "--config", str(slot.config), "--port", "0", "--json"]
            slot.pid = await self.run(slot.name, arguments, ends_at)
            while is_running(slot.pid):
                if not slot.ready:
                    slot.ready = self._port_of(slot)
                await asyncio.sleep(LOOK_SECONDS)
            self._note_end(slot, ends_at)
            slot.pid, slot.ready, slot.stopped = 0, 0, False
            await asyncio.sleep(self.dice.uniform(0.05, RESTART_SECONDS_MAX))

    def _port_of(self, slot: Slot) -> int:
        path = self.folder / f"{slot.name}.out"
        text = path.read_bytes() if path.exists() else b""
        return int(str(loads_object(text)["url"]).rpartition(":")[2]) if text.startswith(b'{"url"') else 0

    def _note_end(self, slot: Slot, ends_at: Fate | None) -> None:
        code = self._code(slot.name)
        if code >= 0:
            self.ends[str(code)] += 1
            return
        told = self._points()
        if ends_at is not None and str(slot.pid) in told:
            self.deaths.append(Death(told[str(slot.pid)], ends_at.step, self.companies_of(slot)))

    def _points(self) -> dict[str, datetime]:
        """Which process ended itself, and when."""
        path = self.folder / "points"
        lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
        split = [line.split() for line in lines]
        return {pid: datetime.fromtimestamp(float(at), UTC) for pid, at, _ in split}

    async def stop(self) -> Sequence[int]:
        """Tell all to stop, as an operator would; their exit codes."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.wait(self._keepers)
        running = [slot for slot in self.slots if slot.pid and is_running(slot.pid)]
        for slot in running:
            os.kill(slot.pid, signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS_MAX):
            while any(is_running(slot.pid) for slot in running):
                await asyncio.sleep(LOOK_SECONDS)
        return [self._code(slot.name) for slot in running]
