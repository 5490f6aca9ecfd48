"""Connections to Postgres, with everything that can go wrong on the way put into words."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from pydantic import SecretStr

from counterfoil.errors import ConfigurationError, CounterfoilError
from counterfoil.postgres.errors import (
    DatabaseMissingError,
    PostgresLoginError,
    PostgresTooOldError,
    PostgresUnreachableError,
)

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    # asyncpg's classes are generic in its stubs only.
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

OLDEST_SERVER = 15
CONNECT_SECONDS_MAX = 10.0
COMMAND_SECONDS_MAX = 60.0
# How long a server may take to start up, shut down or recover while we wait for it.
STARTING_SECONDS_MAX = 120.0
_STARTING_POLL_SECONDS = 0.1

# The connection broke or fell silent: what it carried may have happened or may yet happen.
LOST: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a DSN points, without its password."""

    user: str
    place: str
    database: str

    def __str__(self) -> str:
        return f"{self.database or 'the default database'} at {self.place}"


def reveal(dsn: SecretStr | str) -> str:
    """The DSN as the driver wants it."""
    return dsn.get_secret_value() if isinstance(dsn, SecretStr) else dsn


def describe_dsn(dsn: SecretStr | str) -> Target:
    """Where a DSN points, fit to be shown.

    Raises:
        ConfigurationError: not a `postgresql://` address.
    """
    try:
        parts = urlsplit(reveal(dsn))
        port = parts.port
    except ValueError:
        raise _not_an_address() from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise _not_an_address()
    query = parse_qs(parts.query)
    host = parts.hostname or (query.get("host") or ["the local socket"])[0]
    number = str(port) if port else (query.get("port") or ["5432"])[0]
    return Target(
        user=unquote(parts.username or "") or (query.get("user") or [""])[0],
        place=f"{unquote(host)}:{number}",
        database=unquote(parts.path.lstrip("/")) or (query.get("database") or query.get("dbname") or [""])[0],
    )


def _not_an_address() -> ConfigurationError:
    return ConfigurationError(
        "The Postgres address cannot be read.",
        remedy="It must look like postgresql://login:password@host:5432/database, "
        "with special characters in the password percent-encoded; see COUNTERFOIL_DSN and COUNTERFOIL_ADMIN_DSN, "
        "or the same in the configuration.",
    )


def translate(error: Exception, target: Target) -> CounterfoilError | None:
    """The error in words for people, or None for one that is not about reaching the database."""
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return PostgresLoginError(
                f"Postgres at {target.place} refuses the login {target.user!r} ({error}).",
                remedy="Check the login and password in the DSN, and the server's pg_hba.conf.",
            )
        case asyncpg.InvalidCatalogNameError():
            return DatabaseMissingError(
                f"Postgres at {target.place} has no database {target.database!r}.",
                remedy=f'Create it (CREATE DATABASE "{target.database}") or name another one in the DSN.',
            )
        case asyncpg.TooManyConnectionsError():
            return PostgresUnreachableError(
                f"Postgres at {target.place} has no free connection left ({error}).",
                remedy="Raise max_connections, or lower the size of the pools that use the server.",
            )
        case asyncpg.CannotConnectNowError():
            return PostgresUnreachableError(
                f"Postgres at {target.place} is up but not ready ({error}).",
                remedy="It is starting, recovering or shutting down; its own log says which. Try again later.",
            )
        case asyncpg.ClientConfigurationError():
            # The driver's text may quote the address, and the password with it.
            return _not_an_address()
        case TimeoutError():
            return PostgresUnreachableError(
                f"Postgres at {target.place} does not answer in time.",
                remedy="Check that the server runs and that no firewall drops the connection.",
            )
        case OSError() | asyncpg.ConnectionDoesNotExistError() | asyncpg.ConnectionFailureError():
            return PostgresUnreachableError(
                f"Nothing can be reached as Postgres at {target.place} ({_reason(error)}).",
                remedy="Check host and port in the DSN, and that the server runs.",
            )
        case _:
            return None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


async def connect(
    dsn: SecretStr | str,
    *,
    application_name: str = "counterfoil",
    connect_seconds_max: float = CONNECT_SECONDS_MAX,
    command_seconds_max: float | None = COMMAND_SECONDS_MAX,
    starting_seconds_max: float = STARTING_SECONDS_MAX,
) -> Connection:
    """One connection; a server that is starting or recovering is waited for.

    Raises:
        ConfigurationError: the DSN is none.
        PostgresUnreachableError, PostgresLoginError, DatabaseMissingError, PostgresTooOldError: see there.
    """
    target = describe_dsn(dsn)
    refusal: asyncpg.CannotConnectNowError | None = None
    try:
        async with asyncio.timeout(starting_seconds_max):
            while True:
                try:
                    connection = await asyncpg.connect(
                        reveal(dsn),
                        timeout=connect_seconds_max,
                        command_timeout=command_seconds_max,
                        server_settings={"application_name": application_name, "timezone": "UTC"},
                    )
                    break
                except asyncpg.CannotConnectNowError as error:
                    refusal = error
                    await asyncio.sleep(_STARTING_POLL_SECONDS)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        known = translate(refusal or error, target)
        if known is None:
            raise
        # The driver's own error may hold the address; the translation says all that it knew.
        raise known from None
    _refuse_old_server(connection, target)
    return connection


def _refuse_old_server(connection: Connection, target: Target) -> None:
    major = connection.get_server_version().major
    if major < OLDEST_SERVER:
        connection.terminate()
        raise PostgresTooOldError(
            f"Postgres at {target.place} is version {major}; Counterfoil needs {OLDEST_SERVER} or newer.",
            remedy="Upgrade the server, or leave COUNTERFOIL_DSN unset to use the embedded one.",
        )


@asynccontextmanager
async def connected(
    dsn: SecretStr | str,
    *,
    application_name: str = "counterfoil",
    command_seconds_max: float | None = COMMAND_SECONDS_MAX,
) -> AsyncGenerator[Connection]:
    """A connection for the length of a block; see `connect`."""
    connection = await connect(dsn, application_name=application_name, command_seconds_max=command_seconds_max)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)
