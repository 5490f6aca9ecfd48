"""The Postgres to use: the one that settings name, or else the embedded one; migrated and ready either way."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from counterfoil.postgres.embedded import EmbeddedPostgres
from counterfoil.postgres.migrations import migrate
from counterfoil.postgres.names import Names
from counterfoil.postgres.pool import check_access


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A migrated database.

    Attributes:
        engine_dsn: for the engine's pool.
        admin_dsn: for migrations; the same one where there is no other.
        names: the names to use with it, after what the migrations found.
        applied: migrations applied just now.
        warnings: sentences for the operator.
        embedded: whether it is our own.
    """

    engine_dsn: SecretStr
    admin_dsn: SecretStr
    names: Names
    applied: tuple[str, ...]
    warnings: tuple[str, ...]
    embedded: bool


@asynccontextmanager
async def open_postgres(
    *,
    dsn: SecretStr | None,
    admin_dsn: SecretStr | None,
    home: Path,
    names: Names,
) -> AsyncGenerator[PostgresServer]:
    """A migrated database for the length of a block.

    Args:
        dsn: the engine's login on a Postgres 15 or newer (COUNTERFOIL_DSN); None for the embedded server.
        admin_dsn: a login for migrations on the same database (COUNTERFOIL_ADMIN_DSN); None to use `dsn`.
        home: folder of the embedded server.
        names: schemas and roles.

    Raises:
        ConfigurationError, PostgresError: see there.
    """
    if dsn is None:
        async with EmbeddedPostgres(home, names=names) as server:
            report = await server.prepare()
            yield PostgresServer(
                server.engine_dsn, server.admin_dsn, report.names, report.applied, report.warnings, embedded=True
            )
        return
    report = await migrate(admin_dsn or dsn, names)
    access = await check_access(dsn, report.names)
    warnings = tuple(dict.fromkeys((*report.warnings, *access.warnings)))
    yield PostgresServer(dsn, admin_dsn or dsn, report.names, report.applied, warnings, embedded=False)
