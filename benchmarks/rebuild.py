"""Rebuilding projections from the log, against reading and decoding the same rows.

    python benchmarks/rebuild.py [--events 200000] [--slice 10000] [--out result.json]

Two companies of half the events each, as the engine writes them: sealed, in batches of thirty (`history.py`).

- `decode`: raw read and decode: pages of the log, one ahead, keys fetched a page at once, every event unsealed, lifted
  and validated. `rebuild`: read, lifted and validated with what is sealed left closed, as a rebuild does, the chain
  proven, folded, and written to fresh tables with its position. They take turns in slices over the same rows, and
  change who begins. `closed` is what `rebuild` does up to folding; its ratio is stated.
- The most memory held at a tenth of the events and at the end.
- Both companies rebuilt and compared whole: by one process, one after the other, and by two side by side.
"""

import asyncio
import base64
import gc
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from counterfoil.cli.tasks.rebuild_workers import COLLECTED_AFTER
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.log import (
    EventCodec,
    MasterKey,
    NewEvent,
    PostgresKeyring,
    PostgresLeases,
    PostgresLog,
    PostgresLogReader,
    backfill,
)
from counterfoil.log.keyring import KEY_BYTES, SealingKey, key_id
from counterfoil.log.types import READ_ROWS, RecordedEvent
from counterfoil.postgres import Names, Pool, PoolLimits, create_pool
from counterfoil.recovery import Rebuilding
from counterfoil.recovery.edition import edition
from counterfoil.recovery.folding import PIECE_EVENTS, FreshFold
from counterfoil.recovery.fresh import FreshRows, FreshTables
from history import history
from logbench import Bench, open_bench
from measure import Goal, Result, Slice, Slices, Stopwatch, arguments, finish, forget_peak_memory, peak_memory_mib, run

COMPANIES = (1, 2)
MASTER = base64.b64encode(b"the master key of this benchmark").decode()
LEASE_SECONDS = 7200.0
SCRIPT = str(Path(__file__).resolve())
EARLY_SHARE = 10


class BulkKeyring:
    """Keys for writing a long history: made without asking, and put into the table all at once."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master
        self._entropy = SystemEntropy()
        self._keys: dict[tuple[int, str], SealingKey] = {}
        self._unwritten: list[tuple[int, str, int, bytes, str]] = []

    async def sealing_key(self, company: int, scope: str) -> SealingKey:
        """See `Keyring.sealing_key`."""
        key = self._keys.get((company, scope))
        if key is None:
            identity, raw = key_id(scope, 1), self._entropy.token_bytes(KEY_BYTES)
            key = self._keys[company, scope] = SealingKey(identity, AESGCM(raw))
            wrapped = self._master.wrap(company, identity, raw)
            self._unwritten.append((company, scope, 1, wrapped, self._master.fingerprint))
        return key

    async def opening_key(self, company: int, identity: str) -> SealingKey | None:
        """See `Keyring.opening_key`; nothing is opened here."""
        raise NotImplementedError

    async def make_ready(self, company: int, identities: Collection[str]) -> None:
        """See `Keyring.make_ready`; nothing is opened here."""

    async def keyed_hash(self, company: int, data: bytes) -> str:
        """See `Keyring.keyed_hash`; nothing is hashed here."""
        raise NotImplementedError

    async def destroy(self, company: int, subject: str) -> int:
        """See `Keyring.destroy`; nobody is erased here."""
        raise NotImplementedError

    async def living(self, company: int, subjects: Sequence[str]) -> list[str]:
        """See `Keyring.living`; nobody asks here."""
        raise NotImplementedError

    async def destroy_key(self, company: int, identity: str) -> int:
        """See `Keyring.destroy_key`; nobody is erased here."""
        raise NotImplementedError

    async def write(self, admin: Pool, names: Names) -> None:
        """Put all keys into their table."""
        columns = ("company", "scope", "generation", "wrapped", "wrapped_by")
        await admin.copy_records_to_table(
            "sealing_keys", schema_name=names.state_schema, columns=columns, records=self._unwritten
        )
        self._keys.clear()
        self._unwritten.clear()


def make_reader(pool: Pool, names: Names) -> PostgresLogReader:
    """The log, with its keys."""
    clock, entropy = SystemClock(), SystemEntropy()
    keyring = PostgresKeyring(pool, names, MasterKey(SecretStr(MASTER), entropy), clock=clock, entropy=entropy)
    return PostgresLogReader(pool, names, EventCodec(keyring, clock=clock, entropy=entropy), clock=clock)


async def write_logs(bench: Bench, seed: int, events: int) -> float:
    """Both companies' logs; events a second."""
    clock, entropy = SystemClock(), SystemEntropy()
    keyring = BulkKeyring(MasterKey(SecretStr(MASTER), entropy))
    started = time.perf_counter()
    async with PostgresLog(bench.engine, bench.names, EventCodec(keyring, clock=clock, entropy=entropy)) as log:
        leases = PostgresLeases(bench.engine, bench.names, clock=clock)
        for company in COMPANIES:
            lease = await leases.acquire(company, "benchmark", LEASE_SECONDS)
            assert lease is not None
            coming: Iterator[NewEvent] = history(random.Random(seed + company), events)
            await backfill(log, company, coming, epoch=lease.epoch)
            await keyring.write(bench.admin, bench.names)
    seconds = time.perf_counter() - started
    await bench.admin.execute(bench.names.apply("VACUUM ANALYZE counterfoil_log.events"))
    await bench.admin.execute(bench.names.apply("VACUUM ANALYZE counterfoil_state.sealing_keys"))
    return events * len(COMPANIES) / seconds


