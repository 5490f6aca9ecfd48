"""What a connection may do, compared with what the engine should be able to do: no less, and no more."""

from dataclasses import dataclass

from counterfoil.postgres.connect import Connection
from counterfoil.postgres.names import Names, load_query, quote_identifier


@dataclass(frozen=True, slots=True)
class AccessReport:
    """What the engine's connection may do.

    Attributes:
        login: who logged in.
        role: who the connection acts as now.
        server: release of the server, such as "18.4".
        missing: what it cannot do without, one sentence each; empty if it can work.
        warnings: what it may do and should not, one sentence each.
    """

    login: str
    role: str
    server: str
    missing: tuple[str, ...]
    warnings: tuple[str, ...]


async def describe_access(connection: Connection, names: Names) -> AccessReport:
    """Look up what the connection's login may do with the schemas of these names; changes nothing."""
    row = await connection.fetchrow(load_query("access", names), names.log_schema, names.state_schema)
    if row is None:
        raise AssertionError("a query without FROM always returns a row")
    grant = f"GRANT {quote_identifier(names.engine_role)} TO {quote_identifier(row['login'])}"
    missing: list[str] = []
    if not row["log_exists"]:
        missing.append(f"The schema {names.log_schema} does not exist: run `counterfoil migrate`.")
    elif not row["log_usage"]:
        missing.append(f"It may not use the schema {names.log_schema}: {grant}")
    if row["state_exists"] and not row["state_create"]:
        missing.append(f"It may not create in the schema {names.state_schema}: {grant}")
    warnings: list[str] = []
    if row["login_superuser"]:
        warnings.append(
            "The login is a superuser, so nothing but triggers protects the log from it: "
            f"use a login that is a member of {names.engine_role} only."
        )
    elif row["login_owns_log"]:
        warnings.append(
            "The login may act as the log's owner, so the log is append-only by trigger alone: "
            f"use a login that is a member of {names.engine_role} only."
        )
    elif row["writable"]:
        warnings.append(f"The login may write directly to {', '.join(row['writable'])}: revoke that.")
    return AccessReport(row["login"], row["role"], row["server"], tuple(missing), tuple(warnings))
