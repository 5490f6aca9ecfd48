"""The control port: loading an account, people who edit it, faults, and what happened."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from aiohttp import web

from counterfoil.emulating.faults import FaultError, FaultPlan, orders_of
from counterfoil_adapters.hubspot.emulator.api_objects import as_objects, plural
from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.portal import PERSON, CrmObject, Portal
from counterfoil_adapters.hubspot.emulator.values import iso_millis, parse_instant
from counterfoil_adapters.hubspot.emulator.webhooks import WebhookSender
from counterfoil_adapters.hubspot.emulator.wire import (
    all_properties,
    answer,
    json_body,
    kind_of,
    number,
    properties_of,
    shown,
)
from counterfoil_schema.exact_json import JsonObject


class Control:
    """The routes of the control port. Nobody is asked for a token here."""

    def __init__(
        self,
        portal: Portal,
        webhooks: WebhookSender,
        faults: FaultPlan,
        figures: Callable[[], Mapping[str, object]],
    ) -> None:
        self._portal = portal
        self._webhooks = webhooks
        self._faults = faults
        self._figures = figures

    def routes(self) -> list[web.RouteDef]:
        """Everything under the control port."""
        return [
            web.post("/load", self.load),
            web.post("/people/{type}", self.person_creates),
            web.post("/people/{type}/merge", self.person_merges),
            web.post("/people/{type}/{id}", self.person_edits),
            web.patch("/people/{type}/{id}", self.person_edits),
            web.delete("/people/{type}/{id}", self.person_deletes),
            web.post("/people/{type}/{id}/erase", self.person_erases),
            web.post("/people/{type}/{id}/restore", self.person_restores),
            web.get("/state", self.state),
            web.get("/objects/{type}", self.objects),
            web.get("/journal", self.journal),
            web.post("/faults", self.order_faults),
            web.get("/faults", self.show_faults),
            web.delete("/faults", self.clear_faults),
            web.post("/webhooks", self.subscribe),
            web.post("/clock", self.set_clock),
        ]

    async def load(self, request: web.Request) -> web.Response:
        """Objects and links as they are: no events, no journal. Answers with the ids, in the order given."""
        return answer(self.take(await json_body(request)))

    def take(self, body: JsonObject) -> dict[str, object]:
        """What is loaded, and its ids."""
        objects = body.get("objects")
        loaded: dict[str, list[str]] = {}
        for name, entries in (objects if isinstance(objects, dict) else {}).items():
            kind = plural(name)
            rows = [self._row(entry) for entry in as_objects(entries)]
            self._portal.load(kind, rows)
            loaded[kind] = [str(row.object_id) for row in rows]
        links = as_objects(body.get("associations"))
        for link in links:
            self._associate(plural(link.get("from")), number(link.get("from_id")), link)
        return {"ids": loaded, "associations": len(links)}

    async def person_creates(self, request: web.Request) -> web.Response:
        kind = kind_of(request).plural
        body = await json_body(request)
        row = self._portal.create(kind, _values(body), PERSON)
        self._associate_all(kind, row.object_id, body)
        return self._shown(request, row, 201)

    async def person_edits(self, request: web.Request) -> web.Response:
        kind = kind_of(request).plural
        row = self._live(request)
        body = await json_body(request)
        if "properties" in body:
            self._portal.update(kind, row, _values(body), PERSON)
        self._associate_all(kind, row.object_id, body)
        return self._shown(request, row)

    async def person_deletes(self, request: web.Request) -> web.Response:
        self._portal.archive(kind_of(request).plural, self._live(request), PERSON)
        return web.Response(status=204)

    async def person_erases(self, request: web.Request) -> web.Response:
        self._portal.erase(kind_of(request).plural, self._live(request), PERSON)
        return web.Response(status=204)

    async def person_restores(self, request: web.Request) -> web.Response:
        kind = kind_of(request).plural
        row = self._portal.find(kind, number(request.match_info["id"]), archived=True)
        if row is None:
            raise PortalError(404, "No such deleted object", "OBJECT_NOT_FOUND")
        self._portal.restore(kind, row, PERSON)
        return self._shown(request, row)

    async def person_merges(self, request: web.Request) -> web.Response:
        kind = kind_of(request).plural
        body = await json_body(request)
        primary = self._portal.find(kind, number(body.get("primary")))
        loser = self._portal.find(kind, number(body.get("merged")))
        if primary is None or loser is None or primary is loser:
            raise PortalError(400, "Name two different objects: primary and merged")
        self._portal.merge(kind, primary, loser, PERSON)
        return self._shown(request, primary)

    async def state(self, _request: web.Request) -> web.Response:
        """Figures: objects by type, calls by kind, refusals, faults used, webhooks."""
        counts = {
            name: {
                "live": sum(row.archived_at is None for row in table.rows.values()),
                "archived": sum(row.archived_at is not None for row in table.rows.values()),
                "merged": len(table.merged),
            }
            for name, table in self._portal.tables.items()
        }
        webhooks = {
            "url": self._webhooks.url,
            "waiting": self._webhooks.waiting,
            "delivered": self._webhooks.delivered,
            "given_up": self._webhooks.given_up,
            "tries": self._webhooks.tries,
        }
        now = iso_millis(self._portal.now())
        return answer(
            {"now": now, "objects": counts, "webhooks": webhooks, "faults_used": self._faults.used, **self._figures()}
        )

    async def objects(self, request: web.Request) -> web.Response:
        """Every live object of a type with all its properties and links."""
        kind = kind_of(request)
        table = self._portal.tables[kind.plural]
        linked = list(self._portal.tables)
        rows = [table.rows[object_id] for object_id in table.ids if table.rows[object_id].archived_at is None]
        return answer({"results": [shown(self._portal, kind, r, all_properties(kind, r), linked) for r in rows]})

    async def journal(self, request: web.Request) -> web.Response:
        """What was written, in order; `?by=api` only by programs, `?after=SEQ` from there on."""
        by, after = request.query.get("by"), number(request.query.get("after", "0"))
        entries = [
            entry
            for entry in self._portal.journal
            if (by is None or entry["by"] == by) and number(entry["seq"]) > after
        ]
        return answer({"entries": entries})

    async def order_faults(self, request: web.Request) -> web.Response:
        """One fault, or several as `{"faults": [...]}`."""
        try:
            for entry in orders_of(await json_body(request)):
                self._faults.order(entry)
        except FaultError as error:
            raise PortalError(400, str(error)) from None
        return answer({"in_force": len(self._faults.rules)}, 201)

    async def show_faults(self, _request: web.Request) -> web.Response:
        return answer({"faults": [rule.shown() for rule in self._faults.rules], "used": self._faults.used})

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._faults.rules.clear()
        return web.Response(status=204)

    async def subscribe(self, request: web.Request) -> web.Response:
        """Where deliveries go from now on; null ends them."""
        url = (await json_body(request)).get("url")
        self._webhooks.url = str(url) if url else None
        return answer({"url": self._webhooks.url})

    async def set_clock(self, request: web.Request) -> web.Response:
        """`{"advance_seconds": 60}` or `{"now": "2026-11-01T00:00:00Z"}`: the account's time, not the signatures'."""
        body = await json_body(request)
        if "now" in body:
            self._portal.shift += parse_instant(str(body["now"])) - self._portal.now()
        self._portal.shift += timedelta(milliseconds=int(str(body.get("advance_seconds", 0))) * 1000)
        return answer({"now": iso_millis(self._portal.now())})

    def _row(self, entry: JsonObject) -> CrmObject:
        now = self._portal.now()
        object_id = number(entry["id"]) if "id" in entry else self._portal.next_id()
        if object_id < 0:
            raise PortalError(400, f"{entry['id']!r} is not an object id: digits only")
        created = _instant(entry.get("createdAt"), now)
        updated = _instant(entry.get("updatedAt"), created if "createdAt" in entry else now)
        archived = updated if entry.get("archived") is True else None
        values = {name: value for name, value in _values(entry).items() if value not in {None, ""}}
        return CrmObject(object_id, {name: str(value) for name, value in values.items()}, created, updated, archived)

    def _associate_all(self, kind: str, object_id: int, body: JsonObject) -> None:
        links = body.get("associations")
        for name, ids in (links if isinstance(links, dict) else {}).items():
            self._associate(kind, object_id, {"to": name, "to_ids": ids})
            for end in ids if isinstance(ids, list) else []:
                self._portal.tell_association(kind, object_id, plural(name), number(end), PERSON, removed=False)

    def _associate(self, left: str, left_id: int, link: JsonObject) -> None:
        right = plural(link.get("to"))
        ids = link.get("to_ids", [link.get("to_id")])
        type_id = number(link["type_id"]) if "type_id" in link else None
        for end in ids if isinstance(ids, list) else []:
            if self._portal.find(left, left_id) is None or self._portal.find(right, number(end)) is None:
                raise PortalError(400, f"An association leads nowhere: {left} {left_id} to {right} {end}")
            self._portal.associate(left, left_id, right, number(end), type_id)

    def _live(self, request: web.Request) -> CrmObject:
        row = self._portal.find(kind_of(request).plural, number(request.match_info["id"]))
        if row is None:
            raise PortalError(404, "No such object", "OBJECT_NOT_FOUND")
        return row

    def _shown(self, request: web.Request, row: CrmObject, status: int = 200) -> web.Response:
        kind = kind_of(request)
        return answer(shown(self._portal, kind, row, all_properties(kind, row)), status)


def _values(body: JsonObject) -> JsonObject:
    return properties_of(body) if "properties" in body else {}


def _instant(value: object, default: datetime) -> datetime:
    try:
        return parse_instant(str(value)) if value is not None else default
    except ValueError:
        raise PortalError(400, f"{value!r} is not an instant") from None
