"""The public API, below `/api/v1` and, as older clients call it, below the gateway."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

from aiohttp import web
from lxml import etree

from counterfoil.emulating import BadRequestError, answer, body_of
from counterfoil_adapters.bamboohr.emulator import views
from counterfoil_adapters.bamboohr.emulator.callers import Caller, Callers
from counterfoil_adapters.bamboohr.emulator.company import TABLES, Company
from counterfoil_adapters.bamboohr.emulator.hooks import Hooks
from counterfoil_schema.exact_json import JsonObject, JsonValue

CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
ROOTS = ("/api/v1", "/api/gateway.php/{company}/v1")
DAYS_MAX = timedelta(days=365)
HOURS_MAX = 24
Handler = Callable[[web.Request], Awaitable[web.Response]]


def caller_of(request: web.Request) -> Caller:
    """Whom the guard let in."""
    return request[CALLER]


class Api:
    """Handlers over the company's state."""

    def __init__(self, company: Company, callers: Callers, hooks: Hooks) -> None:
        self._company = company
        self._callers = callers
        self._hooks = hooks

    def routes(self) -> list[web.RouteDef]:
        made = [web.post("/token.php", self.token)]
        for root in ROOTS:
            made.extend(web.route(method, root + path, handler) for method, path, handler in self._table())
        return made

    def _table(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/company_information", self.information),
            ("GET", "/employees", self.listing),
            ("GET", "/employees/directory", self.directory),
            ("GET", "/employees/changed", self.changed),
            ("GET", "/employees/changed/", self.changed),
            ("GET", "/employees/changed/tables/{table}", self.changed_table),
            ("GET", "/employees/{id}", self.employee),
            ("POST", "/employees/{id}", self.update),
            ("GET", "/employees/{id}/tables/{table}", self.table),
            ("GET", "/meta/fields", self.fields),
            ("GET", "/meta/fields/", self.fields),
            ("GET", "/meta/tables", self.tables),
            ("GET", "/meta/tables/", self.tables),
            ("GET", "/time_tracking/timesheet_entries", self.time),
            ("POST", "/time_tracking/hour_entries/store", self.store_hours),
            ("POST", "/time_tracking/hour_entries/delete", self.delete_hours),
            ("GET", "/webhooks", self.webhooks),
            ("POST", "/webhooks", self.add_webhook),
            ("GET", "/webhooks/monitor_fields", self.monitored),
            ("GET", "/webhooks/{id}", self.webhook),
            ("DELETE", "/webhooks/{id}", self.drop_webhook),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """`token.php?request=token`; secrets stand in the body, never in the URL."""
        if request.query.get("request") != "token" or "client_secret" in request.query:
            return answer({"error": "invalid_request"}, 400)
        form = await request.post()
        given: JsonObject = {name: value for name, value in form.items() if isinstance(value, str)}
        status, body = self._callers.exchange(given)
        return answer(body, status)

    async def information(self, _request: web.Request) -> web.Response:
        address: JsonObject = {"line1": "1 Main St", "line2": "", "city": "Lindon", "state": "UT", "zip": "84042"}
        name = self._company.name
        return answer({"legalName": name, "displayName": name, "address": address, "phone": "801-555-0100"})

    async def listing(self, request: web.Request) -> web.Response:
        ids = [*request.query.getall("filter[ids][]", []), *request.query.get("filter[ids]", "").split(",")]
        wanted = [one for one in ids if one]
        return answer(views.listing(self._company, caller_of(request), request.query, wanted, str(request.url)))

    async def directory(self, request: web.Request) -> web.Response:
        """Those who are active, in the form of the older clients."""
        names = ("firstName", "lastName", "preferredName", "jobTitle", "workEmail", "department", "location")
        caller = caller_of(request)
        shown = [
            views.employee(self._company, caller, key, names)
            for key in self._company.people
            if caller.sees(key) and self._company.shown(key)["status"] == "Active"
        ]
        fields: list[JsonValue] = [{"id": name, "type": "text", "name": name} for name in names]
        return answer({"fields": fields, "employees": [*shown]})

    async def employee(self, request: web.Request) -> web.Response:
        asked = request.query.get("fields", "firstName,lastName").split(",")
        return answer(views.employee(self._company, caller_of(request), request.match_info["id"], asked))

    async def update(self, request: web.Request) -> web.Response:
        """Set fields; a field that is none is passed over, and one that may not be edited too."""
        caller, employee_id = caller_of(request), request.match_info["id"]
        self._company.person(employee_id)
        if not caller.edits or not caller.sees(employee_id):
            raise BadRequestError("The API user may not edit the employee.", status=403)
        raw = (await request.read()).strip()
        body = _xml_fields(raw) if raw.startswith(b"<") else await body_of(request)
        self._company.change(employee_id, {name: value for name, value in body.items() if caller.shows(name)})
        return web.Response(status=200)

    async def changed(self, request: web.Request) -> web.Response:
        kind = request.query.get("type", "all")
        if kind not in {"inserted", "updated", "deleted", "all"}:
            raise BadRequestError("The type parameter is invalid.")
        caller = caller_of(request)
        found = self._company.changes(_since(request), kind)
        # What is deleted is told whatever the caller may see (BambooHR: webhooks).
        told = {key: one for key, one in found.items() if one[0] == "Deleted" or caller.sees(key)}
        latest = max((at for _, at in told.values()), default=self._company.now())
        entries: JsonObject = {
            key: {"id": key, "action": action, "lastChanged": at.isoformat()} for key, (action, at) in told.items()
        }
        date_told = {"Date": format_datetime(self._company.now(), usegmt=True)}
        return answer({"latest": latest.isoformat(), "employees": entries or []}, headers=date_told)

    async def changed_table(self, request: web.Request) -> web.Response:
        caller, table = caller_of(request), request.match_info["table"]
        if table not in TABLES or not caller.shows(table):
            raise BadRequestError("The specified table does not exist.", status=404)
        found = self._company.changes(_since(request), "all")
        entries: JsonObject = {
            key: {
                "lastChanged": at.isoformat(),
                "rows": [*views.rows(self._company, caller, key, table)],
            }
            for key, (action, at) in found.items()
            if action != "Deleted" and caller.sees(key)
        }
        return answer({"table": table, "employees": entries})

    async def table(self, request: web.Request) -> web.Response:
        identity, table = request.match_info["id"], request.match_info["table"]
        return answer(views.rows(self._company, caller_of(request), identity, table))

    async def fields(self, request: web.Request) -> web.Response:
        caller = caller_of(request)
        known = [(name, kind) for name, kind in self._company.field_names().items() if caller.shows(name)]
        return answer(
            [{"id": number, "name": name, "type": kind, "alias": name} for number, (name, kind) in enumerate(known, 1)]
        )

    async def tables(self, _request: web.Request) -> web.Response:
        return answer(
            [
                {
                    "alias": table,
                    "fields": [
                        {"id": number, "name": name, "alias": name, "type": kind}
                        for number, (name, kind) in enumerate(fields.items(), 1000)
                    ],
                }
                for table, fields in TABLES.items()
            ]
        )

    async def time(self, request: web.Request) -> web.Response:
        caller = caller_of(request)
        if not caller.time:
            raise _problem(403, "Insufficient user permissions or API access is not turned on.")
        start, end = (_day(request.query.get(name), name) for name in ("start", "end"))
        today = self._company.today()
        if min(start, end) < today - DAYS_MAX or max(start, end) > today + timedelta(days=1) or start > end:
            raise _problem(400, "Dates must be within the last 365 days.")
        ids = [one for one in request.query.get("employeeIds", "").split(",") if one]
        if any(not one.isdigit() for one in ids):
            raise _problem(400, "employeeIds is malformed.")
        found = [
            views.entry(row)
            for row in self._company.entries.values()
            if start.isoformat() <= str(row["date"]) <= end.isoformat()
            and caller.sees(str(row["employeeId"]))
            and (not ids or str(row["employeeId"]) in ids)
        ]
        return answer(found)

    async def store_hours(self, request: web.Request) -> web.Response:
        hours = (await body_of(request)).get("hours")
        rows = [row for row in hours if isinstance(row, dict)] if isinstance(hours, list) else []
        if not rows:
            raise _problem(400, "hours is missing.")
        made: list[JsonObject] = []
        for row in rows:
            told = row.get("hours")
            if isinstance(told, bool) or not isinstance(told, int | Decimal) or not 0 <= told <= HOURS_MAX:
                raise _problem(400, "hours must be a number of hours.")
            project = row.get("projectId")
            more: JsonObject = {}
            if project is not None:
                more = {"projectInfo": {"project": {"id": project, "name": f"Project {project}"}, "task": None}}
            made.append(self._company.put_entry({**row, **more}))
        kept = ("id", "employeeId", "type", "date", "start", "end", "timezone", "hours", "note", "projectInfo")
        return answer([{**{name: row[name] for name in kept}, "breakInfo": None} for row in made], 201)

    async def delete_hours(self, request: web.Request) -> web.Response:
        numbers = (await body_of(request)).get("hourEntryIds")
        if not isinstance(numbers, list) or not numbers:
            raise _problem(400, "hourEntryIds is missing.")
        for number in numbers:
            self._company.entries.pop(int(str(number)), None)
        return web.Response(status=204)

    async def webhooks(self, _request: web.Request) -> web.Response:
        return answer({"webhooks": [hook.summary() for hook in self._hooks.all.values()]})

    async def add_webhook(self, request: web.Request) -> web.Response:
        made = self._hooks.add(await body_of(request))
        return answer({**made.shown(), "privateKey": made.key}, 201)

    async def webhook(self, request: web.Request) -> web.Response:
        return answer(self._hooks.hook(request.match_info["id"]).shown())

    async def drop_webhook(self, request: web.Request) -> web.Response:
        del self._hooks.all[self._hooks.hook(request.match_info["id"]).identity]
        return web.Response(status=200)

    async def monitored(self, _request: web.Request) -> web.Response:
        named = enumerate(self._company.field_names(), 1)
        return answer({"fields": [{"id": number, "name": name, "alias": name} for number, name in named]})


def _since(request: web.Request) -> datetime:
    try:
        since = datetime.fromisoformat(request.query.get("since", ""))
    except ValueError:
        since = None
    if since is None or since.tzinfo is None:
        raise BadRequestError("The since parameter is missing or is not a valid ISO 8601 date.")
    return since


def _day(given: str | None, name: str) -> date:
    try:
        return date.fromisoformat(given or "")
    except ValueError:
        raise _problem(400, f"{name} is not a date.") from None


def _problem(status: int, detail: str) -> BadRequestError:
    body: JsonObject = {"type": "about:blank", "title": "Bad Request", "status": status, "detail": detail}
    return BadRequestError(detail, status=status, body=body)


def _xml_fields(raw: bytes) -> JsonObject:
    """`<employee><field id="firstName">Ada</field></employee>`, as older clients write."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        raise BadRequestError("The body is no XML.") from None
    return {str(one.get("id")): one.text for one in root.iter("field")}
