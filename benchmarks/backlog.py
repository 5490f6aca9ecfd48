"""A backlog of 10,000 invoices through the whole engine into QuickBooks, at Intuit's limits.

    python benchmarks/backlog.py [--invoices 10000] [--answer-seconds 0] [--out result.json]

The customers and items are there already; the invoices lie in the source, unread. The real engine, with its log in
Postgres, its limiter and its client over HTTP, sends them to the emulator, which enforces the limits in sliding
windows of its own. Idle waiting is skipped (see skipping.py), work is not.

The least time follows from the limits alone: batches of 30, 10 calls in any second, 40 batches in any 60 seconds, the
first 40 at once. It counts no time for answers and none for computing.
"""

import csv
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pydantic import SecretStr

from counterfoil.engine import Engine
from counterfoil.postgres import EmbeddedPostgres, Pool
from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.injection import FaultRule
from counterfoil.settings import CompanySettings, QuickBooksSettings, Settings, SourceSettings
from logbench import SETTINGS
from measure import Goal, Result, arguments, finish
from skipping import LoopClock, counted_pool, run_skipping, skipper

COMPANY = 1
CUSTOMERS = 50
PRODUCTS = 20
BATCH_ITEMS = 30
BATCHES_PER_MINUTE = 40
CALLS_PER_SECOND = 10
WINDOW_SECONDS = 60
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


def least_batches(invoices: int) -> int:
    """Batches without which it cannot be done."""
    return -(-invoices // BATCH_ITEMS)


def least_seconds(batches: int) -> float:
    """When the last of so many batches may be sent, the first at 0: whole windows, then whole seconds."""
    windows, rest = divmod(batches - 1, BATCHES_PER_MINUTE)
    return float(windows * WINDOW_SECONDS + rest // CALLS_PER_SECOND)


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

    def settings(self, mapping: str) -> Settings:
        office = self.emulator.office
        quickbooks = QuickBooksSettings(
            realm_id=self.emulator.realm_id,
            client_id=SecretStr(office.client_id),
            client_secret=SecretStr(office.client_secret),
            refresh_token=SecretStr(office.refresh_token),
            base_url=self.emulator.base_url,
        )
        source = SourceSettings(adapter="csv", mapping=mapping, options={"folder": str(self.folder)})
        company = CompanySettings(company=COMPANY, name="Backlog", quickbooks=quickbooks, sources={"files": source})
        return Settings(home=self.folder, companies=(company,))

    async def sync(self, mapping: str, effects: int, seconds_max: float) -> datetime:
        """Run an engine until the books hold so many effects and all of them are accepted; when it began."""
        async with Engine(self.settings(mapping), pool=self.pool, clock=self.clock) as engine:
            began = self.clock.now()
            engine.start()
            end = self.clock.monotonic() + seconds_max
            while not (len(self.emulator.books.journal) >= effects and _is_quiet(engine)):
                runner = engine.runners[COMPANY]
                if runner.state in {"failing", "stopped"}:
                    raise AssertionError(f"the engine is {runner.state}: {runner.error}")
                if self.clock.monotonic() > end:
                    state = [tuple(row) for row in await engine.store.records("outcomes", COMPANY)]
                    raise TimeoutError(f"not done after {seconds_max:.0f} s: {state}, {runner.error}")
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
            clock = LoopClock()
            async with QuickBooksEmulator(EmulatorOptions(seed=seed), clock=clock) as emulator:
                yield Bench(folder, pool, emulator, clock)


async def measure(invoices: int, seed: int, answer_seconds: float, result: Result) -> None:
    """One run; adds figures and goals."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-", ignore_cleanup_errors=True) as home:
        folder = Path(home)
        total = write_backlog(folder, invoices, random.Random(seed))
        async with opened(folder, seed) as bench:
            skipper().enabled = True
            names = CUSTOMERS + PRODUCTS
            await bench.sync(NAMES_MAPPING, names, 600)
            await bench.clock.sleep(REST_SECONDS)
            if answer_seconds:
                board = bench.emulator.board
                board.post(FaultRule(board.next_number(), "slow", count=None, seconds=answer_seconds))
            calls_before = bench.emulator.stats.next_call()
            least = least_seconds(least_batches(invoices))
            real, cpu = time.monotonic(), time.process_time()
            began = await bench.sync(NAMES_MAPPING + ORDERS_MAPPING, names + invoices, least * PATIENCE + 300)
            real, cpu = time.monotonic() - real, time.process_time() - cpu
            skipper().enabled = False
            _report(bench, result, Run(invoices, total, began, calls_before, answer_seconds))
            result.figures["run"] = {"real_seconds": round(real, 1), "cpu_seconds": round(cpu, 1)}


@dataclass(frozen=True, slots=True)
class Run:
    """What was run."""

    invoices: int
    total: Decimal
    began: datetime
    calls_before: int
    answer_seconds: float


def _report(bench: Bench, result: Result, run: Run) -> None:
    effects = [effect for effect in bench.emulator.books.journal if effect.entity == "Invoice"]
    calls = bench.emulator.stats.calls(run.calls_before, 1_000_000)
    batches = [call for call in calls if call["kind"] == "batch"]
    sent_total = sum((effect.amount or Decimal(0) for effect in effects), Decimal(0))
    if len(effects) != run.invoices or len({effect.doc_number for effect in effects}) != run.invoices:
        raise AssertionError(f"{len(effects)} invoices in the books instead of {run.invoices}")
    if sent_total != run.total:
        raise AssertionError(f"the books hold {sent_total} instead of {run.total}")
    least_calls = least_batches(run.invoices)
    least = least_seconds(least_calls)
    first = datetime.fromisoformat(str(batches[0]["time"]))
    last = max(effect.at for effect in effects)
    whole, sending = (last - run.began).total_seconds(), (last - first).total_seconds()
    refused = sum(call["status"] == 429 for call in calls)
    kinds = Counter(str(call["kind"]) for call in calls)
    result.figures.update(
        {
            "invoices": run.invoices,
            "total": str(sent_total),
            "least_seconds": least,
            "least_calls": least_calls,
            "calls": dict(kinds),
            "items_per_batch": round(run.invoices / len(batches), 2),
            "seconds_from_start": round(whole, 2),
            "seconds_from_first_call": round(sending, 2),
            "seconds_before_first_call": round((first - run.began).total_seconds(), 2),
            "answers_429": refused,
            "answer_seconds": run.answer_seconds,
            "curve": _curve(run, [effect.at for effect in effects]),
        }
    )
    # The least of a backlog that one call takes is no time at all.
    goal = 1.05 if run.invoices >= 10_000 and not run.answer_seconds else None
    if least:
        result.goals += [
            Goal("backlog of invoices: time from the first call ÷ least", sending / least, None, goal),
            # Reading the source comes on top: nothing is planned before the log is folded to its head.
            Goal("the same from the start, the source still unread ÷ least", whole / least),
        ]
    result.goals += [
        Goal("backlog of invoices: answers 429", float(refused), None, 0),
        Goal("backlog of invoices: batches ÷ least", len(batches) / least_calls, None, goal),
    ]


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
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--answer-seconds", type=float, default=0.0, help="how long QuickBooks takes for an answer")
    options = parser.parse_args()
    settings = {"invoices": options.invoices, "answer_seconds": options.answer_seconds}
    result = Result("quickbooks", options.seed, settings)
    await measure(options.invoices, options.seed, options.answer_seconds, result)
    return finish(result, options.out)


if __name__ == "__main__":
    raise SystemExit(run_skipping(main()))
