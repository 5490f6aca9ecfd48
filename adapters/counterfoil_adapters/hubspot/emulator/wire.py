"""How objects, pages, batches and errors look on the wire."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from aiohttp import web

from counterfoil_adapters.hubspot.emulator.catalogue import ObjectType, object_type
from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.portal import CrmObject, Portal, Was
from counterfoil_adapters.hubspot.emulator.values import iso_millis
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

BATCH_INPUTS_MAX = 100


def answer(value: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=exact_json.dumps(value), status=status, content_type="application/json")


def error_body(message: str, category: str, correlation_id: str, errors: Sequence[object] = ()) -> dict[str, object]:
    """The body of a refusal."""
    body: dict[str, object] = {
        "status": "error",
        "message": message,
        "correlationId": correlation_id,
        "category": category,
    }
    return {**body, "errors": list(errors)} if errors else body


async def json_body(request: web.Request) -> JsonObject:
    """The request's JSON object.

    Raises:
        PortalError: 400 or 415.
    """
    if request.content_type != "application/json":
        raise PortalError(415, "Unsupported media type: send application/json")
    try:
        return exact_json.loads_object(await request.read())
    except ValueError as error:
        raise PortalError(400, f"Invalid input JSON: {error}") from None


def kind_of(request: web.Request, name: str = "type") -> ObjectType:
    """The object type in the path.

    Raises:
        PortalError: 404 for a type that this account does not have.
    """
    kind = object_type(request.match_info[name])
    if kind is None:
        raise PortalError(404, f"Unable to infer object type from: {request.match_info[name]}", "OBJECT_NOT_FOUND")
    return kind


def listed(request: web.Request, name: str) -> list[str]:
    """A query parameter given as a comma list, repeated, or both."""
    return [part for value in request.query.getall(name, []) for part in value.split(",") if part]


def is_archived(request: web.Request) -> bool:
    """Whether deleted objects are asked for; clients write `true` or `True`."""
    return request.query.get("archived", "").lower() == "true"


def number(text: object) -> int:
    """An object id; one that cannot be an id leads nowhere, so that it is answered like an unknown one."""
    return int(str(text)) if str(text).isdigit() else -1


def all_properties(kind: ObjectType, row: CrmObject) -> dict[str, str | None]:
    """What an object holds, the built-in properties included."""
    return {
        **row.properties,
        "createdate": iso_millis(row.created),
        kind.modified: iso_millis(row.updated),
        "hs_object_id": str(row.object_id),
    }


def shown(
    portal: Portal,
    kind: ObjectType,
    row: CrmObject,
    wanted: Iterable[str] = (),
    linked: Iterable[str] = (),
    history: Iterable[str] = (),
) -> dict[str, object]:
    """An object as an answer shows it: the asked-for properties that exist, null where unset, and what they were."""
    names = list(wanted) or list(kind.shown)
    names += [name for name in ("createdate", kind.modified, "hs_object_id") if name not in names]
    held = all_properties(kind, row)
    known = portal.tables[kind.plural].properties
    body: dict[str, object] = {
        "id": str(row.object_id),
        "properties": {name: held.get(name) for name in names if name in known},
        "createdAt": iso_millis(row.created),
        "updatedAt": iso_millis(row.updated),
        "archived": row.archived_at is not None,
    }
    if row.archived_at is not None:
        body["archivedAt"] = iso_millis(row.archived_at)
    told = {name: [_was(was) for was in reversed(row.history.get(name, []))] for name in history if name in known}
    if told:
        body["propertiesWithHistory"] = told
    associations = _linked(portal, kind, row, linked)
    return {**body, "associations": associations} if associations else body


def _was(was: Was) -> dict[str, object]:
    return {"value": was.value, "timestamp": iso_millis(was.since), "sourceType": was.source}


def _linked(portal: Portal, kind: ObjectType, row: CrmObject, names: Iterable[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in names:
        other = object_type(name)
        ends = list(portal.ends(kind.plural, row.object_id, other.plural)) if other else []
        if other and ends:
            label = f"{kind.singular}_to_{other.singular}"
            found[other.plural.replace("_", " ")] = {"results": [{"id": str(end), "type": label} for end, _ in ends]}
    return found


def batch_answer(
    now: datetime, results: Sequence[object], errors: Sequence[object] = (), status: int = 200
) -> web.Response:
    """The answer to a batch; 207 where a part of it failed."""
    moment = iso_millis(now)
    body: dict[str, object] = {
        "status": "COMPLETE",
        "results": list(results),
        "startedAt": moment,
        "completedAt": moment,
    }
    if not errors:
        return answer(body, status)
    return answer({**body, "numErrors": len(errors), "errors": list(errors)}, 207)


def batch_error(category: str, message: str, context: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """One error within a batch."""
    return {
        "status": "error",
        "category": category,
        "message": message,
        "context": {name: list(values) for name, values in context.items()},
        "links": {},
        "errors": [],
    }


def inputs_of(body: JsonObject) -> list[JsonObject]:
    """The inputs of a batch.

    Raises:
        PortalError: 400, none, too many or not objects.
    """
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise PortalError(400, "Invalid input JSON: inputs must be a list that is not empty")
    if len(inputs) > BATCH_INPUTS_MAX:
        raise PortalError(400, f"The maximum batch size is {BATCH_INPUTS_MAX} inputs")
    checked = [entry for entry in inputs if isinstance(entry, dict)]
    if len(checked) != len(inputs):
        raise PortalError(400, "Invalid input JSON: each input must be an object")
    return checked


def properties_of(body: JsonObject) -> JsonObject:
    """The properties of an input.

    Raises:
        PortalError: 400, there are none.
    """
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise PortalError(400, "Invalid input JSON: properties are required")
    return properties
