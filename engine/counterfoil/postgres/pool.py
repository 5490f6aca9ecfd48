"""The engine's pool: every connection with time limits, a name, and the engine's role and no other."""

from contextlib import suppress
from dataclasses import dataclass

import asyncpg
from pydantic import SecretStr

from counterfoil.postgres.access import AccessReport, describe_access
from counterfoil.postgres.connect import (
    COMMAND_SECONDS_MAX,
    CONNECT_SECONDS_MAX,
    Connection,
    Pool,
    connected,
    describe_dsn,
    reveal,
    translate,
)
from counterfoil.postgres.errors import AccessError
from counterfoil.postgres.names import Names, load_query, quote_identifier

CONNECTIONS_MAX = 10
IDLE_SECONDS_MAX = 300.0
# A transaction left open holds back vacuum and slows every append.
IDLE_IN_TRANSACTION_MILLISECONDS = 60_000


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of a pool: numbers of connections, and seconds. `idle_seconds_max`: 0 keeps idle connections for ever."""

    connections_min: int = 1
    connections_max: int = CONNECTIONS_MAX
    connect_seconds_max: float = CONNECT_SECONDS_MAX
    command_seconds_max: float = COMMAND_SECONDS_MAX
    idle_seconds_max: float = IDLE_SECONDS_MAX


async def become_engine(connection: Connection, names: Names) -> None:
    """Make the connection act as the engine's role, where its login may and is not it already.

    A login that may not goes on as itself; `describe_access` says what it lacks or has too much of.
    """
    if await connection.fetchval(load_query("may_become", names), names.engine_role):
        # From release 16 on, a membership may bring the role's rights without the right to act as it.
        with suppress(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"SET ROLE {quote_identifier(names.engine_role)}")


async def _leave_as_it_is(_: Connection) -> None:
    """The driver's own reset costs a round trip for each statement.

    Nothing of ours that matters outlives its transaction: settings are local (but for those of the log's writer,
    which do no harm elsewhere), no cursor is held open, nobody listens; who takes a session's lock gives it back or
    ends the connection. An open transaction the driver still rolls back.
    """


async def create_pool(
    dsn: SecretStr | str,
    names: Names,
    *,
    application_name: str = "counterfoil",
    limits: PoolLimits = PoolLimits(),
) -> Pool:
    """A pool of connections acting as the engine's role, checked once; close it with `await pool.close()`.

    Raises:
        ConfigurationError, PostgresError: the database cannot be reached or used with this login.
    """
    await check_access(dsn, names, application_name=application_name)

    async def prepare(connection: Connection) -> None:
        await become_engine(connection, names)

    try:
        pool: Pool = await asyncpg.create_pool(
            reveal(dsn),
            min_size=limits.connections_min,
            max_size=limits.connections_max,
            timeout=limits.connect_seconds_max,
            command_timeout=limits.command_seconds_max,
            max_inactive_connection_lifetime=limits.idle_seconds_max,
            init=prepare,
            reset=_leave_as_it_is,
            server_settings={
                "application_name": application_name,
                "timezone": "UTC",
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MILLISECONDS),
            },
        )
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        known = translate(error, describe_dsn(dsn))
        if known is None:
            raise
        raise known from None
    return pool


async def check_access(dsn: SecretStr | str, names: Names, *, application_name: str = "counterfoil") -> AccessReport:
    """Connect once and look at what the engine would be able to do.

    Raises:
        AccessError: the login lacks something that the engine needs.
        ConfigurationError, PostgresError: the database cannot be reached.
    """
    async with connected(dsn, application_name=application_name) as connection:
        await become_engine(connection, names)
        report = await describe_access(connection, names)
    if report.missing:
        raise AccessError(f"The login {report.login!r} cannot run the engine.", remedy=" ".join(report.missing))
    return report
