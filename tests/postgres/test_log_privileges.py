"""Append-only by privilege for the engine, and by trigger for the owner; hot reads use their indexes."""

import asyncpg
import pytest

from counterfoil.log import Append, NewEvent
from counterfoil.postgres import Pool, load_query
from counterfoil.testing.log_contract import Noted
from support.logs import open_log
from support.postgres import Database

TABLES = ["events", "events_00", "events_15", "heads", "deliveries", "leases"]
CHANGES = [
    "INSERT INTO counterfoil_log.{} SELECT * FROM counterfoil_log.{}",
    "UPDATE counterfoil_log.{} SET company = 1",
    "DELETE FROM counterfoil_log.{}",
    "TRUNCATE counterfoil_log.{}",
    "DROP TABLE counterfoil_log.{}",
    "ALTER TABLE counterfoil_log.{} DISABLE TRIGGER ALL",
]
PROTECTED = ["events", *(f"events_{number:02}" for number in range(16)), "deliveries"]


@pytest.mark.parametrize("table", TABLES)
async def test_the_engine_may_only_read(pool: Pool, table: str) -> None:
    await pool.fetch(f"SELECT * FROM counterfoil_log.{table}")
    for change in CHANGES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(change.format(table, table))


async def test_the_engine_may_create_nothing_beside_the_log(pool: Pool) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("CREATE TABLE counterfoil_log.other (x integer)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("CREATE OR REPLACE FUNCTION counterfoil_log.genesis(bigint) RETURNS bytea RETURN 'x'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("SET session_replication_role = replica")


@pytest.mark.parametrize("table", PROTECTED)
async def test_a_trigger_stops_the_owner(admin_pool: Pool, database: Database, table: str) -> None:
    async with admin_pool.acquire() as connection:
        await connection.execute(f"SET ROLE {database.names.owner_role}")
        for change in (
            f"UPDATE counterfoil_log.{table} SET company = 1",
            f"DELETE FROM counterfoil_log.{table}",
            f"TRUNCATE counterfoil_log.{table}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="the log is append-only"):
                await connection.execute(change)


async def test_nobody_else_may_call_the_functions(admin_pool: Pool) -> None:
    allowed = await admin_pool.fetch(
        "SELECT proname FROM pg_proc AS p CROSS JOIN aclexplode(p.proacl) AS a "
        "WHERE pronamespace = 'counterfoil_log'::regnamespace AND prosecdef AND a.grantee = 0"
    )
    assert allowed == []


async def test_functions_with_the_owners_rights_have_a_fixed_search_path(admin_pool: Pool) -> None:
    rows = await admin_pool.fetch(
        "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'counterfoil_log'::regnamespace AND prosecdef"
    )
    assert len(rows) == 5
    paths = [setting for row in rows for setting in row["proconfig"] if setting.startswith("search_path=")]
    assert paths == ["search_path=pg_catalog, pg_temp"] * 5


async def test_every_table_declares_its_class(admin_pool: Pool) -> None:
    rows = await admin_pool.fetch(
        "SELECT relname, split_part(obj_description(oid, 'pg_class'), ':', 1) AS class FROM pg_class "
        "WHERE relnamespace = 'counterfoil_log'::regnamespace AND relkind IN ('r', 'p')"
    )
    assert {"events", "heads", "deliveries", "leases"} <= {row["relname"] for row in rows}
    assert {"log", "operational"} == {row["class"] for row in rows}


async def plan(pool: Pool, query: str, *arguments: object) -> str:
    rows = await pool.fetch(f"EXPLAIN (COSTS OFF) {query}", *arguments)
    return "\n".join(row[0] for row in rows)


async def test_hot_reads_use_their_index(pool: Pool, admin_pool: Pool, database: Database) -> None:
    async with open_log(pool, database.names) as log:
        for company in range(1, 6):
            for piece in range(10):
                numbers = range(piece * 1000, piece * 1000 + 1000)
                await log.writer.append(
                    Append(company, [NewEvent(Noted(number=n), record_key=f"crm:deal:{n % 500}") for n in numbers])
                )
    await admin_pool.execute("VACUUM ANALYZE counterfoil_log.events")
    names = database.names
    for query, arguments, index in [
        ("log_read", (3, 5000, 100), "_pkey on events_"),
        ("log_read_many", (3, [17, 4711]), "_pkey on events_"),
        ("log_timeline", (3, "crm:deal:77", 0, 100), "_company_record_key_position_idx on events_"),
        ("log_heads_of", ([3],), "heads"),
    ]:
        found = await plan(pool, load_query(query, names), *arguments)
        assert index in found, found
        if "events" in index:
            assert "Seq Scan" not in found, found
            assert found.count("Scan") == 1, found
    guard = (
        "SELECT event.position FROM counterfoil_log.events AS event WHERE event.company = $1 "
        "AND event.record_key = $2 AND event.position > $3 ORDER BY event.position DESC LIMIT 1"
    )
    found = await plan(pool, guard, 3, "crm:deal:77", 5000)
    assert "_company_record_key_position_idx on events_" in found, found
