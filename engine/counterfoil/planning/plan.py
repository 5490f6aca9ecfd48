"""The planner: (record, mapping, state) in, intents out. Pure: the same three always give the same plan."""

from typing import assert_never

from counterfoil.planning.adopted import LISTS
from counterfoil.planning.breaker import DEACTIVATED
from counterfoil.planning.checks import refusal
from counterfoil.planning.contractor_payments import plan_contractor_payment, plan_contractor_removal
from counterfoil.planning.credits import plan_credit
from counterfoil.planning.derived import derived
from counterfoil.planning.estimates import plan_estimate
from counterfoil.planning.filters import needs_what_is_passed_over, passed_over
from counterfoil.planning.invoices import plan_invoice
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.outcome import MERGED_AT_SOURCE, content_hash, delete, label, merged, named, rolled_back, void
from counterfoil.planning.ownership import ENTITIES
from counterfoil.planning.parties import plan_party
from counterfoil.planning.pay_ledger import against_ledger
from counterfoil.planning.payments import plan_payment
from counterfoil.planning.payouts import plan_payout
from counterfoil.planning.payroll import plan_pay_run
from counterfoil.planning.products import plan_product
from counterfoil.planning.projected import Project, plan_custom
from counterfoil.planning.second_parties import second_entries
from counterfoil.planning.sections import MoneyPartySection, section_of
from counterfoil.planning.start import before_start
from counterfoil.planning.time_entries import plan_time_entry
from counterfoil.planning.types import NAME_REF, Intent, Link, Park, Plan, PlanRequest, Skip, StateView, Unchanged
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import (
    ContractorPayment,
    CreditMemo,
    Custom,
    Customer,
    Employee,
    Estimate,
    Invoice,
    Payment,
    Payout,
    PayRun,
    Product,
    Refund,
    TimeEntry,
    Vendor,
    split_key,
)

__all__ = ["content_hash", "plan"]

Sold = Customer | Product | Invoice | Estimate | Payment | CreditMemo | Refund | Payout
Mapped = Sold | Vendor | Employee | PayRun | ContractorPayment | TimeEntry
"""Records of which a mapping says what becomes of them."""


def plan(request: PlanRequest, mapping: Mapping, view: StateView, project: Project | None = None) -> Plan:
    """What an observed change calls for.

    Args:
        request: the record as observed, or None in its place where the source removed it.
        mapping: that of the record's connection.
        view: state at the position of the change.
        project: of the record's adapter, for kinds that only it knows.

    Returns:
        Intents to be carried out, or Unchanged, Skip or Park with the reason.
    """
    planned = _wanted(request, mapping, view, project)
    if isinstance(planned, Unchanged | Skip | Park):
        return planned
    latin1 = mapping.connection.text == "latin1" and view.tax_mode() not in ("abroad", "abroad_none")
    for intent in planned:
        park = refusal(
            intent,
            closed_until=view.closed_until(),
            home=view.home_currency(),
            latin1=latin1,
            account_type=lambda reference: _account(reference, view),
        )
        if park is not None:
            return park
    return planned


def _account(reference: JsonObject, view: StateView) -> tuple[str | None, str]:
    """The AccountType of an account, by name or Id, and what to call it."""
    named = reference.get(NAME_REF)
    if isinstance(named, list):
        name = str(named[-1])
        return view.account_type(name=name), f"“{name}”"
    document_id = reference.get("value")
    if isinstance(document_id, str) and document_id:
        return view.account_type(document_id=document_id), f"account {document_id}"
    return None, ""


def _wanted(request: PlanRequest, mapping: Mapping, view: StateView, project: Project | None) -> Plan:
    record = request.record
    if record is None:
        return _removed(request, mapping, view)
    link = view.link(request.record_key)
    if link is not None and link.undone:
        return rolled_back(request.record_key, link)
    if isinstance(record, Custom):
        return plan_custom(record, request, mapping, view, project)
    allowed, source_kind = taken_from(record, mapping), split_key(request.record_key)[1]
    if allowed and source_kind not in allowed:
        wanted = f"a {record.kind.replace('_', ' ')} from {', '.join(allowed)}"
        return Skip(code="not_mapped", reason=f"The mapping takes {wanted}, not from {source_kind}.")
    kept_out = passed_over(record, request.record_key, mapping, view)
    if kept_out is not None:
        return kept_out
    found = derived(record, request.record_key, mapping.derived, mapping.connection.zone)
    if isinstance(found, Park):
        return found
    early = before_start(found, request, mapping, view)
    if early is not None:
        return early
    planned = _planned(found, request, mapping, view)
    return needs_what_is_passed_over(planned, request.record_key, mapping, view) or planned


def taken_from(record: Mapped, mapping: Mapping) -> tuple[str, ...]:
    """The source's kinds of which the mapping takes such records; nothing where it takes them of any."""
    allowed: tuple[str, ...] = getattr(mapping, section_of(record.kind)).from_kinds
    return allowed


