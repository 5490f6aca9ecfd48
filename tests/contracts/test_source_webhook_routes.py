"""Deliveries of sources: to one connection, to all connections of a name, to none; and a source whose pages wait."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from counterfoil.clock import SystemClock
from counterfoil.http.webhooks import Routes, webhook_application
from counterfoil.log import EventCodec
from counterfoil.sources import Delivery, SourceAdapter, WebhookRequest
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil_schema.events.receipts import WebhookReceived
from support.seeded import SeededEntropy
from support.sources import context_of
from third_party.tillbook.stub import SECRET, TillbookStub
from third_party.tillbook.tillbook import Tillbook


class OwnSales(Tillbook):
    """A stall of an app that many stalls use: what begins with another letter is another's."""

    def receive(self, request: WebhookRequest) -> Delivery:
        delivery = super().receive(request)
        own = [hint for hint in delivery.hints if hint.source_id.startswith(self._settings.stall)]
        return replace(delivery, hints=own)


def stall(letter: str, secret: str = SECRET) -> Tillbook:
    settings = {
        "base_url": "http://localhost:1",
        "api_key": SecretStr("k"),
        "webhook_secret": SecretStr(secret),
        "stall": letter,
    }
    return OwnSales(context_of("till", settings))


class Served:
    """The routes over a log in memory."""

    def __init__(self, log: MemoryLog, url: str, session: aiohttp.ClientSession) -> None:
        self.log = log
        self.url = url
        self.session = session
        self.stub = TillbookStub()
        self.ended: Counter[str] = Counter()

    async def post(self, path: str, kind: str, source_id: str, *, forged: bool = False) -> int:
        sent = self.stub.deliver(kind, source_id)
        body = sent.body + b" " if forged else sent.body
        async with self.session.post(self.url + path, data=body, headers=dict(sent.headers)) as answer:
            return answer.status

    async def hints(self, company: int) -> list[str]:
        events = [await recorded.event() for recorded in await self.log.read(company, limit=100)]
        received = [event for event in events if isinstance(event, WebhookReceived)]
        return [hint.source_id for event in received for hint in event.hints]


@asynccontextmanager
async def served(adapters: Mapping[int, SourceAdapter]) -> AsyncIterator[Served]:
    entropy, clock = SeededEntropy(), SystemClock()
    log = MemoryLog(EventCodec(MemoryKeyring(entropy), clock=clock, entropy=entropy), clock=clock)
    ended: Counter[str] = Counter()
    routes = Routes(
        verifiers=list,
        company_of_realm=lambda _realm: None,
        adapter=lambda company, name: adapters.get(company) if name == "till" else None,
        adapters=lambda name: adapters if name == "till" else {},
        received=lambda _company: None,
        ended=lambda how: ended.update([how]),
    )
    runner = web.AppRunner(webhook_application(log, routes, None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as session:
            held = Served(log, f"http://127.0.0.1:{runner.addresses[0][1]}", session)
            held.ended = ended
            yield held
    finally:
        await runner.cleanup()


async def endless() -> AsyncIterator[bytes]:
    """A body that never ends: the answer must not wait for it."""
    yield b"x"
    await asyncio.Event().wait()


async def test_a_delivery_for_a_connection_that_nobody_has_is_told_and_leaves_no_trace() -> None:
    async with served({1: stall("a")}) as held:
        paths = ("/sources/1/shop", "/sources/2/till", "/sources/shop")
        assert [await held.post(path, "sale", "a1") for path in paths] == [404, 404, 404]
        assert [await held.hints(company) for company in (0, 1, 2)] == [[], [], []]
        # Whoever sends there is told what an address looks like; what they send is neither awaited nor kept.
        for path in paths:
            async with held.session.post(
                held.url + path, headers={"Content-Length": str(2**40)}, data=endless()
            ) as told:
                answer = await told.json()
                assert told.status == 404
                assert "/sources/COMPANY/CONNECTION" in answer["remedy"]
        assert await held.post("/sources/1/till", "sale", "a1", forged=True) == 401
        assert await held.post("/sources/1/till", "sale", "a1") == 200
        assert held.ended == {"unknown": 6, "refused": 1, "taken": 1}


async def test_an_app_of_several_accounts_reaches_each_company_by_its_own_part() -> None:
    async with served({1: stall("a"), 2: stall("b"), 3: stall("a", "another-secret")}) as held:
        assert [await held.post("/sources/till", "sale", one) for one in ("a1", "b1", "c1")] == [200, 200, 200]
        assert [await held.hints(company) for company in (0, 1, 2, 3)] == [[], ["a1"], ["b1"], []]


async def test_a_delivery_that_comes_again_by_either_way_is_recorded_once() -> None:
    async with served({1: stall("a")}) as held:
        assert [await held.post(path, "sale", "a1") for path in ("/sources/till", "/sources/1/till")] == [200, 200]
        assert await held.hints(1) == ["a1"]


async def test_a_signature_that_no_connection_knows_is_refused() -> None:
    async with served({1: stall("a"), 2: stall("b", "another-secret")}) as held:
        assert await held.post("/sources/till", "sale", "a1", forged=True) == 401
        assert await held.hints(1) == []


async def test_a_hint_of_a_kind_that_the_source_does_not_have_is_not_followed() -> None:
    async with served({1: stall("a")}) as held:
        assert await held.post("/sources/1/till", "refund", "a1") == 200
        assert await held.hints(1) == []
