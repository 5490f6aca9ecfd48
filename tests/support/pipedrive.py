"""A Pipedrive company for tests: the emulator, its control port, and adapters pointed at it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from counterfoil.emulating import EmulatorOptions
from counterfoil.sources import Page, SourceChange, SourceContext, WebhookRequest
from counterfoil.sources.port import TokenKeeper
from counterfoil_adapters.pipedrive.adapter import PipedriveSource
from counterfoil_adapters.pipedrive.emulator import PipedriveEmulator
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object
from support.hubspot import HastyClock
from support.seeded import SeededEntropy


@dataclass
class Account:
    """The emulator with its control port, and the means to open adapters on it."""

    emulator: PipedriveEmulator
    http: aiohttp.ClientSession
    clock: HastyClock = field(default_factory=HastyClock)

    def settings(self, **more: object) -> dict[str, object]:
        """A connection's settings: the user's token and no pacing worth the name. None takes one away."""
        usual: dict[str, object] = {
            "base_url": self.emulator.base_url,
            "oauth_url": self.emulator.base_url,
            "api_token": SecretStr(self.emulator.tokens.api_token),
            "webhook_user": self.emulator.standing.user,
            "webhook_password": SecretStr(self.emulator.standing.password or ""),
            "overlap_seconds": 0,
            "calls_per_2_seconds": 100_000,
            "timeout_seconds": 2,
        }
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def source(
        self, *, mapping: Mapping[str, Any] | None = None, tokens: TokenKeeper | None = None, **settings: object
    ) -> PipedriveSource:
        """A new adapter with these settings and the usual ones."""
        return PipedriveSource(
            SourceContext(
                connection="pipedrive",
                settings=self.settings(**settings),
                mapping=mapping or {},
                http=self.http,
                clock=self.clock,
                entropy=SeededEntropy(),
                tokens=tokens,
            )
        )

    def oauth(self, *, tokens: TokenKeeper | None = None, **settings: object) -> PipedriveSource:
        """A new adapter with the OAuth app's credentials, pointed at an address that is not the company's."""
        held = self.emulator.tokens
        usual: dict[str, Any] = {
            "api_token": None,
            "client_id": held.client_id,
            "client_secret": SecretStr(held.client_secret),
            "refresh_token": SecretStr(held.refresh_token),
        }
        return self.source(tokens=tokens, **{**usual, **settings})

    async def control(self, method: str, path: str, body: object = None) -> JsonObject:
        """Call the control port."""
        data = dumps(body) if body is not None else None
        async with self.http.request(method, self.emulator.control_url + path, data=data) as response:
            text = await response.read()
            assert response.status < 300, text
            return loads_object(text) if text else {}

    async def api(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Any:
        """Call the API with the user's token; status and body."""
        headers = {"x-api-token": token if token is not None else self.emulator.tokens.api_token}
        data = dumps(body) if body is not None else None
        async with self.http.request(
            method, self.emulator.base_url + path, data=data, headers={**headers, "Content-Type": "application/json"}
        ) as response:
            return response.status, loads_object(await response.read())

    async def load(self, **given: object) -> None:
        """Fill the company: fields, organizations, persons, products, deals."""
        await self.control("POST", "/load", given)

    def calls(self) -> int:
        """How many calls the API has had so far."""
        return self.emulator.calls.total()


@asynccontextmanager
async def account(**options: Any) -> AsyncIterator[Account]:
    """A fresh company, without limits unless asked."""
    own = {name: options.pop(name) for name in ("burst", "daily", "scopes") if name in options}
    chosen = EmulatorOptions(**{"limits": False, "webhook_pause_seconds": 0.05, **options})
    async with PipedriveEmulator(chosen, **own) as emulator, aiohttp.ClientSession() as http:
        yield Account(emulator, http)


def organization(row_id: int, name: str | None = None, **more: object) -> JsonObject:
    """An organization in the load format."""
    return _row(row_id, {"name": f"Organization {row_id}" if name is None else name}, more)


def person(row_id: int, name: str | None = None, **more: object) -> JsonObject:
    """A person in the load format."""
    return _row(row_id, {"name": f"Person {row_id}" if name is None else name}, more)


def product(row_id: int, price: object, currency: str = "USD", **more: object) -> JsonObject:
    """A product in the load format."""
    prices = [{"currency": currency, "price": _number(price), "cost": 0, "direct_cost": None, "notes": ""}]
    return _row(row_id, {"name": f"Product {row_id}", "code": f"P-{row_id}", "prices": prices}, more)


def deal(row_id: int, **more: object) -> JsonObject:
    """A won deal in the load format."""
    usual = {"title": f"Deal {row_id}", "status": "won", "won_time": "2026-10-31T23:30:00Z", "currency": "USD"}
    return _row(row_id, usual, more)


def line(row_id: int, price: object, quantity: object = 1, **more: object) -> JsonObject:
    """A product on a deal."""
    return _row(row_id, {"item_price": _number(price), "quantity": _number(quantity), "name": f"Line {row_id}"}, more)


def _number(value: object) -> object:
    """A number as Pipedrive sends it, not as text; what is none stays."""
    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value


def _row(row_id: int, usual: Mapping[str, object], more: Mapping[str, object]) -> JsonObject:
    return loads_object(dumps({"id": row_id, **usual, **more}))


async def pages(source: PipedriveSource, kind: str, cursor: str | None = None) -> list[Page]:
    """All pages of a reading."""
    return [page async for page in source.changes(kind, cursor)]


def flat(found: Sequence[Page]) -> list[SourceChange]:
    """The changes of all pages."""
    return [change for page in found for change in page.changes]


@asynccontextmanager
async def receiver(answers: Sequence[int] = ()) -> AsyncIterator[tuple[str, list[WebhookRequest]]]:
    """A place for deliveries; answers in turn with these statuses, then with 200."""
    received: list[WebhookRequest] = []
    left = list(answers)

    async def take(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        received.append(WebhookRequest(method="POST", url=str(request.url), headers=headers, body=body))
        return web.Response(status=left.pop(0) if left else 200)

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", received
    finally:
        await runner.cleanup()
