"""The database names that a host may choose, and the SQL files written against the default ones."""

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Self

from counterfoil.errors import ConfigurationError

PREFIX_LENGTH_MAX = 40
_PREFIX = re.compile(r"[a-z_][a-z0-9_]*")
_SIMPLE = re.compile(r"[a-z_][a-z0-9_$]*")
_STATE_TABLE = re.compile(r"\bcounterfoil_state\.")
_TOKEN = re.compile(r"\bcounterfoil_(log|state|owner|engine)\b")
_QUERY = re.compile(r"[a-z][a-z0-9_]*")


def quote_identifier(name: str) -> str:
    """The name as SQL reads it: bare where it may be, quoted otherwise."""
    if _SIMPLE.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Names:
    """Schemas and roles of one installation; several may share a database under different prefixes.

    Args:
        prefix: what every name begins with, an unquoted SQL identifier of at most 40 characters.
        only_role: the login that stands in for both roles where none may be created; empty otherwise.
        copies: what the names of state tables begin with in SQL where copies stand in for them; empty otherwise.

    Raises:
        ConfigurationError: a prefix or role that cannot be used as an identifier.
    """

    prefix: str = "counterfoil"
    only_role: str = ""
    copies: str = ""

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix) or len(self.prefix) > PREFIX_LENGTH_MAX:
            raise ConfigurationError(
                f"{self.prefix!r} cannot begin the name of a Postgres schema.",
                remedy=f"Use lower-case letters, digits and underscores, {PREFIX_LENGTH_MAX} at most.",
            )
        if "'" in self.only_role:
            raise ConfigurationError(
                f"The Postgres login {self.only_role!r} has an apostrophe in its name.",
                remedy="Use a login without one.",
            )

    @property
    def log_schema(self) -> str:
        """Holds the log, the keys and all functions that write to them."""
        return f"{self.prefix}_log"

    @property
    def state_schema(self) -> str:
        """Holds projections and operational tables; the engine owns it."""
        return f"{self.prefix}_state"

    @property
    def owner_role(self) -> str:
        """Owns the log; nobody logs in with it."""
        return self.only_role or f"{self.prefix}_owner"

    @property
    def engine_role(self) -> str:
        """What the engine works as; nobody logs in with it, logins are members."""
        return self.only_role or f"{self.prefix}_engine"

    @property
    def login(self) -> str:
        """The login that the embedded server makes for the engine."""
        return f"{self.prefix}_login"

    @property
    def degraded(self) -> bool:
        """Whether one login stands in for owner and engine."""
        return bool(self.only_role)

    def with_only_role(self, role: str) -> Self:
        """The same names where `role` has to be owner and engine in one."""
        return replace(self, only_role=role)

    def fresh(self) -> Self:
        """The same names where the tables of a rebuild stand in for the projections."""
        return replace(self, copies=f"{self.state_schema}.fresh_")

    def temporary(self) -> Self:
        """The same names where tables of the session's own stand in for the projections."""
        return replace(self, copies="pg_temp.")

    def apply(self, sql: str) -> str:
        """The SQL with the default names, wherever they stand as whole words, replaced by these."""
        if self.copies:
            sql = _STATE_TABLE.sub(self.copies, sql)
        replacements = {
            "log": self.log_schema,
            "state": self.state_schema,
            "owner": quote_identifier(self.owner_role),
            "engine": quote_identifier(self.engine_role),
        }
        return _TOKEN.sub(lambda match: replacements[match[1]], sql)


@cache
def _query_text(name: str) -> str:
    return resources.files("counterfoil_schema").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def load_query(name: str, names: Names) -> str:
    """The one statement in `queries/<name>.sql`, under these names.

    Raises:
        LookupError: no such file; a fault of the caller.
    """
    if not _QUERY.fullmatch(name):
        raise LookupError(f"{name!r} is not the name of a query")
    try:
        return names.apply(_query_text(name))
    except FileNotFoundError:
        raise LookupError(f"there is no query called {name!r}") from None
