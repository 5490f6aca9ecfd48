"""Delay when nothing else is to be done, in both directions, through the whole engine.

    python benchmarks/delay.py [--samples 100] [--out result.json]

- out: somebody wins a deal in HubSpot → webhook → read → recorded → planned → sent → accepted by QuickBooks.
- back: somebody enters a payment in QuickBooks → webhook → read → recorded → planned → written back to the deal.

Everything is real: Postgres on disk, the emulators as processes of their own, HTTP over loopback, Intuit's limits.
The emulators answer at once, so these are our own delays; what Intuit and HubSpot take comes on top. Both gather
notifications for a moment (HubSpot's 20 ms, QuickBooks' 50 ms), which counts in "from the edit" and not in "from the
webhook". Between samples the engine comes to rest for a random time, so that no sample rides on another's wake-up.
Of the notifications of QuickBooks the first is followed at once, and what comes in the seconds behind it is gathered,
since reading is metered: so half of the payments come when that time is over, and half right behind another.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from counterfoil.dispatch.worker import Pace
from counterfoil.engine import Engine
from counterfoil.http.server import serving
from counterfoil.log import RecordedEvent
from counterfoil.settings import CompanySettings, QuickBooksSettings, Settings, SourceSettings
from counterfoil_schema import exact_json
from measure import Goal, Result, arguments, finish, percentile, run

COMPANY = 1
COMPANIES = 10
PRODUCTS = 10
SETTLE_SECONDS = 120.0
SAMPLE_SECONDS = 20.0
LOOK_SECONDS = 0.02
QUIET_LOOKS = 10
PAGE_EVENTS = 1_000
EMULATORS = {
    "quickbooks": "from counterfoil.quickbooks.emulator import serve",
    "hubspot": "from counterfoil_adapters.hubspot.emulator import serve",
}
MAPPING = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["company"]

[product]
income_account = "Sales of Product Income"
type = "NonInventory"

[invoice]
from = ["deal"]
number = "H-{id}"
date = "happened"

[write_back]
status = "qbo_invoice_status"
balance = "qbo_balance"
amount_paid = "qbo_amount_paid"
last_payment_date = "qbo_last_payment_date"
"""

Ready = Mapping[str, Any]


@asynccontextmanager
async def emulator(name: str, *options: str) -> AsyncIterator[Ready]:
    """An emulator as a process; what it printed when it was ready."""
    code = f"import asyncio, sys; {EMULATORS[name]}; sys.exit(asyncio.run(serve(sys.argv[1:])))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "--port", "0", "--json", *options, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


def sample_account(deals: int, chance: random.Random) -> dict[str, Any]:
    """A HubSpot account whose deals are all open."""
    companies = [{"id": str(n), "properties": {"name": f"Company {n}"}} for n in range(1, COMPANIES + 1)]
    prices = {n: f"{chance.randrange(1_000, 90_000) / 100:.2f}" for n in range(1, PRODUCTS + 1)}
    products = [{"id": str(n), "properties": {"name": f"Product {n}", "price": price}} for n, price in prices.items()]
    rows: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for number in range(1001, 1001 + deals):
        properties = {
            "dealname": f"Deal {number}",
            "dealstage": "contractsent",
            "pipeline": "default",
            "deal_currency_code": "USD",
            "closedate": "2026-10-05T15:00:00.000Z",
        }
        rows.append({"id": str(number), "properties": properties})
        own = [f"{number}{place}" for place in (1, 2)]
        for line, product in zip(own, chance.sample(range(1, PRODUCTS + 1), 2), strict=True):
            quantity = str(chance.randint(1, 9))
            named = {"name": f"Product {product}", "hs_product_id": str(product), "price": prices[product]}
            lines.append({"id": line, "properties": {**named, "quantity": quantity}})
        start = {"from": "deals", "from_id": str(number)}
        links.append({**start, "to": "companies", "to_ids": [str(chance.randint(1, COMPANIES))]})
        links.append({**start, "to": "line_items", "to_ids": own})
    objects = {"companies": companies, "products": products, "line_items": lines, "deals": rows}
    return {"objects": objects, "associations": links}


