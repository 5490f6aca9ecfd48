"""Customers, vendors and employees."""

from counterfoil.planning.employee_ids import tell_employee_id
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.names import NameRules, choose_name, clean, held_name
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, label, named
from counterfoil.planning.party_details import NAME_MAX, PARTY_ENTITIES, details_of
from counterfoil.planning.second_parties import Party, follow_party, own_currency, second_entry, section_of, with_party
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
    returned = _returned(record, request.record_key, raw, mapping, view) if link is None else None
    if returned is not None:
        return returned
    chosen = choose_name(request.record_key, raw, rules, held_name(link, "DisplayName"), view)
    if isinstance(chosen, Park):
        return chosen
    if isinstance(record, Employee):
        planned = carry(_draft(record, request, section, chosen, None), request, mapping, view)
        return tell_employee_id(record, request, planned, mapping, view)
    return _plan_money_party(record, request, mapping, view, chosen)


def _plan_money_party(
    record: Customer | Vendor, request: PlanRequest, mapping: Mapping, view: StateView, name: str
) -> Plan:
    """The entry in the party's first currency, and those in others."""
    key, section = request.record_key, section_of(record, mapping)
    currency = own_currency(key, record, mapping, view) if view.multi_currency() else None
    party = Party(key=key)
    if currency is not None and record.currency is not None and record.currency != currency:
        if record.currency not in section.other_currencies:
            return _currency_fixed(record, key, currency)
        second = second_entry(key, record, record.currency, mapping, view)
        if isinstance(second, Park):
            return second
        party = second
    planned = carry(_draft(record, request, section, name, currency), request, mapping, view)
    return with_party(party, follow_party(key, record, planned, mapping, view))


def _returned(
    record: Customer | Vendor | Employee, key: str, name: str, mapping: Mapping, view: StateView
) -> Park | None:
    """Somebody under a new id who bears the name of an employee who left: perhaps the same person."""
    if not isinstance(record, Employee) or mapping.employee.rehired == "new":
        return None
    holder = view.name_taken("Employee", clean(name, mapping.employee.colon))
    if holder is None or holder == key:
        return None
    before, held = view.record(holder), view.link(holder)
    if (
        held is None
        or held.status != "live"
        or not (before is None or (isinstance(before, Employee) and not before.active))
    ):
        return None
    return Park(
        code="rehired",
        reason=f"{named(key)} bears the name of {named(holder)}, who left: {label(held)} may stand for both.",
        fix=f'If it is the same person: `counterfoil deadletters map {key} "Employee {held.document_id}"`, then '
        'approve what differs. If not: rename one of them at the source, or set rehired = "new" in the mapping.',
        outside=f"{named(key)} bears the name of somebody who left.",
    )


def _section(record: Customer | Vendor | Employee, mapping: Mapping) -> PartySection:
    if isinstance(record, Customer):
        return mapping.customer
    return mapping.vendor if isinstance(record, Vendor) else mapping.employee


def _draft(
    record: Customer | Vendor | Employee,
    request: PlanRequest,
    section: PartySection,
    name: str,
    currency: str | None,
) -> DraftOrRefusal:
    details, unfit = details_of(record, section.colon)
    if unfit and section.unfit == "park":
        return Park(
            code="unfit_details",
            reason=f"QuickBooks refuses these details of {named(request.record_key)}: {', '.join(unfit)}.",
            fix='Correct them at the source, or set unfit = "leave_out" in the mapping.',
        )
    body: JsonObject = {"DisplayName": name, **details}
    if currency is not None:
        body["CurrencyRef"] = {"value": currency}
    if section.inactive == "deactivate" and not (isinstance(record, Employee) and "active" in record.withheld):
        body["Active"] = record.active
    return Draft(
        document=record.kind,
        entity=record.kind.capitalize(),
        body=body,
        person=request.record_key,
        name=name,
        edited=section.edited,
    )


def _currency_fixed(record: Customer | Vendor, key: str, held: str) -> Park:
    return Park(
        code="currency_fixed",
        reason=f"{named(key)} changed its currency from {held} to {record.currency}; "
        "QuickBooks fixes a party's currency when it is created.",
        fix=f"Make a new {record.kind} for the new currency at the source; or list the currency under [{record.kind}] "
        "other_currencies in the mapping, so that a second entry is made.",
    )
