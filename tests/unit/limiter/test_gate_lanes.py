"""Who goes first, what a 429 does, and what callers are told."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from counterfoil.dispatch.limiter import CallKind, GateRefusedError, Lane, LimiterSettings, RealmGate
from counterfoil.testing.virtual_time import LoopClock, run_virtually
from support.seeded import SeededEntropy

WHOLE = LimiterSettings.unreserved()


def new_gate(settings: LimiterSettings = WHOLE) -> RealmGate:
    return RealmGate(settings, clock=LoopClock(), entropy=SeededEntropy(3))


async def order_of_service(gate: RealmGate, arrivals: list[tuple[Lane, str]]) -> list[str]:
    """Fill the gate, let callers arrive in that order, then serve them one at a time."""
    served: list[str] = []
    blockers = [await gate.acquire(Lane.LIVE) for _ in range(gate.settings.in_flight_max)]

    async def call(lane: Lane, name: str) -> None:
        permit = await gate.acquire(lane)
        served.append(name)
        permit.release()

    async with asyncio.TaskGroup() as group:
        for lane, name in arrivals:
            group.create_task(call(lane, name))
        await asyncio.sleep(2)
        blockers.pop().release()
        await asyncio.sleep(600)
    for blocker in blockers:
        blocker.release()
    return served


def test_lanes_go_by_priority_and_in_order_of_arrival_inside_one() -> None:
    arrivals = [
        (Lane.RECONCILE, "reconcile"),
        (Lane.BACKFILL, "backfill 1"),
        (Lane.BACKFILL, "backfill 2"),
        (Lane.RETRY, "retry"),
        (Lane.LIVE, "live 1"),
        (Lane.LIVE, "live 2"),
    ]
    expected = ["live 1", "live 2", "retry", "backfill 1", "backfill 2", "reconcile"]
    assert expected == run_virtually(_in_order(arrivals))


async def _in_order(arrivals: list[tuple[Lane, str]]) -> list[str]:
    return await order_of_service(new_gate(), arrivals)


def test_a_low_lane_is_not_starved() -> None:
    arrivals = [(Lane.RECONCILE, "reconcile")] + [(Lane.LIVE, f"live {n}") for n in range(40)]
    served = run_virtually(_in_order(arrivals))
    assert served.index("reconcile") == WHOLE.low_lane_turn


def test_a_batch_that_waits_for_its_own_limit_holds_up_no_single_call() -> None:
    async def main() -> float:
        gate = new_gate(LimiterSettings(ceiling=1.0, batches_per_minute=1, live_reserve=0))
        (await gate.acquire(Lane.LIVE, CallKind.BATCH)).release()
        waiting = asyncio.create_task(gate.acquire(Lane.BACKFILL, CallKind.BATCH))
        await asyncio.sleep(0)
        before = LoopClock().monotonic()
        (await gate.acquire(Lane.BACKFILL, CallKind.SINGLE)).release()
        passed = LoopClock().monotonic() - before
        (await waiting).release()
        return passed

    assert run_virtually(main()) < 1


def test_a_batch_goes_before_the_single_calls_of_its_lane_and_after_those_of_a_better_one() -> None:
    async def main() -> list[str]:
        gate = new_gate()
        served: list[str] = []
        blockers = [await gate.acquire(Lane.LIVE) for _ in range(gate.settings.in_flight_max)]

        async def call(lane: Lane, kind: CallKind, name: str) -> None:
            permit = await gate.acquire(lane, kind)
            served.append(name)
            permit.release()

        async with asyncio.TaskGroup() as group:
            group.create_task(call(Lane.BACKFILL, CallKind.SINGLE, "single"))
            group.create_task(call(Lane.BACKFILL, CallKind.BATCH, "batch"))
            group.create_task(call(Lane.LIVE, CallKind.SINGLE, "live"))
            await asyncio.sleep(2)
            blockers.pop().release()
            await asyncio.sleep(60)
        for blocker in blockers:
            blocker.release()
        return served

    assert run_virtually(main()) == ["live", "batch", "single"]


def test_the_gate_says_how_long_a_call_would_wait() -> None:
    async def main() -> tuple[float, ...]:
        gate = new_gate(LimiterSettings(ceiling=1.0, live_reserve=0, batches_per_minute=2, requests_per_minute=10))
        free = gate.wait_seconds(Lane.BACKFILL, CallKind.BATCH)
        for _ in range(2):
            (await gate.acquire(Lane.LIVE, CallKind.BATCH)).release()
            await asyncio.sleep(10)
        third = gate.wait_seconds(Lane.BACKFILL, CallKind.BATCH)
        fourth = gate.wait_seconds(Lane.BACKFILL, CallKind.BATCH, ahead=1)
        fifth = gate.wait_seconds(Lane.BACKFILL, CallKind.BATCH, ahead=2)
        single = gate.wait_seconds(Lane.BACKFILL, CallKind.SINGLE)
        gate.pause(90)
        return free, third, fourth, fifth, single, gate.wait_seconds(Lane.BACKFILL, CallKind.SINGLE)

    # The two batches were answered 20 s and 10 s ago; what lies behind both is not known, and taken for a minute.
    assert run_virtually(main()) == pytest.approx((0, 40, 50, 60, 0, 90), abs=0.01)


def test_the_reserve_is_kept_for_live_work() -> None:
    async def main() -> None:
        gate = new_gate(LimiterSettings(requests_per_minute=20, ceiling=1.0, live_reserve=5))
        for _ in range(15):
            (await gate.acquire(Lane.BACKFILL)).release()
        soon = LoopClock().monotonic() + 5
        with pytest.raises(GateRefusedError):
            await gate.acquire(Lane.BACKFILL, deadline=soon)
        for _ in range(5):
            (await gate.acquire(Lane.LIVE)).release()
        with pytest.raises(GateRefusedError):
            await gate.acquire(Lane.LIVE, deadline=LoopClock().monotonic() + 5)

    run_virtually(main())


def test_a_429_rests_the_realm_for_a_minute_and_lowers_the_ceiling() -> None:
    async def main() -> None:
        gate = new_gate(LimiterSettings(ceiling=1.0, pause_jitter_seconds=0, ceiling_rise_per_minute=0.05))
        for _ in range(10):
            (await gate.acquire(Lane.LIVE)).release()
        gate.throttled()
        gate.throttled()  # the rest of the same burst
        resting = gate.snapshot()
        assert resting.throttled == 1
        assert resting.ceiling == pytest.approx(0.5)
        assert resting.paused_until is not None
        before = LoopClock().monotonic()
        (await gate.acquire(Lane.LIVE)).release()
        assert LoopClock().monotonic() - before == pytest.approx(60, abs=0.1)
        assert gate.snapshot().paused_until is None
        await asyncio.sleep(5 * 60)
        assert gate.snapshot().ceiling == pytest.approx(0.75, abs=0.01)
        await asyncio.sleep(60 * 60)
        assert gate.snapshot().ceiling == 1.0

    run_virtually(main())


def test_work_resumes_gently_after_a_429() -> None:
    async def main() -> int:
        gate = new_gate(LimiterSettings(ceiling=1.0, live_reserve=0, pause_jitter_seconds=0))
        gate.throttled()
        await asyncio.sleep(60)
        granted = 0
        end = LoopClock().monotonic() + 6
        while LoopClock().monotonic() < end:
            (await gate.acquire(Lane.LIVE)).release()
            granted += 1
        return granted

    # Half of 500 a minute, evenly: a call every 0.24 s.
    assert run_virtually(main()) in range(25, 28)


def test_whoever_was_pacing_when_a_429_came_in_does_not_go_out() -> None:
    async def main() -> list[float]:
        gate = new_gate(LimiterSettings(ceiling=1.0, pause_jitter_seconds=0))
        times: list[float] = []

        async def call() -> None:
            permit = await gate.acquire(Lane.LIVE)
            times.append(LoopClock().monotonic())
            permit.release()

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(call())
            await asyncio.sleep(0.25)
            gate.throttled()
        return times

    times = run_virtually(main())
    # Three at once, then one each tenth of a second.
    assert [at for at in times if at < 0.25] == times[:5]
    assert all(at > 60 for at in times[5:])


def test_a_refusal_says_when_to_come_again() -> None:
    async def main() -> None:
        gate = new_gate(LimiterSettings(pause_jitter_seconds=0))
        gate.pause(300)
        with pytest.raises(GateRefusedError) as refused:
            await gate.acquire(Lane.LIVE, deadline=LoopClock().monotonic() + 30)
        assert refused.value.paused
        assert refused.value.retry_after_seconds == pytest.approx(300, abs=0.1)

    run_virtually(main())


def test_callers_beyond_the_bound_are_refused() -> None:
    async def main() -> None:
        gate = new_gate(LimiterSettings(waiters_max=3))
        gate.pause(1000)
        waiting = [asyncio.create_task(gate.acquire(Lane.LIVE)) for _ in range(3)]
        await asyncio.sleep(1)
        with pytest.raises(GateRefusedError, match="Too many calls"):
            await gate.acquire(Lane.LIVE)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    run_virtually(main())


def test_a_call_never_sent_does_not_count_and_an_unanswered_one_counts_longer() -> None:
    async def main() -> None:
        gate = new_gate()
        (await gate.acquire(Lane.LIVE)).release(sent=False)
        assert gate.snapshot().used == 0
        async with gate.slot(Lane.LIVE):
            pass
        await asyncio.sleep(62)
        assert gate.snapshot().used == 1
        await asyncio.sleep(4)
        assert gate.snapshot().used == 0

    run_virtually(main())


def test_metered_reads_are_counted_by_month() -> None:
    async def main() -> None:
        gate = new_gate()
        gate.count_metered()
        gate.count_metered(30)
        assert gate.snapshot().metered_reads == {"2026-11": 31}

    run_virtually(main())


def test_stamps_of_a_clock_set_back_count_for_a_minute_at_most() -> None:
    async def main() -> None:
        first, second = new_gate(), new_gate()
        (await first.acquire(Lane.LIVE, CallKind.BATCH)).release()
        (stamp,) = first.stamps()
        assert (stamp.kind, stamp.at < datetime(2026, 11, 3, tzinfo=UTC)) == (CallKind.BATCH, True)
        second.restore([type(stamp)(stamp.at + timedelta(hours=3), stamp.kind)])
        assert (second.snapshot().used, second.snapshot().batches_used) == (1, 1)
        await asyncio.sleep(60.1)
        assert (second.snapshot().used, second.snapshot().batches_used) == (0, 0)

    run_virtually(main())
