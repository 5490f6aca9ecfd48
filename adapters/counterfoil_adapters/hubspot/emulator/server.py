"""The emulator as a server: the API on one port, the control on another."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from counterfoil import emulating
from counterfoil.clock import SystemClock
from counterfoil.emulating import Fault, FaultPlan
from counterfoil.emulating.authority import throw_away_authority
from counterfoil.emulating.server import call_name, cut_off, listen
from counterfoil.ports import Clock
from counterfoil_adapters.hubspot.emulator.api_account import AccountApi, Credentials
from counterfoil_adapters.hubspot.emulator.api_links import AssociationApi
from counterfoil_adapters.hubspot.emulator.api_objects import ObjectApi
from counterfoil_adapters.hubspot.emulator.control import Control
from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.limits import RateLimits
from counterfoil_adapters.hubspot.emulator.pipelines import pipelines
from counterfoil_adapters.hubspot.emulator.portal import Actor, Portal
from counterfoil_adapters.hubspot.emulator.samples import sample
from counterfoil_adapters.hubspot.emulator.scopes import refuse_unless
from counterfoil_adapters.hubspot.emulator.webhooks import App, WebhookSender
from counterfoil_adapters.hubspot.emulator.wire import answer, error_body

BODY_BYTES_MAX = 256 * 1024 * 1024
DATED = "2026-09"
HOSTS = ("api.hubapi.com",)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions(emulating.EmulatorOptions):
    """How the emulator is set up; `classic_webhooks` sends the older event names."""

    classic_webhooks: bool = False


class HubSpotEmulator:
    """A HubSpot account with one app, served over HTTP while the context is open."""

    def __init__(self, options: EmulatorOptions | None = None, clock: Clock | None = None) -> None:
        self.options = options or EmulatorOptions()
        self._clock = clock or SystemClock()
        seed = self.options.seed
        self.app_id = 100_000 + seed
        self.portal_id = 60_000_000 + seed
        self.credentials = Credentials(
            access_token=f"pat-na1-{_secret(seed, 'access')}",
            client_id=_secret(seed, "client"),
            client_secret=_secret(seed, "secret"),
            refresh_token=_secret(seed, "refresh"),
        )
        self.faults = FaultPlan()
        self.limits = RateLimits(self._clock, enforced=self.options.limits)
        app = App(self.app_id, self.portal_id, self.credentials.client_secret)
        self.webhooks = WebhookSender(
            app,
            self._clock,
            self.faults,
            classic=self.options.classic_webhooks,
            pause_seconds=self.options.webhook_pause_seconds,
        )
        self.webhooks.url = self.options.webhook_url
        self.portal = Portal(self._clock, self.webhooks.emit)
        self.calls: Counter[str] = Counter()
        self.base_url = ""
        self.control_url = ""
        self.ca_file: str | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            context = None
            if self.options.tls:
                authority = throw_away_authority(self.options.host, self._clock.now(), HOSTS)
                stack.callback(authority.folder.cleanup)
                self.ca_file, context = authority.ca_file, authority.context
            host = self.options.host
            self.base_url = await listen(stack, self._api(), self.options.port, host=host, context=context)
            self.control_url = await listen(stack, self._controls(), 0, host=host)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            stack.push_async_callback(_stopped, asyncio.create_task(self.webhooks.run(session)))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def ready(self) -> dict[str, object]:
        """What a client needs to know, as printed by `--json`."""
        return {
            "base_url": self.base_url,
            "access_token": self.credentials.access_token,
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
            "refresh_token": self.credentials.refresh_token,
            "app_id": str(self.app_id),
            "portal_id": str(self.portal_id),
            "control_url": self.control_url,
            **({} if self.ca_file is None else {"ca_file": self.ca_file}),
        }

    def _api(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=BODY_BYTES_MAX)
        actor = Actor("INTEGRATION", str(self.app_id), by_api=True)
        objects = ObjectApi(self.portal, actor)
        links = AssociationApi(self.portal, actor)
        account = AccountApi(self.portal, self.credentials, self._clock)
        app.add_routes(links.routes("/crm/v4/associations", "/crm/v4/objects"))
        app.add_routes(links.routes(f"/crm/associations/{DATED}", f"/crm/objects/{DATED}"))
        app.add_routes(objects.routes("/crm/v3/objects"))
        app.add_routes(objects.routes(f"/crm/objects/{DATED}"))
        app.add_routes(account.routes("/crm/v3/properties"))
        app.add_routes(account.routes(f"/crm/properties/{DATED}"))
        app.add_routes(
            [web.get(f"{prefix}/{{type}}", pipelines) for prefix in ("/crm/v3/pipelines", f"/crm/pipelines/{DATED}")]
        )
        app.add_routes([web.get(f"/account-info/{version}/details", self._details) for version in ("v3", DATED)])
        app.add_routes([web.post(f"/oauth/{version}/token", account.token) for version in ("v1", "v3", DATED)])
        return app

    def _controls(self) -> web.Application:
        app = web.Application(middlewares=[self._refusals], client_max_size=BODY_BYTES_MAX)
        control = Control(self.portal, self.webhooks, self.faults, self._figures)
        app.add_routes(control.routes())
        if self.options.volume:
            control.take(sample(self.options.volume))
        return app

    def _figures(self) -> dict[str, object]:
        return {
            "calls": dict(sorted(self.calls.items())),
            "calls_total": sum(self.calls.values()),
            "rate_limited": self.limits.refused,
        }

    @web.middleware
    async def _refusals(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turns a refusal into HubSpot's error body."""
        try:
            return await handler(request)
        except PortalError as error:
            return self._error(error)
        except web.HTTPException as error:
            return self._error(PortalError(error.status, error.reason, "OBJECT_NOT_FOUND"))

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What stands before every API call: faults, the token, the limits."""
        self.calls[call_name(request)] += 1
        fault = self.faults.take(request.method, request.path)
        if fault is not None and fault.kind == "status":
            return self._faulty(fault)
        if fault is not None and fault.kind == "slow":
            await self._clock.sleep(fault.seconds)
        refused = self._unauthorised(request) or self._unscoped(request) or self._limited(request)
        response = refused or await self._refusals(request, handler)
        response.headers.update(self.limits.headers())
        if fault is not None and fault.kind == "lost_answer" and request.transport is not None:
            request.transport.abort()
        return cut_off(response) if fault is not None and fault.kind == "truncated" else response

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        if request.path.startswith("/oauth/"):
            return None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and self.credentials.opens(token, self._clock.monotonic()):
            return None
        message = "Authentication credentials not found or expired. Send a valid Bearer token."
        return self._error(PortalError(401, message, "INVALID_AUTHENTICATION"))

    def _unscoped(self, request: web.Request) -> web.Response | None:
        try:
            refuse_unless(self.credentials.scopes, request.method, request.path)
        except PortalError as error:
            return self._error(error)
        return None

    async def _details(self, _: web.Request) -> web.Response:
        return answer({"portalId": self.portal_id, "accountType": "STANDARD", "companyCurrency": "USD"})

    def _limited(self, request: web.Request) -> web.Response | None:
        if request.path.startswith("/oauth/"):
            return None
        policy = self.limits.admit(search=request.path.endswith("/search"))
        return None if policy is None else _rate_limited(policy, self._correlation())

    def _faulty(self, fault: Fault) -> web.Response:
        if fault.status == web.HTTPTooManyRequests.status_code:
            response = _rate_limited("TEN_SECONDLY_ROLLING", self._correlation())
        elif fault.status == web.HTTPUnauthorized.status_code:
            response = self._error(PortalError(401, "The token has expired.", "EXPIRED_AUTHENTICATION"))
        else:
            response = web.Response(text="<html><h1>Something went wrong</h1></html>", status=fault.status)
            response.content_type = "text/html"
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        return response

    def _error(self, error: PortalError) -> web.Response:
        return answer(error_body(error.message, error.category, self._correlation(), error.errors), error.status)

    def _correlation(self) -> str:
        digest = _secret(self.options.seed, f"correlation-{sum(self.calls.values())}")
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def _secret(seed: int, name: str) -> str:
    return hashlib.sha256(f"hubspot-emulator:{seed}:{name}".encode()).hexdigest()[:36]


def _rate_limited(policy: str, correlation: str) -> web.Response:
    body = error_body("You have reached your rate limit.", "RATE_LIMITS", correlation)
    return answer({**body, "errorType": "RATE_LIMIT", "policyName": policy}, 429)


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
