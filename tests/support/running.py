"""A whole engine in this process, between a shelf of records and the QuickBooks emulator as a process of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.trace import TracerProvider
from pydantic import SecretStr

from counterfoil import plugins
from counterfoil.clock import SystemEntropy
from counterfoil.dispatch.sweeping import SWEEP
from counterfoil.dispatch.watched import BOOKS
from counterfoil.engine import Engine
from counterfoil.keys import master_key
from counterfoil.log import MasterKey
from counterfoil.postgres import Pool
from counterfoil.settings import CompanySettings, QuickBooksSettings, Settings, SourceSettings
from counterfoil.state.rows import OPEN_INTENTS, IntentRow
from counterfoil.state.store import PostgresStateStore, StateStore
from support.audit import assert_books_hold, assert_state_adds_up
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.sales import Sales
from support.shelf import MAPPING, Shelf, shelf_only

LEASE_SECONDS = 16.0
TIMEOUT_SECONDS = 2.0
SERVER_SECONDS = 1.0
GIVE_UP_SECONDS = 240.0
STILL_SECONDS = 1.5


def company_settings(
    emulator: EmulatorProcess | Mapping[str, str],
    folder: Path,
    company: int = 1,
    *,
    sweep_seconds: float = 0.5,
    mapping: str = MAPPING,
) -> CompanySettings:
    """One company on one emulator."""
    quickbooks = QuickBooksSettings(
        realm_id=emulator["realm_id"],
        client_id=SecretStr(emulator["client_id"]),
        client_secret=SecretStr(emulator["client_secret"]),
        refresh_token=SecretStr(emulator["refresh_token"]),
        verifier_token=SecretStr(emulator["verifier_token"]),
        base_url=emulator["base_url"],
        unlimited=True,
        timeout_seconds=TIMEOUT_SECONDS,
        server_seconds=SERVER_SECONDS,
    )
    return CompanySettings(
        company=company,
        name="Shelf & Sons",
        zone="America/New_York",
        quickbooks=quickbooks,
        sources={"shelf": SourceSettings(adapter="shelf", mapping=mapping, options={"folder": str(folder)})},
        poll_seconds=0.5,
        sweep_seconds=sweep_seconds,
    )


@dataclass(frozen=True)
class Rest:
    """Knows when all that was put on a shelf or into the books so far has come to its end at the other side.

    `head`: the end of the company's log.
    """

    store: StateStore
    shelf: Shelf
    head: Callable[[], Awaitable[int]]
    company: int = 1

    async def reached(self, *, still_seconds: float, give_up_seconds: float) -> None:
        """Wait for it, and until the log has not grown for a while."""
        end, before, moved, still = time.monotonic() + give_up_seconds, -1, datetime.now(UTC), time.monotonic()
        while time.monotonic() < end:
            await asyncio.sleep(0.2)
            head = await self.head()
            if head != before:
                before, moved, still = head, datetime.now(UTC), time.monotonic()
            elif time.monotonic() - still > still_seconds and await self._is_over(moved) and await self.head() == head:
                return
        outcomes = [tuple(row) for row in await self.store.records("outcomes", self.company)]
        open_intents = await self.store.some(IntentRow, "intents_in", self.company, sorted(OPEN_INTENTS), 5)
        raise TimeoutError(f"not done: {outcomes} {open_intents}")

    async def _is_over(self, moved: datetime) -> bool:
        """Whether all is read, the books since anything last moved; all that was read is folded; and nothing waits.

        Asked in this order, so that what is read meanwhile is waited for as well.
        """
        for kind, count in self.shelf.counts().items():
            read = await self.store.value("cursor", self.company, "shelf", kind)
            if read is None or int(read) < count:
                return False
        swept = await self.store.value("cursor", self.company, BOOKS, SWEEP)
        if swept is None or datetime.fromisoformat(swept) <= moved + timedelta(seconds=0.6):
            return False
        if (await self.store.checkpoint(self.company)).position < await self.head():
            return False
        if any(row[0] == "waiting" for row in await self.store.records("outcomes", self.company)):
            return False
        return not await self.store.some(IntentRow, "intents_in", self.company, sorted(OPEN_INTENTS), 1)


@dataclass
class Shop:
    """A company that an engine works for, and what it must come to."""

    database: Database
    pool: Pool
    folder: Path
    emulator: EmulatorProcess
    sales: Sales

    @property
    def store(self) -> StateStore:
        return PostgresStateStore(self.pool, self.database.names)

    def settings(self, *companies: CompanySettings) -> Settings:
        given = companies or (company_settings(self.emulator, self.folder),)
        return Settings(home=self.folder, dsn=self.database.engine_dsn, lease_seconds=LEASE_SECONDS, companies=given)

    @asynccontextmanager
    async def engine(
        self,
        settings: Settings | None = None,
        *,
        tracers: TracerProvider | None = None,
        step: Callable[[str], None] = lambda _: None,
        webhooks: bool = True,
    ) -> AsyncIterator[Engine]:
        """A running engine, with its webhooks where the emulator sends them."""
        async with Engine(settings or self.settings(), tracer_provider=tracers, step=step) as engine:
            runner = web.AppRunner(engine.webhooks)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            if webhooks:
                await self.control("/webhooks", {"url": f"http://127.0.0.1:{_port_of(runner)}/quickbooks"})
            engine.start()
            try:
                yield engine
            finally:
                await engine.stop()
                await runner.cleanup()

    async def control(self, path: str, body: object = None) -> dict[str, Any]:
        return await asyncio.to_thread(self.emulator.control, path, body)

    async def until_done(self, company: int = 1, shelf: Shelf | None = None) -> None:
        """Until everything put on the shelf or into the books so far has come to its end."""
        rest = Rest(self.store, shelf or self.sales.shelf, lambda: self._head(company), company)
        await rest.reached(still_seconds=STILL_SECONDS, give_up_seconds=GIVE_UP_SECONDS)

    async def _head(self, company: int) -> int:
        found = await self.pool.fetchval('SELECT "position" FROM counterfoil_log.heads WHERE company = $1', company)
        return int(found or 0)

    async def check(self) -> None:
        """Books, log and rows tie out."""
        await self.check_state()
        assert_books_hold(self.sales, await self.control("/journal"), await self.control("/totals"))

    async def check_state(self) -> None:
        master = MasterKey(master_key(None, self.folder, SystemEntropy()), SystemEntropy())
        await assert_state_adds_up(self.pool, self.database.names, master)

    async def invoice(self, number: str) -> dict[str, Any]:
        """An invoice as the books show it."""
        found: list[dict[str, Any]] = (await self.control("/state?entity=Invoice"))["Invoice"]
        return next(one for one in found if one["DocNumber"] == number)

    async def pay(self, amounts: dict[str, Decimal], total: Decimal | None = None) -> str:
        """A person enters a payment on these invoices of one customer; its id."""
        invoices = {number: await self.invoice(number) for number in amounts}
        customer = next(iter(invoices.values()))["CustomerRef"]["value"]
        body = {
            "CustomerRef": {"value": customer},
            "TotalAmt": total if total is not None else sum(amounts.values(), Decimal(0)),
            "Line": [
                {"Amount": amount, "LinkedTxn": [{"TxnId": invoices[number]["Id"], "TxnType": "Invoice"}]}
                for number, amount in amounts.items()
            ],
        }
        return str((await self.enter("Payment", body))["Id"])

    async def enter(self, entity: str, body: dict[str, Any]) -> dict[str, Any]:
        """A person enters a document; as the books show it then."""
        entered: dict[str, Any] = (await self.control(f"/books/{entity}", {"body": body}))[entity]
        return entered

    async def values(self, number: str) -> dict[str, str]:
        """What was written back of an order."""
        return self.sales.shelf.shown().get(number, {})


def _port_of(runner: web.AppRunner) -> int:
    (address,) = runner.addresses
    return int(address[1])


@asynccontextmanager
async def open_shop(
    database: Database, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> AsyncIterator[Shop]:
    """A shop with an emulator of its own."""
    monkeypatch.setattr(plugins, "installed", shelf_only)
    async with AsyncExitStack() as stack:
        emulator = await asyncio.to_thread(stack.enter_context, emulator_process("--limits", "off", *arguments))
        yield Shop(database, pool, folder, emulator, Sales(Shelf(folder)))
