"""An emulator as a server: the vendor's API on one port, the control on another."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from counterfoil.clock import SystemClock
from counterfoil.emulating.authority import throw_away_authority
from counterfoil.emulating.clock import ShiftedClock
from counterfoil.emulating.command import EmulatorOptions
from counterfoil.emulating.deliveries import Deliveries, Signing
from counterfoil.emulating.faults import FaultError, FaultPlan, orders_of
from counterfoil.emulating.ids import Ids
from counterfoil.ports import Clock
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

BODY_BYTES_MAX = 256 * 1024 * 1024
Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadRequestError(Exception):
    """A request that is refused; `body` is the vendor's form of the error."""

    def __init__(self, message: str, *, status: int = 400, body: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.body = body if body is not None else {"error": message}


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer with exact numbers."""
    return web.Response(body=dumps(value), status=status, content_type="application/json", headers=headers)


async def body_of(request: web.Request) -> JsonObject:
    """A request's JSON object; empty where there is no body.

    Raises:
        BadRequestError: it is none.
    """
    raw = await request.read()
    try:
        return loads_object(raw) if raw else {}
    except ValueError as error:
        raise BadRequestError(f"The body is not a JSON object: {error}") from None


def cut_off(response: web.StreamResponse) -> web.StreamResponse:
    """An answer that breaks off in the middle and says that it is whole."""
    if not isinstance(response, web.Response):
        return response
    body = response.body if isinstance(response.body, bytes) else b""
    return web.Response(body=body[: len(body) // 2], status=response.status, content_type="application/json")


def call_name(request: web.Request) -> str:
    """Method and route pattern, for counting calls by kind."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource is not None else 'unknown'}"


async def listen(
    stack: AsyncExitStack,
    application: web.Application,
    port: int,
    *,
    host: str = "127.0.0.1",
    context: ssl.SSLContext | None = None,
) -> str:
    """Serve an application until the stack closes; its address."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port, ssl_context=context).start()
    scheme = "http" if context is None else "https"
    return f"{scheme}://{host}:{runner.addresses[0][1]}"


class VendorEmulator(ABC):
    """The common part of an emulator; `async with` serves until the block is left.

    A vendor's own: `routes` (the API), `admit` (token and limits), `refuse` (a fault's answer in the vendor's form),
    `sign` (webhooks), `load`, `state` and `control_routes` (the control port), `sample` (records for `--volume`),
    `ready`. The control port brings /load, /state, /faults, /webhooks and /clock.
    """

    name = "vendor"
    hosts: Sequence[str] = ()
    """The vendor's own host names, for the certificate."""

    def __init__(self, options: EmulatorOptions | None = None, *, clock: Clock | None = None) -> None:
        self.options = options or EmulatorOptions()
        self.clock = ShiftedClock(clock or SystemClock())
        self.ids = Ids(self.name, self.options.seed)
        self.faults = FaultPlan()
        self.webhooks = Deliveries(self.clock, self.faults, self.sign, pause_seconds=self.options.webhook_pause_seconds)
        self.webhooks.url = self.options.webhook_url
        self.calls: Counter[str] = Counter()
        self.base_url = ""
        self.control_url = ""
        self.ca_file: str | None = None
        self._stack = AsyncExitStack()

    @abstractmethod
    def routes(self) -> Sequence[web.RouteDef]:
        """The vendor's API."""

    @abstractmethod
    def admit(self, request: web.Request) -> web.Response | None:
        """The refusal of a request without a good token, or beyond the limits (unless `options.limits` is off)."""

    @abstractmethod
    def refuse(self, status: int, message: str) -> web.Response:
        """A refusal in the vendor's form."""

    @abstractmethod
    def load(self, body: JsonObject) -> JsonObject:
        """Records as they are, with no events of theirs; what the control port answers."""

    def sample(self, volume: int) -> JsonObject:
        """So many records in the form that `load` takes, the same for the same number."""
        del volume
        return {}

    def sign(self, signing: Signing) -> Mapping[str, str]:
        """The headers of a delivery."""
        del signing
        return {}

    def control_routes(self) -> Sequence[web.RouteDef]:
        """What the control port offers beside the common: people who edit, delete and merge."""
        return ()

    def state(self) -> JsonObject:
        """What the control port shows beside the figures."""
        return {}

    def ready(self) -> dict[str, object]:
        """What whoever started the emulator needs to know; add the secrets."""
        trust: dict[str, object] = {} if self.ca_file is None else {"ca_file": self.ca_file}
        return {"base_url": self.base_url, "control_url": self.control_url, **trust}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            context = None
            if self.options.tls:
                authority = throw_away_authority(self.options.host, self.clock.now(), self.hosts)
                stack.callback(authority.folder.cleanup)
                self.ca_file, context = authority.ca_file, authority.context
            api = web.Application(middlewares=[self._guard()], client_max_size=BODY_BYTES_MAX)
            api.add_routes(self.routes())
            control = web.Application(middlewares=[_refusals(self._refused)], client_max_size=BODY_BYTES_MAX)
            control.add_routes([*self.control_routes(), *self._common_routes()])
            host = self.options.host
            self.base_url = await listen(stack, api, self.options.port, host=host, context=context)
            self.control_url = await listen(stack, control, 0, host=host)
            await self.webhooks.open()
            stack.push_async_callback(self.webhooks.close)
            self._stack = stack.pop_all()
        if self.options.volume:
            self.load(self.sample(self.options.volume))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _guard(self) -> Middleware:
        refusals = _refusals(self._refused)

        @web.middleware
        async def guard(request: web.Request, handler: Next) -> web.StreamResponse:
            """What stands before every API call: faults, the token, the limits."""
            self.calls[call_name(request)] += 1
            fault = self.faults.take(request.method, request.path)
            kind = fault.kind if fault is not None else None
            if fault is not None and kind == "status":
                refused = self.refuse(fault.status, f"Fault on order: {fault.status}.")
                if fault.retry_after is not None:
                    refused.headers["Retry-After"] = fault.retry_after
                return refused
            if fault is not None and kind == "slow":
                await self.clock.sleep(fault.seconds)
            response = self.admit(request) or await refusals(request, handler)
            if kind == "lost_answer" and request.transport is not None:
                request.transport.abort()
            return cut_off(response) if kind == "truncated" else response

        return guard

    def _refused(self, error: BadRequestError) -> web.Response:
        return answer(error.body, error.status)

    def _common_routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/load", self._load),
            web.get("/state", self._state),
            web.get("/faults", self._show_faults),
            web.post("/faults", self._order_faults),
            web.delete("/faults", self._clear_faults),
            web.get("/webhooks", self._show_webhooks),
            web.post("/webhooks", self._subscribe),
            web.post("/webhooks/send", self._send),
            web.post("/webhooks/settle", self._settle),
            web.post("/clock", self._set_clock),
        ]

    async def _load(self, request: web.Request) -> web.Response:
        return answer(self.load(await body_of(request)))

    async def _state(self, _request: web.Request) -> web.Response:
        figures: dict[str, object] = {
            "now": self.clock.now().isoformat(),
            "calls": dict(sorted(self.calls.items())),
            "calls_total": sum(self.calls.values()),
            "faults_used": self.faults.used,
            "webhooks": {
                "url": self.webhooks.url,
                "waiting": self.webhooks.waiting,
                "delivered": self.webhooks.delivered,
                "given_up": self.webhooks.given_up,
            },
        }
        return answer({**figures, **self.state()})

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return answer({"faults": [rule.shown() for rule in self.faults.rules], "used": self.faults.used})

    async def _order_faults(self, request: web.Request) -> web.Response:
        try:
            for entry in orders_of(await body_of(request)):
                self.faults.order(entry)
        except FaultError as error:
            raise BadRequestError(str(error)) from None
        return answer({"in_force": len(self.faults.rules)}, 201)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self.faults.rules.clear()
        return web.Response(status=204)

    async def _show_webhooks(self, _request: web.Request) -> web.Response:
        return answer({"deliveries": list(self.webhooks.log)})

    async def _subscribe(self, request: web.Request) -> web.Response:
        """Where deliveries go from now on; null ends them."""
        url = (await body_of(request)).get("url")
        self.webhooks.url = str(url) if url else None
        return answer({"url": self.webhooks.url})

    async def _send(self, request: web.Request) -> web.Response:
        """Deliver any body, signed, as it is."""
        self.webhooks.send(await body_of(request))
        return answer({"waiting": self.webhooks.waiting})

    async def _settle(self, _request: web.Request) -> web.Response:
        await asyncio.wait_for(self.webhooks.settle(), 60)
        return answer({"waiting": 0})

    async def _set_clock(self, request: web.Request) -> web.Response:
        """`{"advance_seconds": 60}` or `{"now": "2026-11-01T00:00:00Z"}`."""
        body = await body_of(request)
        seconds = body.get("advance_seconds")
        if isinstance(seconds, int) and not isinstance(seconds, bool):
            self.clock.advance(seconds)
        elif isinstance(body.get("now"), str):
            self.clock.set(_instant(str(body["now"])))
        else:
            raise BadRequestError("Give advance_seconds (a whole number) or now (an instant with its zone).")
        return answer({"now": self.clock.now().isoformat()})


def _refusals(form: Callable[[BadRequestError], web.Response]) -> Middleware:
    @web.middleware
    async def tell(request: web.Request, handler: Next) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadRequestError as error:
            return form(error)
        except web.HTTPException as error:
            return form(BadRequestError(error.reason, status=error.status))

    return tell


def _instant(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise BadRequestError(f"now is not an instant: {value!r}") from None
    if instant.tzinfo is None:
        raise BadRequestError("now lacks its zone")
    return instant