async def decode(reader: PostgresLogReader, company: int, after: int, last: int, *, closed: bool) -> None:
    """Read and decode the events between two positions as fast as it goes."""

    def page_after(position: int) -> asyncio.Task[list[RecordedEvent]]:
        return asyncio.create_task(reader.read(company, position, max(1, min(READ_ROWS, last - position))))

    coming = page_after(after)
    while after < last:
        page = await coming
        after = page[-1].position
        coming = page_after(after)
        if not closed:
            await page[0].decoder.make_ready(page)
        for start in range(0, len(page), PIECE_EVENTS):
            # As often as a rebuild, so that the page to come is read meanwhile.
            await asyncio.sleep(0)
            for recorded in page[start : start + PIECE_EVENTS]:
                if closed:
                    recorded.closed()
                else:
                    await recorded.event()
    coming.cancel()


class Sides:
    """Both sides over one company, slice by slice."""

    def __init__(self, bench: Bench, company: int) -> None:
        self._bench = bench
        self._company = company
        # A cache of keys each: none finds what the other one has fetched.
        self._plain = make_reader(bench.engine, bench.names)
        self._tables = FreshTables(bench.engine, bench.names, company, edition())
        self._rows = FreshRows(company, self._tables)
        self._fold = FreshFold(company, make_reader(bench.engine, bench.names), self._rows, self._tables.store)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """With fresh tables for the length of a block."""
        await self._tables.open()
        yield
        await self._tables.close()

    async def decode(self, after: int, last: int, *, closed: bool) -> Slice:
        """One slice of a plain side."""
        watch = Stopwatch(self._bench.server_pid)
        await decode(self._plain, self._company, after, last, closed=closed)
        return watch.slice(last - after)

    async def rebuild(self, after: int, last: int, *, to_the_end: bool) -> Slice:
        """One slice of the other; the last one waits until all is written."""
        watch = Stopwatch(self._bench.server_pid)
        await self._fold.up_to(last)
        if to_the_end:
            await self._rows.save(self._fold.position, self._fold.link)
        assert (self._fold.position, self._fold.stopped) == (last, "")
        return watch.slice(last - after)


