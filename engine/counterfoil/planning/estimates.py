"""What was offered to a customer becomes an estimate. It posts nothing: no ledger, no tax owed, no payment."""

from counterfoil.planning.dates import NoDateError, sale_date
from counterfoil.planning.exchange import currency_fields
from counterfoil.planning.invoices import total_refusal
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text
from counterfoil.planning.names import choose_number
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, label, named, record_ref
from counterfoil.planning.sale_lines import SaleLines, sale_lines
from counterfoil.planning.sales import known_customer, negative, no_date, put_notes, template_values
from counterfoil.planning.second_parties import Party, party_for, with_party
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Estimate

PENDING, ACCEPTED = "Pending", "Accepted"
"""States of an estimate in QuickBooks (Intuit: estimate page, TxnStatus)."""


def plan_estimate(record: Estimate, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan an estimate, or what becomes of one whose offer was taken back."""
    key = request.record_key
    if not (record.offered if mapping.estimate.when == "offered" else record.accepted):
        return _not_due(record, key, mapping, view)
    customer = known_customer(key, record.customer, view)
    if isinstance(customer, Park):
        return customer
    party = party_for(key, customer, record.currency, mapping, view)
    if isinstance(party, Park):
        return party
    return with_party(party, carry(_draft(record, customer, party, key, mapping, view), request, mapping, view))


def _not_due(record: Estimate, key: str, mapping: Mapping, view: StateView) -> Skip | Park:
    link = view.link(key)
    wanted = mapping.estimate.when
    if link is None:
        return Skip(code=f"not_{wanted}", reason=f"{named(key)} is not {wanted} (status {record.status}).")
    return Park(
        code="withdrawn",
        reason=f"{named(key)} is no longer {wanted} (status {record.status}), but {label(link)} stands for it in "
        "QuickBooks.",
        fix="Close or delete the estimate in QuickBooks, or offer it again; then retry it, or mark it as settled.",
    )


def _draft(
    record: Estimate, customer: str, party: Party, key: str, mapping: Mapping, view: StateView
) -> DraftOrRefusal:
    section = mapping.estimate
    try:
        day = sale_date(
            dated=record.dated, happened_at=record.happened_at, zone=mapping.connection.zone, prefer=section.date
        )
    except NoDateError as error:
        return no_date(key, str(error))
    values = template_values(key, record)
    number = choose_number(key, fill(section.number, values), section.number_too_long, view)
    if isinstance(number, Park):
        return number
    offered = _lines(record, key, mapping, view)
    if isinstance(offered, Park):
        return offered
    money = currency_fields(key, record.currency, record.exchange_rate, day, mapping, view)
    if isinstance(money, Park):
        return money
    body: JsonObject = {"CustomerRef": record_ref(party.key), "TxnDate": day.isoformat()}
    if number:
        body["DocNumber"] = number
    if record.expires is not None:
        body["ExpirationDate"] = record.expires.isoformat()
    body["TxnStatus"] = ACCEPTED if record.accepted else PENDING
    body.update(money)
    body["Line"] = offered.lines
    body.update(offered.header)
    put_notes(body, section, values)
    return Draft(
        document="estimate",
        entity="Estimate",
        body=body,
        needs=(party.key, *offered.needs),
        person=customer,
        doc_number=number or None,
        amount=offered.total,
        currency=record.currency,
        figures=offered.figures(record, mapping, view),
        edited=section.edited,
    )


def _lines(record: Estimate, key: str, mapping: Mapping, view: StateView) -> SaleLines | Park:
    offered = sale_lines(key, record, record.lines, mapping.estimate, mapping, view)
    if isinstance(offered, Park):
        return offered
    if not offered.lines:
        return Park(
            code="no_lines",
            reason=f"{named(key)} has no lines, so nobody can say what was offered.",
            fix="Add its products at the source.",
        )
    if offered.total < 0:
        return negative(key, f"{text(offered.total)} {record.currency}")
    return total_refusal(record, key, offered, mapping.estimate) or offered
