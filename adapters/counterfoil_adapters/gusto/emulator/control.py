"""The control port: load data, act as a person in Gusto, arm faults, move the clock, look inside."""

from datetime import datetime

from aiohttp import web
from aiohttp.typedefs import Middleware

from counterfoil.emulating import FaultError, FaultPlan, ShiftedClock
from counterfoil.emulating.server import Next
from counterfoil_adapters.gusto.emulator.answers import answer, body_of
from counterfoil_adapters.gusto.emulator.delivery import Webhooks
from counterfoil_adapters.gusto.emulator.guard import Guard
from counterfoil_adapters.gusto.emulator.limits import Limits
from counterfoil_adapters.gusto.emulator.loading import load
from counterfoil_adapters.gusto.emulator.people import People
from counterfoil_adapters.gusto.emulator.routes import SUBSCRIPTION_TYPES
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.tokens import Tokens
from counterfoil_adapters.gusto.emulator.values import BadRequestError, flag, text
from counterfoil_schema.exact_json import JsonObject, JsonValue


class Control:
    """Handlers of the control port; README.md is their reference."""

    def __init__(
        self,
        store: Store,
        people: People,
        webhooks: Webhooks,
        faults: FaultPlan,
        tokens: Tokens,
        limits: Limits,
        guard: Guard,
        clock: ShiftedClock,
    ) -> None:
        self._store = store
        self._people = people
        self._webhooks = webhooks
        self._faults = faults
        self._tokens = tokens
        self._limits = limits
        self._guard = guard
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/load", self.load),
            web.get("/state", self.state),
            web.post("/people/payrolls", self.create_payroll),
            web.post("/people/payrolls/{uuid}/{action}", self.act_on_payroll),
            web.post("/people/employees", self.hire),
            web.post("/people/employees/{uuid}/{action}", self.act_on_employee),
            web.get("/faults", self.armed),
            web.post("/faults", self.arm),
            web.delete("/faults", self.disarm),
            web.get("/webhooks", self.deliveries),
            web.post("/webhooks", self.subscribe),
            web.post("/webhooks/send", self.send),
            web.post("/webhooks/settle", self.settle),
            web.post("/clock", self.clock),
            web.post("/scopes", self.scopes),
        ]

    async def load(self, request: web.Request) -> web.Response:
        return answer(load(self._store, await body_of(request)))

    async def state(self, _request: web.Request) -> web.Response:
        calls: JsonObject = dict(self._guard.calls)
        return answer(
            {
                "company_uuid": self._store.company_uuid,
                "now": self._store.now_text(),
                "departments": list(self._store.departments.values()),
                "employees": list(self._store.employees.values()),
                "payrolls": list(self._store.payrolls.values()),
                "contractors": list(self._store.contractors.values()),
                "contractor_payments": list(self._store.payments.values()),
                "reversals": list(self._store.reversals),
                "events": list(self._store.events),
                "subscriptions": [hook.shown() for hook in self._webhooks.subscriptions.values()],
                "live_refresh_tokens": self._tokens.live_refresh_tokens(),
                "calls": calls,
                "refused_by_limit": self._limits.refused,
            }
        )

    async def create_payroll(self, request: web.Request) -> web.Response:
        return answer(self._people.create_payroll(await body_of(request)), status=201)

    async def act_on_payroll(self, request: web.Request) -> web.Response:
        found, action = request.match_info["uuid"], request.match_info["action"]
        body = await _optional_body(request)
        match action:
            case "process":
                return answer(self._people.process(found))
            case "cancel":
                return answer(self._people.cancel(found))
            case "reverse":
                return answer(self._people.reverse(found, body))
            case "change":
                return answer(self._people.change_payroll(found, body))
            case "delete":
                return answer(self._people.delete_payroll(found))
        raise BadRequestError(f"A payroll knows no action {action}.", status=404)

    async def hire(self, request: web.Request) -> web.Response:
        return answer(self._people.hire(await body_of(request)), status=201)

    async def act_on_employee(self, request: web.Request) -> web.Response:
        found, action = request.match_info["uuid"], request.match_info["action"]
        body = await _optional_body(request)
        match action:
            case "change":
                return answer(self._people.change_employee(found, body))
            case "dismiss":
                return answer(self._people.dismiss(found, body))
            case "delete":
                return answer(self._people.delete_employee(found))
        raise BadRequestError(f"An employee knows no action {action}.", status=404)

    async def armed(self, _request: web.Request) -> web.Response:
        return answer([rule.shown() for rule in self._faults.rules])

    async def arm(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if body.get("kind") == "expire_tokens":
            self._tokens.expire()
            return answer({"kind": "expire_tokens"}, status=201)
        try:
            return answer(self._faults.order(body).shown(), status=201)
        except FaultError as error:
            raise BadRequestError(str(error), key="kind") from None

    async def disarm(self, _request: web.Request) -> web.Response:
        self._faults.rules.clear()
        return answer([])

    async def deliveries(self, _request: web.Request) -> web.Response:
        return answer(list(self._webhooks.log))

    async def subscribe(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        made = self._webhooks.create(
            text(body, "url"), sorted(SUBSCRIPTION_TYPES), verified=not flag(body, "handshake")
        )
        return answer({**made.shown(), "verification_token": made.token}, status=201)

    async def send(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        for hook in self._webhooks.subscriptions.values():
            self._webhooks.send(hook, body)
        return answer({"sent": len(self._webhooks.subscriptions)})

    async def settle(self, _request: web.Request) -> web.Response:
        await self._webhooks.settle()
        return answer({"pending": 0})

    async def clock(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        advance: JsonValue = body.get("advance_seconds")
        if isinstance(advance, int) and not isinstance(advance, bool):
            self._clock.advance(advance)
        elif "now" in body:
            self._clock.set(_instant(text(body, "now")))
        else:
            raise BadRequestError("Give advance_seconds (a whole number) or now (an instant with its zone).")
        return answer({"now": self._store.now_text()})

    async def scopes(self, request: web.Request) -> web.Response:
        """Take scopes from every token; the list replaces that of an earlier call."""
        withheld = (await body_of(request)).get("without", [])
        self._guard.without = frozenset(map(str, withheld)) if isinstance(withheld, list) else frozenset()
        return answer({"without": [*sorted(self._guard.without)]})


async def _optional_body(request: web.Request) -> JsonObject:
    return await body_of(request) if await request.read() else {}


def _instant(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise BadRequestError(f"now is not an instant: {value!r}", key="now") from None
    if instant.tzinfo is None:
        raise BadRequestError("now lacks its zone", key="now")
    return instant


def errors() -> Middleware:
    """Refusals of the control port, in the same form as the API's."""

    @web.middleware
    async def tell(request: web.Request, handler: Next) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadRequestError as error:
            return answer(error.body(), status=error.status)

    return tell
