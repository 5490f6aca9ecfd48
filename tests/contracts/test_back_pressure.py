"""More than can be taken in: senders are asked to come again, pages are not asked for, and nothing is lost by it."""

import asyncio
import gc
import hashlib
import hmac
import tracemalloc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from counterfoil.clock import SystemClock
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sources import SourceReader
from counterfoil.http.webhooks import Routes, webhook_application
from counterfoil.log import Append, Appended, EventCodec, LogWriter
from counterfoil.postgres import Pool
from counterfoil.settings import WebhookSettings
from counterfoil.sources import Page, PlainSource, Seen, SourceChange
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil_schema.events.receipts import WebhookReceived
from counterfoil_schema.records import Customer
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.seeded import SeededEntropy
from support.sources import context_of
from third_party.tillbook.stub import SECRET, TillbookStub
from third_party.tillbook.tillbook import Tillbook

AT_ONCE = 4
DELIVERIES = 60
PADDING_BYTES = 100_000
"""Six megabytes in all, if all of it were held."""

HELD_BYTES_MAX = 1_000_000


class SlowLog:
    """A log that takes nothing until it is let; counts how many wait at its door."""

    def __init__(self, log: LogWriter) -> None:
        self._log = log
        self.open = asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def append(self, append: Append) -> Appended:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await self.open.wait()
            return await self._log.append(append)
        finally:
            self.waiting -= 1


class Sender:
    """A source that delivers each thing until somebody takes it, when it is told to."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self._http = http
        self._stub = TillbookStub()
        self._padding = b" " * PADDING_BYTES

    async def deliver(self, source_id: str) -> tuple[str, int, Mapping[str, str]]:
        """Id, status and headers of the answer."""
        sent = padded(self._stub, source_id, self._padding)
        async with self._http.post(self.url, data=sent[1], headers=dict(sent[0])) as answer:
            await answer.read()
            return source_id, answer.status, answer.headers


def padded(stub: TillbookStub, source_id: str, padding: bytes) -> tuple[Mapping[str, str], bytes]:
    """A delivery with blanks behind it, which are signed too."""
    sent = stub.deliver("sale", source_id)
    body = sent.body + padding
    mac = hmac.new(SECRET.encode(), sent.headers["x-tillbook-time"].encode() + b"." + body, hashlib.sha256)
    return {**sent.headers, "x-tillbook-signature": mac.hexdigest()}, body


@asynccontextmanager
async def served(bounds: WebhookSettings) -> AsyncIterator[tuple[Sender, SlowLog, MemoryLog]]:
    entropy, clock = SeededEntropy(), SystemClock()
    log = MemoryLog(EventCodec(MemoryKeyring(entropy), clock=clock, entropy=entropy), clock=clock)
    slow = SlowLog(log)
    settings = {"base_url": "http://localhost:1", "api_key": "k", "webhook_secret": SECRET, "stall": "s"}
    till = Tillbook(context_of("till", settings))
    routes = Routes(
        verifiers=list,
        company_of_realm=lambda _realm: None,
        adapter=lambda _company, _name: till,
        received=lambda _company: None,
    )
    runner = web.AppRunner(webhook_application(slow, routes, None, bounds))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1_000).start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            yield Sender(f"http://127.0.0.1:{runner.addresses[0][1]}/sources/1/till", http), slow, log
    finally:
        await runner.cleanup()


async def test_webhooks_faster_than_the_log_are_asked_to_come_again_and_none_is_lost() -> None:
    ids = [f"s{number}" for number in range(DELIVERIES)]
    bounds = WebhookSettings(deliveries_at_once=AT_ONCE, deliveries_per_second=100_000, answer_seconds=60)
    async with served(bounds) as (sender, slow, log):
        first = [asyncio.create_task(sender.deliver(one)) for one in ids]
        refused: list[str] = []
        for ended in asyncio.as_completed(first):
            source_id, status, headers = await ended
            assert (status, int(headers["Retry-After"]) > 0) == (503, True)
            refused.append(source_id)
            if len(refused) == DELIVERIES - AT_ONCE:
                break
        # As many as there are places wait for the log; nobody else is kept waiting.
        assert (slow.most, await log.read(1, limit=10)) == (AT_ONCE, [])
        # A flood that is refused leaves nothing behind; a connection holds on to its last delivery, so it comes by one.
        async with aiohttp.ClientSession() as alone:
            flood = Sender(sender.url, alone)
            tracemalloc.start()
            try:
                assert {(await flood.deliver(one))[1] for one in refused} == {503}
                gc.collect()
                assert tracemalloc.get_traced_memory()[0] < HELD_BYTES_MAX
            finally:
                tracemalloc.stop()
        slow.open.set()
        assert sorted(status for _, status, _ in await asyncio.gather(*first)) == [200] * AT_ONCE + [503] * len(refused)
        for one in refused:
            assert (await sender.deliver(one))[1] == 200
        events = [await recorded.event() for recorded in await log.read(1, limit=1_000)]
        assert slow.most == AT_ONCE
    taken = [hint.source_id for event in events if isinstance(event, WebhookReceived) for hint in event.hints]
    assert sorted(taken) == sorted(ids)


async def test_more_in_a_second_than_are_let_in_are_asked_to_come_again() -> None:
    bounds = WebhookSettings(deliveries_at_once=100, deliveries_per_second=2, answer_seconds=60)
    async with served(bounds) as (sender, slow, log):
        slow.open.set()
        answers = await asyncio.gather(*(sender.deliver(f"s{number}") for number in range(30)))
        taken = {source_id for source_id, status, _ in answers if status == 200}
        # Ten at once (five seconds' worth), and what comes free meanwhile.
        assert 10 <= len(taken) < 30
        assert all("Retry-After" in headers for _, status, headers in answers if status == 503)
        kept = [await recorded.event() for recorded in await log.read(1, limit=100)]
    assert {hint.source_id for one in kept if isinstance(one, WebhookReceived) for hint in one.hints} == taken


class Endless(PlainSource):
    """A source that hands out pages as fast as anybody asks, and knows how many were asked for."""

    name = "shelf"

    def __init__(self, count: int) -> None:
        self._count = count
        self.handed = 0

    def kinds(self) -> Sequence[str]:
        return ("client",)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        first = int(cursor or 0)
        for number in range(first, self._count):
            self.handed = number + 1
            yield Page(changes=[client(kind, number)], cursor=str(number + 1), done=number + 1 == self._count)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        return [client(kind, int(source_id))]


def client(kind: str, number: int) -> Seen:
    name = f"Client {number}"
    return Seen(kind=kind, source_id=str(number), version=name, record=Customer(name=name), raw="{}")


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


async def test_a_page_is_asked_for_once_the_one_before_it_is_in_the_log(dispatcher: Dispatcher) -> None:
    """So a source that is faster than the log, or than the planner behind it, fills nobody's memory."""
    shelf = Endless(40)
    ahead: list[int] = []

    def look(name: str) -> None:
        if name == "source.recorded":
            ahead.append(shelf.handed)

    reader = SourceReader(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        hashes=dispatcher.keyring,
        adapters={"shelf": shelf},
        clock=dispatcher.clock,
        instruments=dispatcher.instruments,
        step=look,
    )
    assert await reader.poll("shelf", "sync") == 40
    assert ahead == list(range(1, 41))
    assert len(await dispatcher.log.read(COMPANY, limit=100)) == 40
