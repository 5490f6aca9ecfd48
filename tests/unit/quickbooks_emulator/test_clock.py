"""Time under control."""

import asyncio
from datetime import timedelta

import pytest

from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.clock import EmulatorClock, SeededEntropy
from counterfoil.testing.virtual_time import LoopClock, run_virtually


def test_it_runs_at_its_scale() -> None:
    async def check() -> None:
        base = LoopClock()
        clock = EmulatorClock(base, scale=60)
        started, real = clock.now(), base.monotonic()
        await clock.sleep(3600)
        assert timedelta(seconds=3600).total_seconds() == pytest.approx(
            (clock.now() - started).total_seconds(), abs=0.01
        )
        assert pytest.approx(base.monotonic() - real, abs=0.01) == 60

    run_virtually(check())


def test_sleepers_wake_when_time_is_moved_and_not_before() -> None:
    async def check() -> None:
        clock = EmulatorClock(LoopClock(), manual=True)
        woken: list[int] = []

        async def sleeper(seconds: int) -> None:
            await clock.sleep(seconds)
            woken.append(seconds)

        tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (30, 10, 20)]
        await asyncio.sleep(1)
        for advance, expected in ((9, []), (1, [10]), (5, [10]), (100, [10, 20, 30])):
            clock.advance(advance)
            await asyncio.sleep(1)
            assert expected == sorted(woken)
        await asyncio.gather(*tasks)

    run_virtually(check())


def test_it_stops_and_goes_on_from_where_it_stood() -> None:
    async def check() -> None:
        clock = EmulatorClock(LoopClock())
        await asyncio.sleep(10)
        clock.change(manual=True)
        stood = clock.monotonic()
        await asyncio.sleep(10)
        assert stood == clock.monotonic()
        clock.change(manual=False, scale=2)
        await asyncio.sleep(10)
        assert pytest.approx(clock.monotonic(), abs=0.01) == 30

    run_virtually(check())


def test_a_seed_repeats_itself() -> None:
    one, other = SeededEntropy(4), SeededEntropy(4)
    assert [one.token_bytes(40), one.random()] == [other.token_bytes(40), other.random()]
    assert 0 <= one.random() < 1
    assert SeededEntropy(5).token_bytes(8) != SeededEntropy(4).token_bytes(8)


def test_ten_minutes_at_the_limit_in_virtual_time() -> None:
    async def check() -> None:
        emulator = QuickBooksEmulator(EmulatorOptions(seed=1, sample="small"), clock=LoopClock())
        statuses: list[int] = []
        # 500 a minute, evenly; the one that comes too early meets the 500 before it.
        for _ in range(500 * 10):
            statuses.append((await emulator.exchange("GET", "customer/1")).status)
            await emulator.clock.sleep(0.12)
        assert {200} == set(statuses)
        assert emulator.limiter.minute.peak == 500
        early = [(await emulator.exchange("GET", "customer/1")).status for _ in range(2)]
        assert early == [200, 429]

    run_virtually(check())