def _planned(record: Mapped, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    match record:
        case Customer() | Vendor() | Employee():
            return plan_party(record, request, mapping, view)
        case Product():
            return plan_product(record, request, mapping, view)
        case Invoice() | Estimate() | CreditMemo() | Refund():
            return _planned_sale(record, request, mapping, view)
        case Payout():
            return plan_payout(record, request, mapping, view)
        case Payment():
            return plan_payment(record, request, mapping, view)
        case PayRun():
            return against_ledger(record, request.record_key, mapping, plan_pay_run(record, request, mapping, view))
        case ContractorPayment():
            return plan_contractor_payment(record, request, mapping, view)
        case TimeEntry():
            return plan_time_entry(record, request, mapping, view)
        case _:
            assert_never(record)


def _planned_sale(
    record: Invoice | Estimate | CreditMemo | Refund, request: PlanRequest, mapping: Mapping, view: StateView
) -> Plan:
    match record:
        case Invoice():
            return plan_invoice(record, request, mapping, view)
        case Estimate():
            return plan_estimate(record, request, mapping, view)
        case CreditMemo() | Refund():
            return plan_credit(record, request, mapping, view)
        case _:
            assert_never(record)


def _removed(request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """The source's own word that a record is gone; what becomes of its document is for the mapping to say."""
    link = view.link(request.record_key)
    if link is None:
        return Skip(
            code="removed",
            reason=f"{named(request.record_key)} was removed at the source before it reached the books.",
        )
    document = next((name for name, entity in ENTITIES.items() if entity == link.entity), "")
    if link.status != "live":
        return Unchanged(
            proof=link.content_hash, reason=f"{named(request.record_key)} was removed; {label(link)} is {link.status}."
        )
    if link.shared_with is not None and view.is_known(link.shared_with):
        return merged(request.record_key, link, link.shared_with)
    if link.entity in ("Bill", "Purchase"):
        return plan_contractor_removal(request, link, mapping, view)
    if link.entity in LISTS and request.merged_into is not None:
        together = _merged_at_source(request, request.merged_into, link, getattr(mapping, document).merged, view)
        if together is not None:
            return together
    if link.entity in LISTS:
        return _removed_from_list(request, mapping, link, document, view)
    rule: str = getattr(getattr(mapping, section_of(document), None), "removed", "park")
    if rule == "void":
        return void(mapping, link, document, person=None)
    if rule == "delete":
        return delete(request.record_key, link, mapping, document)
    return Park(
        code="removed",
        reason=f"{named(request.record_key)} was removed at the source, but {label(link)} stands for it in QuickBooks.",
        fix="Void or delete the document in QuickBooks, or restore the record at the source.",
    )


def _merged_at_source(request: PlanRequest, into: str, link: Link, rule: str, view: StateView) -> Park | Skip | None:
    """Two of the source's records became one there: QuickBooks lets only a person do the same; None for `removed`."""
    other = view.link(into)
    if other is not None and other.document_id == link.document_id:
        return Skip(
            code="merged", reason=f"{named(request.record_key)} and {named(into)} are one in QuickBooks: {label(link)}."
        )
    if rule == "removed":
        return None
    stands = f"{label(link)} and {label(other)} stand" if other is not None else f"{label(link)} stands"
    take_over = (
        f'`counterfoil deadletters map {into} "{link.entity} {link.document_id}"`, once that is parked for its name'
    )
    fix = "Merge the first into the second there: its links follow" if other is not None else take_over
    return Park(
        code=MERGED_AT_SOURCE,
        reason=f"{named(request.record_key)} was merged into {named(into)} at the source; {stands} in QuickBooks.",
        fix=f"{fix}; or mark this as settled, and it stays as it is.",
    )


def _removed_from_list(request: PlanRequest, mapping: Mapping, link: Link, document: str, view: StateView) -> Plan:
    section = getattr(mapping, document)
    if section.removed == "keep":
        return Skip(
            code="removed_kept",
            reason=f"{named(request.record_key)} was removed at the source; {label(link)} stays, for its history.",
        )
    proof = view.body_hash(DEACTIVATED)
    entries = [
        link,
        *(second_entries(request.record_key, section, view) if isinstance(section, MoneyPartySection) else ()),
    ]
    living = [entry for entry in entries if entry.content_hash != proof]
    if not living:
        return Unchanged(proof=proof, reason=f"{label(link)} is already inactive.")
    return tuple(
        Intent(
            target="quickbooks",
            entity=entry.entity,
            operation="update",
            body=dict(DEACTIVATED),
            person=request.record_key if entry.entity != "Item" else None,
            review=mapping.reviews(document, None),
            record_key=None if entry is link else entry.record_key,
        )
        for entry in living
    )
