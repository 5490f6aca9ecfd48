"""Many writers at once, killed writers, lost answers: no gap, no duplicate, no deadlock, nothing seen too early."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from counterfoil.log import (
    Append,
    Delivery,
    EventTooLargeError,
    LogClosedError,
    LogError,
    LogLimits,
    NewEvent,
    PostgresAudit,
    verify,
)
from counterfoil.postgres import EmbeddedPostgres, Pool, PoolLimits, create_pool
from counterfoil.testing.log_contract import Noted
from support.logs import OpenLog, open_log
from support.postgres import SETTINGS, Database
from support.processes import Script, running_script
from support.proxy import Loss, LossyProxy, lossy_proxy

# Appends until its input closes; says what was confirmed, line by line.
WRITER = """
import asyncio, json, sys, threading
from pydantic import SecretStr
from counterfoil.log import Append, NewEvent
from counterfoil.postgres import Names, PoolLimits, create_pool
from counterfoil.testing.log_contract import Noted
from support.logs import open_log

dsn, base, companies, tasks = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4])
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()

async def main():
    pool = await create_pool(SecretStr(dsn), Names(), limits=PoolLimits(connections_min=0, connections_max=3))
    async with open_log(pool, Names()) as log:
        async def work(task):
            number = base + task
            while not stop.is_set():
                company = companies[number % len(companies)]
                appended = await log.writer.append(Append(company, [NewEvent(Noted(number=number))]))
                print(json.dumps([company, appended.first_position, number]), flush=True)
                number += tasks
        print(json.dumps(["ready"]), flush=True)
        await asyncio.gather(*map(work, range(tasks)))
    pool.terminate()

