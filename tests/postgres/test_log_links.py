"""Links come from the writer where it knows the head, from the server where it does not: the chain is whole."""

import asyncio

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
    "SELECT link FROM counterfoil_log.append(ARRAY[1]::bigint[], '{2}', NULL, NULL, NULL, '{}', NULL, NULL, NULL, "
    "ARRAY[now()], '{t}', '{1}', ARRAY[gen_random_uuid(), gen_random_uuid()], '{1,1}', NULL, NULL, NULL, NULL, "
    "ARRAY['a','b']::bytea[], sha256('a') || sha256('b'), $1, ARRAY[$2::bigint], ARRAY[$3::bytea])"
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
    (made,) = await pool.fetch(GIVEN, given, position, believed)
    stored = [row["link"] for row in await pool.fetch(STORED)]
    if belief == "right":
        assert made["link"] is None
        assert stored == [b"y" * 32, b"x" * 32]
    else:
        assert made["link"] == stored[0]
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
