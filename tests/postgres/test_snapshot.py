"""The snapshot is what the migrations add up to."""

from importlib import resources

import pytest

from support.catalogue import catalogue
from support.postgres import Database, Server, admin_connection, fresh_database


def read_snapshot() -> str:
    return resources.files("counterfoil_schema").joinpath("snapshot.sql").read_text(encoding="utf-8")


async def test_the_migrations_add_up_to_the_snapshot(database: Database, postgres_server: Server) -> None:
    async with admin_connection(database) as admin:
        migrated = await catalogue(admin)
    async with fresh_database(postgres_server, migrated=False) as other, admin_connection(other) as admin:
        async with admin.transaction():
            await admin.execute(read_snapshot())
        from_snapshot = await catalogue(admin)
    assert migrated["relations"]
    assert migrated["grants on relations"]
    for kind, lines in migrated.items():
        assert lines == from_snapshot[kind], f"{kind} differ: run `make snapshot`"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE counterfoil_log.migrations ADD COLUMN extra int",
        "CREATE INDEX ON counterfoil_log.migrations (name)",
        "GRANT INSERT ON counterfoil_log.migrations TO counterfoil_engine",
        "COMMENT ON TABLE counterfoil_log.migrations IS 'changed'",
        "ALTER TABLE counterfoil_log.migrations ALTER COLUMN name DROP NOT NULL",
        "CREATE FUNCTION counterfoil_log.extra() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER SCHEMA counterfoil_state OWNER TO counterfoil_owner",
    ],
)
async def test_the_comparison_sees_a_change(database: Database, change: str) -> None:
    async with admin_connection(database) as admin:
        before = await catalogue(admin)
        await admin.execute(change)
        assert before != await catalogue(admin)
