"""What can be wrong with Postgres, told to people.

CounterfoilError
└── PostgresError
    ├── PostgresUnreachableError     nothing answers, or it answers too late
    ├── PostgresLoginError           wrong password, unknown login, refused by pg_hba.conf
    ├── DatabaseMissingError         the server has no such database
    ├── PostgresTooOldError          older than 15
    ├── AccessError                  the login lacks a privilege that it cannot do without
    ├── MigrationError               a migration failed, was changed after the fact, or is unknown
    └── EmbeddedPostgresError        the embedded server cannot be started, used or stopped
        └── EmbeddedUnavailableError   there is none for this platform
"""

from counterfoil.errors import CounterfoilError


class PostgresError(CounterfoilError):
    """The database cannot be used as it is."""


class PostgresUnreachableError(PostgresError):
    """Nothing answers at the address, or not in time."""


class PostgresLoginError(PostgresError):
    """The server refuses the login."""


class DatabaseMissingError(PostgresError):
    """The server has no database of that name."""


class PostgresTooOldError(PostgresError):
    """The server is older than the oldest supported release."""


class AccessError(PostgresError):
    """The login lacks a privilege that it cannot do without."""


class MigrationError(PostgresError):
    """A migration failed, was changed after it was applied, or comes from a newer release."""


class EmbeddedPostgresError(PostgresError):
    """The embedded server cannot be started, used or stopped."""


class EmbeddedUnavailableError(EmbeddedPostgresError):
    """There are no embedded binaries for this platform."""
