"""A real Postgres for the tests: one server a session, one fresh migrated database a test.

By default it is the embedded one. COUNTERFOIL_TEST_MAJOR=16 takes its older release;
COUNTERFOIL_TEST_DSN=postgresql://superuser:password@host/postgres takes any other server.
"""

import asyncio
import itertools
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from counterfoil.postgres import Connection, EmbeddedPostgres, Names, connected, ensure_login, migrate

# Tests kill processes, never the machine, so nothing is lost without fsync, and every test is quicker.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "max_connections": "200"}
NAMES = Names()
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A running server with a migrated template database.

    Attributes:
        address: superuser DSN on the maintenance database.
        template: name of the template database.
        password: of the engine's login; empty where none is asked for.
    """

    address: str
    template: str
    password: str
    names: Names

    def dsn(self, database: str, login: str | None = None, password: str = "") -> SecretStr:
        """The superuser, or any other login, on any database."""
        parts = urlsplit(self.address)
        place = parts.netloc
        if login is not None:
            credentials = quote(login, safe="") + (f":{quote(password, safe='')}" if password else "")
            place = f"{credentials}@{place.rpartition('@')[2]}"
        return SecretStr(urlunsplit(parts._replace(netloc=place, path=f"/{quote(database, safe='')}")))


@dataclass(frozen=True)
class Database:
    """One test's own database, migrated and empty."""

    name: str
    server: Server
    names: Names = NAMES

    @property
    def admin_dsn(self) -> SecretStr:
        """Superuser."""
        return self.server.dsn(self.name)

    @property
    def engine_dsn(self) -> SecretStr:
        """The engine's login: a member of the engine's role and of nothing else."""
        return self.login_dsn(self.names.login, self.server.password)

    def login_dsn(self, login: str, password: str = "") -> SecretStr:
        """Any other login on this database."""
        return self.server.dsn(self.name, login, password)


@contextmanager
def running_server(home: Path) -> Iterator[Server]:
    """A server for the length of a block, outside any event loop."""
    external = os.environ.get("COUNTERFOIL_TEST_DSN", "")
    if external:
        template = f"counterfoil_template_{secrets.token_hex(4)}"
        server = Server(external, template, secrets.token_hex(8), NAMES)
        asyncio.run(_prepare_external(server))
        try:
            yield server
        finally:
            asyncio.run(_drop(server, template))
        return
    major = int(os.environ.get("COUNTERFOIL_TEST_MAJOR", "18"))
    embedded = EmbeddedPostgres(home, names=NAMES, settings=SETTINGS, major=major)

    async def begin() -> Server:
        await embedded.start()
        await embedded.prepare()
        address = embedded.dsn("postgres", "postgres").get_secret_value()
        return Server(address, NAMES.prefix, "", NAMES)

    server = asyncio.run(begin())
    try:
        yield server
    finally:
        asyncio.run(embedded.stop())


async def _prepare_external(server: Server) -> None:
    async with connected(server.dsn("postgres")) as admin:
        await admin.execute(f"CREATE DATABASE {server.template}")
    await migrate(server.dsn(server.template), server.names)
    async with connected(server.dsn(server.template)) as admin:
        await ensure_login(admin, server.names, server.names.login, server.password)


async def _drop(server: Server, database: str) -> None:
    async with connected(server.dsn("postgres")) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@asynccontextmanager
async def fresh_database(server: Server, *, migrated: bool = True) -> AsyncIterator[Database]:
    """A database of its own for the length of a block; empty of everything if not migrated."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    template = server.template if migrated else "template0"
    async with connected(server.dsn("postgres")) as admin:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield Database(name, server, server.names)
    finally:
        await _drop(server, name)


@asynccontextmanager
async def admin_connection(database: Database) -> AsyncIterator[Connection]:
    """A superuser's connection for the length of a block."""
    async with connected(database.admin_dsn, application_name="counterfoil tests") as connection:
        yield connection
