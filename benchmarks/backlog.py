"""A backlog of 10,000 writes through the whole engine into QuickBooks, at Intuit's limits.

    python benchmarks/backlog.py [--writes 10000] [--mixed] [--free] [--answer-seconds 0] [--out result.json]

Invoices, whose customers and items are there already, from a folder of CSV files; or, mixed, records of every kind from
a plug-in in memory (see mixed_source.py), names and what needs them together. They lie in the source, unread. The real
engine, with its log in Postgres, its limiter and its client over HTTP, sends them to the emulator, which enforces the
limits in sliding windows of its own. Idle waiting is skipped (see skipping.py), work is not; with --free, work takes no
time, so that only the limits and what is made of them count. The least time follows from the limits alone (see
least.py).
"""

import argparse
import csv
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pydantic import SecretStr

import mixed_source
from counterfoil.engine import Engine
from counterfoil.postgres import EmbeddedPostgres, Pool
from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.injection import FaultRule
from counterfoil.quickbooks.emulator.journal import Effect
from counterfoil.settings import CompanySettings, QuickBooksSettings, Settings, SourceSettings
from least import least_seconds
from logbench import SETTINGS
from measure import Goal, Result, arguments, finish
from skipping import LoopClock, counted_pool, run_skipping, skipper

COMPANY = 1
CUSTOMERS = 50
PRODUCTS = 20
REST_SECONDS = 61.0
LOOK_SECONDS = 0.25
PATIENCE = 3.0

NAMES_MAPPING = """
[connection]
source = "csv"
zone = "UTC"
currency = "USD"

[product]
income_account = "Sales of Product Income"
type = "NonInventory"

[invoice]
tax_code = "NON"

[csv]
encoding = "utf-8"
dates = "iso"

[csv.customer]
file = "customers.csv"
record = "customer"
id = "customer_id"
columns = { name = "name" }

[csv.product]
file = "products.csv"
record = "product"
id = "product_id"
columns = { name = "name", unit_price = "unit_price" }
"""
ORDERS_MAPPING = """
[csv.order]
file = "orders.csv"
record = "invoice"
id = "order_id"
constants = { status = "ordered", won = true }
columns = { customer = "customer_id", number = "order_id", dated = "order_date" }

[csv.order.lines]
file = "lines.csv"
key = "order_id"
id = "line"
columns = { product = "product_id", quantity = "quantity", unit_price = "unit_price" }
"""


def write_backlog(folder: Path, invoices: int, chance: random.Random) -> Decimal:
    """The source's files; the sum of all invoices."""
    _write(folder / "customers.csv", ("customer_id", "name"), [(n, f"Customer {n}") for n in range(1, CUSTOMERS + 1)])
    prices = {n: Decimal(chance.randrange(100, 50_000)) / 100 for n in range(1, PRODUCTS + 1)}
    _write(
        folder / "products.csv",
        ("product_id", "name", "unit_price"),
        [(n, f"Product {n}", price) for n, price in prices.items()],
    )
    orders: list[tuple[object, ...]] = []
    lines: list[tuple[object, ...]] = []
    total = Decimal(0)
    first = date(2026, 1, 1)
    for number in range(1, invoices + 1):
        order = f"B{number:06}"
        orders.append((order, chance.randint(1, CUSTOMERS), first + timedelta(days=chance.randrange(300))))
        for place, product in enumerate(chance.sample(range(1, PRODUCTS + 1), chance.randint(1, 4)), start=1):
            quantity = chance.randint(1, 20)
            lines.append((order, place, product, quantity, prices[product]))
            total += quantity * prices[product]
    _write(folder / "orders.csv", ("order_id", "customer_id", "order_date"), orders)
    _write(folder / "lines.csv", ("order_id", "line", "product_id", "quantity", "unit_price"), lines)
    return total


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


