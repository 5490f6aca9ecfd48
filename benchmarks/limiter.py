"""The limiter alone: how much of Intuit's minute it uses, and whether a call ever comes too many.

    python benchmarks/limiter.py [--minutes 15] [--wire-minutes 6] [--out result.json]

First in virtual time, then against the emulator over HTTP through a line that delays (see wire.py).

A server that knows nothing of our gate notes when calls arrive, after a delay that is mostly short and now and then as
long as the whole jitter, and refuses what is over 500 in any 60 s, 10 in any second where that is counted from the
answer, 10 at once, or 40 batches in any 60 s. `second_from_send` is the setting for slow lines: full use at any delay.
The cost is the process time of the gate, with the server's taken off.
"""

import argparse
import asyncio
import dataclasses
import random
import time
from collections import deque
from contextlib import suppress

from counterfoil.dispatch.limiter import CallKind, Lane, LimiterSettings, RealmGate
from counterfoil.testing.virtual_time import LoopClock, run_virtually
from measure import Goal, Result, arguments, finish
from skipping import run_skipping
from wire import Line, Seen, against_emulator

WORKERS = 20
MINUTE = 60.0
SERVICE_SECONDS = 0.08
# One-way delay, jitter, whether the second is counted from the send.
LINES = ((0.005, 0.0, False), (0.03, 0.05, False), (0.03, 0.5, True), (0.1, 1.0, True), (0.1, 2.0, True))
# The same against the emulator: its whole limits, and with ten at once in place of ten a second.
WIRES = ((0.03, 0.05, False), (0.03, 0.5, True), (0.1, 2.0, True))


class Chance:
    """Seeded randomness, as the gate wants it."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def token_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


class Window:
    """How many came within so many seconds."""

    def __init__(self, span: float, most: int) -> None:
        self._span, self._most = span, most
        self._stamps: deque[float] = deque()

    def admits(self, now: float) -> bool:
        while self._stamps and self._stamps[0] <= now - self._span + 1e-6:
            self._stamps.popleft()
        return len(self._stamps) < self._most

    def add(self, now: float) -> None:
        self._stamps.append(now)


class Server:
    """Counts as Intuit does."""

    def __init__(self, rng: random.Random, delay: float, jitter: float, *, by_the_second: bool) -> None:
        self._rng, self._delay, self._jitter = rng, delay, jitter
        self._windows = [Window(MINUTE, 500)] + ([Window(1.0, 10)] if by_the_second else [])
        self._batches = Window(MINUTE, 40)
        self._at_once = 0
        self.answered = 0
        self.rejected = 0

    async def call(self, kind: CallKind) -> None:
        await asyncio.sleep(self._one_way())
        now = asyncio.get_running_loop().time()
        windows = [*self._windows, self._batches] if kind is CallKind.BATCH else self._windows
        if self._at_once >= 10 or not all(window.admits(now) for window in windows):
            self.rejected += 1
        else:
            for window in windows:
                window.add(now)
        self._at_once += 1
        await asyncio.sleep(SERVICE_SECONDS)
        self._at_once -= 1
        await asyncio.sleep(self._one_way())
        self.answered += 1

    def _one_way(self) -> float:
        return self._delay + self._jitter * self._rng.random() ** 6


async def load(server: Server, gate: RealmGate | None, kind: CallKind, seconds: float) -> None:
    """Backlogged workers for that long; without a gate, only what the measuring costs."""

    async def work() -> None:
        while True:
            if gate is None:
                await server.call(kind)
                continue
            async with gate.slot(Lane.BACKFILL, kind) as permit:
                await server.call(kind)
                permit.release()

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(work())


async def one(seed: int, line: tuple[float, float, bool], kind: CallKind, minutes: int) -> tuple[Server, float]:
    """The server after so many minutes, and the process time per call."""
    delay, jitter, from_send = line
    settings = dataclasses.replace(LimiterSettings.unreserved(), second_from_send=from_send)
    gate = RealmGate(settings, clock=LoopClock(), entropy=Chance(seed))
    server = Server(random.Random(seed), delay, jitter, by_the_second=not from_send)
    began = time.process_time()
    await load(server, gate, kind, minutes * MINUTE)
    spent = time.process_time() - began
    bare = Server(random.Random(seed), delay, jitter, by_the_second=not from_send)
    began = time.process_time()
    await load(bare, None, kind, bare_seconds(server, delay, jitter))
    rest = (time.process_time() - began) / max(bare.answered, 1)
    return server, spent / server.answered - rest


def bare_seconds(server: Server, delay: float, jitter: float) -> float:
    """About as long as ungated workers need for as many calls."""
    return server.answered / WORKERS * (SERVICE_SECONDS + 2 * delay + jitter * 2 / 7)


async def _wired(options: argparse.Namespace, delay: float, jitter: float, *, from_send: bool) -> Seen:
    settings = dataclasses.replace(LimiterSettings.unreserved(), second_from_send=from_send)
    return await against_emulator(
        lambda clock: RealmGate(settings, clock=clock, entropy=Chance(options.seed)),
        Line(delay, jitter),
        by_the_second=not from_send,
        seconds=options.wire_minutes * MINUTE,
        seed=options.seed,
    )


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--wire-minutes", type=int, default=6, help="of each run against the emulator")
    options = parser.parse_args()
    result = Result("limiter", options.seed, {"minutes": options.minutes, "workers": WORKERS})
    rows: dict[str, dict[str, object]] = {}
    used, rejected = [], 0
    for kind, allowed in ((CallKind.SINGLE, 500), (CallKind.BATCH, 40)):
        for line in LINES:
            server, seconds = run_virtually(one(options.seed, line, kind, options.minutes))
            share = server.answered / (allowed * options.minutes)
            name = f"{kind.value}, delay {line[0]} s, jitter to {line[1]} s{', second from send' if line[2] else ''}"
            rows[name] = {
                "answered": server.answered,
                "rejected": server.rejected,
                "used": round(share, 4),
                "gate_us_per_call": round(seconds * 1e6, 1),
            }
            used.append(share)
            rejected += server.rejected
    wired: dict[str, dict[str, object]] = {}
    for delay, jitter, from_send in WIRES:
        seen = run_skipping(_wired(options, delay, jitter, from_send=from_send))
        # What was under way when time ran out is not answered; a run is long against that.
        share = seen.answered / (500 * options.wire_minutes)
        minute, second, at_once = seen.peaks
        wired[f"delay {delay} s, jitter to {jitter} s{', second from send' if from_send else ''}"] = {
            "answered": seen.answered,
            "rejected": seen.rejected,
            "used": round(share, 4),
            "most_in_60_s": minute,
            "most_in_1_s": second,
            "most_at_once": at_once,
        }
        used.append(share)
        rejected += seen.rejected
    result.figures["emulator"] = wired
    result.figures["lines"] = rows
    result.goals += [
        Goal("least share of the limit that a backlog alone used", min(used), at_least=0.98),
        Goal("calls that the server would have refused", float(rejected), at_most=0.0),
    ]
    return finish(result, options.out)


if __name__ == "__main__":
    raise SystemExit(main())
