"""Reading the log back, against a raw cursor over the same table.

    python benchmarks/replay.py [--events 100000] [--memory 1000000] [--out result.json]

- `light`: envelope, and body parted into its fields, one event at a time. Held to the goal.
- `light_values`: the same with every field looked at, so that all of the body becomes objects.
- `full`: every event unsealed, lifted and validated; once without and once with a sealed field.
- The most memory held while reading 10,000 events and while reading `--memory` of them.
"""

import gc
import random
import time
from collections.abc import AsyncIterator, Callable

from counterfoil.log import NewEvent, backfill
from logbench import RAW_COMPANY_FIRST, Bench, billed, billed_person, open_bench
from measure import (
    Goal,
    Result,
    Slice,
    Stopwatch,
    arguments,
    finish,
    forget_peak_memory,
    interleaved,
    peak_memory_mib,
    run,
)

PLAIN, SEALED, SMALL = 1, 2, 3
READ_ROWS = 1_000
SMALL_EVENTS = 10_000


class Replays:
    """The sides; each reads a whole company."""

    def __init__(self, bench: Bench, events: int) -> None:
        self._bench = bench
        self._events = events
        self._cursor = bench.names.apply(
            "SELECT company, position, event_id, event_type, event_version, recorded_at, record_key, cause, trace, "
            "epoch, delivery, body, link FROM counterfoil_log.events WHERE company = $1 ORDER BY position"
        )

    async def raw(self) -> Slice:
        async with self._bench.admin.acquire() as connection, connection.transaction():
            watch = Stopwatch(self._bench.server_pid)
            cursor = await connection.cursor(self._cursor, PLAIN)
            count = 0
            while rows := await cursor.fetch(READ_ROWS):
                count += len(rows)
        return self._turn(count, watch)

    async def light(self) -> Slice:
        watch = Stopwatch(self._bench.server_pid)
        count = 0
        async for event in self._bench.reader.stream(PLAIN):
            event.light()
            count += 1
        return self._turn(count, watch)

    async def light_values(self) -> Slice:
        watch = Stopwatch(self._bench.server_pid)
        count = 0
        async for event in self._bench.reader.stream(PLAIN):
            dict(event.light())
            count += 1
        return self._turn(count, watch)

    async def full(self) -> Slice:
        return await self._validated(PLAIN)

    async def full_sealed(self) -> Slice:
        return await self._validated(SEALED)

    async def _validated(self, company: int) -> Slice:
        watch = Stopwatch(self._bench.server_pid)
        count = 0
        async for event in self._bench.reader.stream(company):
            await event.event()
            count += 1
        return self._turn(count, watch)

    def _turn(self, count: int, watch: Stopwatch) -> Slice:
        if count != self._events:
            raise AssertionError(f"read {count} of {self._events} events")
        return watch.slice(count)


async def _generated(
    chance: random.Random, count: int, make: Callable[[random.Random, int], NewEvent]
) -> AsyncIterator[NewEvent]:
    for number in range(count):
        yield make(chance, number)


async def _peak_while_reading(bench: Bench, company: int) -> float:
    gc.collect()
    forget_peak_memory()
    async for event in bench.reader.stream(company):
        event.light()
    return peak_memory_mib()


async def _memory(bench: Bench, chance: random.Random, events: int, result: Result) -> None:
    """Peak memory while a small and while a large log is read: the second must hardly be higher."""
    await backfill(bench.log, SMALL, _generated(chance, SMALL_EVENTS, billed))
    large = RAW_COMPANY_FIRST
    written = time.perf_counter()
    await backfill(bench.log, large, _generated(chance, events, billed))
    written = time.perf_counter() - written
    small_peak = await _peak_while_reading(bench, SMALL)
    read = time.perf_counter()
    peak = await _peak_while_reading(bench, large)
    read = time.perf_counter() - read
    result.figures["memory"] = {
        "events": events,
        "peak_mib_small": round(small_peak, 1),
        "peak_mib_large": round(peak, 1),
        "written_per_second": round(events / written),
        "read_per_second": round(events / read),
    }
    result.goals.append(Goal(f"peak memory, {events:,} ÷ {SMALL_EVENTS:,} events", peak / small_peak, None, 1.1))


async def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--memory", type=int, default=100_000, help="events of the large replay; 0 for none")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    settings = {"events": options.events, "rounds": options.rounds, "read_rows": READ_ROWS, "memory": options.memory}
    result = Result("replay", options.seed, settings)
    async with open_bench(options.dsn) as bench:
        await backfill(bench.log, PLAIN, _generated(chance, options.events, billed))
        await backfill(bench.log, SEALED, _generated(chance, options.events, billed_person))
        await bench.admin.execute(bench.names.apply("VACUUM ANALYZE counterfoil_log.events"))
        replays = Replays(bench, options.events)
        sides = {
            "raw": replays.raw,
            "light": replays.light,
            "light_values": replays.light_values,
            "full": replays.full,
            "full_sealed": replays.full_sealed,
        }
        slices = await interleaved(sides, rounds=options.rounds)
        result.figures["replay"] = slices.figures("raw")
        result.goals += [
            Goal("light replay ÷ raw cursor", slices.ratio("light", "raw"), 0.45),
            Goal("light replay, every field looked at ÷ raw cursor", slices.ratio("light_values", "raw")),
            Goal("validated replay ÷ raw cursor", slices.ratio("full", "raw")),
            Goal("validated replay with a sealed field ÷ raw cursor", slices.ratio("full_sealed", "raw")),
        ]
        if options.memory:
            await _memory(bench, chance, options.memory, result)
    return finish(result, options.out)


if __name__ == "__main__":
    run(main)
