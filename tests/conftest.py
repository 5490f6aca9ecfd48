"""Fixtures that any test may use; the work behind them is in `support`."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from counterfoil.postgres import Pool, PoolLimits, create_pool
from support.postgres import Database, Server, fresh_database, running_server

# The same examples on every machine, however slow it is; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("repeat", settings.get_profile("search"), derandomize=True)
settings.load_profile("repeat")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One real Postgres for the whole session."""
    with running_server(tmp_path_factory.mktemp("postgres") / "home") as server:
        yield server


@pytest.fixture
async def database(postgres_server: Server) -> AsyncIterator[Database]:
    """A fresh migrated database; dropped afterwards, whoever is still connected."""
    async with fresh_database(postgres_server) as fresh:
        yield fresh


@pytest.fixture
async def empty_database(postgres_server: Server) -> AsyncIterator[Database]:
    """A fresh database without any of our schemas."""
    async with fresh_database(postgres_server, migrated=False) as fresh:
        yield fresh


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """Connections as the engine has them: its login, its role, its time limits."""
    engine_pool = await create_pool(
        database.engine_dsn,
        database.names,
        application_name="counterfoil tests",
        limits=PoolLimits(connections_min=0, connections_max=40),
    )
    try:
        yield engine_pool
    finally:
        engine_pool.terminate()


@pytest.fixture
async def admin_pool(database: Database) -> AsyncIterator[Pool]:
    """Connections as superuser, for looking and for tampering."""
    async with asyncpg.create_pool(
        database.admin_dsn.get_secret_value(), min_size=0, max_size=10, command_timeout=60
    ) as superuser_pool:
        yield superuser_pool


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted for people to read: their properties called `table`."""
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == "table":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(text))
