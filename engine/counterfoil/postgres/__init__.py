"""Everything between the engine and Postgres that is not the log itself: servers, roles, migrations, pools."""

from counterfoil.postgres.access import AccessReport, describe_access
from counterfoil.postgres.connect import LOST, Connection, Pool, connect, connected, describe_dsn
from counterfoil.postgres.embedded import EmbeddedPostgres
from counterfoil.postgres.errors import (
    AccessError,
    DatabaseMissingError,
    EmbeddedPostgresError,
    EmbeddedUnavailableError,
    MigrationError,
    PostgresError,
    PostgresLoginError,
    PostgresTooOldError,
    PostgresUnreachableError,
)
from counterfoil.postgres.migrations import MigrationReport, migrate
from counterfoil.postgres.names import Names, load_query
from counterfoil.postgres.pool import PoolLimits, check_access, create_pool
from counterfoil.postgres.roles import ensure_login
from counterfoil.postgres.server import PostgresServer, open_postgres

__all__ = [
    "LOST",
    "AccessError",
    "AccessReport",
    "Connection",
    "DatabaseMissingError",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "EmbeddedUnavailableError",
    "MigrationError",
    "MigrationReport",
    "Names",
    "Pool",
    "PoolLimits",
    "PostgresError",
    "PostgresLoginError",
    "PostgresServer",
    "PostgresTooOldError",
    "PostgresUnreachableError",
    "check_access",
    "connect",
    "connected",
    "create_pool",
    "describe_access",
    "describe_dsn",
    "ensure_login",
    "load_query",
    "migrate",
    "open_postgres",
]
