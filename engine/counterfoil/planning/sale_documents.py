"""What invoices, estimates, credit memos and refund receipts have in common, from the customer to the figures."""

from collections.abc import Callable
from datetime import date

from counterfoil.planning.dates import NoDateError
from counterfoil.planning.exchange import currency_fields
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.names import choose_number
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, record_ref
from counterfoil.planning.ownership import ENTITIES
from counterfoil.planning.sale_lines import SaleLines
from counterfoil.planning.sales import known_customer, no_date, put_notes, template_values
from counterfoil.planning.second_parties import Party, party_for, with_party
from counterfoil.planning.sections import SaleSection
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Park, Plan, PlanRequest, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, Refund

Sale = Invoice | Estimate | CreditMemo | Refund


def plan_sale(
    record: Sale,
    request: PlanRequest,
    mapping: Mapping,
    view: StateView,
    *,
    section: SaleSection,
    day: Callable[[], date],
    lines: Callable[[], SaleLines | Park],
    fields: JsonObject,
) -> Plan:
    """Plan the document of a sale under its customer.

    Args:
        day: its accounting date; raises NoDateError where there is none.
        fields: what documents of its kind bear besides.
    """
    key = request.record_key
    customer = known_customer(key, record.customer, view)
    if isinstance(customer, Park):
        return customer
    party = party_for(key, customer, record.currency, mapping, view)
    if isinstance(party, Park):
        return party
    try:
        dated = day()
    except NoDateError as error:
        return no_date(key, str(error))
    draft = _draft(record, key, party, mapping, view, section=section, dated=dated, lines=lines, fields=fields)
    return with_party(party, carry(draft, request, mapping, view))


def _draft(
    record: Sale,
    key: str,
    party: Party,
    mapping: Mapping,
    view: StateView,
    *,
    section: SaleSection,
    dated: date,
    lines: Callable[[], SaleLines | Park],
    fields: JsonObject,
) -> DraftOrRefusal:
    values = template_values(key, record)
    number = choose_number(key, fill(section.number, values), section.number_too_long, view)
    if isinstance(number, Park):
        return number
    sold = lines()
    if isinstance(sold, Park):
        return sold
    money = currency_fields(key, record.currency, record.exchange_rate, dated, mapping, view)
    if isinstance(money, Park):
        return money
    body: JsonObject = {"CustomerRef": record_ref(party.key), "TxnDate": dated.isoformat()}
    if number:
        body["DocNumber"] = number
    body |= fields | money
    body["Line"] = sold.lines
    body |= sold.header
    put_notes(body, section, values)
    return Draft(
        document=record.kind,
        entity=ENTITIES[record.kind],
        body=body,
        needs=(party.key, *sold.needs),
        person=record.customer,
        doc_number=number or None,
        amount=sold.total,
        currency=record.currency,
        figures=sold.figures(record, mapping, view),
        edited=section.edited,
    )
