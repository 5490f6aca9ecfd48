"""The object endpoints, one generic set for all types."""

from aiohttp import web

from counterfoil_adapters.hubspot.emulator import search
from counterfoil_adapters.hubspot.emulator.catalogue import ObjectType, object_type
from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.portal import Actor, CrmObject, Portal
from counterfoil_adapters.hubspot.emulator.wire import (
    all_properties,
    answer,
    batch_answer,
    batch_error,
    inputs_of,
    is_archived,
    json_body,
    kind_of,
    listed,
    number,
    properties_of,
    shown,
)
from counterfoil_schema.exact_json import JsonObject

LIST_LIMIT_MAX = 100


class ObjectApi:
    """Create, read, list, search, update, merge and archive, singly and in batches."""

    def __init__(self, portal: Portal, app: Actor) -> None:
        self._portal = portal
        self._app = app

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes under `/crm/v3/objects` or its date-based twin."""
        one = prefix + "/{type}/{id:[^/]+}"
        return [
            web.post(prefix + "/{type}/search", self.search),
            web.post(prefix + "/{type}/merge", self.merge),
            web.post(prefix + "/{type}/gdpr-delete", self.erase),
            web.post(prefix + "/{type}/batch/read", self.batch_read),
            web.post(prefix + "/{type}/batch/create", self.batch_create),
            web.post(prefix + "/{type}/batch/update", self.batch_update),
            web.post(prefix + "/{type}/batch/upsert", self.batch_upsert),
            web.post(prefix + "/{type}/batch/archive", self.batch_archive),
            web.get(prefix + "/{type}", self.list_page),
            web.post(prefix + "/{type}", self.create),
            web.get(one, self.read),
            web.patch(one, self.update),
            web.delete(one, self.archive),
        ]

    async def list_page(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        limit = number(request.query.get("limit", "10"))
        if not 1 <= limit <= LIST_LIMIT_MAX:
            raise PortalError(400, f"limit must be between 1 and {LIST_LIMIT_MAX}")
        archived = is_archived(request)
        after = number(request.query.get("after", "0"))
        table = self._portal.tables[kind.plural]
        found: list[CrmObject] = []
        for object_id in table.ids_after(after):
            if (table.rows[object_id].archived_at is not None) == archived:
                found.append(table.rows[object_id])
            if len(found) > limit:
                break
        wanted, linked = listed(request, "properties"), listed(request, "associations")
        body: dict[str, object] = {
            "results": [shown(self._portal, kind, row, wanted, linked) for row in found[:limit]],
        }
        if len(found) > limit:
            body["paging"] = {"next": {"after": str(found[limit - 1].object_id), "link": str(request.url)}}
        return answer(body)

    async def read(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        row = self._find(kind, request, archived=is_archived(request))
        wanted, linked = listed(request, "properties"), listed(request, "associations")
        history = listed(request, "propertiesWithHistory")
        return answer(shown(self._portal, kind, row, [*wanted, *history], linked, history))

    async def create(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        row = self._create(kind, await json_body(request))
        return answer(self._whole(kind, row), 201)

    async def update(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        row = self._find(kind, request)
        properties = properties_of(await json_body(request))
        self._portal.update(kind.plural, row, properties, self._app)
        return answer(shown(self._portal, kind, row, properties))

    async def archive(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        row = self._portal.find(kind.plural, number(request.match_info["id"]))
        if row is not None:
            self._portal.archive(kind.plural, row, self._app)
        return web.Response(status=204)

    async def merge(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        body = await json_body(request)
        primary = self._portal.find(kind.plural, number(body.get("primaryObjectId")))
        loser = self._portal.find(kind.plural, number(body.get("objectIdToMerge")))
        if primary is None or loser is None or primary is loser:
            raise PortalError(400, "Both objects of a merge must exist and differ")
        self._portal.merge(kind.plural, primary, loser, self._app)
        return answer(self._whole(kind, primary))

    async def erase(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        body = await json_body(request)
        row = self._by(kind, {"id": body.get("objectId")}, body.get("idProperty"))
        if row is None or kind.plural != "contacts":
            raise PortalError(404, "resource not found", "OBJECT_NOT_FOUND")
        self._portal.erase(kind.plural, row, self._app)
        return web.Response(status=204)

    async def search(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        query = search.parse_query(await json_body(request), default_sort="createdate")
        table = self._portal.tables[kind.plural]
        kinds = {name: str(definition["type"]) for name, definition in table.properties.items()}
        live = ((row.object_id, all_properties(kind, row)) for row in table.rows.values() if row.archived_at is None)
        total, ids = search.run(query, live, kinds)
        body: dict[str, object] = {
            "total": total,
            "results": [shown(self._portal, kind, table.rows[found], query.properties) for found in ids],
        }
        reached = query.offset + len(ids)
        if reached < total:
            body["paging"] = {"next": {"after": str(reached)}}
        return answer(body)

    async def batch_read(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        body = await json_body(request)
        wanted = body.get("properties")
        names = [str(name) for name in wanted] if isinstance(wanted, list) else []
        told = body.get("propertiesWithHistory")
        history = [str(name) for name in told] if isinstance(told, list) else []
        id_property = body.get("idProperty")
        results: list[object] = []
        missing: list[str] = []
        archived = is_archived(request)
        for entry in inputs_of(body):
            row = self._by(kind, entry, id_property, archived=archived)
            if row is None:
                missing.append(str(entry.get("id")))
            else:
                results.append(shown(self._portal, kind, row, [*names, *history], (), history))
        message = f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist."
        errors = [batch_error("OBJECT_NOT_FOUND", message, {"ids": missing})] if missing else []
        return batch_answer(self._portal.now(), results, errors)

    async def batch_create(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        rows = [self._create(kind, entry) for entry in inputs_of(await json_body(request))]
        return batch_answer(self._portal.now(), [self._whole(kind, row) for row in rows], status=201)

    async def batch_update(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        results: list[object] = []
        errors: list[object] = []
        for entry in inputs_of(await json_body(request)):
            row = self._by(kind, entry, entry.get("idProperty"))
            if row is None:
                told = {"ids": [str(entry.get("id"))]}
                errors.append(batch_error("OBJECT_NOT_FOUND", "Some objects were not found", told))
                continue
            properties = properties_of(entry)
            self._portal.update(kind.plural, row, properties, self._app)
            results.append(shown(self._portal, kind, row, properties))
        return batch_answer(self._portal.now(), results, errors)

    async def batch_upsert(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        results: list[object] = []
        for entry in inputs_of(await json_body(request)):
            row = self._by(kind, entry, entry.get("idProperty"))
            new = row is None
            if row is None:
                key = {str(entry["idProperty"]): entry.get("id")} if entry.get("idProperty") else {}
                row = self._create(kind, {"properties": {**key, **properties_of(entry)}})
            else:
                self._portal.update(kind.plural, row, properties_of(entry), self._app)
            results.append({**self._whole(kind, row), "new": new})
        return batch_answer(self._portal.now(), results)

    async def batch_archive(self, request: web.Request) -> web.Response:
        kind = kind_of(request)
        for entry in inputs_of(await json_body(request)):
            row = self._portal.find(kind.plural, number(entry.get("id")))
            if row is not None:
                self._portal.archive(kind.plural, row, self._app)
        return web.Response(status=204)

    def _create(self, kind: ObjectType, body: JsonObject) -> CrmObject:
        row = self._portal.create(kind.plural, properties_of(body), self._app)
        for link in as_objects(body.get("associations")):
            end = link.get("to")
            for spec in as_objects(link.get("types")):
                other = self._portal.type_named(kind.plural, number(spec.get("associationTypeId")))
                if other is None or not isinstance(end, dict):
                    raise PortalError(400, "An association names a type or an object that does not exist")
                self._portal.associate(kind.plural, row.object_id, other, number(end.get("id")))
                self._portal.tell_association(
                    kind.plural, row.object_id, other, number(end.get("id")), self._app, removed=False
                )
        return row

    def _whole(self, kind: ObjectType, row: CrmObject) -> dict[str, object]:
        return shown(self._portal, kind, row, all_properties(kind, row))

    def _find(self, kind: ObjectType, request: web.Request, *, archived: bool = False) -> CrmObject:
        entry: JsonObject = {"id": request.match_info["id"]}
        row = self._by(kind, entry, request.query.get("idProperty"), archived=archived)
        if row is None:
            raise PortalError(404, "resource not found", "OBJECT_NOT_FOUND")
        return row

    def _by(
        self, kind: ObjectType, entry: JsonObject, id_property: object, *, archived: bool = False
    ) -> CrmObject | None:
        if not id_property:
            return self._portal.find(kind.plural, number(entry.get("id")), archived=archived)
        return next(
            (
                row
                for row in self._portal.tables[kind.plural].rows.values()
                if row.properties.get(str(id_property)) == str(entry.get("id")) and row.archived_at is None
            ),
            None,
        )


def as_objects(value: object) -> list[JsonObject]:
    """The objects in a JSON list; nothing where it is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def plural(name: object) -> str:
    """The plural of an object type under any of its names.

    Raises:
        PortalError: 400, there is no such type.
    """
    kind = object_type(str(name))
    if kind is None:
        raise PortalError(400, f"There is no object type {name}")
    return kind.plural
