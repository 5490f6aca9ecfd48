"""No sliding window ever holds more than the limit, whatever the delays; and nothing is wasted."""

import asyncio
import dataclasses
import random
from bisect import bisect_right
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.dispatch.limiter import CallKind, Lane, LimiterSettings, RealmGate
from counterfoil.testing.virtual_time import LoopClock, run_virtually
from support.seeded import SeededEntropy

WHOLE = LimiterSettings.unreserved()


class CountingServer:
    """Notes when requests arrive, and answers after a delay each way."""

    def __init__(self, rng: random.Random, *, delay: float, jitter: float, service: float = 0.08) -> None:
        self._rng = rng
        self._delay = delay
        self._jitter = jitter
        self._service = service
        self.arrivals: list[float] = []
        self.batch_arrivals: list[float] = []
        self.answered = 0
        self.in_flight = 0
        self.in_flight_most = 0

    def _one_way(self) -> float:
        # Mostly short, now and then up to the whole jitter: the tail is what breaks limiters.
        return self._delay + self._jitter * self._rng.random() ** 6

    async def call(self, kind: CallKind) -> None:
        self.in_flight += 1
        self.in_flight_most = max(self.in_flight_most, self.in_flight)
        await asyncio.sleep(self._one_way())
        now = asyncio.get_running_loop().time()
        self.arrivals.append(now)
        if kind is CallKind.BATCH:
            self.batch_arrivals.append(now)
        await asyncio.sleep(self._service + self._one_way())
        self.in_flight -= 1
        self.answered += 1


def most_in_any_window(arrivals: list[float], window: float) -> int:
    """The fullest half-open window of that length, worked out from the arrivals alone."""
    ordered = sorted(arrivals)
    return max((bisect_right(ordered, at) - bisect_right(ordered, at - window) for at in ordered), default=0)


async def load(gate: RealmGate, server: CountingServer, *, seconds: float, workers: int, kinds: list[CallKind]) -> None:
    """Backlogged workers for that long."""

    async def work(number: int) -> None:
        while True:
            kind = kinds[number % len(kinds)]
            async with gate.slot(Lane.BACKFILL, kind) as permit:
                await server.call(kind)
                permit.release()

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(work(number))


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    delay=st.floats(0.001, 0.3),
    jitter=st.sampled_from([0.0, 0.05, 0.5, 2.0]),
    mixed=st.booleans(),
)
def test_no_window_ever_holds_more_than_the_limit(seed: int, delay: float, jitter: float, mixed: bool) -> None:
    async def main() -> CountingServer:
        gate = RealmGate(WHOLE, clock=LoopClock(), entropy=SeededEntropy(seed))
        server = CountingServer(random.Random(seed), delay=delay, jitter=jitter)
        kinds = [CallKind.SINGLE, CallKind.READ, CallKind.BATCH] if mixed else [CallKind.SINGLE]
        await load(gate, server, seconds=200, workers=25, kinds=kinds)
        return server

    server = run_virtually(main())
    assert most_in_any_window(server.arrivals, 60) <= 500
    assert most_in_any_window(server.arrivals, 1) <= 10
    assert most_in_any_window(server.batch_arrivals, 60) <= 40
    assert server.in_flight_most <= 10


@pytest.mark.parametrize(
    ("delay", "jitter", "second_from_send"),
    [(0.005, 0.0, False), (0.03, 0.05, False), (0.03, 0.5, True), (0.1, 2.0, True)],
)
def test_a_backlog_alone_uses_the_limit_up(delay: float, jitter: float, second_from_send: bool) -> None:
    minutes = 15
    limits = dataclasses.replace(WHOLE, second_from_send=second_from_send)

    async def main() -> CountingServer:
        gate = RealmGate(limits, clock=LoopClock(), entropy=SeededEntropy(1))
        server = CountingServer(random.Random(1), delay=delay, jitter=jitter)
        await load(gate, server, seconds=minutes * 60, workers=20, kinds=[CallKind.SINGLE])
        return server

    server = run_virtually(main())
    assert server.answered >= 0.98 * 500 * minutes
    assert most_in_any_window(server.arrivals, 60) <= 500


def test_the_production_ceiling_leaves_a_fifth_to_others() -> None:
    async def main() -> CountingServer:
        gate = RealmGate(LimiterSettings(live_reserve=0), clock=LoopClock(), entropy=SeededEntropy(1))
        server = CountingServer(random.Random(1), delay=0.01, jitter=0.0)
        await load(gate, server, seconds=240, workers=20, kinds=[CallKind.SINGLE, CallKind.BATCH])
        return server

    server = run_virtually(main())
    assert most_in_any_window(server.arrivals, 60) == 400
    assert most_in_any_window(server.batch_arrivals, 60) == 32


def test_the_stamps_of_an_earlier_process_still_count() -> None:
    async def main() -> list[float]:
        clock = LoopClock()
        first = RealmGate(WHOLE, clock=clock, entropy=SeededEntropy(1))
        server = CountingServer(random.Random(1), delay=0.01, jitter=0.2)
        await load(first, server, seconds=45, workers=20, kinds=[CallKind.SINGLE, CallKind.BATCH])
        second = RealmGate(WHOLE, clock=clock, entropy=SeededEntropy(2))
        second.restore(first.stamps())
        await load(second, server, seconds=100, workers=20, kinds=[CallKind.SINGLE, CallKind.BATCH])
        assert most_in_any_window(server.batch_arrivals, 60) <= 40
        return server.arrivals

    arrivals = run_virtually(main())
    assert most_in_any_window(arrivals, 60) <= 500
    assert most_in_any_window(arrivals, 1) <= 10


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_cancelled_callers_leak_no_slot(seed: int) -> None:
    rng = random.Random(seed)

    async def main() -> None:
        gate = RealmGate(WHOLE, clock=LoopClock(), entropy=SeededEntropy(seed))

        async def call(hold: float) -> None:
            async with gate.slot(rng.choice(list(Lane)), rng.choice(list(CallKind))) as permit:
                await asyncio.sleep(hold)
                permit.release()

        tasks = [asyncio.create_task(call(rng.uniform(0, 3))) for _ in range(120)]
        for task in rng.sample(tasks, 70):
            await asyncio.sleep(rng.uniform(0, 0.2))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(70)
        after = gate.snapshot()
        assert (after.in_flight, after.used, after.batches_used) == (0, 0, 0)
        assert set(after.waiting.values()) == {0}
        async with asyncio.timeout(2):
            async with asyncio.TaskGroup() as group:
                for _ in range(10):
                    group.create_task(gate.acquire(Lane.LIVE))
        assert gate.snapshot().in_flight == 10

    run_virtually(main())
