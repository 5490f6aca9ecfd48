"""The calls to HubSpot's API that the adapter needs, whole pages and batches at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from aiolimiter import AsyncLimiter

from counterfoil.sources.http import OK, HttpAnswer, RefusedError, SourceHttp
from counterfoil.sources.port import SourceError
from counterfoil_adapters.hubspot.settings import ApiVersion
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

LIST_LIMIT = 100
SEARCH_LIMIT = 200
BATCH_INPUTS_MAX = 100
HISTORIES_MAX = 50
"""Objects of which histories are asked for at once: half of the batch, since each brings many values."""

FORBIDDEN = 403
NOT_FOUND = 404
PRIMARY_COMPANY = 5
"""Association type of a deal's primary company (HubSpot: association type ids)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are under one version of the API."""

    version: ApiVersion

    def objects(self, kind: str) -> str:
        return f"/crm/v3/objects/{kind}" if self.version == "v3" else f"/crm/objects/{self.version}/{kind}"

    def associations(self, left: str, right: str) -> str:
        base = "/crm/v4/associations" if self.version == "v3" else f"/crm/associations/{self.version}"
        return f"{base}/{left}/{right}/batch/read"

    def properties(self, kind: str) -> str:
        return f"/crm/v3/properties/{kind}" if self.version == "v3" else f"/crm/properties/{self.version}/{kind}"

    def pipelines(self, kind: str) -> str:
        return f"/crm/v3/pipelines/{kind}" if self.version == "v3" else f"/crm/pipelines/{self.version}/{kind}"

    def account(self) -> str:
        return f"/account-info/{self.version}/details"

    def token(self) -> str:
        return "/oauth/v1/token" if self.version == "v3" else f"/oauth/{self.version}/token"


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of objects, and where the next begins (None: there is none)."""

    rows: Sequence[JsonObject]
    after: str | None


@dataclass(frozen=True, slots=True)
class Linked:
    """What one object is linked to; `primary` among them, where one is."""

    ids: Sequence[str]
    primary: str | None = None


class HubSpotClient:
    """Typed calls over the common HTTP client."""

    def __init__(self, http: SourceHttp, paths: Paths, search_pace: AsyncLimiter) -> None:
        self._http = http
        self._paths = paths
        self._search_pace = search_pace

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        expect: AbstractSet[int] = OK,
        tries: int | None = None,
        deadline: float | None = None,
    ) -> HttpAnswer:
        """One call; a token that may not is told the scopes that it lacks, by HubSpot's own word."""
        try:
            return await self._http.request(
                method, path, params=params, json=json, expect=expect, tries=tries, deadline=deadline
            )
        except RefusedError as error:
            scopes = missing_scopes(error) if error.status == FORBIDDEN else ()
            if not scopes:
                raise
            remedy = f"Give the connection's token the scope {' or '.join(scopes)} in HubSpot."
            raise RefusedError(error.message, status=error.status, body=error.body, remedy=remedy) from None

    async def page(self, kind: str, properties: Sequence[str], after: str | None, *, archived: bool = False) -> Listing:
        """All objects of a type, in the order of their ids."""
        params = {"limit": str(LIST_LIMIT), "properties": ",".join(properties)}
        if after is not None:
            params["after"] = after
        if archived:
            params["archived"] = "true"
        answer = await self._request("GET", self._paths.objects(kind), params=params)
        body = answer.object()
        following = _inside(body, "paging", "next", "after")
        return Listing(_rows(body), str(following) if following is not None else None)

    async def search(
        self, kind: str, filters: Sequence[tuple[str, str, str]], sort: str, properties: Sequence[str], limit: int
    ) -> Sequence[JsonObject]:
        """The first objects that pass all filters (property, operator, value), by one ascending sort.

        Never by offset: rows that change meanwhile would shift others past a page's edge, unseen.
        """
        rules = [{"propertyName": name, "operator": operator, "value": value} for name, operator, value in filters]
        request = {
            "filterGroups": [{"filters": rules}] if rules else [],
            "sorts": [sort],
            "properties": list(properties),
            "limit": limit,
        }
        async with self._search_pace:
            answer = await self._request("POST", self._paths.objects(kind) + "/search", json=request)
        return _rows(answer.object())

    async def get(self, kind: str, source_id: str, properties: Sequence[str], *, archived: bool) -> JsonObject | None:
        """One object; None where HubSpot has none of that id (in that state)."""
        params = {"properties": ",".join(properties), "archived": "true" if archived else "false"}
        path = f"{self._paths.objects(kind)}/{quote(source_id, safe='')}"
        answer = await self._request("GET", path, params=params, expect={200, NOT_FOUND})
        return answer.object() if answer.status != NOT_FOUND else None

    async def batch_read(self, kind: str, ids: Iterable[str], properties: Sequence[str]) -> dict[str, JsonObject]:
        """Objects by id; those that HubSpot does not have are absent from the answer."""
        found: dict[str, JsonObject] = {}
        for part in chunks(sorted(set(ids), key=_order)):
            request = {
                "inputs": [{"id": source_id} for source_id in part],
                "properties": list(properties),
                "propertiesWithHistory": [],
            }
            path = self._paths.objects(kind) + "/batch/read"
            answer = await self._request("POST", path, json=request, expect={200, 207})
            found.update({str(row["id"]): row for row in _rows(answer.object())})
        return found

    async def histories(self, kind: str, ids: Iterable[str], name: str) -> dict[str, Sequence[tuple[str, str]]]:
        """What a property of these objects was set to, the oldest first: values, each with its instant as told."""
        found: dict[str, Sequence[tuple[str, str]]] = {}
        for part in chunks(sorted(set(ids), key=_order), HISTORIES_MAX):
            inputs: list[JsonObject] = [{"id": source_id} for source_id in part]
            request = {"inputs": inputs, "properties": [name], "propertiesWithHistory": [name]}
            path = self._paths.objects(kind) + "/batch/read"
            answer = await self._request("POST", path, json=request, expect={200, 207})
            for row in _rows(answer.object()):
                told = _inside(row, "propertiesWithHistory", name)
                steps = [step for step in told if isinstance(step, dict)] if isinstance(told, list) else []
                was = [(str(step.get("value") or ""), str(step.get("timestamp"))) for step in steps]
                was.reverse()  # the newest comes first, also of those of one instant
                found[str(row["id"])] = sorted(was, key=lambda step: step[1])
        return found

    async def linked(self, left: str, ids: Iterable[str], right: str) -> dict[str, Linked]:
        """What each of these objects is linked to; those without a link are absent from the answer."""
        found: dict[str, list[tuple[str, bool]]] = {}
        path = self._paths.associations(left, right)
        for part in chunks(sorted(set(ids), key=_order)):
            inputs: list[JsonObject] = [{"id": source_id} for source_id in part]
            while inputs:
                answer = await self._request("POST", path, json={"inputs": inputs}, expect={200, 207})
                inputs = []
                for result in _rows(answer.object()):
                    start = str(_inside(result, "from", "id"))
                    found.setdefault(start, []).extend(_ends(result, (left, right) == ("deals", "companies")))
                    following = _inside(result, "paging", "next", "after")
                    if following is not None:
                        inputs.append({"id": start, "after": str(following)})
        return {start: _linked(ends) for start, ends in found.items()}

    async def update(
        self,
        kind: str,
        source_id: str,
        values: Mapping[str, str],
        deadline: float | None = None,
        *,
        id_property: str | None = None,
    ) -> JsonObject:
        """Set properties, once and before the deadline: a lost answer is the caller's to judge.

        Args:
            source_id: the object's id, or the unique value of its `id_property`.
        """
        path = f"{self._paths.objects(kind)}/{quote(source_id, safe='')}"
        params = {"idProperty": id_property} if id_property is not None else None
        answer = await self._request(
            "PATCH", path, params=params, json={"properties": dict(values)}, expect={200}, tries=1, deadline=deadline
        )
        return answer.object()

    async def portal_id(self) -> str:
        """The account that the token opens (HubSpot: account information API)."""
        answer = await self._request("GET", self._paths.account())
        return str(answer.object().get("portalId"))

    async def properties(self, kind: str) -> Mapping[str, JsonObject]:
        """The definitions of all properties of a type, by name."""
        answer = await self._request("GET", self._paths.properties(kind))
        return {str(row.get("name")): row for row in _rows(answer.object())}

    async def stages(self, kind: str) -> dict[str, str]:
        """The stages of a type in all of its pipelines, by id: labels, with the pipeline's where it has several."""
        answer = await self._request("GET", self._paths.pipelines(kind))
        pipelines = _rows(answer.object())
        found: dict[str, str] = {}
        for pipeline in pipelines:
            stages = pipeline.get("stages")
            for stage in stages if isinstance(stages, list) else []:
                if isinstance(stage, dict):
                    label = str(stage.get("label"))
                    found[str(stage.get("id"))] = f"{pipeline.get('label')}: {label}" if len(pipelines) > 1 else label
        return found

    async def add_group(self, kind: str, name: str, label: str) -> None:
        """A property group, unless it is there already."""
        path = self._paths.properties(kind) + "/groups"
        request = {"name": name, "label": label, "displayOrder": -1}
        await self._request("POST", path, json=request, expect={200, 201, 409})

    async def add_property(self, kind: str, definition: Mapping[str, object]) -> HttpAnswer:
        """A property, unless it is there already."""
        return await self._request("POST", self._paths.properties(kind), json=definition, expect={200, 201, 409})


