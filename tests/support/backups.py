"""Backing up a test's database and restoring it into an empty one, by Postgres' own programs, as the runbook does."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from counterfoil.postgres.binaries import find_binaries
from support.postgres import Database, Server, fresh_database

SCHEMAS = ("counterfoil_log", "counterfoil_state")


def needs_own_programs() -> None:
    """Skip where the programs at hand are of another release than the server."""
    if os.environ.get("COUNTERFOIL_TEST_DSN") or os.environ.get("COUNTERFOIL_TEST_MAJOR"):
        pytest.skip("the programs at hand are of another release than this server")


async def back_up(database: Database, to: Path) -> None:
    """Log, keys and rows, as the backup runbook says."""
    schemas = [f"--schema={one}" for one in SCHEMAS]
    await _run("pg_dump", "--format=custom", *schemas, f"--file={to}", database.admin_dsn.get_secret_value())


@asynccontextmanager
async def restored(server: Server, dump: Path) -> AsyncIterator[Database]:
    """An empty database into which a backup was restored, for the length of a block."""
    async with fresh_database(server, migrated=False) as database:
        whole = ("--exit-on-error", "--single-transaction")
        await _run("pg_restore", *whole, f"--dbname={database.admin_dsn.get_secret_value()}", str(dump))
        yield database


async def _run(program: str, *arguments: str) -> None:
    path = find_binaries().program(program)
    process = await asyncio.create_subprocess_exec(path, *arguments, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, errors.decode()
