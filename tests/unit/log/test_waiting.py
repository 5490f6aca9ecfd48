"""Which of the waiting appends a lane takes: whole companies, a fair share, each company in its order."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.log import Append, LogLimits, NewEvent
from counterfoil.log.group import Request, prepared_from
from counterfoil.log.types import EncodedEvent
from counterfoil.log.waiting import Waiting
from counterfoil.testing.log_contract import Noted

LIMITS = LogLimits(group_events_max=40)


INSTANT = datetime(2026, 3, 1, tzinfo=UTC)
EVENT = EncodedEvent(UUID(int=1), "noted", 1, INSTANT, None, None, None, None, b"1234567890", b"digest")


def encode(requests: Sequence[Request]) -> None:
    for request in requests:
        request.take_over(prepared_from(request.append, (EVENT,) * len(request.append.events), LIMITS))


async def queue(waiting: Waiting, companies: Sequence[int]) -> list[Request]:
    """One request of each company named, in that order, taken in."""
    requests = await queue_without_a_turn(waiting, companies)
    await asyncio.sleep(0)
    return requests


async def queue_without_a_turn(waiting: Waiting, companies: Sequence[int]) -> list[Request]:
    """One request of each company named, in that order."""
    loop = asyncio.get_running_loop()
    requests = [
        Request(Append(company, [NewEvent(Noted(number=n))]), loop.create_future())
        for n, company in enumerate(companies)
    ]
    for request in requests:
        await waiting.put(request)
    return requests


def named(group: Sequence[Request]) -> list[int]:
    return [request.company for request in group]


async def taken(waiting: Waiting) -> list[Request]:
    async with asyncio.timeout(5):
        return await waiting.take()


async def test_a_lane_alone_takes_all_that_waits() -> None:
    waiting = Waiting(LIMITS, encode)
    await queue(waiting, [3, 1, 2, 1])

    assert named(await taken(waiting)) == [1, 1, 2, 3]
    assert len(waiting) == 0


async def test_a_patient_lane_leaves_what_waits_to_those_at_work() -> None:
    waiting = Waiting(LIMITS, encode)
    patient = asyncio.create_task(waiting.take(0.01))
    await queue(waiting, [7, 8])
    assert named(await taken(waiting)) == [7, 8]
    await asyncio.sleep(0.02)
    assert not patient.done()
    await queue(waiting, [9, 7])

    async with asyncio.timeout(5):
        assert named(await patient) == [9]


async def test_a_company_under_way_is_left_until_it_is_given_back() -> None:
    waiting = Waiting(LIMITS, encode)
    await queue(waiting, [1])
    group = await taken(waiting)
    later = await queue(waiting, [1, 2, 1])

    assert named(await taken(waiting)) == [2]
    other = asyncio.create_task(taken(waiting))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not other.done()
    waiting.give_back(group)
    assert await other == [later[0], later[2]]


async def test_what_has_just_come_is_taken_at_once() -> None:
    waiting = Waiting(LIMITS, encode)
    [request] = await queue_without_a_turn(waiting, [1])
    taking = waiting.take()

    with pytest.raises(StopIteration) as taken_at_once:
        taking.send(None)
    assert taken_at_once.value.value == [request]
    assert request.events == (EVENT,)


async def test_an_encoder_that_breaks_leaves_nobody_waiting_and_the_lanes_at_work() -> None:
    def break_on_two(requests: Sequence[Request]) -> None:
        if len(requests) == 2:
            raise RuntimeError("no encoder for 2")
        encode(requests)

    waiting = Waiting(LIMITS, break_on_two)
    failed = await queue(waiting, [1, 2])
    for request in failed:
        with pytest.raises(RuntimeError, match="no encoder for 2"):
            await request.verdict
    later = await queue(waiting, [1])

    assert await taken(waiting) == later
    assert len(waiting) == 0


async def test_what_nobody_waits_for_any_more_is_passed_over() -> None:
    waiting = Waiting(LIMITS, encode)
    gone, kept = await queue(waiting, [1, 1])
    gone.verdict.cancel()

    assert await taken(waiting) == [kept]
    assert len(waiting) == 0


async def test_what_is_more_than_a_transaction_takes_stays_in_front() -> None:
    waiting = Waiting(LIMITS, encode)
    requests = await queue(waiting, [1] * 45 + [2])

    group = await taken(waiting)
    assert group == requests[:40]
    assert named(await taken(waiting)) == [2]
    waiting.give_back(group)
    assert await taken(waiting) == requests[40:45]


@given(
    rounds=st.lists(st.lists(st.integers(1, 6), max_size=30), min_size=1, max_size=8),
    lanes=st.integers(1, 3),
)
def test_each_company_is_carried_whole_and_in_order_and_by_one_lane_at_a_time(
    rounds: list[list[int]], lanes: int
) -> None:
    carried: dict[int, list[Request]] = {}
    queued: dict[int, list[Request]] = {}

    async def carry(waiting: Waiting, under_way: set[int]) -> None:
        while True:
            group = await waiting.take()
            companies = set(named(group))
            assert not companies & under_way
            assert named(group) == sorted(named(group))
            under_way |= companies
            for _ in range(len(companies)):
                await asyncio.sleep(0)
            for request in group:
                carried.setdefault(request.company, []).append(request)
            under_way -= companies
            waiting.give_back(group)

    async def scenario() -> None:
        waiting = Waiting(LIMITS, encode)
        under_way: set[int] = set()
        tasks = [asyncio.create_task(carry(waiting, under_way)) for _ in range(lanes)]
        for companies in rounds:
            for request in await queue(waiting, companies):
                queued.setdefault(request.company, []).append(request)
        async with asyncio.timeout(5):
            while len(waiting) or under_way:
                await asyncio.sleep(0)
        for task in tasks:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.wait(tasks)

    asyncio.run(scenario())
    assert carried == queued
