"""Customers, vendors and employees."""

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.names import NameRules, choose_name, held_name
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, named
from counterfoil.planning.party_details import NAME_MAX, PARTY_ENTITIES, details_of
from counterfoil.planning.second_parties import follow_customer
from counterfoil.planning.sections import PartySection
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, Employee, Vendor


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
        entities=PARTY_ENTITIES,
        longest=NAME_MAX,
        colon=section.colon,
        same_name=section.same_name,
    )
    chosen = choose_name(request.record_key, raw, rules, held_name(link, "DisplayName"), view)
    if isinstance(chosen, Park):
        return chosen
    draft = _draft(record, request, mapping, view, section, chosen)
    planned = carry(draft, request, mapping, view)
    if isinstance(record, Customer):
        return follow_customer(request.record_key, record, planned, mapping, view)
    return planned


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
    details, unfit = details_of(record, section.colon)
    if unfit and section.unfit == "park":
        return Park(
            code="unfit_details",
            reason=f"QuickBooks refuses these details of {named(request.record_key)}: {', '.join(unfit)}.",
            fix='Correct them at the source, or set unfit = "leave_out" in the mapping.',
        )
    body: JsonObject = {"DisplayName": name, **details}
    if isinstance(record, Customer) and view.multi_currency():
        currency = record.currency or mapping.connection.currency or view.home_currency()
        # Where the source names no currency, whatever the books hold is right.
        refusal = _currency_moved(request.record_key, record.currency, view) if record.currency else None
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