@dataclass(slots=True)
class Bench:
    """What one run works with."""

    folder: Path
    pool: Pool
    emulator: QuickBooksEmulator
    clock: LoopClock

    def settings(self, mapping: str, adapter: str) -> Settings:
        office = self.emulator.office
        quickbooks = QuickBooksSettings(
            realm_id=self.emulator.realm_id,
            client_id=SecretStr(office.client_id),
            client_secret=SecretStr(office.client_secret),
            refresh_token=SecretStr(office.refresh_token),
            base_url=self.emulator.base_url,
        )
        options = {"folder": str(self.folder)} if adapter == "csv" else {"backlog": adapter}
        source = SourceSettings(adapter=adapter, mapping=mapping, options=options)
        company = CompanySettings(company=COMPANY, name="Backlog", quickbooks=quickbooks, sources={adapter: source})
        return Settings(home=self.folder, companies=(company,))

    async def sync(self, mapping: str, adapter: str, effects: int, seconds_max: float) -> datetime:
        """Run an engine until the books hold so many effects and all of them are accepted; when it began."""
        async with Engine(self.settings(mapping, adapter), pool=self.pool, clock=self.clock) as engine:
            began = self.clock.now()
            engine.start()
            end = self.clock.monotonic() + seconds_max
            while not (len(self.emulator.books.journal) >= effects and _is_quiet(engine)):
                runner = engine.runners[COMPANY]
                if runner.state in {"failing", "stopped"}:
                    raise AssertionError(f"the engine is {runner.state}: {runner.error}")
                if self.clock.monotonic() > end:
                    state = [tuple(row) for row in await engine.store.records("outcomes", COMPANY)]
                    troubles = runner.worker.progress.troubles if runner.worker is not None else {}
                    raise TimeoutError(f"not done after {seconds_max:.0f} s: {state}, {runner.error}, {troubles}")
                await self.clock.sleep(LOOK_SECONDS)
        return began


def _is_quiet(engine: Engine) -> bool:
    worker = engine.runners[COMPANY].worker
    return worker is not None and worker.progress.quiet


@asynccontextmanager
async def opened(folder: Path, seed: int) -> AsyncIterator[Bench]:
    """Postgres and the emulator, in one process and one time."""
    async with EmbeddedPostgres(folder / "server", settings=SETTINGS) as server:
        report = await server.prepare()
        async with counted_pool(server.engine_dsn, report.names) as pool:
            skipper().watch(server.pid)
            clock = LoopClock()
            async with QuickBooksEmulator(EmulatorOptions(seed=seed), clock=clock) as emulator:
                yield Bench(folder, pool, emulator, clock)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be written.

    Attributes:
        names, transactions: how many of each.
        expected: by entity, how many documents there must be and what they come to.
    """

    names: int
    transactions: int
    expected: Mapping[str, tuple[int, Decimal]]

    @property
    def writes(self) -> int:
        """All of them."""
        return self.names + self.transactions


@dataclass(frozen=True, slots=True)
class Run:
    """What was run."""

    work: Work
    began: datetime
    calls_before: int
    effects_before: int
    answer_seconds: float


async def measure(options: argparse.Namespace, result: Result) -> None:
    """One run; adds figures and goals."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-", ignore_cleanup_errors=True) as home:
        folder = Path(home)
        async with opened(folder, options.seed) as bench:
            skipper().enabled = True
            if options.mixed:
                work, mapping, adapter = _mixed(folder, options.writes, options.seed)
                effects = 0
            else:
                work, mapping, adapter = _invoices(folder, options.writes, options.seed)
                effects = CUSTOMERS + PRODUCTS
                await bench.sync(NAMES_MAPPING, adapter, effects, 600)
                await bench.clock.sleep(REST_SECONDS)
            if options.answer_seconds:
                board = bench.emulator.board
                board.post(FaultRule(board.next_number(), "slow", count=None, seconds=options.answer_seconds))
            calls = bench.emulator.stats.next_call()
            patience = least_seconds(work.names, work.transactions) * PATIENCE + 300
            real, cpu = time.monotonic(), time.process_time()
            began = await bench.sync(mapping, adapter, effects + work.writes, patience)
            real, cpu = time.monotonic() - real, time.process_time() - cpu
            skipper().enabled = False
            _report(bench, result, Run(work, began, calls, effects, options.answer_seconds))
            result.figures["run"] = {
                "real_seconds": round(real, 1),
                "cpu_seconds": round(cpu, 1),
                "stolen_seconds": round(skipper().stolen, 1),
            }


def _invoices(folder: Path, writes: int, seed: int) -> tuple[Work, str, str]:
    total = write_backlog(folder, writes, random.Random(seed))
    return Work(0, writes, {"Invoice": (writes, total)}), NAMES_MAPPING + ORDERS_MAPPING, "csv"


