"""A shop that a real engine has synchronised once, and copies of its database for each test to damage and rebuild."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from counterfoil.cli.tasks.quiet import until_quiet
from counterfoil.engine import Engine
from counterfoil.postgres import connected
from counterfoil.recovery import Rebuilding, RebuildReport
from counterfoil.settings import Settings, load_settings
from support.cli import Shop, make_shop
from support.postgres import Database, Server, admin_connection, fresh_database
from support.quickbooks_emulator import emulator_process

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Synced:
    """A shop, the database that its engine has filled, and the server that both are on."""

    shop: Shop
    database: Database


@dataclass(frozen=True)
class Books:
    """One test's own copy of it."""

    shop: Shop
    database: Database
    settings: Settings

    async def execute(self, *statements: str, replica: bool = False) -> None:
        """As somebody who owns the server; with triggers off if `replica`."""
        async with admin_connection(self.database) as admin, admin.transaction():
            if replica:
                await admin.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                await admin.execute(statement)

    async def value(self, query: str) -> object:
        """A single value, as the server's owner sees it."""
        async with admin_connection(self.database) as admin:
            return await admin.fetchval(query)

    async def rebuild(self, company: int = 1, *, check: bool = False) -> RebuildReport:
        """Rebuild, or only compare, in this process."""
        from counterfoil.cli.opening import open_state

        async with open_state(self.settings) as opened:
            work = Rebuilding(pool=opened.pool, names=opened.names, reader=opened.reader, clock=opened.clock)
            return await work.rebuild(company, check=check)


@contextmanager
def synced_shop(folder: Path, server: Server) -> Iterator[Synced]:
    """A shop with one broken row and the books' own echoes; outside any event loop."""
    with emulator_process("--limits", "off", "--seed", "7") as emulator, asyncio.Runner() as runner:
        opened = fresh_database(server)
        database = runner.run(opened.__aenter__())
        try:
            shop = make_shop(folder / "shop", emulator, database)
            shop.replace("exports/lines.csv", "502,1,P1,2,9.99", "502,1,P1,two,9.99")
            runner.run(synchronise(load_settings(shop.folder / "counterfoil.toml", shop.environment)))
            yield Synced(shop, database)
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def synchronise(settings: Settings) -> None:
    """Work for the company until all is quiet, twice."""
    for _ in range(2):  # the second one sees by its sweep what the first one wrote
        async with Engine(settings) as engine:
            watched = await until_quiet(engine, engine.clock, timeout_seconds=120)
            assert [one.ending for one in watched.values()] == ["quiet"], engine.runners[1].error


async def copied(synced: Synced) -> Books:
    """A copy for one test; `drop` ends it."""
    server = synced.database.server
    name = f"rebuilt_{os.getpid()}_{next(_numbers)}"
    async with connected(server.dsn("postgres")) as admin:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {synced.database.name}")
    database = Database(name, server, server.names)
    environment = {
        "COUNTERFOIL_DSN": database.engine_dsn.get_secret_value(),
        "COUNTERFOIL_ADMIN_DSN": database.admin_dsn.get_secret_value(),
    }
    shop = Shop(synced.shop.folder, environment)
    return Books(shop, database, load_settings(shop.folder / "counterfoil.toml", environment))


async def drop(books: Books) -> None:
    """The end of a copy, whoever is still connected."""
    async with connected(books.database.server.dsn("postgres")) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {books.database.name} WITH (FORCE)")
