"""The control port: loading a company, people who edit it, and what happened."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Literal

from aiohttp import web

from counterfoil.emulating import BadRequestError, answer, body_of
from counterfoil_adapters.pipedrive.emulator.company import Company
from counterfoil_adapters.pipedrive.emulator.fields import OWNERS
from counterfoil_adapters.pipedrive.emulator.rows import ENTITIES, KINDS, Kind
from counterfoil_schema.exact_json import JsonObject, JsonValue

BY_PEOPLE = "app"
Part = Literal["products", "installments"]
PARTS: Sequence[Part] = ("products", "installments")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def load(company: Company, body: JsonObject) -> JsonObject:
    """Fields, then records, as they are. Custom fields go by their names, choices by their labels.

    Raises:
        BadRequestError: something that is no record, or that names a field that is not there.
    """
    fields = body.get("fields")
    for owner, given in (fields if isinstance(fields, dict) else {}).items():
        if owner not in OWNERS:
            raise BadRequestError(f"fields are of {', '.join(OWNERS)}")
        for one in _objects(given, "fields"):
            company.fields.add(owner, one)
    stages = body.get("stages")
    company.stages.update({int(key): str(name) for key, name in (stages if isinstance(stages, dict) else {}).items()})
    ids: JsonObject = {}
    for kind in KINDS:
        rows = [_load_row(company, kind, given) for given in _objects(body.get(kind), kind)]
        ids[kind] = [row["id"] for row in rows]
    return {"ids": ids}


def _load_row(company: Company, kind: Kind, given: JsonObject) -> JsonObject:
    parts = {part: _objects(given.get(part), part) for part in PARTS} if kind == "deals" else {}
    own = {name: value for name, value in given.items() if name not in PARTS or kind != "deals"}
    row = company.put(kind, {**own, "custom_fields": company.fields.by_name(ENTITIES[kind], own.get("custom_fields"))})
    for one in parts.get("products", ()):
        company.put_product(row, one)
    for one in parts.get("installments", ()):
        company.put_installment(row, one)
    if parts.get("products") and "value" not in given:
        products = company.of_deals("products", {_number(row["id"])})
        row["value"] = sum((Decimal(str(one["sum"])) for one in products if one["is_enabled"]), Decimal(0))
    return row


class Control:
    """The routes of the control port that are Pipedrive's own."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def routes(self) -> Sequence[web.RouteDef]:
        """People who create, edit, delete and merge; what is there; what was written by whom."""
        routes: list[web.RouteDef] = [web.get("/journal", self._journal)]
        for part in PARTS:
            path = f"/people/deals/{{deal_id:[0-9]+}}/{part}"
            routes += [
                web.post(path, self._part(part, "add")),
                web.patch(f"{path}/{{id:[0-9]+}}", self._part(part, "change")),
                web.delete(f"{path}/{{id:[0-9]+}}", self._part(part, "delete")),
            ]
        for kind in KINDS:
            routes += [
                web.get(f"/objects/{kind}", self._shown(kind)),
                web.post(f"/people/{kind}", self._created(kind)),
                web.post(f"/people/{kind}/merge", self._merged(kind)),
                web.patch(f"/people/{kind}/{{id:[0-9]+}}", self._edited(kind)),
                web.delete(f"/people/{kind}/{{id:[0-9]+}}", self._deleted(kind)),
                web.post(f"/people/{kind}/{{id:[0-9]+}}/restore", self._restored(kind)),
            ]
        return routes

    def _created(self, kind: Kind) -> Handler:
        async def created(request: web.Request) -> web.Response:
            body = self._named(kind, await body_of(request))
            return answer(self._company.create(kind, body, BY_PEOPLE), 201)

        return created

    def _edited(self, kind: Kind) -> Handler:
        async def edited(request: web.Request) -> web.Response:
            row = self._company.live(kind, int(request.match_info["id"]))
            self._company.update(kind, row, self._named(kind, await body_of(request)), BY_PEOPLE)
            return answer(row)

        return edited

    def _deleted(self, kind: Kind) -> Handler:
        async def deleted(request: web.Request) -> web.Response:
            self._company.delete(kind, self._company.live(kind, int(request.match_info["id"])), BY_PEOPLE)
            return web.Response(status=204)

        return deleted

    def _restored(self, kind: Kind) -> Handler:
        async def restored(request: web.Request) -> web.Response:
            row = self._company.show(kind, int(request.match_info["id"]))
            row["is_deleted"] = False
            self._company.update(kind, row, {"status": "open"} if kind == "deals" else {}, BY_PEOPLE)
            return answer(row)

        return restored

    def _merged(self, kind: Kind) -> Handler:
        async def merged(request: web.Request) -> web.Response:
            body = await body_of(request)
            primary, other = (_number(body.get(name)) for name in ("primary", "merged"))
            if primary == other:
                raise BadRequestError("Name two different records: primary and merged")
            winner, loser = self._company.live(kind, primary), self._company.live(kind, other)
            return answer(self._company.merge(kind, winner, loser, BY_PEOPLE))

        return merged

    def _shown(self, kind: Kind) -> Handler:
        async def shown(_request: web.Request) -> web.Response:
            rows = [{**row, "custom_fields": self._names(kind, row)} for row in self._company.rows[kind].values()]
            return answer({"rows": rows})

        return shown

    def _part(self, part: Part, operation: Literal["add", "change", "delete"]) -> Handler:
        async def changed(request: web.Request) -> web.Response:
            deal = self._company.live("deals", int(request.match_info["deal_id"]))
            part_id = int(request.match_info["id"]) if operation != "add" else None
            given = await body_of(request) if operation != "delete" else None
            return answer(self._company.change_part(part, deal, part_id, given, BY_PEOPLE))

        return changed

    async def _journal(self, request: web.Request) -> web.Response:
        by = request.query.get("by")
        return answer({"entries": [entry for entry in self._company.journal if by in (None, entry["by"])]})

    def _named(self, kind: Kind, body: JsonObject) -> JsonObject:
        if "custom_fields" not in body:
            return body
        return {**body, "custom_fields": self._company.fields.by_name(ENTITIES[kind], body["custom_fields"])}

    def _names(self, kind: Kind, row: JsonObject) -> JsonObject:
        held = row["custom_fields"] if isinstance(row["custom_fields"], dict) else {}
        fields = self._company.fields.held[ENTITIES[kind]]
        return {str(fields[code]["field_name"]): value for code, value in held.items()}


def _objects(value: JsonValue, name: str) -> list[JsonObject]:
    if value is None:
        return []
    rows = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else None
    if rows is None or not isinstance(value, list) or len(rows) != len(value):
        raise BadRequestError(f"{name} must be a list of objects")
    return rows


def _number(value: JsonValue) -> int:
    return int(str(value)) if str(value).isdigit() else -1
