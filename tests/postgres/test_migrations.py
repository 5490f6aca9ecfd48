"""Migrations: in order, once, whole or not at all, by any number of starters, under any names and with few rights."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.postgres import (
    AccessError,
    MigrationError,
    Names,
    connected,
    create_pool,
    describe_access,
    ensure_login,
    load_query,
    migrate,
)
from counterfoil.postgres.migrations import Migration, pending, shipped_migrations
from support.postgres import Database, Server, admin_connection, fresh_database

FIRST = shipped_migrations()[0]
SECOND = Migration(2, "0002_second", "CREATE TABLE counterfoil_log.second (n int)")
THIRD = Migration(3, "0003_third", "-- runs as: engine\nCREATE TABLE counterfoil_state.third (n int)")


@pytest.fixture
async def few_rights(postgres_server: Server, empty_database: Database) -> AsyncIterator[str]:
    """A login that owns nothing and may create schemas in one database, but no roles."""
    login = f"few_{empty_database.name}"
    async with admin_connection(empty_database) as admin:
        await admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'few'")
        await admin.execute(f"GRANT CREATE ON DATABASE {empty_database.name} TO {login}")
    yield login
    async with admin_connection(empty_database) as admin:
        await admin.execute(f"DROP OWNED BY {login} CASCADE")
        await admin.execute(f"DROP ROLE {login}")


def test_the_shipped_files_are_numbered_without_gaps_and_named_after_what_they_do() -> None:
    numbers = [migration.number for migration in shipped_migrations()]
    assert numbers[0] == 1
    assert all(second == first + 1 for first, second in pairwise(numbers))
    for migration in shipped_migrations():
        assert migration.name.startswith(f"{migration.number:04d}_")
        assert "commit" not in migration.sql.lower().replace("on commit", "")


async def test_a_second_run_finds_nothing_to_do(empty_database: Database) -> None:
    first = await migrate(empty_database.admin_dsn, empty_database.names)
    second = await migrate(empty_database.admin_dsn, empty_database.names)
    assert [migration.name for migration in shipped_migrations()] == list(first.applied)
    assert (second.applied, second.warnings) == ((), ())


async def test_starters_at_once_apply_each_migration_once(empty_database: Database) -> None:
    reports = await asyncio.gather(*(migrate(empty_database.admin_dsn, empty_database.names) for _ in range(8)))
    applied = [name for report in reports for name in report.applied]
    assert [migration.name for migration in shipped_migrations()] == sorted(applied)


async def test_databases_of_one_server_migrate_at_once(postgres_server: Server) -> None:
    names = Names("at_once")
    async with (
        fresh_database(postgres_server, migrated=False) as one,
        fresh_database(postgres_server, migrated=False) as two,
        fresh_database(postgres_server, migrated=False) as three,
    ):
        reports = await asyncio.gather(*(migrate(database.admin_dsn, names) for database in (one, two, three)))
    assert {len(shipped_migrations())} == {len(report.applied) for report in reports}


async def test_a_failing_migration_leaves_nothing_of_itself_and_all_before_it(empty_database: Database) -> None:
    broken = Migration(3, "0003_broken", "CREATE TABLE counterfoil_log.half (n int); SELECT 1 / 0")
    with pytest.raises(MigrationError, match="0003_broken failed"):
        await migrate(empty_database.admin_dsn, empty_database.names, migrations=[FIRST, SECOND, broken])
    async with admin_connection(empty_database) as admin:
        assert await admin.fetchval("SELECT to_regclass('counterfoil_log.second')") == "counterfoil_log.second"
        assert await admin.fetchval("SELECT to_regclass('counterfoil_log.half')") is None
    repaired = await migrate(empty_database.admin_dsn, empty_database.names, migrations=[FIRST, SECOND, THIRD])
    assert repaired.applied == ("0003_third",)


async def test_a_file_changed_after_the_fact_is_refused_by_name(empty_database: Database) -> None:
    await migrate(empty_database.admin_dsn, empty_database.names, migrations=[FIRST, SECOND])
    changed = Migration(2, "0002_second", SECOND.sql + " ")
    with pytest.raises(MigrationError, match="0002_second was changed") as caught:
        await migrate(empty_database.admin_dsn, empty_database.names, migrations=[FIRST, changed])
    assert caught.value.remedy


def test_a_newer_database_gives_a_warning_and_one_from_another_line_an_error() -> None:
    applied = {number: (f"000{number}_x", bytes([number])) for number in (1, 3)}
    one = Migration(1, "0001_x", "")
    applied[1] = ("0001_x", one.checksum)
    todo, warnings = pending([one], applied)
    assert todo == []
    assert len(warnings) == 1
    assert "0003_x" in warnings[0]
    with pytest.raises(MigrationError, match="does not know"):
        pending([one, Migration(2, "0002_x", "")], applied)


async def test_owners_are_the_two_roles_and_the_engine_may_not_touch_the_log(empty_database: Database) -> None:
    await migrate(empty_database.admin_dsn, empty_database.names, migrations=[FIRST, SECOND, THIRD])
    async with admin_connection(empty_database) as admin:
        owners = await admin.fetch(
            "SELECT c.oid::regclass::text AS name, r.rolname::text AS owner FROM pg_class c "
            "JOIN pg_roles r ON r.oid = c.relowner WHERE c.relname IN ('second', 'third', 'migrations')"
        )
        assert {row["name"]: row["owner"] for row in owners} == {
            "counterfoil_log.migrations": "counterfoil_owner",
            "counterfoil_log.second": "counterfoil_owner",
            "counterfoil_state.third": "counterfoil_engine",
        }
        await ensure_login(admin, empty_database.names, empty_database.names.login, postgres_password(empty_database))
    async with connected(empty_database.engine_dsn) as engine:
        await engine.execute("INSERT INTO counterfoil_state.third VALUES (1)")
        for statement in (
            "INSERT INTO counterfoil_log.second VALUES (1)",
            "CREATE TABLE counterfoil_log.mine (n int)",
            "DROP TABLE counterfoil_log.second",
            "SET ROLE counterfoil_owner",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await engine.execute(statement)


def postgres_password(database: Database) -> str | None:
    return database.server.password or None


async def test_several_installations_share_a_database_under_names_of_their_own(empty_database: Database) -> None:
    await migrate(empty_database.admin_dsn, Names())
    report = await migrate(empty_database.admin_dsn, Names("books_two"))
    assert len(shipped_migrations()) == len(report.applied)
    async with admin_connection(empty_database) as admin:
        schemas = await admin.fetch("SELECT nspname::text AS name FROM pg_namespace WHERE nspname ~ '^(books|counter)'")
        assert {"counterfoil_log", "counterfoil_state", "books_two_log", "books_two_state"} == {
            row["name"] for row in schemas
        }
        foreign = await admin.fetch(
            "SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname LIKE 'books_two%' AND p.prosrc LIKE '%counterfoil\\_%'"
        )
        assert [row["name"] for row in foreign] == []


async def test_a_login_that_may_create_roles_needs_not_be_superuser(empty_database: Database) -> None:
    login = f"maker_{empty_database.name}"
    names = Names(f"made_{empty_database.name}")
    async with admin_connection(empty_database) as admin:
        await admin.execute(f"CREATE ROLE {login} LOGIN CREATEROLE PASSWORD 'maker'")
        await admin.execute(f"GRANT CREATE ON DATABASE {empty_database.name} TO {login}")
        try:
            dsn = empty_database.login_dsn(login, "maker")
            report = await migrate(dsn, names)
            assert (report.warnings, report.names.degraded) == ((), False)
            async with connected(dsn) as connection:
                await ensure_login(connection, names, f"{login}_engine", "engine")
            engine_pool = await create_pool(empty_database.login_dsn(f"{login}_engine", "engine"), names)
            try:
                assert names.engine_role == await engine_pool.fetchval("SELECT current_user::text")
            finally:
                engine_pool.terminate()
        finally:
            for role in (names.engine_role, names.owner_role, f"{login}_engine", login):
                if await admin.fetchval("SELECT to_regrole($1) IS NOT NULL", role):
                    await admin.execute(f"DROP OWNED BY {role} CASCADE")
            for role in (f"{login}_engine", names.engine_role, names.owner_role, login):
                await admin.execute(f"DROP ROLE IF EXISTS {role}")


async def test_a_login_that_may_not_create_roles_works_and_is_told_what_it_loses(
    empty_database: Database, few_rights: str
) -> None:
    dsn = empty_database.login_dsn(few_rights, "few")
    names = Names(f"few_{empty_database.name}_x")
    report = await migrate(dsn, names)
    assert report.names.degraded
    assert few_rights == report.names.owner_role == report.names.engine_role
    assert len(report.warnings) == 1
    assert "append-only by trigger alone" in report.warnings[0]
    assert report.names == (await migrate(dsn, names)).names
    pool = await create_pool(dsn, report.names)
    try:
        async with pool.acquire() as connection:
            access = await describe_access(connection, report.names)
    finally:
        await pool.close()
    assert access.missing == ()
    assert "append-only by trigger alone" in access.warnings[0]
    # Whoever migrates later with more rights keeps to what is there.
    assert report.names == (await migrate(empty_database.admin_dsn, names)).names


async def test_a_login_that_may_not_create_schemas_is_told_the_statement(
    empty_database: Database, few_rights: str
) -> None:
    async with admin_connection(empty_database) as admin:
        await admin.execute(f"REVOKE CREATE ON DATABASE {empty_database.name} FROM {few_rights}")
    with pytest.raises(AccessError) as caught:
        await migrate(empty_database.login_dsn(few_rights, "few"), Names())
    assert f"GRANT CREATE ON DATABASE {empty_database.name} TO {few_rights}" == caught.value.remedy


async def test_a_pool_of_a_stranger_is_refused_with_the_statement_that_helps(
    database: Database, postgres_server: Server
) -> None:
    login = f"stranger_{database.name}"
    async with admin_connection(database) as admin:
        await admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'stranger'")
        try:
            with pytest.raises(AccessError) as caught:
                await create_pool(database.login_dsn(login, "stranger"), database.names)
            assert f"GRANT counterfoil_engine TO {login}" in caught.value.remedy
            with pytest.raises(AccessError, match="may not read or migrate"):
                await migrate(database.login_dsn(login, "stranger"), database.names)
        finally:
            await admin.execute(f"DROP ROLE {login}")


async def test_the_engine_login_finds_nothing_to_migrate_and_no_fault(database: Database) -> None:
    report = await migrate(database.engine_dsn, database.names)
    assert (report.applied, report.warnings, report.names.degraded) == ((), (), False)


async def test_a_superuser_as_engine_is_warned_about(database: Database) -> None:
    async with admin_connection(database) as admin:
        access = await describe_access(admin, database.names)
    assert "superuser" in access.warnings[0]


async def test_the_engine_has_neither_too_little_nor_too_much(database: Database) -> None:
    async with connected(database.engine_dsn) as engine:
        access = await describe_access(engine, database.names)
    assert (access.missing, access.warnings) == ((), ())


async def test_every_table_declares_its_class(database: Database) -> None:
    async with admin_connection(database) as admin:
        rows = await admin.fetch(
            "SELECT c.oid::regclass::text AS name, obj_description(c.oid) AS comment FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE 'counterfoil%' "
            "AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
    assert len(rows) > 0
    classes = ("log:", "keys:", "projection:", "operational:")
    assert [row["name"] for row in rows if not (row["comment"] or "").startswith(classes)] == []


@pytest.mark.parametrize("prefix", ["", "1st", "with-dash", "Upper", "x" * 41, "a b", 'quo"te'])
def test_a_prefix_that_is_no_identifier_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        Names(prefix)


def test_names_replace_whole_words_only() -> None:
    sql = "counterfoil_log.heads counterfoil_owner counterfoil_ownership my_counterfoil_log 'counterfoil_engine'"
    assert Names("a").apply(sql) == "a_log.heads a_owner counterfoil_ownership my_counterfoil_log 'a_engine'"
    odd = Names("a").with_only_role("Some-Body")
    assert odd.apply("GRANT x TO counterfoil_engine") == 'GRANT x TO "Some-Body"'


def test_a_query_that_is_not_there_is_the_callers_fault() -> None:
    with pytest.raises(LookupError):
        load_query("no_such_query", Names())
    with pytest.raises(LookupError):
        load_query("../migrations/0001_roles_and_schemas", Names())
