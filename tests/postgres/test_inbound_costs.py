"""What notifications cost in metered reads, counted by the emulator: against one GET for each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from counterfoil.dispatch.limiter import Lane
from counterfoil.http.webhooks import Routes, Verifier, webhook_application
from counterfoil.postgres import Pool
from counterfoil.quickbooks.online.outcomes import Found
from counterfoil_schema.events.receipts import WebhookReceived
from counterfoil_schema.exact_json import JsonObject
from support.dispatching import COMPANY
from support.postgres import Database
from support.watching import Watching, watching

NOTIFICATIONS = 1_000
ENTITIES = 40


@pytest.fixture
async def scene(database: Database, pool: Pool) -> AsyncIterator[Watching]:
    async with watching(pool, database.names) as made:
        await made.sweeper.begin(first=True)
        await made.sweep()
        yield made


@asynccontextmanager
async def listening(scene: Watching) -> AsyncIterator[None]:
    """The webhook routes before the log, and the emulator subscribed with nothing coalesced."""
    verifier = Verifier(SecretStr(scene.api.emulator.verifier_token), frozenset({COMPANY}))
    routes = Routes(
        verifiers=lambda: [verifier],
        company_of_realm=lambda realm: COMPANY if realm == scene.api.emulator.realm_id else None,
        adapter=lambda _company, _name: None,
        received=lambda _company: None,
    )
    runner = web.AppRunner(webhook_application(scene.dispatcher.log, routes, None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/quickbooks"
    await scene.api.control("/webhooks", {"url": url, "coalesce": False})
    try:
        yield
    finally:
        await scene.api.control("/webhooks", {"url": ""})
        await runner.cleanup()


async def _edited(scene: Watching, bodies: dict[str, list[JsonObject]]) -> list[tuple[str, str]]:
    """Edit forty records, in turn, until a thousand notifications were delivered; what each was about."""
    known = [(entity, body) for entity, made in bodies.items() for body in made]
    assert len(known) == ENTITIES
    told: list[tuple[str, str]] = []
    before = scene.api.emulator.webhooks.delivered
    for number in range(NOTIFICATIONS):
        entity, body = known[number % ENTITIES]
        note = "Notes" if entity in {"Customer", "Vendor"} else "PrivateNote"
        token = str(number // ENTITIES)
        scene.write(entity, {"Id": body["Id"], "SyncToken": token, "sparse": True, note: f"edit {number}"}, "update")
        told.append((entity, str(body["Id"])))
    async with asyncio.timeout(60):
        while scene.api.emulator.webhooks.delivered < before + NOTIFICATIONS:
            await asyncio.sleep(0.02)
    return told


def _estimates(scene: Watching, customer: str, count: int) -> list[JsonObject]:
    item = next(iter(scene.api.emulator.books.tables.table("Item").rows))
    detail: JsonObject = {"ItemRef": {"value": item}}
    line: JsonObject = {"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    body: JsonObject = {"CustomerRef": {"value": customer}, "Line": [line]}
    return [scene.write("Estimate", body) for _ in range(count)]


async def _one_get_for_each(scene: Watching, told: list[tuple[str, str]]) -> int:
    """What a reader costs that does nothing cleverer."""
    before = scene.metered()
    for entity, identity in told:
        assert isinstance(await scene.client.read(entity, identity, Lane.LIVE), Found)
    return scene.metered() - before


async def _costs(scene: Watching, bodies: dict[str, list[JsonObject]]) -> tuple[int, int]:
    """Metered reads: one GET for each notification; as we follow them."""
    async with listening(scene):
        told = await _edited(scene, bodies)
    assert len(told) == NOTIFICATIONS
    naive = await _one_get_for_each(scene, told)
    events = await scene.dispatcher.events()
    assert sum(len(one.hints) for one in events if isinstance(one, WebhookReceived)) == NOTIFICATIONS
    assert len(await scene.hints()) == ENTITIES
    before = scene.metered()
    assert await scene.follow() == ENTITIES
    assert not await scene.hints()
    for entity, made in bodies.items():
        last = {identity for identity, _ in await scene.observed(entity)}
        assert {str(body["Id"]) for body in made} <= last
        for body in made:
            row = await scene.row(entity, str(body["Id"]))
            assert row is not None
            assert row.sync_token == str(NOTIFICATIONS // ENTITIES)
    return naive, scene.metered() - before


async def test_a_thousand_notifications_of_one_kind_cost_one_query(scene: Watching) -> None:
    customer = scene.customer("Ann")
    bodies = {"Estimate": _estimates(scene, customer, 40)}
    assert await _costs(scene, bodies) == (1_000, 1)
    assert "Id+IN" in scene.calls()[-1][1] or "Id%20IN" in scene.calls()[-1][1]


async def test_a_thousand_notifications_of_four_kinds_cost_one_call(scene: Watching) -> None:
    customer = scene.customer("Ann")
    bodies = {
        "Estimate": _estimates(scene, customer, 10),
        "Customer": [scene.write("Customer", {"DisplayName": f"Customer {n}"}) for n in range(10)],
        "Vendor": [scene.write("Vendor", {"DisplayName": f"Vendor {n}"}) for n in range(10)],
        "JournalEntry": [_entry(scene) for _ in range(10)],
    }
    assert await _costs(scene, bodies) == (1_000, 1)
    assert scene.calls()[-1][0] == "cdc"


def _entry(scene: Watching) -> JsonObject:
    lines: list[JsonObject] = [
        {
            "Amount": 10,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
        }
        for side, account in (("Debit", "35"), ("Credit", "1"))
    ]
    return scene.write("JournalEntry", {"Line": [*lines]})
