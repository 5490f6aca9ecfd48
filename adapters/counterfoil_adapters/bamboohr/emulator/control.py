"""The control port's own part: people who hire, move, dismiss, fill in and approve; and keys that see less."""

from aiohttp import web

from counterfoil.emulating import BadRequestError, answer, body_of
from counterfoil_adapters.bamboohr.emulator.callers import Caller, Callers
from counterfoil_adapters.bamboohr.emulator.company import Company
from counterfoil_adapters.bamboohr.emulator.hooks import EVENTS, Hooks
from counterfoil_schema.exact_json import JsonObject, JsonValue

SEED_PEOPLE_MAX = 20_000


class Control:
    """Handlers; README.md is their reference."""

    def __init__(self, company: Company, callers: Callers, hooks: Hooks) -> None:
        self._company = company
        self._callers = callers
        self._hooks = hooks

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/people", self.hire),
            web.post("/people/{id}/{action}", self.act),
            web.post("/time", self.put_time),
            web.post("/time/approve", self.approve),
            web.post("/time/{entry}/delete", self.delete_time),
            web.post("/keys", self.add_key),
            web.post("/keys/{key}", self.change_key),
            web.post("/hooks", self.add_hook),
            web.post("/tokens/expire", self.expire),
            web.post("/seed", self.seed),
        ]

    async def hire(self, request: web.Request) -> web.Response:
        return answer({"id": self._company.hire(await body_of(request))}, 201)

    async def act(self, request: web.Request) -> web.Response:
        identity, body = request.match_info["id"], await body_of(request)
        today = self._company.today().isoformat()
        match request.match_info["action"]:
            case "change":
                return answer({"changed": [*self._company.change(identity, body)]})
            case "row":
                row = body.get("row")
                table = str(body.get("table") or "jobInfo")
                return answer({"id": self._company.add_row(identity, table, row if isinstance(row, dict) else {})}, 201)
            case "dismiss":
                self._company.dismiss(identity, str(body.get("date") or today))
            case "rehire":
                self._company.rehire(identity, str(body.get("date") or today))
            case "delete":
                self._company.delete(identity)
            case action:
                raise BadRequestError(f"An employee knows no action {action}.", status=404)
        return answer({"id": identity})

    async def put_time(self, request: web.Request) -> web.Response:
        return answer(self._company.put_entry(await body_of(request)), 201)

    async def approve(self, request: web.Request) -> web.Response:
        """`{"entries": [1, 2]}`, all where it names none; `"approved": false` takes it back."""
        body = await body_of(request)
        entries = body.get("entries")
        numbers = [int(str(one)) for one in entries] if isinstance(entries, list) else None
        return answer({"entries": self._company.approve(numbers, approved=body.get("approved") is not False)})

    async def delete_time(self, request: web.Request) -> web.Response:
        return answer({"deleted": self._company.entries.pop(int(request.match_info["entry"]), None) is not None})

    async def add_key(self, request: web.Request) -> web.Response:
        caller = Caller()
        _set(caller, await body_of(request))
        return answer({"api_key": self._callers.add(caller)}, 201)

    async def change_key(self, request: web.Request) -> web.Response:
        """What a key (or `oauth`) may see from now on."""
        key = request.match_info["key"]
        caller = self._callers.application if key == "oauth" else self._callers.keys.get(key)
        if caller is None:
            raise BadRequestError("There is no such key.", status=404)
        _set(caller, await body_of(request))
        return answer({"hides": sorted(caller.hides)})

    async def add_hook(self, request: web.Request) -> web.Response:
        """A webhook to any URL, http too; `{"url", "legacy"?: true}`."""
        body = await body_of(request)
        made = self._hooks.add(hook_body(str(body.get("url")), legacy=body.get("legacy") is True), secure=False)
        return answer({"id": made.identity, "webhook_key": made.key}, 201)

    async def expire(self, _request: web.Request) -> web.Response:
        self._callers.expire()
        return answer({})

    async def seed(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        people, days = (_number(body.get(name), name) for name in ("people", "days"))
        if people > SEED_PEOPLE_MAX:
            raise BadRequestError(f"{SEED_PEOPLE_MAX} people are the most.")
        self._company.seed(people, days)
        return answer({"people": len(self._company.people), "entries": len(self._company.entries)})


def hook_body(url: str, *, legacy: bool = False) -> JsonObject:
    """A webhook for all that happens to employees."""
    events: list[JsonValue] = [*(EVENTS[:3] if legacy else EVENTS[3:])]
    monitors: list[JsonValue] = ["firstName", "lastName", "workEmail", "hireDate", "department", "location", "jobTitle"]
    more: list[JsonValue] = ["employmentStatus", "date"]
    named: JsonObject = {"name": "control", "url": url, "format": "json"}
    return {**named, "events": events, "monitorFields": [*monitors, *more]}


def _set(caller: Caller, body: JsonObject) -> None:
    hides, people = body.get("hides"), body.get("people")
    if isinstance(hides, list):
        caller.hides = {str(one) for one in hides}
    if "people" in body:
        caller.people = {str(one) for one in people} if isinstance(people, list) else None
    caller.time = body.get("time", caller.time) is True
    caller.edits = body.get("edits", caller.edits) is True


def _number(value: JsonValue, name: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequestError(f"{name} must be a whole number, not negative.")
    return value
