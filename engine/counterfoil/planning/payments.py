"""Money that the source saw coming in becomes a payment, applied to the invoices that it names."""

from decimal import Decimal

from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.exchange import currency_fields
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.outcome import (
    Draft,
    DraftOrRefusal,
    carry,
    label,
    name_ref,
    named,
    private_note,
    record_ref,
    void,
)
from counterfoil.planning.sales import known_customer, no_date, template_values
from counterfoil.planning.second_parties import Party, party_for, with_party
from counterfoil.planning.templates import fill
from counterfoil.planning.types import LINE_KEY, Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Payment

_REFERENCE_MAX = 21


def plan_payment(record: Payment, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan a payment, or what becomes of one that did not come, or was taken back."""
    key = request.record_key
    if not record.received:
        return _not_received(record, key, mapping, view)
    customer = known_customer(key, record.customer, view)
    if isinstance(customer, Park):
        return customer
    party = party_for(key, customer, record.currency, mapping, view)
    if isinstance(party, Park):
        return party
    return with_party(party, carry(_draft(record, party, key, mapping, view), request, mapping, view))


def _not_received(record: Payment, key: str, mapping: Mapping, view: StateView) -> Plan:
    stands = f"status {record.status}" if record.status else "no status"
    link = view.link(key)
    if link is None:
        return Skip(code="not_received", reason=f"{named(key)} is no money received ({stands}).")
    if mapping.payment.removed == "void" or link.status != "live":
        return void(mapping, link, "payment", person=record.customer)
    return Park(
        code="not_received",
        reason=f"{named(key)} is no longer money received ({stands}), but {label(link)} stands for it in QuickBooks.",
        fix='Void the payment in QuickBooks; or set [payment] removed = "void" in the mapping, then retry it.',
    )


def _draft(record: Payment, party: Party, key: str, mapping: Mapping, view: StateView) -> DraftOrRefusal:
    section = mapping.payment
    refusal = _application_refusal(record, key, mapping, view)
    if refusal is not None:
        return refusal
    try:
        day = plausible(record.dated)
    except NoDateError as error:
        return no_date(key, str(error))
    money = currency_fields(key, record.currency, record.exchange_rate, day, mapping, view)
    if isinstance(money, Park):
        return money
    amount = to_cents(record.amount)
    body: JsonObject = {
        "CustomerRef": record_ref(party.key),
        "TxnDate": day.isoformat(),
        "TotalAmt": amount,
    }
    reference = (record.reference or "").strip()
    if reference and len(reference) <= _REFERENCE_MAX:
        body["PaymentRefNum"] = reference
    if section.deposit_account is not None:
        body["DepositToAccountRef"] = name_ref("Account", section.deposit_account)
    body.update(money)
    lines = _lines(record)
    if lines:
        body["Line"] = lines
    values = template_values(key, record)
    body["PrivateNote"] = private_note(fill(section.memo, values))
    return Draft(
        document="payment",
        entity="Payment",
        body=body,
        needs=(party.key, *dict.fromkeys(part.invoice for part in record.applied)),
        person=record.customer,
        amount=amount,
        currency=record.currency,
        figures=Figures(currency=record.currency, home=view.home_currency(), net=amount, tax=Decimal(0)),
        edited=section.edited,
    )


def _lines(record: Payment) -> list[JsonValue]:
    applied: dict[str, Decimal] = {}
    for part in record.applied:
        applied[part.invoice] = applied.get(part.invoice, Decimal(0)) + to_cents(part.amount)
    return [
        {
            LINE_KEY: invoice,
            "Amount": amount,
            "LinkedTxn": [{"TxnId": record_ref(invoice), "TxnType": "Invoice"}],
        }
        for invoice, amount in applied.items()
        if amount
    ]


def _application_refusal(record: Payment, key: str, mapping: Mapping, view: StateView) -> Park | None:
    amount = to_cents(record.amount)
    applied = sum((to_cents(part.amount) for part in record.applied), Decimal(0))
    if amount <= 0 or any(part.amount < 0 for part in record.applied):
        return Park(
            code="negative_payment",
            reason=f"{named(key)} is a payment of {text(amount)} {record.currency}; a payment is more than zero.",
            fix="Enter a refund in QuickBooks instead.",
        )
    if applied > amount:
        return Park(
            code="over_applied",
            reason=f"{named(key)} is {text(amount)} {record.currency}, but {text(applied)} of it is said to be "
            f"applied: {text(applied - amount)} too much.",
            fix="Correct the amounts at the source.",
        )
    if applied < amount and mapping.payment.unapplied == "park":
        return Park(
            code="unapplied",
            reason=f"{named(key)} leaves {text(amount - applied)} {record.currency} applied to no invoice.",
            fix='Apply it at the source, or set [payment] unapplied = "allow" in the mapping.',
        )
    for part in record.applied:
        if not view.is_known(part.invoice) and view.link(part.invoice) is None:
            return Park(
                code="unknown_invoice",
                reason=f"{named(key)} pays {named(part.invoice)}, which the source does not show.",
                fix="Restore the invoice at the source, or correct the payment.",
            )
    return None