def _mixed(folder: Path, writes: int, seed: int) -> tuple[Work, str, str]:
    mixed_source.install(folder / "plug-in")
    backlog = mixed_source.Maker(writes, random.Random(seed)).make()
    mixed_source.HELD[mixed_source.CONNECTION] = backlog
    names = sum(len(backlog.records[kind]) for kind in mixed_source.NAMES)
    return Work(names, writes - names, backlog.expected), mixed_source.MAPPING, mixed_source.CONNECTION


def _check(run: Run, effects: Sequence[Effect]) -> dict[str, int]:
    """Every document is there once, and all of an entity come to what they must; how many there are of each."""
    found: dict[str, tuple[int, Decimal]] = {}
    for effect in effects:
        number, amount = found.get(effect.entity, (0, Decimal(0)))
        found[effect.entity] = (number + 1, amount + (effect.amount or Decimal(0)))
    for entity, (number, amount) in run.work.expected.items():
        if found.get(entity) != (number, amount):
            raise AssertionError(f"{entity}: the books hold {found.get(entity)} instead of {(number, amount)}")
    if len({(effect.entity, effect.id) for effect in effects}) != run.work.writes:
        raise AssertionError(f"{len(effects)} effects instead of {run.work.writes}")
    return {entity: number for entity, (number, _) in found.items()}


def _report(bench: Bench, result: Result, run: Run) -> None:
    new = list(bench.emulator.books.journal)[run.effects_before :]
    effects = [effect for effect in new if effect.operation == "create"]
    documents = _check(run, effects)
    calls = bench.emulator.stats.calls(run.calls_before, 1_000_000)
    writes = [call for call in calls if call["method"] == "POST" and call["kind"] != "query"]
    least = least_seconds(run.work.names, run.work.transactions)
    first = datetime.fromisoformat(str(writes[0]["time"]))
    last = max(effect.at for effect in effects)
    whole, sending = (last - run.began).total_seconds(), (last - first).total_seconds()
    refused = sum(call["status"] == 429 for call in calls)
    batches = [call for call in calls if call["kind"] == "batch"]
    result.figures.update(
        {
            "writes": run.work.writes,
            "documents": documents,
            "least_seconds": least,
            "calls": dict(Counter(str(call["kind"]) for call in calls)),
            "items_per_batch": round(sum(int(str(one["items"])) for one in batches) / max(1, len(batches)), 2),
            "seconds_from_start": round(whole, 2),
            "seconds_from_first_call": round(sending, 2),
            "seconds_before_first_call": round((first - run.began).total_seconds(), 2),
            "answers_429": refused,
            "answer_seconds": run.answer_seconds,
            "curve": _curve(run, [effect.at for effect in effects]),
        }
    )
    # The least of a backlog that a second takes is no time at all.
    goal = 1.05 if run.work.writes >= 10_000 and not run.answer_seconds else None
    if least:
        result.goals += [
            Goal("backlog: time from the first call ÷ least", sending / least, None, goal),
            # Reading the source comes on top: nothing is planned before the log is folded to its head.
            Goal("the same from the start, the source still unread ÷ least", whole / least),
        ]
    result.goals.append(Goal("backlog: answers 429", float(refused), None, 0))


def _curve(run: Run, instants: list[datetime]) -> list[list[float]]:
    """Invoices in the books at some instants, for the plot."""
    step = max(1, len(instants) // 100)
    return [
        [round((at - run.began).total_seconds(), 2), number]
        for number, at in enumerate(instants, start=1)
        if number % step == 0
    ]


async def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--mixed", action="store_true", help="records of every kind, not invoices alone")
    parser.add_argument("--free", action="store_true", help="work takes no time: only waiting moves the clock")
    parser.add_argument("--answer-seconds", type=float, default=0.0, help="how long QuickBooks takes for an answer")
    options = parser.parse_args()
    settings = {
        "writes": options.writes,
        "mixed": options.mixed,
        "free": options.free,
        "answer_seconds": options.answer_seconds,
    }
    result = Result("mixed" if options.mixed else "quickbooks", options.seed, settings)
    await measure(options, result)
    return finish(result, options.out)


if __name__ == "__main__":
    raise SystemExit(run_skipping(main(), free="--free" in sys.argv))
