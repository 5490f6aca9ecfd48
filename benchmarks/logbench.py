"""What the log's benchmarks share: a server, a log, an event of ordinary size, and a raw table like the log's own."""

import base64
import itertools
import random
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import asyncpg
from pydantic import SecretStr

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.log import (
    Append,
    EventCodec,
    LogLimits,
    MasterKey,
    NewEvent,
    PostgresKeyring,
    PostgresLog,
    PostgresLogReader,
)
from counterfoil.log.types import EncodedEvent
from counterfoil.postgres import EmbeddedPostgres, Names, Pool, PoolLimits, create_pool, migrate
from counterfoil_schema.events.base import Event, EventRegistry, PersonalText, Shape

SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "max_connections": "120",
    "jit": "off",
}
COLUMNS = (
    "company",
    "position",
    "event_id",
    "event_type",
    "event_version",
    "recorded_at",
    "record_key",
    "cause",
    "trace",
    "epoch",
    "delivery",
    "body",
    "link",
)
RAW_COMPANY_FIRST = 1_000_000
bench_events = EventRegistry()


class Line(Shape):
    """One line of a bill."""

    line_id: str
    product: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@bench_events.register
class Billed(Event):
    """An event of about 600 bytes, four lines, nothing sealed."""

    event_type: ClassVar[str] = "bench.billed"
    when: ClassVar[str] = "A benchmark says so."

    connection: str
    source_id: str
    number: str
    currency: str
    lines: tuple[Line, ...]
    total: Decimal


@bench_events.register
class BilledPerson(Billed):
    """The same with a sealed name."""

    event_type: ClassVar[str] = "bench.billed_person"

    customer: PersonalText

    def subject(self) -> str | None:
        return f"crm:contact:{len(self.source_id)}"


def billed(chance: random.Random, number: int) -> NewEvent:
    """One event to append."""
    fields = _fields(chance, number)
    return NewEvent(Billed.model_validate(fields), record_key=f"crm:deal:{number % 10_000}")


def billed_person(chance: random.Random, number: int) -> NewEvent:
    """One event with a sealed field."""
    fields = {**_fields(chance, number), "customer": f"Person {number}"}
    return NewEvent(BilledPerson.model_validate(fields), record_key=f"crm:deal:{number % 10_000}")


def _fields(chance: random.Random, number: int) -> dict[str, object]:
    lines = [
        Line(
            line_id=f"crm:line:{number}-{index}",
            product=f"crm:product:{chance.randrange(500)}",
            description=chance.choice(("Delivery", "Consulting, one day", "Widget, large", "Support")),
            quantity=Decimal(chance.randrange(1, 20)),
            unit_price=Decimal(chance.randrange(100, 99_999)) / 100,
            amount=Decimal(chance.randrange(100, 99_999)) / 100,
        )
        for index in range(4)
    ]
    total = sum((line.amount for line in lines), Decimal(0))
    return {
        "connection": "crm",
        "source_id": str(number),
        "number": f"INV-{number:06}",
        "currency": "USD",
        "lines": tuple(lines),
        "total": total,
    }


@dataclass(slots=True)
class Bench:
    """A running log, and the ways to its server."""

    admin: Pool
    engine: Pool
    names: Names
    log: PostgresLog
    reader: PostgresLogReader
    codec: EventCodec
    engine_dsn: str = ""
    server_pid: int = 0

    async def encoded(self, company: int, events: Sequence[NewEvent]) -> tuple[EncodedEvent, ...]:
        """Events as they go to the server."""
        return await self.codec.encode_all(Append(company, events))


@asynccontextmanager
async def open_bench(dsn: str, *, limits: LogLimits | None = None) -> AsyncIterator[Bench]:
    """A log of its own on an embedded server, or on the server of a superuser's DSN."""
    names = Names(prefix="counterfoil_bench") if dsn else Names()
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-", ignore_cleanup_errors=True) as home:
        if dsn:
            report = await migrate(SecretStr(dsn), names)
            async with _opened(SecretStr(dsn), SecretStr(dsn), report.names, limits) as bench:
                yield bench
            return
        async with EmbeddedPostgres(Path(home) / "server", names=names, settings=SETTINGS) as server:
            report = await server.prepare()
            async with _opened(server.admin_dsn, server.engine_dsn, report.names, limits) as bench:
                bench.server_pid = server.pid
                yield bench


@asynccontextmanager
async def _opened(
    admin_dsn: SecretStr, engine_dsn: SecretStr, names: Names, limits: LogLimits | None
) -> AsyncIterator[Bench]:
    clock, entropy = SystemClock(), SystemEntropy()
    engine = await create_pool(engine_dsn, names, limits=PoolLimits(connections_max=8, command_seconds_max=600))
    admin: Pool = await asyncpg.create_pool(admin_dsn.get_secret_value(), min_size=33, max_size=33, command_timeout=600)
    try:
        master = MasterKey(SecretStr(base64.b64encode(entropy.token_bytes(32)).decode()), entropy)
        keyring = PostgresKeyring(engine, names, master, clock=clock, entropy=entropy)
        codec = EventCodec(keyring, clock=clock, entropy=entropy, events=bench_events)
        async with PostgresLog(engine, names, codec, limits=limits or LogLimits()) as log:
            reader = PostgresLogReader(engine, names, codec, clock=clock)
            yield Bench(admin, engine, names, log, reader, codec, engine_dsn.get_secret_value())
    finally:
        admin.terminate()
        engine.terminate()


async def raw_table(bench: Bench) -> str:
    """A table made like the log's own, partitions and indexes included; its schema's name."""
    schema = f"{bench.names.prefix}_raw"
    events = bench.names.apply("counterfoil_log.events")
    statements = [
        f"DROP SCHEMA IF EXISTS {schema} CASCADE",
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.events (LIKE {events} INCLUDING ALL) PARTITION BY HASH (company)",
        *(
            f"CREATE TABLE {schema}.events_{number:02} PARTITION OF {schema}.events "
            f"FOR VALUES WITH (MODULUS 16, REMAINDER {number}) "
            "WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000, "
            "autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)"
            for number in range(16)
        ),
    ]
    for statement in statements:
        await bench.admin.execute(statement)
    return schema


def raw_rows(encoded: Sequence[EncodedEvent], company: int, positions: Iterator[int]) -> list[tuple[object, ...]]:
    """Rows for the raw table; a digest stands in for the link, which is as long."""
    return [
        (
            company,
            next(positions),
            event.event_id,
            event.event_type,
            event.event_version,
            event.recorded_at,
            event.record_key,
            event.cause,
            event.trace,
            None,
            event.delivery,
            event.body,
            event.digest,
        )
        for event in encoded
    ]


def positions() -> Iterator[int]:
    """Positions for a raw company."""
    return itertools.count(1)
