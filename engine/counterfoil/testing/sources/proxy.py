"""A proxy that breaks things: between the adapter and the author's source, so that the author writes no faults."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from counterfoil.emulating.server import BODY_BYTES_MAX, listen
from counterfoil_schema.exact_json import JsonValue, dumps, loads

TIMEOUT = aiohttp.ClientTimeout(total=60)
HOP_BY_HOP = frozenset({"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"})

Change = Callable[[JsonValue], JsonValue]
"""An answer's JSON, changed on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault. With `status` the source never hears of the call; else its answer is spoiled.

    `body` stands in for the answer's; `cut` breaks the answer off in the middle; `reset` breaks the line. With `only`
    no call is struck but those whose path or query holds it.
    """

    status: int | None = None
    only: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: bool = False
    reset: bool = False
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that came by, and the JSON of its answer (None: it was no JSON)."""

    method: str
    path: str
    status: int
    answer: JsonValue


class FaultProxy:
    """Forwards everything to `upstream`; counts calls from 1, those to `apart` excepted.

    Args:
        apart: parts of paths that are never struck or changed: where tokens are fetched.
    """

    def __init__(self, upstream: str, apart: tuple[str, ...]) -> None:
        self._upstream = upstream.rstrip("/")
        self._apart = apart
        self._session: aiohttp.ClientSession | None = None
        self.url = ""
        self.calls: list[Call] = []
        self.seen = 0
        self.struck = 0
        self.writes = 0
        self.strike: Callable[[int, str], Strike | None] = lambda _number, _method: None
        self.change: Change | None = None

    def calm(self) -> None:
        """Forward as if nothing had been."""
        self.strike = lambda _number, _method: None
        self.change = None
        self.calls.clear()
        self.seen = 0
        self.struck = 0
        self.writes = 0

    def once(self, number: int, strike: Strike) -> None:
        """Strike the n-th call from now, and no other."""
        self.calm()
        self.strike = lambda at, _method: strike if at == number else None

    def always(self, strike: Strike) -> None:
        """Strike each call."""
        self.calm()
        self.strike = lambda _at, _method: strike

    def next_write(self, strike: Strike) -> None:
        """Strike the next call that is no GET, and no other."""
        self.calm()
        left = [strike]
        self.strike = lambda _at, method: left.pop() if left and method != "GET" else None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["FaultProxy"]:
        async with AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(
                aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
            )
            application = web.Application(client_max_size=BODY_BYTES_MAX)
            application.router.add_route("*", "/{path:.*}", self._handle)
            self.url = await listen(stack, application, 0)
            yield self

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        is_apart = any(part in request.path for part in self._apart)
        strike = None
        if not is_apart:
            self.seen += 1
            self.writes += request.method != "GET"
            strike = self.strike(self.seen, request.method)
            if strike is not None and strike.only not in request.raw_path:
                strike = None
            self.struck += strike is not None
        if strike is not None and strike.status is not None and not strike.cut:
            body = strike.body if strike.body is not None else b""
            return web.Response(
                status=strike.status, headers=strike.headers, body=body, content_type=strike.content_type
            )
        status, headers, raw = await self._forward(request)
        if not is_apart:
            raw = self._changed(request, status, raw)
        if strike is not None and strike.reset and request.transport is not None:
            request.transport.abort()
        if strike is not None and strike.body is not None:
            raw = strike.body
        if strike is not None and strike.cut:
            raw = raw[: len(raw) // 2]
        return web.Response(status=status, headers=headers, body=raw)

    async def _forward(self, request: web.Request) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise RuntimeError("the proxy is not open")
        passed = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            async with self._session.request(
                request.method,
                self._upstream + request.raw_path,
                headers=passed,
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                raw = await answer.read()
                headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
                # Addresses in an answer lead through the proxy too.
                here = {name: value.replace(self._upstream, self.url) for name, value in headers.items()}
                return answer.status, here, raw.replace(self._upstream.encode(), self.url.encode())
        except (TimeoutError, aiohttp.ClientError) as error:
            return 502, {}, f"upstream: {type(error).__name__}".encode()

    def _changed(self, request: web.Request, status: int, raw: bytes) -> bytes:
        try:
            value = loads(raw)
        except ValueError:
            self.calls.append(Call(request.method, request.path, status, None))
            return raw
        self.calls.append(Call(request.method, request.path, status, value))
        return raw if self.change is None else dumps(self.change(value))