@dataclass(slots=True)
class Parts:
    """What a run works with."""

    engine: Engine
    http: aiohttp.ClientSession
    quickbooks: Ready
    hubspot: Ready
    chance: random.Random
    position: int = 0
    invoices: dict[str, str] = field(default_factory=dict)

    async def control(self, side: Ready, method: str, path: str, body: Any) -> Any:
        """Tell an emulator what somebody does."""
        data = None if body is None else exact_json.dumps(body)
        headers = {"Content-Type": "application/json"}
        async with self.http.request(method, str(side["control_url"]) + path, data=data, headers=headers) as answer:
            answer.raise_for_status()
            return exact_json.loads(await answer.read())

    async def news(self) -> Sequence[RecordedEvent]:
        """What was recorded since the last look."""
        found = await self.engine.reader.read(COMPANY, after=self.position, limit=PAGE_EVENTS)
        if found:
            self.position = found[-1].position
        return found

    async def rest(self, seconds: float = 0.0) -> None:
        """Until nothing has moved for a while, so many seconds and a random time longer."""
        end = time.monotonic() + SETTLE_SECONDS
        looks = 0
        while looks < QUIET_LOOKS:
            if time.monotonic() > end:
                state = [tuple(row) for row in await self.engine.store.records("outcomes", COMPANY)]
                raise TimeoutError(f"the engine does not come to rest: {state}, {self.engine.runners[COMPANY].error}")
            worker = self.engine.runners[COMPANY].worker
            quiet = worker is not None and worker.progress.quiet and not await self.news()
            looks = looks + 1 if quiet else 0
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(seconds + self.chance.random())


@dataclass(frozen=True, slots=True)
class Sample:
    """One change's way: seconds from the edit to each stage's recording."""

    stages: Mapping[str, float]

    def from_webhook(self) -> float:
        return self.stages["accepted"] - self.stages["webhook"]


async def watch(parts: Parts, key: str, observed: str, target: str, edited: datetime) -> Sample:
    """Follow one change through the log until it is accepted on the other side."""
    stages: dict[str, datetime] = {}
    planned: set[str] = set()
    end = time.monotonic() + SAMPLE_SECONDS
    while "accepted" not in stages:
        if time.monotonic() > end:
            raise TimeoutError(f"{key} got no further than {', '.join(stages) or 'the edit'} in {SAMPLE_SECONDS} s")
        for event in await parts.news():
            body = event.light()
            match event.event_type:
                case "webhook.received" if body["connection"] == observed:
                    stages.setdefault("webhook", event.recorded_at)
                case "source.observed" | "books.observed":
                    stages.setdefault("observed", event.recorded_at)
                case "intent.planned" if event.record_key == key and body["target"] == target:
                    stages.setdefault("planned", event.recorded_at)
                    planned.add(body["intent_id"])
                case "call.sent" if body["target"] == target and any(i["intent_id"] in planned for i in body["items"]):
                    stages.setdefault("sent", event.recorded_at)
                case "intent.accepted" if body["intent_id"] in planned:
                    stages["accepted"] = event.recorded_at
                    if target == "quickbooks":
                        parts.invoices[key] = str(body["document_id"])
        await asyncio.sleep(LOOK_SECONDS)
    return Sample({name: (at - edited).total_seconds() for name, at in stages.items()})


async def win_deal(parts: Parts, number: int) -> Sample:
    """Somebody wins a deal; until the invoice is accepted."""
    await parts.rest()
    edited = datetime.now(UTC)
    await parts.control(parts.hubspot, "PATCH", f"/people/deals/{number}", {"properties": {"dealstage": "closedwon"}})
    return await watch(parts, f"crm:deal:{number}", "crm", "quickbooks", edited)


async def pay(parts: Parts, number: int, *, alone: bool) -> Sample:
    """Somebody enters the payment of an invoice, alone or right behind another; until the deal shows it."""
    await parts.rest(Pace().gather_seconds if alone else 0.0)
    key = f"crm:deal:{number}"
    invoice_id = parts.invoices[key]
    state = await parts.control(parts.quickbooks, "GET", "/state?entity=Invoice", None)
    invoice = next(row for row in state["Invoice"] if row["Id"] == invoice_id)
    payment = {
        "CustomerRef": invoice["CustomerRef"],
        "TotalAmt": invoice["Balance"],
        "Line": [{"Amount": invoice["Balance"], "LinkedTxn": [{"TxnId": invoice_id, "TxnType": "Invoice"}]}],
    }
    edited = datetime.now(UTC)
    await parts.control(parts.quickbooks, "POST", "/books/Payment", {"body": payment})
    return await watch(parts, key, "quickbooks", "crm", edited)


