"""An event loop that works in real time, skips idle waiting, and stands still while others have the processor.

Whatever computes, or waits for Postgres, a socket or a thread, takes the time that it takes; only where everything
waits for a timer does the clock jump to it. So minutes spent at Intuit's limits pass at once, and the engine, its
client, the wire, the log and the emulator run as they are. Where other programs use the machine, the time for which the
loop, or Postgres while the loop waits for it, was ready to run and had no processor is taken off (Linux counts it).

A free loop goes further: work takes no time, and the clock moves by those jumps alone.
"""

import asyncio
import os
import selectors
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

import asyncpg
from pydantic import SecretStr

from counterfoil.postgres import Names, Pool
from counterfoil.postgres.pool import become_engine

if TYPE_CHECKING:
    DriverConnection = asyncpg.Connection[asyncpg.Record]
else:
    DriverConnection = asyncpg.Connection  # generic in its stubs only

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
# A server in this process answers within this, or is busy in a way that somebody counts.
GRACE_SECONDS = 0.002
BUSY_SECONDS = 0.02
TICK_SECONDS = 1e-7
CONNECTIONS = 8


class Queue:
    """How long threads have stood in line for a processor, in seconds: the second figure of Linux' schedstat.

    Args:
        pids: processes by their first threads; those that have ended, and systems that do not count, give 0.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self._files: list[int] = []
        for pid in pids:
            with suppress(OSError):
                self._files.append(os.open(f"/proc/{pid}/schedstat", os.O_RDONLY))
        self._seen = self._sum()

    def since_last(self) -> float:
        """What came on top since this was asked last."""
        before, self._seen = self._seen, self._sum()
        return max(0.0, self._seen - before)

    def _sum(self) -> float:
        nanoseconds = 0
        for file in self._files:
            with suppress(OSError):
                nanoseconds += int(os.pread(file, 100, 0).split()[1])
        return nanoseconds / 1e9


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class _Skipper(selectors.DefaultSelector):
    """Waits as long as anything is under way, and otherwise moves the time on.

    Args:
        free: work takes no time at all: only waiting moves the clock.
    """

    def __init__(self, *, free: bool) -> None:
        super().__init__()
        self.enabled = False
        self.free = free
        self.skipped = 0.0
        self.stolen = 0.0
        self.busy = 0
        self._own = Queue([os.getpid()])
        self._server = Queue([])

    def watch(self, server_pid: int) -> None:
        """The server that is waited for, once all its connections are open."""
        self._server = Queue(children_of(server_pid))

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.free:
            return self._select_free(timeout)
        if not self.enabled:
            return super().select(timeout)
        began = time.monotonic()
        events = self._select(timeout)
        waited = time.monotonic() - began
        self.stolen += self._own.since_last() + min(self._server.since_last(), waited)
        return events

    def _select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        started = time.monotonic()
        events = super().select(min(timeout, GRACE_SECONDS))
        left = timeout - (time.monotonic() - started)
        if events or left <= 0:
            return events
        if self.busy:
            return super().select(min(left, BUSY_SECONDS))
        self.skipped += left
        return []

    def _select_free(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if not self.enabled:
            began = time.monotonic()
            events = super().select(timeout)
            self.skipped += time.monotonic() - began
            return events
        # A clock that stood quite still would let a timer that is due but for a rounding be set again for ever.
        self.skipped += TICK_SECONDS
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        events = super().select(BUSY_SECONDS if self.busy else GRACE_SECONDS)
        if not events and not self.busy:
            self.skipped += timeout
        return events


class SkippingLoop(asyncio.SelectorEventLoop):
    """The loop; it skips nothing before `skipper.enabled` is set."""

    def __init__(self, *, free: bool = False) -> None:
        self.skipper = _Skipper(free=free)
        self._latest = 0.0
        self._zero = time.monotonic()
        super().__init__(self.skipper)

    def time(self) -> float:
        real = self._zero if self.skipper.free else time.monotonic()
        # What was stolen is known a little later than it passes: the clock waits then, and never goes back.
        self._latest = max(self._latest, real + self.skipper.skipped - self.skipper.stolen)
        return self._latest

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """As ever; a thread at work counts as work."""
        future = super().run_in_executor(executor, func, *args)
        self.skipper.busy += 1
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _: object) -> None:
        self.skipper.busy -= 1


def skipper() -> _Skipper:
    """The running loop's."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SkippingLoop):
        raise TypeError("this runs on a SkippingLoop only")
    return loop.skipper


@contextmanager
def working() -> Iterator[None]:
    """What is waited for in here takes real time."""
    meter = skipper()
    meter.busy += 1
    try:
        yield
    finally:
        meter.busy -= 1


class LoopClock:
    """The time of the running loop."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)
        self._zero = asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return self._started + timedelta(seconds=self.monotonic() - self._zero)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class CountedConnection(DriverConnection):
    """A connection whose statements count as work until they are answered."""

    async def _counted(self, work: Coroutine[Any, Any, Any]) -> Any:
        with working():
            return await work

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        return await self._counted(super().execute(*args, **kwargs))

    async def executemany(self, *args: Any, **kwargs: Any) -> Any:
        return await self._counted(super().executemany(*args, **kwargs))

    async def fetch(self, *args: Any, **kwargs: Any) -> Any:
        return await self._counted(super().fetch(*args, **kwargs))

    async def fetchrow(self, *args: Any, **kwargs: Any) -> Any:
        return await self._counted(super().fetchrow(*args, **kwargs))

    async def fetchval(self, *args: Any, **kwargs: Any) -> Any:
        return await self._counted(super().fetchval(*args, **kwargs))


@asynccontextmanager
async def counted_pool(dsn: SecretStr, names: Names) -> AsyncIterator[Pool]:
    """A pool like the engine's own, all connections open from the start, each counting its work."""

    async def prepare(connection: Any) -> None:
        await become_engine(connection, names)

    async def leave_as_it_is(_: Any) -> None:
        """As the engine's own pool does."""

    async def connect(*args: Any, **kwargs: Any) -> Any:
        with working():
            return await asyncpg.connect(*args, **kwargs)

    pool: Pool = await asyncpg.create_pool(
        dsn.get_secret_value(),
        min_size=CONNECTIONS,
        max_size=CONNECTIONS,
        max_inactive_connection_lifetime=0,
        max_queries=2**31 - 1,
        connection_class=CountedConnection,
        connect=connect,
        command_timeout=600,
        init=prepare,
        reset=leave_as_it_is,
        server_settings={"application_name": "counterfoil", "timezone": "UTC"},
    )
    try:
        yield pool
    finally:
        await pool.close()


def run_skipping(main: Coroutine[Any, Any, T], *, free: bool = False) -> T:
    """Run a coroutine to its end on such a loop; `free`: what computes takes no time on its clock."""
    with asyncio.Runner(loop_factory=lambda: SkippingLoop(free=free)) as runner:
        return runner.run(main)
