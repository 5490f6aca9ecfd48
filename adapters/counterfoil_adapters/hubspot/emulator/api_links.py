"""Associations (v4 and date-based)."""

from aiohttp import web

from counterfoil_adapters.hubspot.emulator.api_objects import as_objects
from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.portal import Actor, Portal
from counterfoil_adapters.hubspot.emulator.wire import (
    answer,
    batch_answer,
    batch_error,
    inputs_of,
    json_body,
    kind_of,
    number,
)
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

ENDS_PER_PAGE = 500
CATEGORY = "HUBSPOT_DEFINED"


class AssociationApi:
    """Reading, making and removing links between objects."""

    def __init__(self, portal: Portal, app: Actor) -> None:
        self._portal = portal
        self._app = app

    def routes(self, batch: str, objects: str) -> list[web.RouteDef]:
        """The routes under `/crm/v4/associations` and `/crm/v4/objects`, or their date-based twins."""
        link = objects + "/{left}/{id}/associations/{right}"
        return [
            web.post(batch + "/{left}/{right}/batch/read", self.batch_read),
            web.post(batch + "/{left}/{right}/batch/create", self.batch_create),
            web.post(batch + "/{left}/{right}/batch/associate/default", self.batch_create),
            web.post(batch + "/{left}/{right}/batch/archive", self.batch_archive),
            web.put(objects + "/{left}/{id}/associations/default/{right}/{other}", self.create_default),
            web.get(link, self.list_page),
            web.put(link + "/{other}", self.create),
            web.delete(link + "/{other}", self.remove),
        ]

    async def batch_read(self, request: web.Request) -> web.Response:
        left, right = kind_of(request, "left"), kind_of(request, "right")
        results: list[object] = []
        errors: list[object] = []
        for entry in inputs_of(await json_body(request)):
            source = number(entry.get("id"))
            ends = self._ends(left.plural, source, right.plural)
            if not ends:
                message = f"No {right.singular} is associated with {left.singular} {entry.get('id')}."
                errors.append(batch_error("OBJECT_NOT_FOUND", message, {"fromObjectId": [str(entry.get("id"))]}))
                continue
            start = number(entry.get("after") or 0)
            page = ends[start : start + ENDS_PER_PAGE]
            result: dict[str, object] = {"from": {"id": str(source)}, "to": page}
            if start + ENDS_PER_PAGE < len(ends):
                result["paging"] = {"next": {"after": str(start + ENDS_PER_PAGE)}}
            results.append(result)
        return batch_answer(self._portal.now(), results, errors)

    async def batch_create(self, request: web.Request) -> web.Response:
        left, right = kind_of(request, "left").plural, kind_of(request, "right").plural
        results: list[object] = []
        for entry in inputs_of(await json_body(request)):
            start, end = _end(entry, "from"), _end(entry, "to")
            types = [number(spec.get("associationTypeId")) for spec in as_objects(entry.get("types"))]
            self._link(left, start, right, end, types[0] if types else None)
            results.append(
                {
                    "fromObjectTypeId": kind_of(request, "left").type_id,
                    "fromObjectId": str(start),
                    "toObjectTypeId": kind_of(request, "right").type_id,
                    "toObjectId": str(end),
                    "labels": [],
                }
            )
        return batch_answer(self._portal.now(), results, status=201)

    async def batch_archive(self, request: web.Request) -> web.Response:
        left, right = kind_of(request, "left").plural, kind_of(request, "right").plural
        for entry in inputs_of(await json_body(request)):
            for target in as_objects(entry.get("to")):
                self._unlink(left, _end(entry, "from"), right, number(target.get("id")))
        return web.Response(status=204)

    async def list_page(self, request: web.Request) -> web.Response:
        left, right = kind_of(request, "left").plural, kind_of(request, "right").plural
        return answer({"results": self._ends(left, number(request.match_info["id"]), right)})

    async def create(self, request: web.Request) -> web.Response:
        left, right = kind_of(request, "left"), kind_of(request, "right")
        start, end = number(request.match_info["id"]), number(request.match_info["other"])
        body = exact_json.loads(await request.read() or b"[]")
        types = [number(spec.get("associationTypeId")) for spec in as_objects(body)]
        self._link(left.plural, start, right.plural, end, types[0] if types else None)
        ends = {"fromObjectId": str(start), "toObjectId": str(end), "labels": []}
        return answer({**ends, "fromObjectTypeId": left.type_id, "toObjectTypeId": right.type_id}, 201)

    async def create_default(self, request: web.Request) -> web.Response:
        left, right = kind_of(request, "left").plural, kind_of(request, "right").plural
        start, end = number(request.match_info["id"]), number(request.match_info["other"])
        self._link(left, start, right, end, None)
        spec = {"associationCategory": CATEGORY, "associationTypeId": self._type(left, start, right, end)}
        result = {"from": {"id": str(start)}, "to": {"id": str(end)}, "associationSpec": spec}
        return batch_answer(self._portal.now(), [result])

    async def remove(self, request: web.Request) -> web.Response:
        left, right = kind_of(request, "left").plural, kind_of(request, "right").plural
        self._unlink(left, number(request.match_info["id"]), right, number(request.match_info["other"]))
        return web.Response(status=204)

    def _type(self, left: str, start: int, right: str, end: int) -> int:
        return dict(self._portal.ends(left, start, right))[end]

    def _ends(self, left: str, start: int, right: str) -> list[dict[str, object]]:
        # A primary company is at the same time an ordinary one: HubSpot lists both types.
        return [
            {
                "toObjectId": str(end),
                "associationTypes": [
                    {"category": CATEGORY, "typeId": type_id, **({"label": label} if label else {})}
                    for type_id, label in self._portal.types_of(left, right, type_id)
                ],
            }
            for end, type_id in self._portal.ends(left, start, right)
        ]

    def _link(self, left: str, start: int, right: str, end: int, type_id: int | None) -> None:
        if self._portal.find(left, start) is None or self._portal.find(right, end) is None:
            raise PortalError(404, "One of the objects to associate does not exist", "OBJECT_NOT_FOUND")
        self._portal.associate(left, start, right, end, type_id)
        self._portal.tell_association(left, start, right, end, self._app, removed=False)

    def _unlink(self, left: str, start: int, right: str, end: int) -> None:
        self._portal.dissociate(left, start, right, end)
        self._portal.tell_association(left, start, right, end, self._app, removed=True)


def _end(entry: JsonObject, name: str) -> int:
    end = entry.get(name)
    return number(end.get("id")) if isinstance(end, dict) else -1
