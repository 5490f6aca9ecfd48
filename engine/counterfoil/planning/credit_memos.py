"""Money owed back becomes a credit memo."""

from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.exchange import currency_fields
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text
from counterfoil.planning.names import choose_number
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, named, record_ref
from counterfoil.planning.sale_lines import sale_lines
from counterfoil.planning.sales import known_customer, negative, no_date, put_notes, template_values
from counterfoil.planning.second_parties import Party, party_for, with_party
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Park, Plan, PlanRequest, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import CreditMemo


def plan_credit_memo(record: CreditMemo, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan a credit memo."""
    key = request.record_key
    customer = known_customer(key, record.customer, view)
    if isinstance(customer, Park):
        return customer
    party = party_for(key, customer, record.currency, mapping, view)
    if isinstance(party, Park):
        return party
    return with_party(party, carry(_draft(record, party, key, mapping, view), request, mapping, view))


def _draft(record: CreditMemo, party: Party, key: str, mapping: Mapping, view: StateView) -> DraftOrRefusal:
    section = mapping.credit_memo
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
    body.update(money)
    body["Line"] = credited.lines
    body.update(credited.header)
    put_notes(body, section, values)
    return Draft(
        document="credit_memo",
        entity="CreditMemo",
        body=body,
        needs=(party.key, *credited.needs),
        person=record.customer,
        doc_number=number or None,
        amount=credited.total,
        currency=record.currency,
        figures=credited.figures(record, mapping, view),
        edited=section.edited,
    )
