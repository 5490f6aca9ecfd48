"""Schema changes: plain SQL files in order, each in one transaction, safe for any number of starters at once.

A file is called `NNNN_what_it_does.sql` and never changes once released. It runs as the owner's role; a first line
`-- runs as: engine` or `-- runs as: admin` says otherwise, and `SET LOCAL ROLE` changes it within the file.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Final

import asyncpg
from pydantic import SecretStr

from counterfoil.postgres.connect import Connection, connected
from counterfoil.postgres.errors import AccessError, MigrationError, PostgresError
from counterfoil.postgres.names import Names, load_query, quote_identifier
from counterfoil.postgres.roles import RolePlan, plan_roles

STATEMENT_SECONDS_MAX: Final = 3600.0
# Others may be migrating; a starter waits so long for them and then says so.
LOCK_SECONDS_MAX: Final = 300
_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_RUNS_AS = re.compile(r"-- runs as: (owner|engine|admin)\s*\n")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name with number and without suffix, its SQL under the default names."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the file as released, whatever names it is applied under."""
        return hashlib.sha256(self.sql.encode()).digest()

    @property
    def runs_as(self) -> str:
        """`owner`, `engine` or `admin`."""
        match = _RUNS_AS.match(self.sql)
        return match[1] if match else "owner"


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a run did.

    Attributes:
        names: the names to go on with; `only_role` is set where roles could not be created.
        applied: names of the migrations applied by this run, in order.
        warnings: sentences for the operator.
    """

    names: Names
    applied: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def shipped_migrations() -> tuple[Migration, ...]:
    """All migrations of this release, in order.

    Raises:
        MigrationError: a file is misnamed or a number is used twice; a fault of the release.
    """
    folder = resources.files("counterfoil_schema").joinpath("migrations")
    found: dict[int, Migration] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        match = _FILE.fullmatch(file.name)
        if match is None or int(match[1]) in found:
            raise MigrationError(f"The migration file {file.name} has no number of its own.")
        number = int(match[1])
        found[number] = Migration(number, file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
    return tuple(found.values())


def pending(
    migrations: Sequence[Migration], applied: Mapping[int, tuple[str, bytes]]
) -> tuple[list[Migration], list[str]]:
    """What is still to be applied, and warnings, given (name, checksum) of what was applied, by number.

    Raises:
        MigrationError: an applied migration differs from the file of its number, or another line of releases was here.
    """
    todo: list[Migration] = []
    for migration in migrations:
        if migration.number not in applied:
            todo.append(migration)
            continue
        name, checksum = applied[migration.number]
        if checksum != migration.checksum:
            raise MigrationError(
                f"Migration {name} was changed after it was applied to this database.",
                remedy="Install the release whose files this database was made with, or put the file back as it was.",
            )
    known = {migration.number for migration in migrations}
    newer = [name for number, (name, _) in sorted(applied.items()) if number not in known]
    if newer and todo:
        raise MigrationError(
            f"This database has the migration {newer[0]}, which this release does not know, but lacks {todo[0].name}.",
            remedy="It was migrated by another line of releases; install the newest one.",
        )
    if newer:
        return todo, [f"This database was migrated by a newer release ({', '.join(newer)})."]
    return todo, []


async def migrate(
    admin_dsn: SecretStr | str, names: Names, *, migrations: Sequence[Migration] | None = None
) -> MigrationReport:
    """Bring the database up to this release; finds nothing to do if it is.

    Args:
        admin_dsn: a login that may create schemas and, for the whole of the protection, roles.
        names: schemas and roles to use.
        migrations: those to apply instead of the shipped ones.

    Raises:
        AccessError: the login may not do what is needed.
        MigrationError: see there.
        PostgresError: the database cannot be reached or used.
    """
    files = shipped_migrations() if migrations is None else migrations
    done: list[str] = []
    async with connected(
        admin_dsn, application_name="counterfoil migrate", command_seconds_max=STATEMENT_SECONDS_MAX
    ) as connection:
        while True:
            try:
                async with connection.transaction():
                    plan, name, warnings = await _apply_next(connection, names, files)
            except asyncpg.LockNotAvailableError as error:
                raise MigrationError(
                    f"Another process has been migrating this database for more than {LOCK_SECONDS_MAX} s.",
                    remedy="Wait for it, or look for it in pg_stat_activity as 'counterfoil migrate'.",
                ) from error
            except asyncpg.InsufficientPrivilegeError as error:
                raise _no_access(error, names) from error
            if name is None:
                return MigrationReport(plan.names, tuple(done), (*plan.warnings, *warnings))
            done.append(name)


def _no_access(error: asyncpg.InsufficientPrivilegeError, names: Names) -> PostgresError:
    return AccessError(
        f"The login may not read or migrate the schema {names.log_schema} ({error}).",
        remedy="Run the migrations with an administrator's login (COUNTERFOIL_ADMIN_DSN), and make the engine's "
        f"login a member: GRANT {quote_identifier(names.engine_role)} TO ...",
    )


async def _apply_next(
    connection: Connection, names: Names, migrations: Sequence[Migration]
) -> tuple[RolePlan, str | None, list[str]]:
    """Apply the first pending migration inside the caller's transaction; its name, or None if there is none.

    The lock ends with the transaction, so that it also holds through a pooler that shares connections.
    """
    await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS_MAX}s'")
    await connection.execute(load_query("migrations_lock", names), names.log_schema)
    plan = await plan_roles(connection, names)
    todo, warnings = pending(migrations, await _applied(connection, names))
    if not todo:
        return plan, None, warnings
    migration = todo[0]
    roles = {"owner": plan.names.owner_role, "engine": plan.names.engine_role}
    try:
        if migration.runs_as != "admin":
            await connection.execute(f"SET LOCAL ROLE {quote_identifier(roles[migration.runs_as])}")
        await connection.execute(plan.names.apply(migration.sql))
    except asyncpg.InsufficientPrivilegeError:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(
            f"Migration {migration.name} failed ({error}); nothing of it was kept.",
            remedy="The server's log has the statement; the migrations before it stay applied.",
        ) from error
    await connection.execute(f"SET LOCAL ROLE {quote_identifier(plan.names.owner_role)}")
    await connection.execute(
        load_query("migrations_insert", names), migration.number, migration.name, migration.checksum
    )
    return plan, migration.name, warnings


async def _applied(connection: Connection, names: Names) -> dict[int, tuple[str, bytes]]:
    if await connection.fetchval("SELECT to_regclass($1)", f"{names.log_schema}.migrations") is None:
        return {}
    rows = await connection.fetch(load_query("migrations_applied", names))
    return {row["number"]: (row["name"], row["checksum"]) for row in rows}
