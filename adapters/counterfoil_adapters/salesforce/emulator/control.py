"""The control port, beside what all emulators have: people who edit the org, its set-up, and what was written."""

from typing import TYPE_CHECKING

from aiohttp import web

from counterfoil.emulating.server import answer
from counterfoil_adapters.salesforce.emulator.errors import OrgError
from counterfoil_adapters.salesforce.emulator.org import Org, Row
from counterfoil_adapters.salesforce.emulator.replication import Replication
from counterfoil_adapters.salesforce.emulator.schema import parse_fields
from counterfoil_adapters.salesforce.emulator.sessions import Sessions
from counterfoil_adapters.salesforce.emulator.wire import json_body
from counterfoil_schema.exact_json import JsonObject, JsonValue

if TYPE_CHECKING:
    from counterfoil_adapters.salesforce.emulator.bus import EventBus


class Control:
    """The routes of the control port. Nobody is asked for a token here."""

    def __init__(
        self,
        org: Org,
        sessions: Sessions,
        replication: Replication,
        bus: "EventBus | None",
    ) -> None:
        self._org = org
        self._sessions = sessions
        self._replication = replication
        self._bus = bus

    def routes(self) -> list[web.RouteDef]:
        """Everything under the control port."""
        return [
            web.post("/setup", self.set_up),
            web.post("/people/{object}", self.person_creates),
            web.post("/people/{object}/merge", self.person_merges),
            web.patch("/people/{object}/{id}", self.person_edits),
            web.delete("/people/{object}/{id}", self.person_deletes),
            web.post("/people/{object}/{id}/undelete", self.person_undeletes),
            web.post("/people/{object}/{id}/hold", self.person_holds),
            web.post("/commit", self.commit),
            web.post("/purge/{object}", self.purge),
            web.post("/sessions/expire", self.expire),
            web.get("/objects/{object}", self.objects),
            web.get("/journal", self.journal),
            web.post("/bus", self.put_event),
            web.post("/bus/forget", self.forget_events),
        ]

    async def set_up(self, request: web.Request) -> web.Response:
        """What an administrator: objects, fields, what the integration may see; how far back deletions are told."""
        body = await json_body(request)
        try:
            for name, made in _object(body, "objects").items():
                definition = made if isinstance(made, dict) else {}
                self._org.add_object(name, str(definition["prefix"]), str(definition.get("fields", "")))
            for name, text in _object(body, "fields").items():
                own = self._org.table(name).definition.fields
                own.update({one.name: one for one in parse_fields(str(text))})
        except (KeyError, ValueError) as error:
            raise OrgError("INVALID_FIELD", f"objects need a prefix, fields their notation: {error}") from None
        if "hidden_objects" in body:
            self._org.hidden_objects = set(_texts(body["hidden_objects"]))
        if "hidden_fields" in body:
            hidden = _object(body, "hidden_fields")
            self._org.hidden_fields = {name: set(_texts(held)) for name, held in hidden.items()}
        if "change_events" in body and self._bus is not None:
            self._bus.selected = set(_texts(body["change_events"]))
        if "scopes" in body:
            self._sessions.scopes = str(body["scopes"])
        self._org.history_days = _whole(body.get("history_days"), self._org.history_days)
        self._replication.ids_max = _whole(body.get("ids_max"), self._replication.ids_max)
        return answer({"objects": sorted(self._org.tables)})

    async def person_creates(self, request: web.Request) -> web.Response:
        new_id = self._org.create(request.match_info["object"], await json_body(request), self._org.person)
        return answer({"id": new_id}, 201)

    async def person_edits(self, request: web.Request) -> web.Response:
        info = request.match_info
        row = self._org.update(info["object"], info["id"], await json_body(request), self._org.person)
        return answer(_shown(row))

    async def person_holds(self, request: web.Request) -> web.Response:
        """An edit that begins now and that nobody sees until `/commit`."""
        info = request.match_info
        self._org.hold(info["object"], info["id"], await json_body(request), self._org.person)
        return answer({"held": len(self._org.held_since)})

    async def commit(self, _request: web.Request) -> web.Response:
        return answer({"committed": self._org.commit()})

    async def person_deletes(self, request: web.Request) -> web.Response:
        self._org.delete(request.match_info["object"], request.match_info["id"], self._org.person)
        return web.Response(status=204)

    async def person_undeletes(self, request: web.Request) -> web.Response:
        row = self._org.undelete(request.match_info["object"], request.match_info["id"], self._org.person)
        return answer(_shown(row))

    async def person_merges(self, request: web.Request) -> web.Response:
        """`{"master": ID, "merged": ID}`."""
        body = await json_body(request)
        self._org.merge(
            request.match_info["object"], str(body.get("master")), str(body.get("merged")), self._org.person
        )
        return web.Response(status=204)

    async def purge(self, request: web.Request) -> web.Response:
        """Empty the recycle bin of one object."""
        return answer({"purged": self._org.purge(request.match_info["object"])})

    async def expire(self, _request: web.Request) -> web.Response:
        """End every session."""
        return answer({"expired": self._sessions.expire()})

    async def objects(self, request: web.Request) -> web.Response:
        """Every live record of an object."""
        rows = self._org.table(request.match_info["object"]).rows.values()
        return answer({"records": [_shown(row) for row in rows if row.deleted_at is None]})

    async def journal(self, request: web.Request) -> web.Response:
        """What was written, in order; `?by=api` only by programs, `?after=SEQ` from there on."""
        by, after = request.query.get("by"), int(request.query.get("after", "0"))
        entries = [
            entry for entry in self._org.journal if (by is None or entry["by"] == by) and int(str(entry["seq"])) > after
        ]
        return answer({"entries": entries})

    async def put_event(self, request: web.Request) -> web.Response:
        """An event that no change of ours leads to: `{"object", "change": "GAP_UPDATE", "ids": […]}`."""
        body = await json_body(request)
        self._events().put(str(body.get("object")), str(body.get("change")), _texts(body.get("ids")))
        return answer({}, 201)

    async def forget_events(self, _request: web.Request) -> web.Response:
        """Seventy-two hours pass on the bus."""
        return answer({"forgotten": self._events().forget()})

    def _events(self) -> "EventBus":
        if self._bus is None:
            raise OrgError("FUNCTIONALITY_NOT_ENABLED", "Change events need counterfoil[salesforce].")
        return self._bus


def _shown(row: Row) -> JsonObject:
    return {"attributes": {"type": row.object}, **row.values}


def _object(body: JsonObject, name: str) -> JsonObject:
    value = body.get(name, {})
    if not isinstance(value, dict):
        raise OrgError("JSON_PARSER_ERROR", f"{name} must be an object")
    return value


def _texts(value: JsonValue) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else []


def _whole(value: JsonValue, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
