"""Owner, engine and login: who may do what, and what is lost where roles may not be created."""

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import asyncpg

from counterfoil.postgres.connect import Connection
from counterfoil.postgres.errors import AccessError
from counterfoil.postgres.names import Names, load_query, quote_identifier

SCRAM_ITERATIONS: Final = 4096
SALT_BYTES: Final = 16
WITHOUT_ROLES: Final = (
    "This login may not create roles, so it is owner of the log and engine in one. Lost: the log is append-only by "
    "trigger alone and no longer by privilege, because an owner may disable its triggers; and a fault in the engine "
    "could reach the log's tables directly. To have both, let a database administrator run the migrations "
    "(COUNTERFOIL_ADMIN_DSN) with a login that may create roles."
)


@dataclass(frozen=True, slots=True)
class RolePlan:
    """Which names a migration is to use, and what has to be said about it."""

    names: Names
    warnings: tuple[str, ...]


async def plan_roles(connection: Connection, names: Names) -> RolePlan:
    """Find out or decide whether owner and engine are roles of their own or one login.

    Raises:
        AccessError: the schemas do not exist yet and the login may not create them.
    """
    row = await connection.fetchrow(
        load_query("role_situation", names),
        names.owner_role,
        names.engine_role,
        names.log_schema,
        names.state_schema,
    )
    if row is None:
        raise AssertionError("a query without FROM always returns a row")
    login, owner = row["login"], row["log_owner"]
    if not row["schemas_exist"] and not row["may_create_schemas"]:
        raise AccessError(
            f"The login {login!r} may not create schemas in database {row['database']!r}.",
            remedy=f"GRANT CREATE ON DATABASE {quote_identifier(row['database'])} TO {quote_identifier(login)}",
        )
    if owner is None and (row["may_create_roles"] or row["member_of_both"]):
        return RolePlan(names, ())
    if owner == names.owner_role:
        return RolePlan(names, ())
    # Set up without roles once, it stays so: the schema's owner goes on standing in for both.
    return RolePlan(names.with_only_role(owner or login), (WITHOUT_ROLES,))


def scram_verifier(password: str, salt: bytes) -> str:
    """What Postgres keeps of a password (RFC 5803, RFC 7677); the password must be ASCII.

    Raises:
        AccessError: other characters, which would have to be normalised first.
    """
    if not password.isascii():
        raise AccessError("The engine login's password has characters beyond ASCII.", remedy="Choose another one.")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (
        base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client_key).digest(), server_key)
    )
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{salt_text}${stored_text}:{server_text}"


async def ensure_login(connection: Connection, names: Names, login: str, password: str | None = None) -> None:
    """Make `login` a login that is a member of the engine's role and of nothing else; safe to repeat.

    Raises:
        AccessError: the connection's login may not create or change it.
    """
    name = quote_identifier(login)
    try:
        async with connection.transaction():
            await connection.execute(load_query("migrations_lock", names), names.log_schema)
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", login):
                # Roles belong to the whole server: another database may be making the same one.
                with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                    async with connection.transaction():
                        await connection.execute(
                            f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
                        )
            if password is not None:
                # The verifier instead of the password: the statement may end up in the server's log.
                verifier = scram_verifier(password, secrets.token_bytes(SALT_BYTES))
                await connection.execute(f"ALTER ROLE {name} PASSWORD '{verifier}'")
            if login != names.engine_role and not await connection.fetchval(
                "SELECT pg_has_role($1::name, $2::name, 'MEMBER')", login, names.engine_role
            ):
                await connection.execute(f"GRANT {quote_identifier(names.engine_role)} TO {name}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise AccessError(
            f"The login {login!r} cannot be set up for the engine ({error}).",
            remedy=f"Let an administrator run: GRANT {quote_identifier(names.engine_role)} TO {name}",
        ) from error
