"""A log in a test's own Postgres."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.log import (
    EventCodec,
    LogLimits,
    MasterKey,
    PostgresKeyring,
    PostgresLeases,
    PostgresLog,
    PostgresLogReader,
)
from counterfoil.postgres import Names, Pool
from counterfoil.testing.log_contract import contract_events

MASTER = SecretStr(base64.b64encode(b"the master key of all the tests!").decode())


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A running log and its parts."""

    writer: PostgresLog
    reader: PostgresLogReader
    leases: PostgresLeases
    keyring: PostgresKeyring
    codec: EventCodec


@asynccontextmanager
async def open_log(
    pool: Pool, names: Names, *, writer_pool: Pool | None = None, limits: LogLimits | None = None
) -> AsyncIterator[OpenLog]:
    """The log over a pool; `writer_pool` if the writer is to come in another way."""
    clock, entropy = SystemClock(), SystemEntropy()
    keyring = PostgresKeyring(pool, names, MasterKey(MASTER, entropy), clock=clock, entropy=entropy)
    codec = EventCodec(keyring, clock=clock, entropy=entropy, events=contract_events)
    writer = PostgresLog(writer_pool or pool, names, codec, limits=limits or LogLimits(lanes=2))
    async with writer:
        yield OpenLog(
            writer,
            PostgresLogReader(pool, names, codec, clock=clock),
            PostgresLeases(pool, names, clock=clock),
            keyring,
            codec,
        )
