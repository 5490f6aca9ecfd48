"""An event loop that simulates processes in virtual time, one step after the other, the same for the same seed.

Time jumps to the next timer. Tasks and futures are numbered, so that no set of them is in the order of addresses.
Every callback belongs to the simulated process in whose context it was scheduled; that of a dead process never runs,
so that its `finally` blocks do not run either, and that of a stopped one waits until the process goes on.
"""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Work = Generator[Any, None, T] | Coroutine[Any, Any, T]

TICK_SECONDS: Final = 1e-6
"""A clock that stands still can make a leaky bucket spin on a rounding error."""

STEPS_AT_ONE_INSTANT_MAX: Final = 200_000


class StuckError(AssertionError):
    """Nothing will ever happen again, or time no longer passes."""


class SimulatedProcess:
    """What would be a process of its own: it can be killed before any step, stopped, and continued.

    Attributes:
        steps: how many callbacks it has run.
        before_step: looks at each callback before it runs, and may kill or stop the process there; None for nobody.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps = 0
        self.before_step: Callable[[object], None] | None = None
        self.on_death: list[Callable[[], None]] = []
        self.alive = True
        self.running = True
        self._held: deque[Callable[[], None]] = deque()
        self._kept: list[object] = []

    def kill(self) -> None:
        """Run nothing more of it, ever; whoever is connected to it finds the connection broken."""
        if not self.alive:
            return
        self.alive = False
        self._held.clear()
        for told in self.on_death:
            told()

    def stop(self) -> None:
        """Run nothing until it is continued."""
        self.running = False

    def go_on(self) -> None:
        """Run what was held back, in its order."""
        self.running = True
        held, self._held = self._held, deque()
        for schedule in held:
            schedule()

    def hold(self, schedule: Callable[[], None]) -> None:
        """Something to run once it goes on."""
        self._held.append(schedule)

    def keep(self, task: object) -> None:
        """Refer to a task: one that is collected would run its `finally` blocks."""
        self._kept.append(task)

    def forget(self) -> None:
        """Let go of dead tasks, once the simulation is over."""
        self._kept.clear()


PROCESS: ContextVar[SimulatedProcess | None] = ContextVar("simulated process", default=None)

_NUMBERS = count(1)


class NumberedFuture(asyncio.Future[T]):
    """A future whose hash is its number."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._number = next(_NUMBERS)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class NumberedTask(asyncio.Task[T]):
    """A task whose hash is its number."""

    def __init__(self, coro: Work[T], **named: Any) -> None:
        self._number = next(_NUMBERS)
        super().__init__(coro, **named)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the time to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError("every task waits for something that no timer will bring")
        self.now += max(timeout, 0.0) + TICK_SECONDS
        return []


class SimulationLoop(asyncio.SelectorEventLoop):
    """The loop; `time()` starts at zero. It has neither threads nor sockets: what asks for a thread is done at once."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.steps = 0
        self.set_task_factory(self._make_task)
        self.listen: Callable[[Callable[[], asyncio.BaseProtocol], str, int], asyncio.AbstractServer] | None = None

    def time(self) -> float:
        return self._jumping.now

    def create_future(self) -> asyncio.Future[Any]:
        return NumberedFuture(loop=self)

    def _make_task(self, loop: asyncio.AbstractEventLoop, coro: Work[T], **named: Any) -> asyncio.Task[T]:
        task = NumberedTask(coro, loop=loop, **named)
        process = _process_in(named.get("context"))
        if process is not None:
            process.keep(task)
        return task

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        context = context if context is not None else copy_context()
        process = context.get(PROCESS)
        if process is None:
            return super().call_soon(callback, *args, context=context)
        return super().call_soon(self._step_of, process, callback, args, context, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = context if context is not None else copy_context()
        process = context.get(PROCESS)
        if process is None:
            return super().call_at(when, callback, *args, context=context)
        return super().call_at(when, self._step_of, process, callback, args, context, context=context)

    def _step_of(
        self,
        process: SimulatedProcess,
        callback: Callable[..., object],
        args: tuple[object, ...],
        context: Context,
    ) -> None:
        if process.alive and process.running and process.before_step is not None:
            process.before_step(callback)
        if not process.alive:
            return
        if not process.running:
            process.hold(lambda: self._again(process, callback, args, context))
            return
        self.steps += 1
        process.steps += 1
        callback(*args)

    def _again(
        self,
        process: SimulatedProcess,
        callback: Callable[..., object],
        args: tuple[object, ...],
        context: Context,
    ) -> None:
        super().call_soon(self._step_of, process, callback, args, context, context=context)

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **named: Any) -> Any:
        """Listen in the simulated network."""
        del named
        if self.listen is None:
            raise StuckError("this simulation has no network")
        return self.listen(protocol_factory, str(host), int(port or 0))

    def run_in_executor(self, executor: object, func: Callable[[Unpack[Ts]], T], *args: *Ts) -> asyncio.Future[T]:
        """Run it here and now: nobody could say in which order threads end, and no timer would wait for one."""
        del executor
        ended: asyncio.Future[T] = self.create_future()
        try:
            ended.set_result(func(*args))
        except Exception as error:
            ended.set_exception(error)
        return ended


def _process_in(context: Context | None) -> SimulatedProcess | None:
    return PROCESS.get() if context is None else context.get(PROCESS)


def run_simulated(main: Callable[[SimulationLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    loop = SimulationLoop()
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
