"""Customers, vendors and employees."""

import re

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.names import NameRules, choose_name, clean, held_name
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, named
from counterfoil.planning.sections import PartySection
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Address, Customer, Employee, Vendor

_ENTITIES = ("Customer", "Vendor", "Employee")
_NAME_MAX, _NAME_PART_MAX, _PHONE_MAX, _ADDRESS_LINES = 500, 100, 30, 5
_EMAIL = re.compile(r"^[^\s@]+@[^\s@]+\.[^\s@]+$")


def plan_party(record: Customer | Vendor | Employee, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan a name-list entry."""
    section = _section(record, mapping)
    link = view.link(request.record_key)
    if isinstance(record, Employee) and not mapping.employee.create:
        return Skip(code="employees_off", reason="The mapping does not carry employees over ([employee] create).")
    if section.inactive == "deactivate" and not record.active and link is None:
        return Skip(code="inactive", reason=f"{named(request.record_key)} is inactive at the source.")
    raw = record.name if not isinstance(record, Employee) else f"{record.given_name} {record.family_name}"
    rules = NameRules(
        entities=_ENTITIES,
        longest=_NAME_MAX,
        colon=section.colon,
        same_name=section.same_name,
    )
    chosen = choose_name(request.record_key, raw, rules, held_name(link, "DisplayName"), view)
    if isinstance(chosen, Park):
        return chosen
    draft = _draft(record, request, mapping, view, section, chosen)
    return carry(draft, request, mapping, view)


def _section(record: Customer | Vendor | Employee, mapping: Mapping) -> PartySection:
    if isinstance(record, Customer):
        return mapping.customer
    return mapping.vendor if isinstance(record, Vendor) else mapping.employee


def _draft(
    record: Customer | Vendor | Employee,
    request: PlanRequest,
    mapping: Mapping,
    view: StateView,
    section: PartySection,
    name: str,
) -> DraftOrRefusal:
    details, unfit = _details(record, section.colon)
    if unfit and section.unfit == "park":
        return Park(
            code="unfit_details",
            reason=f"QuickBooks refuses these details of {named(request.record_key)}: {', '.join(unfit)}.",
            fix='Correct them at the source, or set unfit = "leave_out" in the mapping.',
        )
    body: JsonObject = {"DisplayName": name, **details}
    if isinstance(record, Customer) and view.multi_currency():
        currency = record.currency or mapping.connection.currency or view.home_currency()
        refusal = _currency_moved(request.record_key, currency, view)
        if refusal is not None:
            return refusal
        body["CurrencyRef"] = {"value": currency}
    if section.inactive == "deactivate":
        body["Active"] = record.active
    return Draft(
        document=record.kind,
        entity=record.kind.capitalize(),
        body=body,
        person=request.record_key,
        name=name,
        edited=section.edited,
    )


def _currency_moved(key: str, currency: str, view: StateView) -> Park | None:
    link = view.link(key)
    held = link.image.get("CurrencyRef") if link is not None else None
    if not isinstance(held, dict) or held.get("value") in (None, currency):
        return None
    return Park(
        code="currency_fixed",
        reason=f"{named(key)} changed its currency from {held.get('value')} to {currency}; "
        "QuickBooks fixes a party's currency when it is created.",
        fix="Make a new customer for the new currency at the source.",
    )


def _details(record: Customer | Vendor | Employee, colon: str) -> tuple[JsonObject, list[str]]:
    """The contact details that fit, and the names of those that do not. No part of a name keeps a colon."""
    body: JsonObject = {}
    unfit: list[str] = []

    def put_text(field: str, value: str | None, longest: int) -> None:
        if value is None or not value.strip():
            return
        if len(value.strip()) > longest:
            unfit.append(f"{field} over {longest} characters")
        else:
            body[field] = clean(value, colon)

    if isinstance(record, Customer):
        put_text("CompanyName", record.company_name, _NAME_PART_MAX)
    if not isinstance(record, Vendor):
        put_text("GivenName", record.given_name, _NAME_PART_MAX)
        put_text("FamilyName", record.family_name, _NAME_PART_MAX)
    if record.email is not None and record.email.strip():
        if _EMAIL.match(record.email.strip()):
            body["PrimaryEmailAddr"] = {"Address": record.email.strip()}
        else:
            unfit.append("e-mail address")
    if isinstance(record, Customer):
        _put_customer_contact(record, body, unfit)
    if isinstance(record, Employee) and record.hired is not None:
        body["HiredDate"] = record.hired.isoformat()
    return body, unfit


def _put_customer_contact(record: Customer, body: JsonObject, unfit: list[str]) -> None:
    phone = (record.phone or "").strip()
    if len(phone) > _PHONE_MAX:
        unfit.append(f"telephone number over {_PHONE_MAX} characters")
    elif phone:
        body["PrimaryPhone"] = {"FreeFormNumber": phone}
    address = _address(record.billing) if record.billing is not None else {}
    if address:
        body["BillAddr"] = address


def _address(billing: Address) -> JsonObject:
    lines = [line.strip() for line in billing.lines if line.strip()]
    if len(lines) > _ADDRESS_LINES:
        lines = [*lines[: _ADDRESS_LINES - 1], ", ".join(lines[_ADDRESS_LINES - 1 :])]
    address: JsonObject = {f"Line{number}": line for number, line in enumerate(lines, start=1)}
    parts = {
        "City": billing.city,
        "CountrySubDivisionCode": billing.region,
        "PostalCode": billing.postal_code,
        "Country": billing.country,
    }
    address.update({field: value.strip() for field, value in parts.items() if value is not None and value.strip()})
    return address
