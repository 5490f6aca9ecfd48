"""A HubSpot account for tests: the emulator, its control port, and adapters pointed at it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from counterfoil.clock import SystemClock
from counterfoil.sources.port import Page, SourceChange, SourceContext, TokenKeeper, WebhookRequest
from counterfoil_adapters.hubspot.adapter import HubSpotSource
from counterfoil_adapters.hubspot.emulator import EmulatorOptions, HubSpotEmulator
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object
from support.seeded import SeededEntropy


@dataclass
class HastyClock:
    """The machine's time; waiting takes none, but is noted."""

    waits: list[float] = field(default_factory=list)
    _system: SystemClock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        return self._system.now()

    def monotonic(self) -> float:
        return self._system.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@dataclass
class Account:
    """The emulator with its control port, and the means to open adapters on it."""

    emulator: HubSpotEmulator
    http: aiohttp.ClientSession
    clock: HastyClock = field(default_factory=HastyClock)

    def settings(self, **given: object) -> dict[str, object]:
        """Settings of a connection, with no pacing worth the name."""
        return {
            "base_url": self.emulator.base_url,
            "access_token": SecretStr(self.emulator.credentials.access_token),
            "client_secret": SecretStr(self.emulator.credentials.client_secret),
            "app_id": str(self.emulator.app_id),
            "portal_id": str(self.emulator.portal_id),
            "overlap_seconds": 0,
            "calls_per_10_seconds": 100_000,
            "searches_per_second": 100_000,
            "timeout_seconds": 2,
            **given,
        }

    def source(
        self,
        *,
        mapping: Mapping[str, Any] | None = None,
        public_url: str | None = None,
        tokens: TokenKeeper | None = None,
        **settings: object,
    ) -> HubSpotSource:
        """A new adapter; by default with the static token and no pacing worth the name."""
        return HubSpotSource(
            SourceContext(
                connection="hubspot",
                settings=self.settings(**settings),
                mapping=mapping or {},
                http=self.http,
                clock=self.clock,
                entropy=SeededEntropy(),
                public_url=public_url,
                tokens=tokens,
            )
        )

    async def control(self, method: str, path: str, body: object = None) -> JsonObject:
        """Call the control port."""
        data = dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"}
        url = self.emulator.control_url + path
        async with self.http.request(method, url, data=data, headers=headers) as response:
            text = await response.read()
            assert response.status < 300, text
            return loads_object(text) if text else {}

    async def load(self, associations: Sequence[object] = (), **objects: Sequence[object]) -> None:
        """Fill the account."""
        await self.control("POST", "/load", {"objects": objects, "associations": associations})

    async def api_calls(self) -> int:
        """How many calls the API has had so far."""
        return int(str((await self.control("GET", "/state"))["calls_total"]))


@asynccontextmanager
async def account(**options: Any) -> AsyncIterator[Account]:
    """A fresh account, without limits unless asked."""
    chosen = EmulatorOptions(**{"limits": False, **options})
    async with HubSpotEmulator(chosen) as emulator, aiohttp.ClientSession() as http:
        yield Account(emulator, http)


def company(object_id: int, name: str | None = None, **properties: object) -> JsonObject:
    """A company in the load format."""
    return _entry(object_id, {"name": f"Company {object_id}" if name is None else name}, properties)


def product(object_id: int, price: str, **properties: object) -> JsonObject:
    """A product in the load format."""
    return _entry(object_id, {"name": f"Product {object_id}", "price": price}, properties)


def deal(object_id: int, **properties: object) -> JsonObject:
    """A won deal in the load format."""
    usual = {
        "dealname": f"Deal {object_id}",
        "dealstage": "closedwon",
        "deal_currency_code": "USD",
        "closedate": "2026-10-31T23:30:00Z",
    }
    return _entry(object_id, usual, properties)


def contact(object_id: int, **properties: object) -> JsonObject:
    """A contact in the load format."""
    usual = {"firstname": "Ada", "lastname": f"Contact {object_id}", "email": f"ada{object_id}@example.test"}
    return _entry(object_id, usual, properties)


def quote(object_id: int, **properties: object) -> JsonObject:
    """A published quote in the load format."""
    usual = {"hs_title": f"Quote {object_id}", "hs_status": "APPROVAL_NOT_NEEDED", "hs_currency": "USD"}
    return _entry(object_id, usual, properties)


def invoice(object_id: int, **properties: object) -> JsonObject:
    """An open invoice in the load format."""
    usual = {
        "hs_number": f"INV-{object_id}",
        "hs_invoice_status": "open",
        "hs_currency": "USD",
        "hs_invoice_date": "2026-10-31T23:30:00Z",
    }
    return _entry(object_id, usual, properties)


def payment(object_id: int, amount: str, **properties: object) -> JsonObject:
    """A payment that came, in the load format."""
    usual = {
        "hs_initial_amount": amount,
        "hs_initiated_date": "2026-11-02T15:00:00Z",
        "hs_currency_code": "USD",
        "hs_latest_status": "succeeded",
    }
    return _entry(object_id, usual, properties)


def line_item(object_id: int, price: str, **properties: object) -> JsonObject:
    """A line item in the load format."""
    return _entry(object_id, {"name": f"Line {object_id}", "price": price, "quantity": "1"}, properties)


def link(left: str, left_id: int, right: str, *ids: int, type_id: int | None = None) -> JsonObject:
    """Associations in the load format."""
    ends: JsonObject = {"from": left, "from_id": str(left_id), "to": right, "to_ids": [str(end) for end in ids]}
    return ends if type_id is None else {**ends, "type_id": type_id}


def _entry(object_id: int, usual: Mapping[str, str], properties: Mapping[str, object]) -> JsonObject:
    envelope = {name: str(properties[name]) for name in ("createdAt", "updatedAt") if name in properties}
    chosen = {name: value for name, value in properties.items() if name not in envelope}
    values = {**usual, **{name: None if value is None else str(value) for name, value in chosen.items()}}
    return {"id": str(object_id), "properties": dict(values), **envelope}


async def pages(source: HubSpotSource, kind: str, cursor: str | None = None) -> list[Page]:
    """A whole reading."""
    return [page async for page in source.changes(kind, cursor)]


def flat(read: Sequence[Page]) -> list[SourceChange]:
    """The changes of all pages."""
    return [change for page in read for change in page.changes]


@dataclass
class Inbox:
    """A webhook receiver that keeps what came, and answers as told."""

    url: str
    requests: list[WebhookRequest] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@asynccontextmanager
async def inbox(path: str = "/hooks/hubspot") -> AsyncIterator[Inbox]:
    """A receiver on a port of its own."""
    kept = Inbox("")

    async def receive(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        kept.requests.append(
            WebhookRequest(method=request.method, url=str(request.url), headers=headers, body=body),
        )
        return web.Response(status=kept.answers.pop(0) if kept.answers else 200)

    app = web.Application()
    app.router.add_post("/{tail:.*}", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        kept.url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        yield kept
    finally:
        await runner.cleanup()
