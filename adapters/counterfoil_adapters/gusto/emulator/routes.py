"""The public API: what an application may call with a token."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from counterfoil_adapters.gusto.emulator import queries
from counterfoil_adapters.gusto.emulator.answers import answer, body_of
from counterfoil_adapters.gusto.emulator.delivery import Webhooks
from counterfoil_adapters.gusto.emulator.paging import PER_MAX, paged
from counterfoil_adapters.gusto.emulator.people import People
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.tokens import OAuthError, Tokens, read_token_request
from counterfoil_adapters.gusto.emulator.values import BadRequestError, not_found, rows, text, words
from counterfoil_adapters.gusto.emulator.views import (
    department_view,
    employee_view,
    payroll_detail,
    payroll_summary,
)
from counterfoil_schema.exact_json import JsonObject, JsonValue

Handler = Callable[[web.Request], Awaitable[web.Response]]
SUBSCRIPTION_TYPES = frozenset(
    [
        "BankAccount",
        "Company",
        "CompanyBenefit",
        "Contractor",
        "ContractorPayment",
        "Employee",
        "EmployeeBenefit",
        "EmployeeJobCompensation",
        "ExternalPayroll",
        "Form",
        "Location",
        "Notification",
        "Payroll",
        "PayrollSync",
        "PaySchedule",
        "PeopleBatch",
        "Signatory",
    ]
)
SYSTEM_PATHS = ("/v1/events", "/v1/webhook_subscriptions")
"""Gusto: webhooks and events belong to the application, and want a system access token."""


class Api:
    """Handlers over the company's state."""

    def __init__(self, store: Store, tokens: Tokens, webhooks: Webhooks, people: People) -> None:
        self._store = store
        self._tokens = tokens
        self._webhooks = webhooks
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        company = "/v1/companies/{company}"
        hooks = "/v1/webhook_subscriptions"
        return [
            web.post("/oauth/token", self.token),
            web.get("/v1/token_info", self.token_info),
            web.get(company, self.company),
            web.get(company + "/departments", self.departments),
            web.get(company + "/locations", self.nothing),
            web.get(company + "/employees", self.employees),
            web.get(company + "/payrolls", self.payrolls),
            web.get(company + "/payrolls/{payroll}", self.payroll),
            web.get(company + "/payroll_reversals", self.reversals),
            web.get("/v1/employees/{employee}", self.employee),
            web.put("/v1/employees/{employee}", self.put_employee),
            web.get("/v1/events", self.events),
            web.get(hooks, self.subscriptions),
            web.post(hooks, self.subscribe),
            web.get(hooks + "/{hook}", self.subscription),
            web.delete(hooks + "/{hook}", self.unsubscribe),
            web.put(hooks + "/{hook}/verify", self.verify),
            web.get(hooks + "/{hook}/request_verification_token", self.resend),
        ]

    def _company(self, request: web.Request) -> Store:
        if request.match_info["company"] != self._store.company_uuid:
            raise not_found()
        return self._store

    async def token(self, request: web.Request) -> web.Response:
        try:
            given = read_token_request(await body_of(request), dict(request.query))
            return answer(self._tokens.exchange(given))
        except OAuthError as error:
            return answer(error.body(), status=error.status)

    async def token_info(self, _request: web.Request) -> web.Response:
        resource: JsonObject = {"type": "Company", "uuid": self._store.company_uuid}
        return answer({"scope": "public", "resource": resource, "resource_owner": None})

    async def company(self, request: web.Request) -> web.Response:
        return answer(self._company(request).company)

    async def departments(self, request: web.Request) -> web.Response:
        store = self._company(request)
        return answer([department_view(store, department) for department in store.departments.values()])

    async def nothing(self, request: web.Request) -> web.Response:
        self._company(request)
        empty = paged(list[JsonValue](), request.query)
        return answer([], headers=empty.headers)

    async def employees(self, request: web.Request) -> web.Response:
        store = self._company(request)
        include = words(request.query.get("include"))
        page = paged(queries.employees(store, request.query), request.query)
        return answer([employee_view(store, employee, include) for employee in page.items], headers=page.headers)

    async def employee(self, request: web.Request) -> web.Response:
        employee = self._store.employee(request.match_info["employee"])
        return answer(employee_view(self._store, employee, words(request.query.get("include"))))

    async def put_employee(self, request: web.Request) -> web.Response:
        found = request.match_info["employee"]
        body = await body_of(request)
        if text(body, "version") != self._store.employee(found)["version"]:
            raise BadRequestError(
                "The version is stale: somebody else changed this employee.", status=409, key="version"
            )
        self._people.change_employee(found, {key: body[key] for key in body if key != "version"})
        return answer(employee_view(self._store, self._store.employee(found), ()))

    async def payrolls(self, request: web.Request) -> web.Response:
        store = self._company(request)
        include = words(request.query.get("include"))
        page = paged(queries.payrolls(store, request.query), request.query)
        return answer([payroll_summary(payroll, include) for payroll in page.items], headers=page.headers)

    async def payroll(self, request: web.Request) -> web.Response:
        payroll = self._company(request).payroll(request.match_info["payroll"])
        page = paged(rows(payroll, "employee_compensations"), request.query, per_default=PER_MAX)
        include = words(request.query.get("include"))
        return answer(payroll_detail(payroll, include, list(page.items)), headers=page.headers)

    async def reversals(self, request: web.Request) -> web.Response:
        page = paged(self._company(request).reversals, request.query)
        return answer(list(page.items), headers=page.headers)

    async def events(self, request: web.Request) -> web.Response:
        return answer(list(queries.events(self._store, request.query)))

    async def subscriptions(self, _request: web.Request) -> web.Response:
        return answer([hook.shown() for hook in self._webhooks.subscriptions.values()])

    async def subscription(self, request: web.Request) -> web.Response:
        return answer(self._webhooks.subscription(request.match_info["hook"]).shown())

    async def subscribe(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        types = body.get("subscription_types")
        if not isinstance(types, list) or not SUBSCRIPTION_TYPES.issuperset(map(str, types)):
            raise BadRequestError("subscription_types holds an unknown type", key="subscription_types")
        made = self._webhooks.create(text(body, "url"), [str(kind) for kind in types])
        return answer(made.shown(), status=201)

    async def unsubscribe(self, request: web.Request) -> web.Response:
        del self._webhooks.subscriptions[self._webhooks.subscription(request.match_info["hook"]).uuid]
        return web.Response(status=204)

    async def verify(self, request: web.Request) -> web.Response:
        hook = self._webhooks.subscription(request.match_info["hook"])
        if text(await body_of(request), "verification_token") != hook.token:
            raise BadRequestError("The verification token is wrong.", key="verification_token")
        hook.status = "verified"
        return answer(hook.shown())

    async def resend(self, request: web.Request) -> web.Response:
        self._webhooks.handshake(self._webhooks.subscription(request.match_info["hook"]))
        return answer({"message": "The verification token is being sent to the subscription's URL."})