def missing_scopes(error: RefusedError) -> tuple[str, ...]:
    """The scopes of which HubSpot says that the call needs one; none where it does not say."""
    try:
        errors = exact_json.loads_object(error.body).get("errors")
    except ValueError:
        return ()
    found: dict[str, None] = {}
    for entry in errors if isinstance(errors, list) else []:
        for name in ("requiredGranularScopes", "requiredScopes"):
            told = _inside(entry, "context", name)
            found.update(dict.fromkeys(str(scope) for scope in told) if isinstance(told, list) else {})
    return tuple(found)


def chunks(items: Sequence[T], size: int = BATCH_INPUTS_MAX) -> Iterator[Sequence[T]]:
    """Parts of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _order(source_id: str) -> tuple[int, str]:
    return (len(source_id), source_id)


def _inside(value: JsonValue, *names: str) -> JsonValue:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _rows(body: JsonObject) -> list[JsonObject]:
    results = body.get("results")
    if not isinstance(results, list):
        raise SourceError("HubSpot's answer has no results.", retry_after=10.0)
    return [row for row in results if isinstance(row, dict)]


def _ends(result: JsonObject, has_primary: bool) -> Iterator[tuple[str, bool]]:
    ends = result.get("to")
    for end in ends if isinstance(ends, list) else []:
        types = _inside(end, "associationTypes")
        kinds = types if isinstance(types, list) else []
        primary = has_primary and any(_inside(kind, "typeId") == PRIMARY_COMPANY for kind in kinds)
        yield str(_inside(end, "toObjectId")), primary


def _linked(ends: Sequence[tuple[str, bool]]) -> Linked:
    primary = [end for end, is_primary in ends if is_primary]
    ids = sorted({end for end, _ in ends}, key=_order)
    return Linked(ids, primary[0] if len(primary) == 1 else None)
