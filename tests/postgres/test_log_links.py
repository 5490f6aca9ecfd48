"""Links come from the writer where it knows the head, from the server where it does not: the chain is whole."""

import asyncio

import asyncpg
import pytest

from counterfoil.log import (
    Append,
    Delivery,
    FencedError,
    Guard,
    NewEvent,
    PostgresAudit,
    StaleDecisionError,
    VerifyReport,
    verify,
)
from counterfoil.postgres import Pool
from counterfoil.testing.log_contract import Noted
from support.logs import OpenLog, open_log
from support.postgres import Database

GIVEN = (
    "SELECT link FROM counterfoil_log.append(ARRAY[1]::bigint[], '{2}', ARRAY[$2::bigint], $3, $1, '{2}', "
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, now(), NULL, '{t}', '{1}', "
    "ARRAY[gen_random_uuid(), gen_random_uuid()], NULL, NULL, NULL, NULL, NULL, '{1,2}', 'ab', "
    "sha256('a') || sha256('b'))"
)
STORED = "SELECT link FROM counterfoil_log.events WHERE company = 1 ORDER BY position DESC LIMIT 2"


async def checked(log: OpenLog, pool: Pool, database: Database) -> VerifyReport:
    return await verify(log.reader, PostgresAudit(pool, database.names))


def noted(number: int, source: str | None = None) -> NewEvent:
    delivery = None if source is None else Delivery(source, str(number))
    return NewEvent(Noted(number=number), record_key=f"crm:deal:{number}", delivery=delivery)


async def test_two_writers_that_take_turns_keep_the_chain_whole(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as one, open_log(pool, database.names) as two:
        for turn in range(6):
            for log in (one, two, two):
                appends = [Append(company, [noted(turn), noted(turn)]) for company in (1, 2, 3)]
                await asyncio.gather(*(log.writer.append(append) for append in appends))
        report = await checked(one, pool, database)
    assert list(report.faults) == []
    assert report.events == 3 * 6 * 3 * 2


async def test_a_refusal_amid_a_group_changes_the_links_after_it(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        await log.writer.append(Append(1, [noted(0, "crm")]))
        await log.writer.append(Append(2, [noted(0)]))
        appends = [
            Append(1, [noted(1)]),
            Append(1, [noted(0, "crm")]),
            Append(1, [noted(2), noted(3)]),
            Append(1, [noted(4)], epoch=7),
            Append(1, [noted(5)], epoch=0, guard=Guard(("crm:deal:2",), 1)),
            Append(1, [noted(6)], epoch=0, guard=Guard(("crm:deal:9",), 1)),
            Append(2, [noted(7)]),
            Append(1, [noted(8)]),
        ]
        results = await asyncio.gather(*(log.writer.append(each) for each in appends), return_exceptions=True)
        await log.writer.append(Append(1, [noted(9)]))
        report = await checked(log, pool, database)
        numbers = [event.light()["number"] async for event in log.reader.stream(1)]
    refused = [type(one) for one in results if isinstance(one, BaseException)]
    assert [FencedError, StaleDecisionError] == refused
    assert numbers == [0, 1, 2, 3, 6, 8, 9]
    assert list(report.faults) == []


@pytest.mark.parametrize("belief", ["right", "wrong position", "wrong hash"])
async def test_given_links_count_only_where_the_head_is_as_believed(
    pool: Pool, database: Database, belief: str
) -> None:
    async with open_log(pool, database.names) as log:
        await log.writer.append(Append(1, [noted(1)]))
        head = (await log.reader.heads([1]))[1]
    position = head.position + (belief == "wrong position")
    believed = bytes(32) if belief == "wrong hash" else head.hash
    given = b"x" * 32 + b"y" * 32
    made = [row["link"] for row in await pool.fetch(GIVEN, given, position, believed)]
    stored = [row["link"] for row in await pool.fetch(STORED)]
    if belief == "right":
        assert made == []
        assert stored == [b"y" * 32, b"x" * 32]
    else:
        assert made == stored[:1]
        assert not {b"x" * 32, b"y" * 32} & set(stored)


async def test_false_links_are_found(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        await log.writer.append(Append(1, [noted(1)]))
        head = (await log.reader.heads([1]))[1]
        await pool.fetch(GIVEN, b"x" * 64, head.position, head.hash)
        report = await checked(log, pool, database)
    assert {2, 3} <= {fault.position for fault in report.faults}


async def test_links_that_do_not_match_the_events_in_number_are_refused(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        await log.writer.append(Append(1, [noted(1)]))
    with pytest.raises(Exception, match="links do not match events"):
        await pool.fetch(GIVEN, b"x" * 63, 1, b"h" * 32)


async def test_decisions_and_receipts_of_one_group_keep_their_own_epochs(pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        lease = await log.leases.acquire(1, "tester", 60)
        assert lease is not None
        appends = [
            Append(1, [noted(1), noted(2)], epoch=lease.epoch),
            Append(1, [noted(3)]),
            Append(1, [noted(4)], epoch=lease.epoch),
            Append(2, [noted(5)]),
        ]
        await asyncio.gather(*(log.writer.append(each) for each in appends))
        epochs = [event.epoch for event in await log.reader.read(1)]
        wrong = await asyncio.gather(
            log.writer.append(Append(1, [noted(6)])),
            log.writer.append(Append(1, [noted(7)], epoch=lease.epoch + 1)),
            log.writer.append(Append(1, [noted(8)], epoch=lease.epoch)),
            return_exceptions=True,
        )
        numbers = [event.light()["number"] async for event in log.reader.stream(1)]
        report = await checked(log, pool, database)
    assert epochs == [lease.epoch, lease.epoch, None, lease.epoch]
    assert [type(one) for one in wrong if isinstance(one, BaseException)] == [FencedError]
    assert numbers == [1, 2, 3, 4, 6, 8]
    assert list(report.faults) == []


@pytest.mark.parametrize(
    ("ends", "sizes", "message"),
    [
        ("'{3}'", "'{2}'", "companies, digests or links do not match events"),
        ("'{2}'", "'{3}'", "requests do not match companies"),
        ("'{2}'", "'{1}'", "requests do not match events"),
    ],
)
async def test_a_call_that_contradicts_itself_is_refused_whole(
    pool: Pool, database: Database, ends: str, sizes: str, message: str
) -> None:
    async with open_log(pool, database.names) as log:
        await log.writer.append(Append(1, [noted(1)]))
        call = GIVEN.replace("'{2}', ARRAY[$2", f"{ends}, ARRAY[$2").replace("$1, '{2}'", f"$1, {sizes}")
        with pytest.raises(asyncpg.InvalidParameterValueError, match=message):
            # The belief is wrong, so that it goes request by request.
            await pool.fetch(call, b"x" * 64, 7, bytes(32))
        assert len(await log.reader.read(1)) == 1
