"""The ground that all Postgres tests stand on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from counterfoil.dispatch.sweeping import SWEEP
from counterfoil.dispatch.watched import BOOKS
from counterfoil.postgres import Pool
from counterfoil.state.store import PostgresStateStore
from support.postgres import Database
from support.running import Rest
from support.sales import Sales
from support.shelf import Shelf


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


async def test_what_nobody_has_read_from_the_shelf_is_not_done(pool: Pool, database: Database, tmp_path: Path) -> None:
    """Else a test on a busy machine goes on before the engine has begun."""
    sales = Sales(Shelf(tmp_path))
    sales.open(customers=1, products=1, orders=0)
    store = PostgresStateStore(pool, database.names)

    async def head() -> int:
        return 0

    async def read_up_to(kind: str, cursor: str) -> None:
        await store.execute("save_cursor", 1, "shelf", kind, cursor, datetime.now(UTC))

    # The books are swept as if for ever; nothing waits, and nothing moves.
    swept = datetime.now(UTC) + timedelta(days=1)
    await store.execute("save_cursor", 1, BOOKS, SWEEP, swept.isoformat(), datetime.now(UTC))
    rest = Rest(store, sales.shelf, head)
    with pytest.raises(TimeoutError):
        await rest.reached(still_seconds=0, give_up_seconds=1)
    await read_up_to("customer", "1")
    with pytest.raises(TimeoutError):
        await rest.reached(still_seconds=0, give_up_seconds=1)
    await read_up_to("product", "1")
    await rest.reached(still_seconds=0, give_up_seconds=60)