def settings(home: Path, quickbooks: Ready, hubspot: Ready) -> Settings:
    """An engine between the two; it polls seldom, so that webhooks do the work."""
    books = QuickBooksSettings(
        realm_id=quickbooks["realm_id"],
        client_id=SecretStr(quickbooks["client_id"]),
        client_secret=SecretStr(quickbooks["client_secret"]),
        refresh_token=SecretStr(quickbooks["refresh_token"]),
        verifier_token=SecretStr(quickbooks["verifier_token"]),
        base_url=quickbooks["base_url"],
    )
    options = {
        "base_url": hubspot["base_url"],
        "access_token": SecretStr(hubspot["access_token"]),
        "client_secret": SecretStr(hubspot["client_secret"]),
        "app_id": str(hubspot["app_id"]),
        "portal_id": str(hubspot["portal_id"]),
    }
    crm = SourceSettings(adapter="hubspot", mapping=MAPPING, options=options)
    company = CompanySettings(
        company=COMPANY,
        name="Delay",
        zone="America/New_York",
        quickbooks=books,
        sources={"crm": crm},
        poll_seconds=3600,
        sweep_seconds=3600,
    )
    return Settings(home=home, companies=(company,))


@asynccontextmanager
async def opened(seed: int, deals: int) -> AsyncIterator[Parts]:
    """Everything started, the account read, nothing left to do."""
    async with AsyncExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="counterfoil-bench-", ignore_cleanup_errors=True))
        quickbooks = await stack.enter_async_context(emulator("quickbooks", "--seed", str(seed)))
        hubspot = await stack.enter_async_context(emulator("hubspot", "--seed", str(seed)))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        engine = await stack.enter_async_context(Engine(settings(Path(home), quickbooks, hubspot)))
        address = await stack.enter_async_context(serving(engine, "127.0.0.1", 0))
        chance = random.Random(seed)
        parts = Parts(engine, http, quickbooks, hubspot, chance)
        await parts.control(hubspot, "POST", "/load", sample_account(deals, chance))
        await parts.control(hubspot, "POST", "/webhooks", {"url": f"{address}/webhooks/sources/{COMPANY}/crm"})
        await parts.control(quickbooks, "POST", "/webhooks", {"url": f"{address}/webhooks/quickbooks"})
        engine.start()
        await parts.rest()
        yield parts


def _milliseconds(values: Sequence[float]) -> dict[str, float]:
    return {
        "p50_ms": round(percentile(values, 0.5) * 1000, 1),
        "p99_ms": round(percentile(values, 0.99) * 1000, 1),
        "max_ms": round(max(values) * 1000, 1),
    }


def figures(samples: Sequence[Sample]) -> dict[str, object]:
    """Whole delays, and the median time between one stage and the next."""
    order = ("webhook", "observed", "planned", "sent", "accepted")
    steps: dict[str, float] = {}
    before = "edit"
    for stage in order:
        spans = [sample.stages[stage] - sample.stages.get(before, 0.0) for sample in samples if stage in sample.stages]
        steps[f"{before} → {stage}"] = round(percentile(spans, 0.5) * 1000, 1)
        before = stage
    return {
        "samples": len(samples),
        "from_webhook": _milliseconds([sample.from_webhook() for sample in samples]),
        "from_edit": _milliseconds([sample.stages["accepted"] for sample in samples]),
        "steps_p50_ms": steps,
        "all_ms": [round(sample.from_webhook() * 1000, 1) for sample in samples],
    }


async def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args()
    result = Result("delay", options.seed, {"samples": options.samples})
    async with opened(options.seed, max(options.samples, 2) + 1) as parts:
        # The first of each is a warm-up: statements prepared, connections opened.
        numbers = range(1001, 1002 + max(options.samples, 2))
        out = [await win_deal(parts, number) for number in numbers][1:]
        half = 1 + len(numbers) // 2
        back = [await pay(parts, number, alone=True) for number in numbers[:half]][1:]
        behind = [await pay(parts, number, alone=False) for number in numbers[half:]]
    ways = (
        ("out", "deal won → accepted in the books", out),
        ("back", "payment in the books → written back", back),
        ("behind", "payment right behind another → written back", behind),
    )
    for name, label, samples in ways:
        result.figures[name] = figures(samples)
        delays = [sample.from_webhook() for sample in samples]
        result.goals += [
            Goal(f"{label}, from the webhook, p50 s", percentile(delays, 0.5)),
            Goal(f"{label}, from the webhook, p99 s", percentile(delays, 0.99)),
        ]
    return finish(result, options.out)


if __name__ == "__main__":
    run(main)