asyncio.run(main())
"""
Confirmed = dict[tuple[int, int], int]


async def logged(log: OpenLog, companies: Sequence[int]) -> Confirmed:
    """Number by place; that positions have no gap is checked on the way."""
    found: Confirmed = {}
    for company in companies:
        expected = 1
        async for event in log.reader.stream(company):
            assert expected == event.position
            found[company, event.position] = event.light()["number"]
            expected += 1
    return found


class Watcher:
    """Reads all the time, from several places, and checks that each look continues the one before."""

    def __init__(self, pool: Pool, companies: Sequence[int]) -> None:
        self._pool = pool
        self.seen = dict.fromkeys(companies, 0)
        self.looks = 0

    async def watch(self) -> None:
        query = (
            "SELECT company, position FROM counterfoil_log.events "
            "WHERE company = $1 AND position > $2 ORDER BY position"
        )
        while True:
            for company, seen in self.seen.items():
                rows = await self._pool.fetch(query, company, seen)
                assert [*range(seen + 1, seen + len(rows) + 1)] == [row["position"] for row in rows]
                self.seen[company] = seen + len(rows)
                self.looks += 1


def lines(script: Script) -> Iterator[list[int]]:
    """Confirmations, after the first line."""
    assert script.process.stdout is not None
    for text in script.process.stdout:
        if text.endswith("\n"):
            yield json.loads(text)


@pytest.mark.parametrize("companies", [[1], [1, 2, 3, 4, 5, 6, 7]])
async def test_many_processes_leave_no_gap_and_no_duplicate(
    pool: Pool, database: Database, companies: list[int]
) -> None:
    arguments = [json.dumps(companies), "8"]
    watchers = [Watcher(pool, companies) for _ in range(2)]
    watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    dsn = database.engine_dsn.get_secret_value()
    with ExitStack() as stack:
        scripts = [
            stack.enter_context(running_script(WRITER, [dsn, str(base), *arguments]))
            for base in (1_000_000, 2_000_000, 3_000_000)
        ]
        for script in scripts:
            await asyncio.to_thread(script.line)
        async with open_log(pool, database.names) as log:
            # Until there is something to judge, however slow the machine is.
            while sum(head.position for head in (await log.reader.heads()).values()) < 1500:
                await asyncio.sleep(0.05)
            # One of them dies in the middle of its work.
            os.kill(scripts[0].process.pid, signal.SIGKILL)
            for script in scripts[1:]:
                assert script.process.stdin is not None
                script.process.stdin.close()
            confirmed: Confirmed = {}
            for script in scripts:
                for company, position, number in await asyncio.to_thread(lambda s: [*lines(s)], script):
                    assert (company, position) not in confirmed
                    confirmed[company, position] = number
            assert [await asyncio.to_thread(script.process.wait) for script in scripts[1:]] == [0, 0]
            found = await logged(log, companies)
            report = await verify(log.reader, PostgresAudit(pool, database.names))
    assert confirmed.items() <= found.items()
    assert max(Counter(found.values()).values()) == 1
    # What the killed one had sent without hearing the answer may be there, at most what its tasks had in flight.
    unheard = [number for place, number in found.items() if place not in confirmed]
    assert len(unheard) <= 8 + 1
    assert all(1_000_000 <= number < 2_000_000 for number in unheard)
    assert report.intact
    for task in watching:
        assert not task.done() or task.exception() is None
        task.cancel()
    assert all(watcher.looks > 1 and sum(watcher.seen.values()) > 0 for watcher in watchers)


async def test_overlapping_companies_in_opposite_order_do_not_deadlock(
    pool: Pool, admin_pool: Pool, database: Database
) -> None:
    companies = [*range(1, 31)]

    async def work(log: OpenLog, order: Sequence[int], base: int) -> None:
        for turn in range(15):
            await asyncio.gather(*(log.writer.append(Append(c, [NewEvent(Noted(number=base + turn))])) for c in order))

    async with (
        open_log(pool, database.names) as one,
        open_log(pool, database.names) as two,
        open_log(pool, database.names) as three,
    ):
        await asyncio.gather(
            work(one, companies, 100), work(two, companies[::-1], 200), work(three, companies[::2], 300)
        )
        found = await logged(one, companies)
    assert len(found) == 15 * (30 + 30 + 15)
    assert await admin_pool.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


async def test_companies_out_of_order_are_refused_by_the_server(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        await log.writer.append(Append(1, [NewEvent(Noted(number=1))]))
        await log.writer.append(Append(2, [NewEvent(Noted(number=1))]))
    query = (
        "SELECT * FROM counterfoil_log.append("
        "$1, '{1,2}', '{0,0}', repeat('x', 64)::bytea, sha256('c') || sha256('d'), "
        "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, now(), NULL, '{t}', '{1}', "
        "ARRAY[gen_random_uuid(),gen_random_uuid()], NULL, NULL, NULL, NULL, NULL, '{1,2}', 'ab', "
        "sha256('a') || sha256('b'))"
    )
    assert [row["status"] for row in await pool.fetch(query, [1, 2])] == ["appended", "appended"]
    for wrong in ([2, 1], [1, 3], [1, 99]):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await pool.fetch(query, wrong)


@pytest.fixture
async def lossy(pool: Pool, database: Database) -> AsyncIterator[tuple[LossyProxy, OpenLog]]:
    """A log whose writer goes through a proxy."""
    async with lossy_proxy(database.engine_dsn) as (proxy, dsn):
        limits = PoolLimits(connections_min=0, connections_max=4)
        writer_pool = await create_pool(dsn, database.names, limits=limits)
        async with open_log(pool, database.names, writer_pool=writer_pool) as log:
            yield proxy, log
        writer_pool.terminate()


@pytest.mark.parametrize("loss", ["before", "after", "late"])
async def test_a_lost_answer_doubles_nothing_and_loses_nothing(lossy: tuple[LossyProxy, OpenLog], loss: Loss) -> None:
    proxy, log = lossy
    for number in range(3):
        await log.writer.append(Append(1, [NewEvent(Noted(number=number))]))
    proxy.losses[b'"number":777'] = loss
    numbers = [777, 778, 779, 780]
    results = await asyncio.gather(
        *(
            log.writer.append(Append(1 + n % 2, [NewEvent(Noted(number=n)), NewEvent(Noted(number=-n))]))
            for n in numbers
        )
    )
    # The lost request must have been sent, and whatever of it can still arrive must have arrived.
    await proxy.done.wait()
    after = await log.writer.append(Append(1, [NewEvent(Noted(number=9))]))
    found = await logged(log, [1, 2])
    assert {0, 1, 2, 9, *numbers, *(-n for n in numbers)} == set(found.values())
    assert len(found) == 3 + 8 + 1
    for number, result in zip(numbers, results, strict=True):
        assert number == found[result.company, result.first_position]
        assert -number == found[result.company, result.last_position]
    assert found[1, after.first_position] == 9


async def test_the_first_append_of_all_may_lose_its_answer(lossy: tuple[LossyProxy, OpenLog]) -> None:
    proxy, log = lossy
    proxy.losses[b'"number":777'] = "after"
    result = await log.writer.append(Append(5, [NewEvent(Noted(number=777))]))
    assert (result.first_position, await logged(log, [5])) == (1, {(5, 1): 777})


async def test_backends_ended_again_and_again_cost_nothing(pool: Pool, admin_pool: Pool, database: Database) -> None:
    ended = 0

    async def end() -> None:
        nonlocal ended
        query = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE '%counterfoil_log.append(%' AND pid <> pg_backend_pid()"
        )
        while True:
            ended += await admin_pool.fetchval(query)
            await asyncio.sleep(0.03)

    ending = asyncio.create_task(end())
    async with open_log(pool, database.names) as log:

        async def work(task: int) -> None:
            for turn in range(40):
                await log.writer.append(Append(task % 3, [NewEvent(Noted(number=task * 1000 + turn))]))

        await asyncio.gather(*map(work, range(10)))
        # At least a few must have hit, or this proves nothing.
        while ended < 3:
            await work(10)
        ending.cancel()
        found = await logged(log, [0, 1, 2])
    assert max(Counter((number for (company, _), number in found.items() if number < 10_000)).values()) == 1
    assert {t * 1000 + n for t in range(10) for n in range(40)} <= set(found.values())


async def test_a_server_that_dies_and_comes_back_is_waited_for(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "home", settings=SETTINGS) as server:
        names = (await server.prepare()).names
        pool = await create_pool(server.engine_dsn, names, limits=PoolLimits(connections_min=0, connections_max=6))
        confirmed: list[int] = []
        async with open_log(pool, names) as log:

            async def work(task: int) -> None:
                for turn in range(60):
                    number = task * 1000 + turn
                    await log.writer.append(Append(task % 2, [NewEvent(Noted(number=number))]))
                    confirmed.append(number)

            working = asyncio.gather(*map(work, range(8)))
            while len(confirmed) < 50:
                await asyncio.sleep(0.01)
            os.kill(server.pid, signal.SIGKILL)
            await server.start()
            await working
            await pool.expire_connections()
            found = await logged(log, [0, 1])
        pool.terminate()
    assert sorted(confirmed) == sorted(found.values())


async def test_a_server_that_stays_away_is_reported(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "home", settings=SETTINGS) as server:
        names = (await server.prepare()).names
        pool = await create_pool(server.engine_dsn, names, limits=PoolLimits(connections_min=0))
        async with open_log(pool, names, limits=LogLimits(unavailable_seconds_max=0.5)) as log:
            await log.writer.append(Append(1, [NewEvent(Noted(number=1))]))
            await server.stop()
            with pytest.raises(LogError, match="company 1"):
                await log.writer.append(Append(1, [NewEvent(Noted(number=2))]))
        pool.terminate()


async def test_a_cancelled_caller_breaks_no_other(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        tasks = [
            asyncio.create_task(log.writer.append(Append(1, [NewEvent(Noted(number=number))]))) for number in range(200)
        ]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        found = await logged(log, [1])
    kept = [result for result in results[1::2] if not isinstance(result, BaseException)]
    assert len(kept) == 100
    assert set(range(1, 200, 2)) <= set(found.values())
    assert len(found) == len(set(found.values()))


async def test_more_than_the_queue_holds_waits_its_turn(pool: Pool, database: Database) -> None:
    limits = LogLimits(lanes=2, group_events_max=7, queue_requests_max=5, queue_bytes_max=100)
    async with open_log(pool, database.names, limits=limits) as log:
        await asyncio.gather(
            *(log.writer.append(Append(n % 3, [NewEvent(Noted(number=n))] * (n % 3 + 1))) for n in range(300))
        )
        found = await logged(log, [0, 1, 2])
    assert {n: n % 3 + 1 for n in range(300)} == Counter(found.values())


async def test_a_lane_that_is_held_up_keeps_no_other_company_waiting(
    pool: Pool, admin_pool: Pool, database: Database
) -> None:
    async with open_log(pool, database.names) as log:
        for company in (1, 2):
            await log.writer.append(Append(company, [NewEvent(Noted(number=1))]))
        lock = database.names.apply("SELECT FROM counterfoil_log.heads WHERE company = 1 FOR UPDATE")
        async with admin_pool.acquire() as connection, connection.transaction():
            await connection.execute(lock)
            held_up = asyncio.create_task(log.writer.append(Append(1, [NewEvent(Noted(number=2))])))
            await asyncio.sleep(0.01)
            async with asyncio.timeout(20):
                await log.writer.append(Append(2, [NewEvent(Noted(number=2))]))
            assert not held_up.done()
        await held_up
        assert await logged(log, [1, 2]) == {(1, 1): 1, (1, 2): 2, (2, 1): 1, (2, 2): 2}


async def test_what_was_accepted_is_written_before_it_stops(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        tasks = [asyncio.create_task(log.writer.append(Append(1, [NewEvent(Noted(number=n))]))) for n in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    with pytest.raises(LogClosedError):
        await log.writer.append(Append(1, [NewEvent(Noted(number=1))]))
    assert len(await logged(log, [1])) == 50


async def test_what_cannot_be_encoded_harms_nobody_beside_it(pool: Pool, database: Database) -> None:
    """They come in one turn of the loop, so that they are encoded together."""
    deliveries = [Delivery("hubspot", "a"), Delivery("hubspot", "b")]
    appends = [
        Append(1, [NewEvent(Noted(number=1))]),
        Append(1, [NewEvent(Noted(number=2), record_key="crm:\0")]),
        Append(2, [NewEvent(Noted(number=3))]),
        Append(1, [NewEvent(Noted(number=4), record_key="k" * 1_001)]),
        Append(2, [NewEvent(Noted(number=5), delivery=each) for each in deliveries]),
        Append(1, [NewEvent(Noted(number=6), record_key="crm:\ud800")]),
        Append(1, [NewEvent(Noted(number=7))]),
    ]
    async with open_log(pool, database.names) as log:
        results = await asyncio.gather(*map(log.writer.append, appends), return_exceptions=True)
        found = await logged(log, [1, 2])
    refused = [type(result) for result in results if isinstance(result, Exception)]
    assert [ValueError, EventTooLargeError, ValueError, UnicodeEncodeError] == refused
    assert found == {(1, 1): 1, (1, 2): 7, (2, 1): 3}
