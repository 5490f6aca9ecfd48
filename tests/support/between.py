"""An engine in this process between the emulators of HubSpot and QuickBooks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from counterfoil import CompanySettings, Engine, QuickBooksSettings, Settings, SourceSettings
from support import hubspot
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess


@asynccontextmanager
async def at_work(
    database: Database, home: Path, emulator: EmulatorProcess, account: hubspot.Account, mapping: str, **telemetry: Any
) -> AsyncIterator[Engine]:
    """An engine between the two emulators, with QuickBooks' webhooks leading to it."""
    quickbooks = QuickBooksSettings(
        realm_id=emulator["realm_id"],
        client_id=SecretStr(emulator["client_id"]),
        client_secret=SecretStr(emulator["client_secret"]),
        refresh_token=SecretStr(emulator["refresh_token"]),
        verifier_token=SecretStr(emulator["verifier_token"]),
        base_url=emulator["base_url"],
        unlimited=True,
    )
    options = {
        "base_url": account.emulator.base_url,
        "access_token": SecretStr(account.emulator.credentials.access_token),
        "client_secret": SecretStr(account.emulator.credentials.client_secret),
        "app_id": str(account.emulator.app_id),
        "portal_id": str(account.emulator.portal_id),
        "overlap_seconds": 0,
    }
    source = SourceSettings(adapter="hubspot", mapping=mapping, options=options)
    company = CompanySettings(
        company=1,
        name="Traced",
        quickbooks=quickbooks,
        sources={"hubspot": source},
        poll_seconds=0.5,
        sweep_seconds=0.5,
    )
    settings = Settings(home=home, dsn=database.engine_dsn, admin_dsn=database.admin_dsn, companies=(company,))
    engine = Engine(settings, **telemetry)
    host = web.Application()
    host.add_subapp("/hooks", engine.webhooks)
    runner = web.AppRunner(host)
    async with engine:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/quickbooks"
            await asyncio.to_thread(emulator.control, "/webhooks", {"url": url, "gather_seconds": 0})
            engine.start()
            yield engine
        finally:
            await runner.cleanup()


async def pay(emulator: EmulatorProcess, invoice: str, amount: int = 40) -> None:
    """A bookkeeper enters a payment on an invoice, by its id."""
    books = await asyncio.to_thread(emulator.control, "/state?entity=Invoice")
    (document,) = [one for one in flat_documents(books) if one["Id"] == invoice]
    payment = {
        "CustomerRef": {"value": document["CustomerRef"]["value"]},
        "TotalAmt": amount,
        "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}],
    }
    await asyncio.to_thread(emulator.control, "/books/Payment", {"body": payment})


def flat_documents(state: Any) -> list[dict[str, Any]]:
    """The invoices of an emulator's state."""
    invoices = state["records"]["Invoice"] if "records" in state else state["Invoice"]
    return list(invoices.values()) if isinstance(invoices, dict) else list(invoices)
