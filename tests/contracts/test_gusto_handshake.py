"""From one setting to a delivery: the engine subscribes, proves its token, keeps it sealed, hears after a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from counterfoil.engine import Engine
from counterfoil_schema.events.receipts import WebhookReceived
from support.between import at_work, source_settings
from support.gusto import Company, gusto
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

MAPPING = '[connection]\nsource = "gusto"\nzone = "America/New_York"\n'
BOUND_SECONDS = 90.0


@dataclass
class FrontDoor:
    """A public address that outlives the engine behind it, as a proxy's does."""

    url: str = ""
    leads_to: str = ""

    async def pass_on(self, request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.startswith("X-Gusto")}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.leads_to, data=await request.read(), headers=headers) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())

    async def lead(self, address: str) -> None:
        self.leads_to = address


@asynccontextmanager
async def front_door() -> AsyncIterator[FrontDoor]:
    door = FrontDoor()
    application = web.Application()
    application.router.add_post("/gusto", door.pass_on)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/gusto"
        yield door
    finally:
        await runner.cleanup()


async def verified(company: Company) -> str:
    """The subscription's uuid, once Gusto calls it verified."""
    while True:
        hooks = (await company.state())["subscriptions"]
        if [hook["status"] for hook in hooks] == ["verified"]:
            return str(hooks[0]["uuid"])
        await asyncio.sleep(0.1)


async def heard_of(company: Company, engine: Engine, name: str) -> None:
    """Somebody is hired, and the engine records Gusto's delivery of it."""
    made = (await company.control("/people/employees", {"first_name": name, "last_name": "Doe"}))["uuid"]
    while True:
        async for recorded in engine.reader.stream(1):
            if recorded.event_type == "webhook.received":
                event = await recorded.event()
                if isinstance(event, WebhookReceived) and made in {hint.source_id for hint in event.hints}:
                    return
        await asyncio.sleep(0.1)


async def test_one_setting_is_enough_for_webhooks_before_and_after_a_restart(
    database: Database, tmp_path: Path
) -> None:
    async with gusto() as company, front_door() as door:
        ready = company.emulator.ready()
        names = ("base_url", "company_uuid", "access_token", "refresh_token", "client_id", "client_secret")
        options = {**{name: ready[name] for name in names}, "requests_per_minute": 60000, "webhook_url": door.url}
        with emulator_process("--limits", "off") as books:
            seen: list[str] = []
            for name in ("Ann", "Bob"):
                source = source_settings("gusto", MAPPING, options)
                async with (
                    at_work(database, tmp_path, books, source, listen=door.lead) as engine,
                    asyncio.timeout(BOUND_SECONDS),
                ):
                    seen.append(await verified(company))
                    await heard_of(company, engine, name)
        # The second engine opened what the first had kept: nothing was subscribed anew.
        assert len(set(seen)) == 1
