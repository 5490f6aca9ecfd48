"""An engine in this process between the emulators of a source and of QuickBooks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from counterfoil import CompanySettings, Engine, QuickBooksSettings, Settings, SourceSettings
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess


def settings_between(database: Database, home: Path, books: EmulatorProcess, source: SourceSettings) -> Settings:
    """One company whose books are the emulator's, with one source named after its adapter."""
    quickbooks = QuickBooksSettings(
        realm_id=books["realm_id"],
        client_id=SecretStr(books["client_id"]),
        client_secret=SecretStr(books["client_secret"]),
        refresh_token=SecretStr(books["refresh_token"]),
        verifier_token=SecretStr(books["verifier_token"]),
        base_url=books["base_url"],
        unlimited=True,
    )
    company = CompanySettings(
        company=1,
        name="Between",
        quickbooks=quickbooks,
        sources={source.adapter: source},
        poll_seconds=0.5,
        sweep_seconds=0.5,
    )
    return Settings(home=home, dsn=database.engine_dsn, admin_dsn=database.admin_dsn, companies=(company,))


def source_settings(adapter: str, mapping: str, options: Mapping[str, Any]) -> SourceSettings:
    """A connection of a source."""
    return SourceSettings(adapter=adapter, mapping=mapping, options=dict(options))


@asynccontextmanager
async def at_work(
    database: Database,
    home: Path,
    books: EmulatorProcess,
    source: SourceSettings,
    *,
    listen: Callable[[str], Awaitable[object]] | None = None,
    **telemetry: Any,
) -> AsyncIterator[Engine]:
    """An engine between the two emulators, with QuickBooks' webhooks leading to it.

    `listen` is given the address for the source's own.
    """
    engine = Engine(settings_between(database, home, books, source), **telemetry)
    host = web.Application()
    host.add_subapp("/hooks", engine.webhooks)
    runner = web.AppRunner(host)
    async with engine:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            root = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
            hook = {"url": f"{root}/quickbooks", "gather_seconds": 0}
            await asyncio.to_thread(books.control, "/webhooks", hook)
            if listen is not None:
                await listen(f"{root}/sources/1/{source.adapter}")
            engine.start()
            yield engine
        finally:
            await runner.cleanup()


async def documents(books: EmulatorProcess, entity: str = "Invoice") -> dict[str, dict[str, Any]]:
    """What the books hold of an entity, by id."""
    state: Any = await asyncio.to_thread(books.control, f"/state?entity={entity}")
    return {one["Id"]: one for one in state[entity]}


async def pay(books: EmulatorProcess, invoice: str, amount: Decimal | int = 40) -> None:
    """A bookkeeper enters a payment on an invoice, by its id."""
    document = (await documents(books))[invoice]
    payment = {
        "CustomerRef": {"value": document["CustomerRef"]["value"]},
        "TotalAmt": amount,
        "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}],
    }
    await asyncio.to_thread(books.control, "/books/Payment", {"body": payment})
