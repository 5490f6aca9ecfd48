"""Verifying finds whatever was changed, removed, inserted or swapped, even by somebody who may switch triggers off."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from counterfoil.clock import SystemClock
from counterfoil.log import (
    AnchorError,
    AnchorKey,
    Append,
    Delivery,
    NewEvent,
    PostgresAudit,
    VerifyReport,
    chain,
    compare_anchor,
    export,
    read_anchor,
    verify,
    write_anchor,
)
from counterfoil.postgres import Pool
from counterfoil.testing.log_contract import Met, Noted
from support.logs import OpenLog, open_log
from support.postgres import Database

KEY = AnchorKey(SecretStr(base64.b64encode(b"k" * 32).decode()))
OTHER_KEY = AnchorKey(SecretStr(base64.b64encode(b"o" * 32).decode()))
EVENTS = 12


@pytest.fixture
async def log(pool: Pool, database: Database) -> AsyncIterator[OpenLog]:
    async with open_log(pool, database.names) as opened:
        for company in (1, 2):
            for number in range(1, EVENTS + 1):
                new = NewEvent(
                    Noted(number=number),
                    record_key=f"crm:deal:{number}",
                    cause=1,
                    trace="trace",
                    delivery=Delivery("crm", f"d{number}"),
                )
                await opened.writer.append(Append(company, [new], epoch=0))
        yield opened


async def tamper(admin_pool: Pool, *statements: str) -> None:
    """As an owner of the server would: with triggers off."""
    async with admin_pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


async def checked(log: OpenLog, pool: Pool, database: Database) -> VerifyReport:
    return await verify(log.reader, PostgresAudit(pool, database.names))


def found(report: VerifyReport) -> set[tuple[int, int, str]]:
    return {(fault.company, fault.position, fault.kind) for fault in report.faults}


async def test_an_untouched_log_is_intact(log: OpenLog, pool: Pool, database: Database) -> None:
    told: list[tuple[int, int]] = []
    audit = PostgresAudit(pool, database.names)
    report = await verify(log.reader, audit, progress=lambda company, position: told.append((company, position)))
    assert (report.companies, report.events, report.intact) == (2, 2 * EVENTS, True)
    assert told == [(1, EVENTS), (2, EVENTS)]
    assert ((one := await verify(log.reader, audit, [2])).companies, one.events) == (1, EVENTS)


@pytest.mark.parametrize(
    "change",
    [
        "event_id = gen_random_uuid()",
        "event_type = 'contract.met'",
        "event_version = 2",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "record_key = 'crm:deal:other'",
        "record_key = NULL",
        "cause = 2",
        "cause = NULL",
        "trace = ''",
        "trace = NULL",
        "epoch = 1",
        "epoch = NULL",
        'body = convert_to(\'{"number":5,"amount":"1"}\', \'UTF8\')',
    ],
)
async def test_a_changed_column_is_found(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database, change: str
) -> None:
    await tamper(admin_pool, f"UPDATE counterfoil_log.events SET {change} WHERE company = 1 AND position = 5")
    assert {(1, 5, "changed")} == found(await checked(log, pool, database))


async def test_a_changed_delivery_is_found(log: OpenLog, pool: Pool, admin_pool: Pool, database: Database) -> None:
    await tamper(admin_pool, "UPDATE counterfoil_log.events SET delivery = 'crm:x' WHERE company = 1 AND position = 5")
    assert {(1, 5, "changed"), (1, 5, "delivery")} == found(await checked(log, pool, database))


async def test_a_changed_link_is_found(log: OpenLog, pool: Pool, admin_pool: Pool, database: Database) -> None:
    await tamper(
        admin_pool,
        "UPDATE counterfoil_log.events SET link = sha256('x') WHERE company = 1 AND position = 5",
    )
    assert {(1, 5, "changed"), (1, 6, "changed")} == found(await checked(log, pool, database))


async def test_an_event_moved_to_another_company_is_found(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database
) -> None:
    await tamper(
        admin_pool,
        "DELETE FROM counterfoil_log.events WHERE company = 2 AND position = 12",
        "UPDATE counterfoil_log.events SET company = 2 WHERE company = 1 AND position = 12",
    )
    expected = {(1, 12, "missing"), (1, 12, "delivery"), (2, 12, "changed"), (2, 12, "head")}
    assert expected == found(await checked(log, pool, database))


async def test_a_removed_event_is_found(log: OpenLog, pool: Pool, admin_pool: Pool, database: Database) -> None:
    await tamper(admin_pool, "DELETE FROM counterfoil_log.events WHERE company = 1 AND position = 5")
    assert {(1, 5, "missing"), (1, 5, "delivery")} == found(await checked(log, pool, database))


async def test_a_removed_event_whose_gap_was_closed_is_found(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database
) -> None:
    await tamper(
        admin_pool,
        "DELETE FROM counterfoil_log.events WHERE company = 1 AND position = 5",
        *(
            f"UPDATE counterfoil_log.events SET position = {p - 1} WHERE company = 1 AND position = {p}"
            for p in range(6, EVENTS + 1)
        ),
        "UPDATE counterfoil_log.heads SET position = position - 1 WHERE company = 1",
    )
    assert (1, 5, "changed") in found(await checked(log, pool, database))


async def test_the_last_event_removed_is_found(log: OpenLog, pool: Pool, admin_pool: Pool, database: Database) -> None:
    await tamper(admin_pool, "DELETE FROM counterfoil_log.events WHERE company = 1 AND position = 12")
    assert {(1, 12, "missing"), (1, 12, "delivery")} == found(await checked(log, pool, database))


async def test_an_event_inserted_at_the_end_is_found(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database
) -> None:
    insert = (
        "INSERT INTO counterfoil_log.events SELECT company, 13, gen_random_uuid(), event_type, event_version, "
        "recorded_at, record_key, cause, trace, epoch, NULL, body, link "
        "FROM counterfoil_log.events WHERE company = 1 AND position = 12"
    )
    await tamper(admin_pool, insert)
    assert {(1, 13, "inserted")} == found(await checked(log, pool, database))
    await tamper(admin_pool, "UPDATE counterfoil_log.heads SET position = 13 WHERE company = 1")
    assert {(1, 13, "changed")} == found(await checked(log, pool, database))


async def test_an_event_inserted_between_others_is_found(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database
) -> None:
    await tamper(
        admin_pool,
        *(
            f"UPDATE counterfoil_log.events SET position = {p + 1} WHERE company = 1 AND position = {p}"
            for p in range(EVENTS, 4, -1)
        ),
        "INSERT INTO counterfoil_log.events SELECT company, 5, gen_random_uuid(), event_type, event_version, "
        "recorded_at, record_key, cause, trace, epoch, NULL, body, link "
        "FROM counterfoil_log.events WHERE company = 1 AND position = 4",
        "UPDATE counterfoil_log.heads SET position = 13 WHERE company = 1",
    )
    assert (1, 5, "changed") in found(await checked(log, pool, database))


async def test_two_events_swapped_are_found(log: OpenLog, pool: Pool, admin_pool: Pool, database: Database) -> None:
    await tamper(
        admin_pool,
        "UPDATE counterfoil_log.events SET position = 99 WHERE company = 1 AND position = 5",
        "UPDATE counterfoil_log.events SET position = 5 WHERE company = 1 AND position = 6",
        "UPDATE counterfoil_log.events SET position = 6 WHERE company = 1 AND position = 99",
    )
    assert {(1, 5, "changed"), (1, 6, "changed")} <= found(await checked(log, pool, database))


async def test_two_bodies_swapped_are_found(log: OpenLog, pool: Pool, admin_pool: Pool, database: Database) -> None:
    await tamper(
        admin_pool,
        "UPDATE counterfoil_log.events AS one SET body = other.body FROM counterfoil_log.events AS other "
        "WHERE one.company = 1 AND other.company = 1 AND one.position IN (5, 9) AND other.position = 14 - one.position",
    )
    assert {(1, 5, "changed"), (1, 9, "changed")} == found(await checked(log, pool, database))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE counterfoil_log.heads SET hash = sha256('x') WHERE company = 1", (1, 12, "head")),
        ("UPDATE counterfoil_log.heads SET position = 11 WHERE company = 1", (1, 12, "inserted")),
        ("UPDATE counterfoil_log.heads SET position = 14 WHERE company = 1", (1, 13, "missing")),
        ("DELETE FROM counterfoil_log.heads WHERE company = 1", (1, 0, "head")),
        ("DELETE FROM counterfoil_log.deliveries WHERE company = 1 AND position = 3", (1, 3, "delivery")),
        ("INSERT INTO counterfoil_log.deliveries VALUES (1, 'crm', 'later', 3)", (1, 3, "delivery")),
    ],
)
async def test_tampering_beside_the_events_is_found(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database, change: str, expected: tuple[int, int, str]
) -> None:
    await tamper(admin_pool, change)
    assert expected in found(await checked(log, pool, database))


async def truncate(admin_pool: Pool, position: int) -> None:
    """Cut company 1 back to a position, so that nothing in the database shows it."""
    await tamper(
        admin_pool,
        f"DELETE FROM counterfoil_log.events WHERE company = 1 AND position > {position}",
        f"DELETE FROM counterfoil_log.deliveries WHERE company = 1 AND position > {position}",
        "UPDATE counterfoil_log.heads AS head SET position = event.position, hash = event.link "
        "FROM counterfoil_log.events AS event "
        f"WHERE event.company = 1 AND head.company = 1 AND event.position = {position}",
    )


async def test_only_the_anchor_finds_a_truncation(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database, tmp_path: Path
) -> None:
    written = await write_anchor(log.reader, tmp_path / "anchor.json", KEY, SystemClock())
    anchor = await read_anchor(tmp_path / "anchor.json", KEY)
    assert written == anchor
    assert await compare_anchor(log.reader, anchor) == ()
    await truncate(admin_pool, 10)
    assert (await checked(log, pool, database)).intact
    assert [(f.company, f.position, f.kind) for f in await compare_anchor(log.reader, anchor)] == [(1, 12, "anchor")]


async def test_only_the_anchor_finds_a_chain_computed_anew(
    log: OpenLog, pool: Pool, admin_pool: Pool, database: Database, tmp_path: Path
) -> None:
    await write_anchor(log.reader, tmp_path / "anchor.json", KEY, SystemClock())
    events = await log.reader.read(1)
    link, statements = chain.genesis(1), list[str]()
    for event in events:
        forged = event._replace(body=b'{"number":0,"amount":"0"}') if event.position == 5 else event
        link = chain.link(link, event.position, chain.digest_of(forged))
        statements.append(
            f"UPDATE counterfoil_log.events SET body = '\\x{forged.body.hex()}', link = '\\x{link.hex()}' "
            f"WHERE company = 1 AND position = {event.position}"
        )
    statements.append(f"UPDATE counterfoil_log.heads SET hash = '\\x{link.hex()}' WHERE company = 1")
    await tamper(admin_pool, *statements)
    assert (await checked(log, pool, database)).intact
    faults = await compare_anchor(log.reader, await read_anchor(tmp_path / "anchor.json", KEY))
    assert [(fault.company, fault.position, fault.kind) for fault in faults] == [(1, 12, "anchor")]


async def test_a_log_that_went_on_fits_its_anchor(log: OpenLog, tmp_path: Path) -> None:
    await write_anchor(log.reader, tmp_path / "anchor.json", KEY, SystemClock())
    await log.writer.append(Append(1, [NewEvent(Noted(number=99))]))
    assert await compare_anchor(log.reader, await read_anchor(tmp_path / "anchor.json", KEY)) == ()


async def test_an_anchor_that_was_changed_is_refused(log: OpenLog, tmp_path: Path) -> None:
    path = tmp_path / "anchor.json"
    await write_anchor(log.reader, path, KEY, SystemClock())
    with pytest.raises(AnchorError, match="signature"):
        await read_anchor(path, OTHER_KEY)
    fields = orjson.loads(path.read_bytes())
    fields["heads"][0][1] = 10
    path.write_bytes(orjson.dumps(fields))
    with pytest.raises(AnchorError, match="signature"):
        await read_anchor(path, KEY)
    path.write_bytes(b"[]")
    with pytest.raises(AnchorError, match="not an anchor"):
        await read_anchor(path, KEY)
    with pytest.raises(AnchorError, match="cannot be read"):
        await read_anchor(tmp_path / "other.json", KEY)


async def test_an_export_holds_every_event_sealed_unless_asked(log: OpenLog) -> None:
    met = Met(person="crm:contact:1", email="ada@example.org")
    await log.writer.append(Append(1, [NewEvent(met)]))
    chunks: list[bytes] = []

    async def write(chunk: bytes) -> None:
        chunks.append(chunk)

    sealed = await export(log.reader, 1, write)
    again = await export(log.reader, 1, write)
    assert sealed == again
    lines = [orjson.loads(line) for line in chunks[0].splitlines()]
    assert [*range(1, EVENTS + 2)] == [line["position"] for line in lines]
    assert lines[4]["body"] == {"number": 5, "amount": "0"}
    assert b"ada@" not in chunks[0]
    chunks.clear()
    await export(log.reader, 1, write, after=EVENTS, unseal=log.codec)
    assert [orjson.loads(line)["body"]["email"] for line in chunks[0].splitlines()] == ["ada@example.org"]


async def test_an_erased_person_leaves_the_chain_intact(log: OpenLog, pool: Pool, database: Database) -> None:
    await log.writer.append(Append(1, [NewEvent(Met(person="crm:contact:1", email="ada@example.org"))]))
    await log.keyring.destroy(1, "crm:contact:1")
    assert (await checked(log, pool, database)).intact
