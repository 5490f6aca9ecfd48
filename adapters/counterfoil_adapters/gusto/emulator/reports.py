"""Reports as Gusto makes them: asked for, waited for, fetched from an address that serves for ten minutes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from counterfoil_adapters.gusto.emulator.answers import answer, body_of
from counterfoil_adapters.gusto.emulator.ledger import BREAKDOWNS, report
from counterfoil_adapters.gusto.emulator.paging import whole
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.values import BadRequestError, flag, not_found, rows, text, text_or_none
from counterfoil_schema.exact_json import JsonObject, JsonValue

FILES = "/report_files/"
FILE_LIFE = timedelta(minutes=10)
INTEGRATIONS = ("xero", "qbo")


@dataclass(slots=True)
class Asked:
    """One report; `polls` are left until it is there."""

    body: JsonObject
    polls: int
    failed: bool
    ready_at: datetime | None = None


@dataclass(slots=True)
class Reports:
    """General ledger reports. `add`: rows that a test puts into the basic view, so that it does not tie out."""

    store: Store
    base_url: Callable[[], str]
    pending_polls: int = 1
    fail: bool = False
    add: list[JsonObject] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)

    def api(self) -> list[web.RouteDef]:
        """What applications may call."""
        return [
            web.post("/v1/payrolls/{payroll}/reports/general_ledger", self.ask),
            web.get("/v1/reports/{request}", self.poll),
            web.get(FILES + "{request}", self.file),
        ]

    def control(self) -> list[web.RouteDef]:
        return [web.post("/reports", self.order)]

    async def ask(self, request: web.Request) -> web.Response:
        payroll = self.store.payroll(request.match_info["payroll"])
        body = await body_of(request)
        aggregation, integration = text(body, "aggregation"), text_or_none(body, "integration_type")
        if aggregation not in BREAKDOWNS:
            raise BadRequestError(f"aggregation must be one of {', '.join(BREAKDOWNS)}", key="aggregation")
        if (aggregation == "integration") != (integration in INTEGRATIONS):
            raise BadRequestError("integration_type goes with aggregation integration", key="integration_type")
        if payroll["processed"] is not True:
            raise BadRequestError("Only a processed payroll has a general ledger report.", key="payroll_uuid")
        made = self.store.ids.uuid()
        whole_report = self._with_added(report(self.store, payroll, aggregation))
        self.asked[made] = Asked(whole_report, self.pending_polls, self.fail)
        return answer(
            {
                "payroll_uuid": payroll["uuid"],
                "aggregation": aggregation,
                "integration_type": integration,
                "request_uuid": made,
            }
        )

    async def poll(self, request: web.Request) -> web.Response:
        found = self._asked(request)
        identity = request.match_info["request"]
        if found.polls > 0:
            found.polls -= 1
            return answer({"request_uuid": identity, "status": "pending", "report_urls": []})
        if found.failed:
            return answer({"request_uuid": identity, "status": "failed", "report_urls": []})
        found.ready_at = found.ready_at or self.store.clock.now()
        url = f"{self.base_url()}{FILES}{identity}"
        return answer({"request_uuid": identity, "status": "succeeded", "report_urls": [url]})

    async def file(self, request: web.Request) -> web.Response:
        found = self._asked(request)
        if "Authorization" in request.headers:
            raise BadRequestError("Only one way to sign in is allowed here.", status=400, category="invalid_request")
        if found.ready_at is None or self.store.clock.now() - found.ready_at > FILE_LIFE:
            raise BadRequestError("Request has expired.", status=403, category="expired")
        return answer(found.body)

    async def order(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        self.pending_polls = whole({"pending_polls": str(body.get("pending_polls", 1))}, "pending_polls", 1)
        self.fail = flag(body, "fail")
        self.add = rows(body, "add")
        return answer({"pending_polls": self.pending_polls, "fail": self.fail, "add": list(self.add)})

    def _asked(self, request: web.Request) -> Asked:
        found = self.asked.get(request.match_info["request"])
        if found is None:
            raise not_found()
        return found

    def _with_added(self, body: JsonObject) -> JsonObject:
        basic, *others = rows(body, "data")
        more: list[JsonValue] = [
            [one.get("account_type"), "Added", one.get("debit"), one.get("credit")] for one in self.add
        ]
        held = basic["rows"]
        return {**body, "data": [{**basic, "rows": [*(held if isinstance(held, list) else []), *more]}, *others]}
