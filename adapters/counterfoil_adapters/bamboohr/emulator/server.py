"""The emulator as a whole."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from aiohttp import web

from counterfoil.emulating import Deliveries, EmulatorOptions, Signing, VendorEmulator, Window
from counterfoil.emulating.command import serve_with
from counterfoil.ports import Clock
from counterfoil_adapters.bamboohr.emulator.callers import Callers
from counterfoil_adapters.bamboohr.emulator.company import Company
from counterfoil_adapters.bamboohr.emulator.control import Control, hook_body
from counterfoil_adapters.bamboohr.emulator.hooks import Hooks
from counterfoil_adapters.bamboohr.emulator.routes import CALLER, Api
from counterfoil_adapters.bamboohr.emulator.samples import sample
from counterfoil_schema.exact_json import JsonObject

COMPANY_ID = "12345"
CALLS_MAX, WINDOW_SECONDS = 200, 20.0
"""BambooHR publishes no figure; this one is ours."""

TRIES = 6
"""The first, and five again; nothing is tried again after a 4xx (BambooHR: webhooks)."""

REFUSED = frozenset(range(400, 500))


class BambooEmulator(VendorEmulator):
    """One company at BambooHR. `limit_status` is what says "too much": 429 since September 2026, 503 before."""

    name = "bamboohr"
    hosts = ("api.bamboohr.com", "sample.bamboohr.com")

    def __init__(
        self,
        options: EmulatorOptions | None = None,
        *,
        clock: Clock | None = None,
        zone: str = "America/Denver",
        calls_max: int = CALLS_MAX,
        limit_status: int = 429,
    ) -> None:
        super().__init__(options, clock=clock)
        self.webhooks = Deliveries(
            self.clock,
            self.faults,
            self.sign,
            tries=TRIES,
            pause_seconds=self.options.webhook_pause_seconds,
            final=REFUSED,
        )
        self.hooks = Hooks(self.ids, self.clock, lambda: self.webhooks, COMPANY_ID)
        self.callers = Callers(self.ids, self.clock)
        self.company = Company(self.clock, ZoneInfo(zone), self.hooks.announce)
        self.limit = Window(calls_max, WINDOW_SECONDS)
        self.webhook_key = self.ids.secret()
        self._limit_status = limit_status
        self._api = Api(self.company, self.callers, self.hooks)
        self._control = Control(self.company, self.callers, self.hooks)
        if self.options.webhook_url is not None:
            self.webhooks.url = self.options.webhook_url
            self.hooks.add(hook_body(self.options.webhook_url), key=self.webhook_key, secure=False)

    def routes(self) -> Sequence[web.RouteDef]:
        return self._api.routes()

    def control_routes(self) -> Sequence[web.RouteDef]:
        return self._control.routes()

    def admit(self, request: web.Request) -> web.Response | None:
        if request.path == "/token.php":
            return None
        caller = self.callers.authorise(request.headers.get("Authorization"))
        if caller is None:
            return self.refuse(401, "Unauthorized: the API key or access token is missing, wrong or has ended.")
        now = self.clock.monotonic()
        if self.options.limits and not self.limit.admit(now):
            refused = self.refuse(self._limit_status, "Limit exceeded")
            refused.headers["Retry-After"] = str(max(1, self.limit.reset_seconds(now)))
            return refused
        request[CALLER] = caller
        return None

    def refuse(self, status: int, message: str) -> web.Response:
        """Most of BambooHR's refusals have no body: a header says what is wrong."""
        return web.Response(status=status, headers={"X-BambooHR-Error-Message": message})

    def sign(self, signing: Signing) -> Mapping[str, str]:
        return self.hooks.sign(signing)

    def sample(self, volume: int) -> JsonObject:
        return sample(volume, self.company.today())

    def load(self, body: JsonObject) -> JsonObject:
        """`custom_fields` (name → type), `employees` as for hiring, `time` as for entries; nothing is told of them."""
        custom, employees, time = (body.get(name) for name in ("custom_fields", "employees", "time"))
        if isinstance(custom, dict):
            self.company.custom.update({name: str(kind) for name, kind in custom.items()})
        for given in employees if isinstance(employees, list) else ():
            if isinstance(given, dict):
                self.company.hire(given, quiet=True)
        for given in time if isinstance(time, list) else ():
            if isinstance(given, dict):
                self.company.put_entry(given)
        return {"employees": len(self.company.people), "time": len(self.company.entries)}

    def state(self) -> JsonObject:
        tables: JsonObject = {
            key: {name: [*rows] for name, rows in person.rows.items()} for key, person in self.company.people.items()
        }
        return {
            "company_id": COMPANY_ID,
            "employees": {key: self.company.shown(key) for key in self.company.people},
            "tables": tables,
            "time": [*self.company.entries.values()],
            "refused_by_limit": self.limit.refused,
        }

    def ready(self) -> dict[str, object]:
        return {
            **super().ready(),
            "company_domain": "sample",
            "company_id": COMPANY_ID,
            "api_key": self.callers.api_key,
            "client_id": self.callers.client_id,
            "client_secret": self.callers.client_secret,
            "access_token": self.callers.access_token,
            "refresh_token": self.callers.refresh_token,
            "webhook_key": self.webhook_key,
        }


async def serve(argv: Sequence[str]) -> int:
    """`counterfoil emulator bamboohr`."""
    return await serve_with(argv, "bamboohr", "BambooHR's API, emulated.", BambooEmulator)
