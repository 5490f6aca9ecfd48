"""The emulator as a whole: two ports, one for applications, one for whoever is in control."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from counterfoil import emulating
from counterfoil.clock import SystemClock
from counterfoil.emulating import Fault, FaultPlan, Ids, ShiftedClock
from counterfoil.emulating.authority import throw_away_authority
from counterfoil.emulating.server import listen
from counterfoil.ports import Clock
from counterfoil_adapters.gusto.emulator.contractors import Contractors
from counterfoil_adapters.gusto.emulator.control import Control, errors
from counterfoil_adapters.gusto.emulator.delivery import Webhooks
from counterfoil_adapters.gusto.emulator.guard import Guard
from counterfoil_adapters.gusto.emulator.limits import REQUESTS_MAX, Limits
from counterfoil_adapters.gusto.emulator.loading import load
from counterfoil_adapters.gusto.emulator.people import People
from counterfoil_adapters.gusto.emulator.reports import Reports
from counterfoil_adapters.gusto.emulator.routes import SUBSCRIPTION_TYPES, Api
from counterfoil_adapters.gusto.emulator.samples import sample
from counterfoil_adapters.gusto.emulator.store import Store, new_company
from counterfoil_adapters.gusto.emulator.tokens import Tokens

HOSTS = ("api.gusto.com", "api.gusto-demo.com")
FAULT_NAMES = {
    "rate_limit": Fault("status", status=429),
    "truncate": Fault("truncated"),
    "drop_webhook": Fault("webhook_drop"),
    "double_webhook": Fault("webhook_double"),
}
BODY_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions(emulating.EmulatorOptions):
    """How the emulator starts; `webhook_url` is subscribed to, verified, from the start."""

    requests_per_minute: int = REQUESTS_MAX
    company_name: str = "Sample Company"
    webhook_pause_seconds: float = 1.0


class GustoEmulator:
    """`async with GustoEmulator(options) as emulator`: serves until the block is left."""

    def __init__(self, options: EmulatorOptions | None = None, *, clock: Clock | None = None) -> None:
        self.options = options or EmulatorOptions()
        self.clock = ShiftedClock(clock or SystemClock())
        ids = Ids("gusto", self.options.seed)
        self.store = Store(ids, self.clock, new_company(ids, self.options.company_name))
        self.tokens = Tokens(ids, self.clock)
        self.faults = FaultPlan(FAULT_NAMES)
        self.verification_token = ids.uuid()
        self.webhooks = Webhooks(
            ids,
            self.clock,
            self.faults,
            first_token=self.verification_token,
            retry_seconds=self.options.webhook_pause_seconds,
        )
        self.limits = Limits(self.clock, on=self.options.limits, requests_max=self.options.requests_per_minute)
        self.people = People(self.store, self.webhooks.announce)
        self.contractors = Contractors(self.store, self.webhooks.announce)
        self.reports = Reports(self.store, lambda: self.base_url)
        self.guard = Guard(self.tokens, self.limits, self.faults, self.clock)
        if self.options.volume:
            load(self.store, sample(self.options.volume, self.clock.now().date()))
        self.base_url = ""
        self.control_url = ""
        self.ca_file: str | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            api = web.Application(middlewares=[self.guard.middleware()], client_max_size=BODY_BYTES_MAX)
            api.add_routes(Api(self.store, self.tokens, self.webhooks, self.people).routes())
            api.add_routes([*self.contractors.api(), *self.reports.api()])
            context = None
            if self.options.tls:
                authority = throw_away_authority(self.options.host, self.clock.now(), HOSTS)
                stack.callback(authority.folder.cleanup)
                self.ca_file, context = authority.ca_file, authority.context
            host = self.options.host
            self.base_url = await listen(stack, api, self.options.port, host=host, context=context)
            inner = web.Application(middlewares=[errors()], client_max_size=BODY_BYTES_MAX)
            inner.add_routes(
                Control(
                    self.store,
                    self.people,
                    self.webhooks,
                    self.faults,
                    self.tokens,
                    self.limits,
                    self.guard,
                    self.clock,
                ).routes()
            )
            inner.add_routes([*self.contractors.control(), *self.reports.control()])
            self.control_url = await listen(stack, inner, 0, host=host)
            await self.webhooks.open()
            stack.push_async_callback(self.webhooks.close)
            if self.options.webhook_url is not None:
                self.webhooks.create(self.options.webhook_url, sorted(SUBSCRIPTION_TYPES), verified=True)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def ready(self) -> dict[str, str]:
        """What whoever started the emulator needs to know."""
        return {
            "base_url": self.base_url,
            "access_token": self.tokens.access_token,
            "refresh_token": self.tokens.refresh_token,
            "client_id": self.tokens.client_id,
            "client_secret": self.tokens.client_secret,
            "authorization_code": self.tokens.code,
            "company_uuid": self.store.company_uuid,
            "verification_token": self.verification_token,
            "control_url": self.control_url,
            **({} if self.ca_file is None else {"ca_file": self.ca_file}),
        }
