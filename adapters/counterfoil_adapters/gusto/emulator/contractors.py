"""Contractors and their payments: the load format, what people do with them, and what Gusto shows."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from aiohttp import web

from counterfoil_adapters.gusto.emulator.answers import answer, body_of
from counterfoil_adapters.gusto.emulator.loading import add_contractor, add_payment, day_of
from counterfoil_adapters.gusto.emulator.paging import paged
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.values import (
    BadRequestError,
    cents,
    money,
    not_found,
    text,
)
from counterfoil_schema.exact_json import JsonObject


class Contractors:
    """Everything about contractors; `announce` hands each event to the webhooks."""

    def __init__(self, store: Store, announce: Callable[[JsonObject], None]) -> None:
        self._store = store
        self._announce = announce

    def api(self) -> list[web.RouteDef]:
        """What applications may call."""
        company = "/v1/companies/{company}"
        return [
            web.get(company + "/contractors", self.listed),
            web.get("/v1/contractors/{contractor}", self.shown),
            web.get(company + "/contractor_payments", self.paid),
            web.get(company + "/contractor_payments/{payment}", self.payment),
        ]

    def control(self) -> list[web.RouteDef]:
        """What people do."""
        return [
            web.post("/people/contractors", self.engage),
            web.post("/people/contractors/{uuid}/{action}", self.act_on_contractor),
            web.post("/people/contractor_payments", self.pay),
            web.post("/people/contractor_payments/{uuid}/cancel", self.cancel),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        self._own(request)
        page = paged(list(self._store.contractors.values()), request.query)
        return answer([self._view(one) for one in page.items], headers=page.headers)

    async def shown(self, request: web.Request) -> web.Response:
        return answer(self._view(_found(self._store.contractors, request.match_info["contractor"])))

    async def paid(self, request: web.Request) -> web.Response:
        """Payments of a window by contractor; Gusto pages by contractor."""
        self._own(request)
        start, end = day_of(request.query, "start_date"), day_of(request.query, "end_date")
        wanted = request.query.get("contractor_uuid")
        groups: dict[str, list[JsonObject]] = {}
        for one in self._store.payments.values():
            contractor = text(one, "contractor_uuid")
            if start <= text(one, "date") <= end and wanted in (None, contractor):
                groups.setdefault(contractor, []).append(one)
        page = paged(list(groups.values()), request.query)
        every = [one for group in groups.values() for one in group]
        return answer(
            {
                "total": {"reimbursements": _sum(every, "reimbursement"), "wages": _sum(every, "wage_total")},
                # The description calls a group's contractor_uuid a number, which none is: it is left out.
                "contractor_payments": [
                    {
                        "reimbursement_total": _sum(group, "reimbursement"),
                        "wage_total": _sum(group, "wage_total"),
                        "payments": list(group),
                    }
                    for group in page.items
                ],
            },
            headers=page.headers,
        )

    async def payment(self, request: web.Request) -> web.Response:
        self._own(request)
        return answer(_found(self._store.payments, request.match_info["payment"]))

    async def engage(self, request: web.Request) -> web.Response:
        made = text(add_contractor(self._store, await body_of(request)), "uuid")
        self._record("contractor.created", "Contractor", made)
        return answer({"uuid": made}, status=201)

    async def act_on_contractor(self, request: web.Request) -> web.Response:
        found, action = request.match_info["uuid"], request.match_info["action"]
        contractor = _found(self._store.contractors, found)
        match action:
            case "change":
                body = await body_of(request)
                if "department" in body:
                    contractor["department_uuid"] = self._store.department_named(text(body, "department"))
                contractor.update({key: value for key, value in body.items() if key in contractor and key != "uuid"})
                contractor["version"] = self._store.version()
                self._record("contractor.updated", "Contractor", found)
            case "dismiss":
                contractor.update(is_active=False, version=self._store.version())
                self._record("contractor.deactivated", "Contractor", found)
            case "delete":
                del self._store.contractors[found]
                self._record("contractor.deleted", "Contractor", found)
            case _:
                raise BadRequestError(f"A contractor knows no action {action}.", status=404)
        return answer({"uuid": found})

    async def pay(self, request: web.Request) -> web.Response:
        made = text(add_payment(self._store, await body_of(request)), "uuid")
        self._record("contractor_payment.created", "ContractorPayment", made)
        return answer({"uuid": made}, status=201)

    async def cancel(self, request: web.Request) -> web.Response:
        """Gusto shows a cancelled payment no more."""
        found = request.match_info["uuid"]
        del self._store.payments[text(_found(self._store.payments, found), "uuid")]
        self._record("contractor_payment.cancelled", "ContractorPayment", found)
        return answer({"uuid": found})

    def _view(self, contractor: JsonObject) -> JsonObject:
        found = contractor["department_uuid"]
        department = self._store.departments.get(found) if isinstance(found, str) else None
        title = department["title"] if department is not None else None
        return {**contractor, "department": title, "department_title": title}

    def _own(self, request: web.Request) -> None:
        if request.match_info["company"] != self._store.company_uuid:
            raise not_found()

    def _record(self, event_type: str, entity_type: str, entity_uuid: str) -> None:
        self._announce(self._store.record(event_type, entity_type, entity_uuid))


def _found(held: Mapping[str, JsonObject], uuid: str) -> JsonObject:
    if uuid not in held:
        raise not_found()
    return held[uuid]


def _sum(payments: list[JsonObject], figure: str) -> str:
    return cents(sum((money(one[figure], figure) for one in payments), Decimal("0.00")))
