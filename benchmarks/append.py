"""Appending, against raw asyncpg into a table made alike, on the same server in the same minutes.

    python benchmarks/append.py [--rounds 9] [--out result.json]

- Batches of 1,000 with chain, one after the other, against COPY of 1,000 rows: `prepared` from events that are
  encoded already, as the rows for COPY are, and held to the goal; `whole` from models through JSON and digest, which
  COPY is spared, stated.
- 32 callers of single events, over 20 companies and over one, against 32 connections of single-row inserts. Again
  `prepared` events, encoded already as the raw rows are, are held to the goal, and whole ones from models stated.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from counterfoil.log import Append, NewEvent, backfill
from logbench import (
    COLUMNS,
    RAW_COMPANY_FIRST,
    Bench,
    billed,
    billed_person,
    open_bench,
    positions,
    raw_rows,
    raw_table,
)
from measure import Goal, Result, Slice, Stopwatch, arguments, finish, interleaved, percentile, run

BATCH = 1_000
BATCHES = 6
CALLERS = 32
PREPARED = 60_000
SLICE_SECONDS = 1.0


class Batches:
    """The sides that append in thousands."""

    def __init__(self, bench: Bench, schema: str, chance: random.Random) -> None:
        self._bench = bench
        self._schema = schema
        self._chance = chance
        self._positions = positions()
        self._company = 0

    def _events(self, make: Callable[[random.Random, int], NewEvent] = billed) -> list[NewEvent]:
        return [make(self._chance, self._chance.randrange(1_000_000)) for _ in range(BATCH)]

    def _next_company(self) -> int:
        self._company = self._company % 20 + 1
        return self._company

    async def raw_copy(self) -> Slice:
        batches = []
        for _ in range(BATCHES):
            company = RAW_COMPANY_FIRST + self._next_company()
            batches.append(raw_rows(await self._bench.encoded(company, self._events()), company, self._positions))
        async with self._bench.admin.acquire() as connection:
            watch = Stopwatch(self._bench.server_pid)
            for rows in batches:
                await connection.copy_records_to_table(
                    "events", schema_name=self._schema, records=rows, columns=COLUMNS
                )
            return watch.slice(BATCH * BATCHES)

    async def prepared(self) -> Slice:
        batches = [await self._bench.log.prepare(Append(self._next_company(), self._events())) for _ in range(BATCHES)]
        watch = Stopwatch(self._bench.server_pid)
        for batch in batches:
            await self._bench.log.record(batch)
        return watch.slice(BATCH * BATCHES)

    async def whole(self) -> Slice:
        return await self._backfill(billed)

    async def whole_sealed(self) -> Slice:
        return await self._backfill(billed_person)

    async def _backfill(self, make: Callable[[random.Random, int], NewEvent]) -> Slice:
        events = [event for _ in range(BATCHES) for event in self._events(make)]
        company = self._next_company()
        watch = Stopwatch(self._bench.server_pid)
        await backfill(self._bench.log, company, events, rows_max=BATCH)
        return watch.slice(BATCH * BATCHES)


class Singles:
    """The sides that append one event at a time, 32 at once."""

    def __init__(self, bench: Bench, schema: str, chance: random.Random) -> None:
        self._bench = bench
        self._chance = chance
        self._positions = positions()
        self.seconds: dict[str, list[float]] = {}
        places = ", ".join(f"${number}" for number in range(1, len(COLUMNS) + 1))
        self._insert = f"INSERT INTO {schema}.events ({', '.join(COLUMNS)}) VALUES ({places})"
        self._pool = [billed(chance, number) for number in range(2_000)]

    async def raw(self) -> Slice:
        encoded = await self._bench.encoded(1, self._pool)
        connections = [await self._bench.admin.acquire() for _ in range(CALLERS)]
        try:

            async def insert(caller: int, number: int) -> None:
                company = RAW_COMPANY_FIRST + 100 + number % 20
                row = raw_rows([encoded[number % len(encoded)]], company, self._positions)[0]
                await connections[caller].execute(self._insert, *row)

            return await self._callers("raw", insert)
        finally:
            for connection in connections:
                await self._bench.admin.release(connection)

    async def prepared_over_twenty(self) -> Slice:
        return await self._prepared_over("prepared_over_twenty", 20)

    async def prepared_over_one(self) -> Slice:
        return await self._prepared_over("prepared_over_one", 1)

    async def over_twenty(self) -> Slice:
        return await self._over("over_twenty", 20)

    async def over_one(self) -> Slice:
        return await self._over("over_one", 1)

    async def _over(self, side: str, companies: int) -> Slice:

        async def append(caller: int, number: int) -> None:
            company = 100 * companies + (caller + number // CALLERS) % companies
            await self._bench.log.append(Append(company, [self._pool[number % len(self._pool)]]))

        return await self._callers(side, append)

    async def _prepared_over(self, side: str, companies: int) -> Slice:
        log = self._bench.log
        appends = [
            await log.prepare(Append(200 * companies + n % companies, [self._pool[n % len(self._pool)]]))
            for n in range(PREPARED)
        ]

        async def record(_caller: int, number: int) -> None:
            await log.record(appends[number])

        return await self._callers(side, record)

    async def _callers(self, side: str, work: Callable[[int, int], Awaitable[None]]) -> Slice:
        seconds = self.seconds.setdefault(side, [])
        done = 0
        end = time.perf_counter() + SLICE_SECONDS

        async def call(caller: int) -> None:
            nonlocal done
            number = caller
            while (started := time.perf_counter()) < end:
                await work(caller, number)
                seconds.append(time.perf_counter() - started)
                number += CALLERS
                done += 1

        watch = Stopwatch(self._bench.server_pid)
        async with asyncio.TaskGroup() as tasks:
            for caller in range(CALLERS):
                tasks.create_task(call(caller))
        return watch.slice(done)

    def latencies(self) -> dict[str, dict[str, float]]:
        """Milliseconds by side."""
        return {
            side: {
                "p50_ms": round(percentile(seconds, 0.5) * 1000, 2),
                "p99_ms": round(percentile(seconds, 0.99) * 1000, 2),
            }
            for side, seconds in self.seconds.items()
        }


async def main() -> int:
    options = arguments(__doc__ or "").parse_args()
    chance = random.Random(options.seed)
    settings = {"batch": BATCH, "batches": BATCHES, "callers": CALLERS, "rounds": options.rounds}
    result = Result("append", options.seed, settings)
    async with open_bench(options.dsn) as bench:
        schema = await raw_table(bench)
        sample = await bench.encoded(1, [billed(chance, number) for number in range(1_000)])
        result.figures["body_bytes"] = round(sum(len(event.body) for event in sample) / len(sample))
        batches = Batches(bench, schema, chance)
        sides = {
            "raw_copy": batches.raw_copy,
            "prepared": batches.prepared,
            "whole": batches.whole,
            "whole_sealed": batches.whole_sealed,
        }
        slices = await interleaved(sides, rounds=options.rounds, warm_ups=2)
        result.figures["batches"] = slices.figures("raw_copy")
        result.goals += [
            Goal("batch append, prepared events ÷ raw COPY", slices.ratio("prepared", "raw_copy"), 0.60),
            Goal("batch append, from models ÷ raw COPY", slices.ratio("whole", "raw_copy")),
            Goal("batch append, from models with a sealed field ÷ raw COPY", slices.ratio("whole_sealed", "raw_copy")),
        ]
        singles = Singles(bench, schema, chance)
        slices = await interleaved(
            {
                "raw": singles.raw,
                "prepared_over_twenty": singles.prepared_over_twenty,
                "over_twenty": singles.over_twenty,
                "prepared_over_one": singles.prepared_over_one,
                "over_one": singles.over_one,
            },
            rounds=options.rounds,
        )
        result.figures["singles"] = slices.figures("raw")
        result.figures["latency"] = singles.latencies()
        result.goals += [
            Goal("32 single appenders over 20 companies ÷ raw rows", slices.ratio("prepared_over_twenty", "raw"), 1.8),
            Goal("the same, from models ÷ raw rows", slices.ratio("over_twenty", "raw")),
            Goal("32 single appenders over one company ÷ raw rows", slices.ratio("prepared_over_one", "raw")),
            Goal("over one company, from models ÷ raw rows", slices.ratio("over_one", "raw")),
        ]
    return finish(result, options.out)


if __name__ == "__main__":
    run(main)
