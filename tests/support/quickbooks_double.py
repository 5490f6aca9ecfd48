"""A scripted server: answers what a test tells it to, and notes what came in. It knows nothing of QuickBooks."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
from aiohttp import web
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from counterfoil.clock import SystemClock
from counterfoil.dispatch.limiter import LimiterSettings, ReadBudget, RealmGate
from counterfoil.ports import Clock
from counterfoil.quickbooks.online.access import AccessTokens
from counterfoil.quickbooks.online.calls import Realm
from counterfoil.quickbooks.online.client import QuickBooksClient
from counterfoil.quickbooks.online.oauth import ClientCredentials, TokenEndpoint
from counterfoil.quickbooks.online.transport import open_session
from counterfoil.secrets.tokens import TokenSet
from counterfoil.testing.tokens import MemoryRefreshLock, MemoryTokenStore
from support.seeded import SeededEntropy

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
COMPANY = 7


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path_qs: str
    body: bytes
    headers: dict[str, str]


@dataclass
class ScriptedServer:
    """Plays its answers in order; the last one for ever."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def play(self, *answers: Answer) -> None:
        self.answers = list(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(Seen(request.method, request.raw_path, body, dict(request.headers)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


def say(
    body: str | bytes,
    *,
    status: int = 200,
    content_type: str = "application/json",
    tid: str = "tid-1",
    delay: float = 0,
) -> Answer:
    """An answer of that text."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(delay)
        content = body if isinstance(body, bytes) else body.encode()
        headers = {"Content-Type": content_type, "intuit_tid": "tid-1"}
        return web.Response(body=content, status=status, headers=headers)

    return answer


def fault(code: str) -> str:
    """A fault in the service's shape."""
    return json.dumps({"Fault": {"Error": [{"Message": "m", "Detail": "d", "code": code}], "type": "ValidationFault"}})


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Take the request and close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    """Begin an answer and close the connection in the middle of it."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"Invoice":{"Id":"1"')
    assert request.transport is not None
    request.transport.abort()
    return response


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """The server on a port of its own."""
    server = ScriptedServer()
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_route("*", "/{anything:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        server.url = f"http://{host}:{port}"
        yield server
    finally:
        await runner.cleanup()


@dataclass
class Connected:
    """A client with everything that it stands on."""

    client: QuickBooksClient
    gate: RealmGate
    store: MemoryTokenStore
    tokens: AccessTokens
    session: aiohttp.ClientSession
    clock: Clock


@asynccontextmanager
async def connected_client(
    base_url: str,
    *,
    grant_url: str = "",
    realm_id: str = "9130",
    credentials: ClientCredentials | None = None,
    refresh_token: SecretStr | None = None,
    refreshed: bool = True,
    timeout_seconds: float = 10.0,
    settings: LimiterSettings | None = None,
    tracer: Tracer | None = None,
    clock: Clock | None = None,
    budget: ReadBudget | None = None,
) -> AsyncIterator[Connected]:
    """A client for one realm, its tokens in memory; `refreshed` false makes it refresh first."""
    clock = clock or SystemClock()
    entropy = SeededEntropy(1)
    gate = RealmGate(settings or LimiterSettings.unreserved(), clock=clock, entropy=entropy, budget=budget)
    store = MemoryTokenStore()
    first = TokenSet(
        SecretStr("access-first"),
        refresh_token or SecretStr("RT1-first"),
        clock.now() + (timedelta(hours=1) if refreshed else timedelta()),
        clock.now() + timedelta(days=100),
        1,
    )
    await store.compare_and_set(COMPANY, 0, first)
    async with open_session() as session:
        endpoint = TokenEndpoint(
            session,
            credentials or ClientCredentials("client-id", SecretStr("client-secret")),
            clock=clock,
            grant_url=grant_url or f"{base_url}/token",
            revoke_url=f"{base_url}/revoke",
            timeout_seconds=timeout_seconds,
        )
        tokens = AccessTokens(
            COMPANY, endpoint=endpoint, store=store, lock=MemoryRefreshLock(), clock=clock, entropy=entropy
        )
        client = QuickBooksClient(
            session,
            Realm(realm_id, base_url, COMPANY),
            tokens,
            gate,
            clock=clock,
            entropy=entropy,
            timeout_seconds=timeout_seconds,
            read_retry_seconds=0.01,
            tracer=tracer,
        )
        yield Connected(client, gate, store, tokens, session, clock)
