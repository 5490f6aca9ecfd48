"""The ground that all Postgres tests stand on."""

import asyncpg
import pytest

from counterfoil.postgres import Pool
from support.postgres import Database


async def test_the_pool_works_as_the_engine_and_nothing_else(pool: Pool, database: Database) -> None:
    row = await pool.fetchrow("SELECT session_user::text AS login, current_user::text AS role")
    assert row is not None
    assert (database.names.login, database.names.engine_role) == (row["login"], row["role"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("DELETE FROM counterfoil_log.migrations")


async def test_the_admin_pool_is_a_superuser(admin_pool: Pool) -> None:
    assert await admin_pool.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")


@pytest.mark.parametrize("run", [1, 2])
async def test_each_test_has_a_database_of_its_own(pool: Pool, run: int) -> None:
    await pool.execute("CREATE TABLE counterfoil_state.left_behind (run int)")


async def test_an_empty_database_has_none_of_our_schemas(empty_database: Database) -> None:
    connection = await asyncpg.connect(empty_database.admin_dsn.get_secret_value())
    try:
        found = await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'counterfoil%'")
    finally:
        await connection.close()
    assert found == 0
