"""Opens log and state for commands that neither read a source nor call QuickBooks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from counterfoil.anchoring import anchor_of
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import (
    EventCodec,
    LogStanding,
    MasterKey,
    PostgresAudit,
    PostgresKeyring,
    PostgresLog,
    PostgresLogReader,
)
from counterfoil.ports import Clock
from counterfoil.postgres import Names, Pool, create_pool, open_postgres
from counterfoil.settings import Settings
from counterfoil.state.store import PostgresStateStore, StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Log and state of the configured companies."""

    settings: Settings
    pool: Pool
    dsn: SecretStr
    names: Names
    clock: Clock
    keyring: PostgresKeyring
    codec: EventCodec
    reader: PostgresLogReader
    audit: PostgresAudit
    standing: LogStanding
    store: StateStore
    stack: AsyncExitStack

    async def writer(self, *companies: int) -> PostgresLog:
        """The log, to append to what people ask for of these companies.

        Raises:
            LogForgetfulError, LogDamagedError: one of their logs is not as it was written; nothing is built upon it.
        """
        for company in companies:
            await self.standing.check(company)
        return await self.stack.enter_async_context(PostgresLog(self.pool, self.names, self.codec))


@asynccontextmanager
async def open_state(settings: Settings) -> AsyncGenerator[Opened]:
    """Log and state for the length of a block; works beside a running engine.

    Raises:
        ConfigurationError, PostgresError: with what to do about it.
    """
    clock, entropy = SystemClock(), SystemEntropy()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            open_postgres(
                dsn=settings.dsn,
                admin_dsn=settings.admin_dsn,
                home=settings.home / "postgres",
                names=Names(settings.prefix),
            )
        )
        pool = await create_pool(server.engine_dsn, server.names, application_name="counterfoil command")
        stack.push_async_callback(pool.close)
        secret = await asyncio.to_thread(master_key, settings.master_key, settings.home, entropy)
        keyring = PostgresKeyring(pool, server.names, MasterKey(secret, entropy), clock=clock, entropy=entropy)
        codec = EventCodec(keyring, clock=clock, entropy=entropy)
        reader = PostgresLogReader(pool, server.names, codec, clock=clock)
        yield Opened(
            settings=settings,
            pool=pool,
            dsn=server.engine_dsn,
            names=server.names,
            clock=clock,
            keyring=keyring,
            codec=codec,
            reader=reader,
            audit=PostgresAudit(pool, server.names),
            standing=LogStanding(pool, server.names, reader, clock=clock, anchor=anchor_of(settings)),
            store=PostgresStateStore(pool, server.names),
            stack=stack,
        )
