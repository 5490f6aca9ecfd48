"""The REST API: sign-in, queries, records, collections, replication, limits."""

from collections.abc import Awaitable, Callable, Mapping
from email.utils import format_datetime
from itertools import count

from aiohttp import web

from counterfoil.emulating.limits import Window
from counterfoil.emulating.server import answer
from counterfoil.ports import Clock
from counterfoil_adapters.salesforce.emulator.collections_api import Collections
from counterfoil_adapters.salesforce.emulator.errors import OrgError, not_found
from counterfoil_adapters.salesforce.emulator.org import Org, Row
from counterfoil_adapters.salesforce.emulator.replication import Replication
from counterfoil_adapters.salesforce.emulator.select import Selection, attributes
from counterfoil_adapters.salesforce.emulator.sessions import Sessions, SignInError
from counterfoil_adapters.salesforce.emulator.soql import parse
from counterfoil_adapters.salesforce.emulator.wire import VERSIONS, actor_of, json_body, version_of
from counterfoil_schema.exact_json import JsonObject

CURSORS_MAX = 10
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BATCH_MIN = 200
ROOT = "/services/data/{version}"


class RestApi:
    """Routes of the API. `batch_rows`: how many rows of a query one answer holds at most."""

    def __init__(
        self,
        org: Org,
        sessions: Sessions,
        usage: Window,
        clock: Clock,
        replication: Replication,
        batch_rows: int,
    ) -> None:
        self._org = org
        self._sessions = sessions
        self._usage = usage
        self._clock = clock
        self._replication = replication
        self._batch_rows = batch_rows
        self._cursors: dict[str, list[JsonObject]] = {}
        self._cursor_numbers = count(1)
        self._address: Callable[[], str] = str

    def routes(self, address: Callable[[], str]) -> list[web.RouteDef]:
        """Everything, with and without the slash at the end that clients like to add.

        Args:
            address: the org's own, as tokens name it.
        """
        self._address = address
        one = f"{ROOT}/sobjects/{{object}}"
        routes = [
            web.get("/services/data", self.versions),
            web.get(ROOT + "/query", self.query),
            web.get(ROOT + "/queryAll", self.query),
            web.get(ROOT + "/query/{locator}", self.query_more),
            web.get(ROOT + "/limits", self.limits),
            web.get(ROOT + "/sobjects", self.objects),
            *Collections(self._org).routes(ROOT),
            web.post(one, self.create),
            web.get(one + "/describe", self.describe),
            web.get(one + "/updated", self.updated),
            web.get(one + "/deleted", self.deleted),
            web.get(one + "/{id}", self.read),
            web.patch(one + "/{id}", self.update),
            web.delete(one + "/{id}", self.delete),
            web.get(one + "/{field}/{value}", self.read_by),
            web.patch(one + "/{field}/{value}", self.upsert),
        ]
        both = [
            web.RouteDef(r.method, r.path + end, self._told(r.handler), r.kwargs) for end in ("", "/") for r in routes
        ]
        return [web.post("/services/oauth2/token", self.token), *both]

    def _told(self, handler: Handler) -> Handler:
        """Each answer says how many of the day's calls are spent, a refusal too."""

        async def telling(request: web.Request) -> web.StreamResponse:
            try:
                response = await handler(request)
            except OrgError as error:
                response = answer(error.body, error.status)
            used = self._usage.most - self._usage.remaining(self._clock.monotonic())
            # Clients go by the org's time, so it is told even where the control port put it forward.
            response.headers["Date"] = format_datetime(self._clock.now(), usegmt=True)
            response.headers["Sforce-Limit-Info"] = f"api-usage={used}/{self._usage.most}"
            return response

        return telling

    async def token(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            token = self._sessions.grant(form)
        except SignInError as error:
            status = 401 if error.error == "invalid_client" else 400
            return answer({"error": error.error, "error_description": error.description}, status)
        return answer(
            {
                "access_token": token,
                "instance_url": self._address(),
                "id": f"{self._address()}/id/{self._org.org_id}/{self._org.integration}",
                "token_type": "Bearer",
                "issued_at": str(round(self._org.now().timestamp() * 1000)),
                "signature": "c2lnbmF0dXJl",
                "scope": self._sessions.scopes,
            }
        )

    async def versions(self, _request: web.Request) -> web.Response:
        found = [{"label": str(n), "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in VERSIONS]
        return answer(found)

    async def query(self, request: web.Request) -> web.Response:
        text = request.query.get("q")
        if text is None:
            raise OrgError("MALFORMED_QUERY", "A query string has to be specified")
        version, parsed = version_of(request), parse(text)
        everything = request.path.rstrip("/").endswith("queryAll")
        selection = Selection(self._org, parsed, version, everything=everything)
        rows = selection.rows()
        if not parsed.fields:
            return answer({"totalSize": len(rows), "done": True, "records": []})
        return self._batch(version, [selection.shown(row) for row in rows], 0, self._size(request), None)

    async def query_more(self, request: web.Request) -> web.Response:
        name, _, place = request.match_info["locator"].rpartition("-")
        rows = self._cursors.get(name)
        if rows is None or not place.isdigit():
            raise OrgError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._batch(version_of(request), rows, int(place), self._size(request), name)

    def _batch(self, version: str, rows: list[JsonObject], start: int, size: int, cursor: str | None) -> web.Response:
        end = start + size
        body: dict[str, object] = {"totalSize": len(rows), "done": end >= len(rows)}
        if end < len(rows):
            if cursor is None:
                cursor = f"01g{next(self._cursor_numbers):015d}"
                self._cursors[cursor] = rows
                while len(self._cursors) > CURSORS_MAX:  # the oldest gives way, as with Salesforce
                    del self._cursors[next(iter(self._cursors))]
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{cursor}-{end}"
        elif cursor is not None:
            self._cursors.pop(cursor, None)
        return answer({**body, "records": rows[start:end]})

    def _size(self, request: web.Request) -> int:
        _, _, wanted = request.headers.get("Sforce-Query-Options", "").partition("batchSize=")
        return min(self._batch_rows, max(BATCH_MIN, int(wanted))) if wanted.isdigit() else self._batch_rows

    async def limits(self, _request: web.Request) -> web.Response:
        remaining = self._usage.remaining(self._clock.monotonic())
        return answer({"DailyApiRequests": {"Max": self._usage.most, "Remaining": remaining}})

    async def objects(self, _request: web.Request) -> web.Response:
        names = [name for name in self._org.tables if name not in self._org.hidden_objects]
        return answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [{"name": name} for name in names]})

    async def describe(self, request: web.Request) -> web.Response:
        definition = self._org.table(request.match_info["object"]).definition
        return answer(
            {
                "name": definition.name,
                "label": definition.name,
                "keyPrefix": definition.prefix,
                "custom": definition.name.endswith("__c"),
                "queryable": True,
                "replicateable": True,
                "updateable": True,
                "fields": [one.described() for one in self._org.visible_fields(definition)],
            }
        )

    async def updated(self, request: web.Request) -> web.Response:
        return answer(self._replication.updated(request.match_info["object"], request.query))

    async def deleted(self, request: web.Request) -> web.Response:
        return answer(self._replication.deleted(request.match_info["object"], request.query))

    async def create(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        new_id = self._org.create(request.match_info["object"], body, actor_of(request, self._org))
        return answer({"id": new_id, "success": True, "errors": []}, 201)

    async def read(self, request: web.Request) -> web.Response:
        row = self._org.find(request.match_info["object"], request.match_info["id"])
        return answer(self._shown(request, row))

    async def read_by(self, request: web.Request) -> web.Response:
        found = self._org.find_by(*self._key(request.match_info))
        if found is None:
            raise not_found()
        return answer(self._shown(request, found))

    async def update(self, request: web.Request) -> web.Response:
        info = request.match_info
        self._org.update(info["object"], info["id"], await json_body(request), actor_of(request, self._org))
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.Response:
        self._org.delete(request.match_info["object"], request.match_info["id"], actor_of(request, self._org))
        return web.Response(status=204)

    async def upsert(self, request: web.Request) -> web.Response:
        name, field_name, value = self._key(request.match_info)
        values, actor = await json_body(request), actor_of(request, self._org)
        found = self._org.find_by(name, field_name, value)
        if found is not None:
            self._org.update(name, found.id, values, actor)
            return answer({"id": found.id, "success": True, "errors": [], "created": False})
        new_id = self._org.create(name, {**values, field_name: value}, actor)
        return answer({"id": new_id, "success": True, "errors": [], "created": True}, 201)

    def _key(self, info: Mapping[str, str]) -> tuple[str, str, str]:
        return info["object"], info["field"], info["value"]

    def _shown(self, request: web.Request, row: Row) -> JsonObject:
        definition = self._org.tables[row.object].definition
        names = [one.name for one in self._org.visible_fields(definition)]
        wanted = [name for name in request.query.get("fields", "").split(",") if name]
        for name in wanted:
            if name not in names:
                raise OrgError("INVALID_FIELD", f"No such column '{name}' on sobject of type {row.object}")
        shown = {name: row.values.get(name) for name in [*dict.fromkeys(["Id", *wanted])] if name} if wanted else {}
        return {
            "attributes": attributes(version_of(request), row),
            **(shown or {name: row.values.get(name) for name in names}),
        }
