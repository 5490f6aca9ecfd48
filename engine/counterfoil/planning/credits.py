"""Money owed back becomes a credit memo; money given back, a refund receipt."""

from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.exchange import currency_fields
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text
from counterfoil.planning.names import choose_number
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, name_ref, named, record_ref
from counterfoil.planning.ownership import ENTITIES
from counterfoil.planning.sale_lines import sale_lines
from counterfoil.planning.sales import known_customer, negative, no_date, put_notes, template_values
from counterfoil.planning.second_parties import Party, party_for, with_party
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Park, Plan, PlanRequest, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import CreditMemo, Refund


def plan_credit(record: CreditMemo | Refund, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan a credit memo or a refund."""
    key = request.record_key
    customer = known_customer(key, record.customer, view)
    if isinstance(customer, Park):
        return customer
    party = party_for(key, customer, record.currency, mapping, view)
    if isinstance(party, Park):
        return party
    return with_party(party, carry(_draft(record, party, key, mapping, view), request, mapping, view))


def _draft(record: CreditMemo | Refund, party: Party, key: str, mapping: Mapping, view: StateView) -> DraftOrRefusal:
    section = mapping.credit_memo if isinstance(record, CreditMemo) else mapping.refund
    account = mapping.refund.account if isinstance(record, Refund) else None
    if isinstance(record, Refund) and account is None:
        return Park(
            code="no_account",
            reason=f"{named(key)} is a refund, and the mapping does not say from which account the money went.",
            fix='Name it: [refund] account = "Checking".',
        )
    try:
        day = plausible(record.dated)
    except NoDateError as error:
        return no_date(key, str(error))
    values = template_values(key, record)
    number = choose_number(key, fill(section.number, values), section.number_too_long, view)
    if isinstance(number, Park):
        return number
    credited = sale_lines(key, record, record.lines, section, mapping, view)
    if isinstance(credited, Park):
        return credited
    if not credited.lines:
        return Park(
            code="no_lines",
            reason=f"{named(key)} has no lines, so nobody can say what is credited.",
            fix="Add its lines at the source.",
        )
    if credited.total < 0:
        return negative(key, f"{text(credited.total)} {record.currency}")
    money = currency_fields(key, record.currency, record.exchange_rate, day, mapping, view)
    if isinstance(money, Park):
        return money
    body: JsonObject = {"CustomerRef": record_ref(party.key), "TxnDate": day.isoformat()}
    if number:
        body["DocNumber"] = number
    if account is not None:
        body["DepositToAccountRef"] = name_ref("Account", account)
    body.update(money)
    body["Line"] = credited.lines
    body.update(credited.header)
    put_notes(body, section, values)
    return Draft(
        document=record.kind,
        entity=ENTITIES[record.kind],
        body=body,
        needs=(party.key, *credited.needs),
        person=record.customer,
        doc_number=number or None,
        amount=credited.total,
        currency=record.currency,
        figures=credited.figures(record, mapping, view),
        edited=section.edited,
    )
