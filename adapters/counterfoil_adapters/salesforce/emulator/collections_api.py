"""Several records in one request: /composite/sobjects, and /composite for requests that build on each other."""

from collections.abc import Callable

from aiohttp import web

from counterfoil.emulating.server import answer
from counterfoil_adapters.salesforce.emulator.errors import OrgError
from counterfoil_adapters.salesforce.emulator.org import Org
from counterfoil_adapters.salesforce.emulator.wire import actor_of, json_body
from counterfoil_schema.exact_json import JsonObject

RECORDS_MAX = 200


class Collections:
    """Create, update, upsert and delete up to two hundred records; each answers for itself unless `allOrNone`."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def routes(self, root: str) -> list[web.RouteDef]:
        """Below the API's root."""
        base = root + "/composite/sobjects"
        return [
            web.post(base, self.create),
            web.patch(base, self.update),
            web.delete(base, self.delete),
            web.patch(base + "/{object}/{field}", self.upsert),
        ]

    async def create(self, request: web.Request) -> web.Response:
        actor = actor_of(request, self._org)

        def one(record: JsonObject) -> JsonObject:
            return {"id": self._org.create(_type_of(record), record, actor)}

        return await self._each(request, one)

    async def update(self, request: web.Request) -> web.Response:
        actor = actor_of(request, self._org)

        def one(record: JsonObject) -> JsonObject:
            record_id = str(record.get("id") or record.get("Id") or "")
            if not record_id:
                raise OrgError("MISSING_ARGUMENT", "Id not specified in an update call")
            values = {name: value for name, value in record.items() if name.lower() != "id"}
            return {"id": self._org.update(_type_of(record), record_id, values, actor).id}

        return await self._each(request, one)

    async def upsert(self, request: web.Request) -> web.Response:
        actor = actor_of(request, self._org)
        name, field_name = request.match_info["object"], request.match_info["field"]

        def one(record: JsonObject) -> JsonObject:
            if _type_of(record) != name or "id" in {key.lower() for key in record}:
                raise OrgError("INVALID_FIELD", f"records must be of type {name} and known by {field_name} alone")
            value = record.get(field_name)
            if value is None:
                raise OrgError("MISSING_ARGUMENT", f"{field_name} not specified")
            found = self._org.find_by(name, field_name, str(value))
            if found is None:
                return {"id": self._org.create(name, record, actor), "created": True}
            self._org.update(name, found.id, record, actor)
            return {"id": found.id, "created": False}

        return await self._each(request, one)

    async def delete(self, request: web.Request) -> web.Response:
        actor = actor_of(request, self._org)
        results: list[object] = []
        for record_id in [part for part in request.query.get("ids", "").split(",") if part]:
            try:
                name = next(n for n, t in self._org.tables.items() if t.definition.prefix == record_id[:3])
                self._org.delete(name, record_id, actor)
            except (OrgError, StopIteration) as error:
                told = error if isinstance(error, OrgError) else OrgError("MALFORMED_ID", f"bad id {record_id}")
                results.append({"success": False, "errors": [told.inner()]})
            else:
                results.append({"id": record_id, "success": True, "errors": []})
        return answer(results)

    async def _each(self, request: web.Request, one: Callable[[JsonObject], JsonObject]) -> web.Response:
        body = await json_body(request)
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise OrgError("JSON_PARSER_ERROR", "records must be a list of objects")
        if len(records) > RECORDS_MAX:
            raise OrgError("EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot submit more than {RECORDS_MAX}")
        results: list[object] = []
        for record in records:
            try:
                results.append({**one(record if isinstance(record, dict) else {}), "success": True, "errors": []})
            except OrgError as error:
                results.append({"success": False, "errors": [error.inner()]})
        return answer(results)


def _type_of(record: JsonObject) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise OrgError("INVALID_FIELD", "each record must have attributes with a type")
    return name
