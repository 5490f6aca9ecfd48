"""Version 2 of the API."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from counterfoil.emulating import answer, body_of
from counterfoil_adapters.pipedrive.emulator.company import Company
from counterfoil_adapters.pipedrive.emulator.errors import refusal
from counterfoil_adapters.pipedrive.emulator.fields import OWNERS
from counterfoil_adapters.pipedrive.emulator.paging import ids_of, listing, number_of, since_filter
from counterfoil_adapters.pipedrive.emulator.rows import KINDS, STATUSES, Kind
from counterfoil_schema.exact_json import JsonObject, JsonValue

ROOT = "/api/v2"
BY_API = "api"
SORTS = ("id", "update_time", "add_time")
STAGE_TIME = "2026-01-01T00:00:00Z"
_FILTERS = ("owner_id", "org_id", "person_id", "stage_id", "pipeline_id")
_PRODUCT_FIELDS = frozenset(
    ("product_id", "quantity", "item_price", "discount", "discount_type", "tax", "tax_method", "comments", "is_enabled")
) | {"billing_frequency", "billing_frequency_cycles", "billing_start_date", "product_variation_id"}
_INSTALLMENT_FIELDS = frozenset(("amount", "billing_date", "description"))
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def done(data: JsonValue, status: int = 200) -> web.Response:
    """A single answer."""
    return answer({"success": True, "data": data}, status)


class Version2:
    """The routes of version 2."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def routes(self) -> Sequence[web.RouteDef]:
        """Everything below `/api/v2`; what is longer comes before what it could be taken for."""
        deal = f"{ROOT}/deals/{{deal_id:[0-9]+}}"
        parts = [
            web.get(f"{ROOT}/deals/products", self._parts("products", ("id", "deal_id", "add_time", "update_time"))),
            web.get(f"{ROOT}/deals/installments", self._parts("installments", ("id", "billing_date", "deal_id"))),
            web.get(f"{deal}/products", self._products_of_one),
            *(web.post(f"{deal}/{part}", self._part_added(part)) for part in ("products", "installments")),
            *(web.patch(f"{deal}/{part}/{{id:[0-9]+}}", self._part_changed(part)) for part in _PARTS),
            *(web.delete(f"{deal}/{part}/{{id:[0-9]+}}", self._part_deleted(part)) for part in _PARTS),
        ]
        return [*parts, *self._definitions(), *(route for kind in KINDS for route in self._of(kind))]

    def _of(self, kind: Kind) -> Sequence[web.RouteDef]:
        one = f"{ROOT}/{kind}/{{id:[0-9]+}}"

        async def listed(request: web.Request) -> web.Response:
            return self._listed(kind, request)

        async def created(request: web.Request) -> web.Response:
            return done(self._company.create(kind, await body_of(request), BY_API))

        async def shown(request: web.Request) -> web.Response:
            return done(self._company.show(kind, _id(request)))

        async def changed(request: web.Request) -> web.Response:
            row = self._company.live(kind, _id(request))
            self._company.update(kind, row, await body_of(request), BY_API)
            return done(row)

        async def deleted(request: web.Request) -> web.Response:
            row = self._company.live(kind, _id(request))
            self._company.delete(kind, row, BY_API)
            return done({"id": row["id"]})

        return [
            web.get(f"{ROOT}/{kind}", listed),
            web.post(f"{ROOT}/{kind}", created),
            web.get(one, shown),
            web.patch(one, changed),
            web.delete(one, deleted),
        ]

    def _listed(self, kind: Kind, request: web.Request) -> web.Response:
        ids, fits_time = ids_of(request, "ids"), since_filter(request)
        wanted = {name: number for name in _FILTERS if (number := number_of(request, name)) is not None}
        status = request.query.get("status") if kind == "deals" else None
        if status not in {None, "deleted", *STATUSES}:
            raise refusal("Validation failed: status: must be one of open, won, lost, deleted")

        def keep(row: JsonObject) -> bool:
            fits = all(row.get(name) == number for name, number in wanted.items())
            return fits and fits_time(row) and (ids is None or row["id"] in ids) and status in (None, row.get("status"))

        rows = self._company.visible(kind, deleted=status == "deleted")
        return listing(request, rows, (*SORTS, "name") if kind == "products" else SORTS, keep)

    def _parts(self, part: str, sorts: Sequence[str]) -> Handler:
        async def listed(request: web.Request) -> web.Response:
            ids = ids_of(request, "deal_ids")
            if ids is None:
                raise refusal("Validation failed: deal_ids: deal_ids is required")
            shown = {row_id for row_id in ids if (row := self._deals.get(row_id)) and not row["is_deleted"]}
            return listing(request, self._company.of_deals(part, shown), (*sorts, "order_nr"), lambda _: True)

        return listed

    @property
    def _deals(self) -> dict[int, JsonObject]:
        return self._company.rows["deals"]

    async def _products_of_one(self, request: web.Request) -> web.Response:
        deal = self._company.live("deals", _id(request, "deal_id"))
        rows = self._company.of_deals("products", {_number(deal["id"])})
        return listing(request, rows, ("id", "add_time", "update_time", "order_nr"), lambda _: True)

    def _part_added(self, part: str) -> Handler:
        async def added(request: web.Request) -> web.Response:
            deal = self._company.live("deals", _id(request, "deal_id"))
            body = _part_body(part, await body_of(request), creating=True)
            return done(self._company.change_part(part, deal, None, body, BY_API))

        return added

    def _part_changed(self, part: str) -> Handler:
        async def changed(request: web.Request) -> web.Response:
            deal = self._company.live("deals", _id(request, "deal_id"))
            body = _part_body(part, await body_of(request), creating=False)
            return done(self._company.change_part(part, deal, _id(request), body, BY_API))

        return changed

    def _part_deleted(self, part: str) -> Handler:
        async def deleted(request: web.Request) -> web.Response:
            deal = self._company.live("deals", _id(request, "deal_id"))
            self._company.change_part(part, deal, _id(request), None, BY_API)
            return done({"id": _id(request)})

        return deleted

    def _definitions(self) -> Sequence[web.RouteDef]:
        routes: list[web.RouteDef] = []
        for owner in OWNERS:

            async def listed(request: web.Request, owner: str = owner) -> web.Response:
                held = [{"id": number, **one} for number, one in enumerate(self._company.fields.held[owner].values())]
                return listing(request, held, ("id",), lambda _: True, ends_with_null=True)

            async def added(request: web.Request, owner: str = owner) -> web.Response:
                return done(self._company.fields.add(owner, await body_of(request)))

            routes += [
                web.get(f"{ROOT}/{owner}Fields", listed),
                web.post(f"{ROOT}/{owner}Fields", added),
            ]
        return [*routes, web.get(f"{ROOT}/stages", self._stages), web.get(f"{ROOT}/pipelines", self._pipelines)]

    async def _stages(self, request: web.Request) -> web.Response:
        rows: list[JsonObject] = [
            {
                "id": number,
                "order_nr": number,
                "name": name,
                "is_deleted": False,
                "deal_probability": 100,
                "pipeline_id": 1,
                "is_deal_rot_enabled": False,
                "days_to_rotten": None,
                "add_time": STAGE_TIME,
                "update_time": STAGE_TIME,
            }
            for number, name in self._company.stages.items()
        ]
        return listing(request, rows, (*SORTS, "order_nr"), lambda _: True)

    async def _pipelines(self, request: web.Request) -> web.Response:
        row: JsonObject = {
            "id": 1,
            "name": "Sales",
            "order_nr": 1,
            "is_deleted": False,
            "is_deal_probability_enabled": False,
            "add_time": STAGE_TIME,
            "update_time": STAGE_TIME,
        }
        return listing(request, [row], SORTS, lambda _: True)


_PARTS = ("products", "installments")


def _part_body(part: str, body: JsonObject, *, creating: bool) -> JsonObject:
    known = _PRODUCT_FIELDS if part == "products" else _INSTALLMENT_FIELDS
    unknown = sorted(body.keys() - known)
    if unknown:
        raise refusal(f"Validation failed: {unknown[0]}: {unknown[0]} is not allowed")
    needed = ("product_id", "item_price", "quantity") if part == "products" else ("amount", "billing_date")
    for name in needed if creating else ():
        if body.get(name) is None:
            raise refusal(f"Validation failed: {name}: {name} is a required field")
    return body


def _id(request: web.Request, name: str = "id") -> int:
    return int(request.match_info[name])


def _number(value: JsonValue) -> int:
    return value if isinstance(value, int) else -1