async def in_turns(bench: Bench, events: int, size: int, result: Result) -> None:
    """Fold against decode, slice by slice; and memory."""
    turns: dict[str, list[Slice]] = {"decode": [], "rebuild": [], "closed": []}
    forget_peak_memory()
    early = 0.0
    for company in COMPANIES:
        sides = Sides(bench, company)
        async with sides.opened():
            for number, after in enumerate(range(0, events, size)):
                last = min(after + size, events)
                if number % 2:
                    turns["rebuild"].append(await sides.rebuild(after, last, to_the_end=last == events))
                    turns["decode"].append(await sides.decode(after, last, closed=False))
                else:
                    turns["decode"].append(await sides.decode(after, last, closed=False))
                    turns["rebuild"].append(await sides.rebuild(after, last, to_the_end=last == events))
                turns["closed"].append(await sides.decode(after, last, closed=True))
                if not early and last >= events * len(COMPANIES) // EARLY_SHARE:
                    early = peak_memory_mib()
    slices = Slices(turns)
    seconds = {side: sum(turn.seconds for turn in of_side) for side, of_side in turns.items()}
    result.figures["rebuild"] = slices.figures("decode")
    result.figures["seconds"] = {side: round(value, 1) for side, value in seconds.items()}
    late = peak_memory_mib()
    result.figures["memory"] = {"peak_mib_early": round(early, 1), "peak_mib_end": round(late, 1)}
    result.goals += [
        Goal("rebuild with fold ÷ raw read and decode", slices.ratio("rebuild", "decode"), 0.6),
        Goal("the same over all slices, the last writing included", seconds["decode"] / seconds["rebuild"]),
        Goal("rebuild with fold ÷ read and decode, what is sealed left closed", slices.ratio("rebuild", "closed")),
        Goal("peak memory, at the end ÷ at a tenth", late / early, None, 1.1),
    ]


async def _started(dsn: str, prefix: str) -> Process:
    command = [sys.executable, SCRIPT, "--be-worker", dsn, prefix]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def _rebuilt(process: Process, companies: Collection[int]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    for company in companies:
        process.stdin.write(b"%d\n" % company)
        assert await process.stdout.readline() == b"same\n"


async def side_by_side(dsn: str, names: Names, result: Result, rounds: int) -> None:
    """Two processes against one, in turns."""
    processes = [await _started(dsn, names.prefix) for _ in COMPANIES]
    ratios: list[float] = []
    seconds: dict[str, list[float]] = {"one": [], "two": []}
    for _ in range(rounds):
        started = time.perf_counter()
        await _rebuilt(processes[0], COMPANIES)
        seconds["one"].append(time.perf_counter() - started)
        started = time.perf_counter()
        pairs = zip(processes, COMPANIES, strict=True)
        await asyncio.gather(*(_rebuilt(process, [company]) for process, company in pairs))
        seconds["two"].append(time.perf_counter() - started)
        ratios.append(seconds["one"][-1] / seconds["two"][-1])
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
    result.figures["processes"] = {side: [round(value, 1) for value in values] for side, values in seconds.items()}
    result.goals.append(Goal("two processes ÷ one", sorted(ratios)[len(ratios) // 2], 1.5))


async def be_worker(dsn: str, prefix: str) -> None:
    """Rebuild and compare whichever company is named, as `counterfoil rebuild --check` does."""
    names = Names(prefix)
    pool = await create_pool(dsn, names)
    work = Rebuilding(pool=pool, names=names, reader=make_reader(pool, names), clock=SystemClock())
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        report = await work.rebuild(int(line), check=True)
        print("same" if report.same and report.position else f"differs: {report}", flush=True)
    await pool.close()


def spare_collector() -> None:
    """As the command does it."""
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


async def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--events", type=int, default=200_000, help="of both companies together")
    parser.add_argument("--slice", type=int, default=10_000)
    options = parser.parse_args()
    each = options.events // len(COMPANIES)
    rounds = min(options.rounds, 2)
    result = Result("rebuild", options.seed, {"events": options.events, "slice": options.slice, "rounds": rounds})
    async with open_bench(options.dsn) as bench:
        result.figures["written_per_second"] = round(await write_logs(bench, options.seed, each))
        spare_collector()
        await in_turns(bench, each, options.slice, result)
        # For the comparison there must be tables that hold the same.
        pool = await create_pool(bench.engine_dsn, bench.names, limits=PoolLimits(command_seconds_max=600))
        work = Rebuilding(pool=pool, names=bench.names, reader=make_reader(pool, bench.names), clock=SystemClock())
        for company in COMPANIES:
            assert (await work.rebuild(company)).swapped
        await pool.close()
        await side_by_side(bench.engine_dsn, bench.names, result, rounds)
    return finish(result, options.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--be-worker"]:
        spare_collector()
        asyncio.run(be_worker(*sys.argv[2:4]))
    else:
        run(main)
