"""`counterfoil migrate` as processes: several at once, and with a login that may do little."""

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from counterfoil.postgres.migrations import shipped_migrations
from support.cli import COMMAND, environment_of, run_cli
from support.postgres import Database, admin_connection

pytestmark = pytest.mark.slow

STARTERS = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counterfoil.toml").write_text('prefix = "starting"\n', encoding="utf-8")
    return tmp_path


@pytest.fixture
async def little(empty_database: Database) -> AsyncIterator[str]:
    """A login that may create schemas in the database, and no roles."""
    login = f"little_{empty_database.name}"
    async with admin_connection(empty_database) as admin:
        await admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'little'")
        await admin.execute(f"GRANT CREATE ON DATABASE {empty_database.name} TO {login}")
        try:
            yield login
        finally:
            await admin.execute(f"DROP OWNED BY {login} CASCADE")
            await admin.execute(f"DROP ROLE {login}")


@pytest.fixture
async def no_roles(empty_database: Database) -> AsyncIterator[None]:
    """What is made of roles goes again: they belong to the server, not to the database."""
    yield
    async with admin_connection(empty_database) as admin:
        for role in ("starting_engine", "starting_owner"):
            if await admin.fetchval("SELECT to_regrole($1) IS NOT NULL", role):
                await admin.execute(f"DROP OWNED BY {role} CASCADE")
                await admin.execute(f"DROP ROLE {role}")


@pytest.mark.usefixtures("no_roles")
def test_starters_at_once_apply_each_migration_once(folder: Path, empty_database: Database) -> None:
    environment = environment_of({"COUNTERFOIL_DSN": empty_database.admin_dsn.get_secret_value()})
    starters = [
        subprocess.Popen(
            [*COMMAND, "migrate", "--json"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(STARTERS)
    ]
    ended = [starter.communicate(timeout=120) for starter in starters]

    assert [starter.returncode for starter in starters] == [0] * STARTERS, ended
    applied = [name for out, _ in ended for name in json.loads(out)["applied"]]
    assert sorted(applied) == [migration.name for migration in shipped_migrations()]
    again = run_cli("migrate", cwd=folder, environment=environment)
    assert again.code == 0, again.said
    assert "Nothing to apply: up to date." in again.out


def test_a_login_that_may_create_no_roles_is_told_what_it_loses(
    folder: Path, empty_database: Database, little: str
) -> None:
    environment = {"COUNTERFOIL_DSN": empty_database.login_dsn(little, "little").get_secret_value()}

    told = run_cli("migrate", cwd=folder, environment=environment)
    later = run_cli("migrate", "--json", cwd=folder, environment=environment)

    assert told.code == 0, told.said
    assert "Mind: " in told.out
    assert "append-only by trigger alone" in told.out
    assert later.code == 0
    assert later.json()["applied"] == []
    assert "append-only by trigger alone" in later.json()["warnings"][0]
