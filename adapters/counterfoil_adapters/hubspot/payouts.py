"""What a processor passed on of a payment: one deposit, less what it kept. Pure.

HubSpot has no object for a payout. A payment says on which day the bank got it (`hs_payout_date`), what was kept
(`hs_fees_amount`; `hs_platform_fee` where that is charged beside it) and what is left after refunds (`hs_net_amount`),
each described in HubSpot's guide to payments. Which payments and refunds one transfer held it does not say.
"""

from decimal import Decimal

from counterfoil.sources import BadValueError
from counterfoil.sources.port import SourceChange
from counterfoil_adapters.hubspot.normalise import Rules, change, missing
from counterfoil_adapters.hubspot.payments import RECEIVED, REFUNDED, PaymentParts, currency_of
from counterfoil_adapters.hubspot.values import Properties
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Payout, PayoutPart, record_key

PAID_OUT = "hs_payout_date"
FEE = "hs_fees_amount"
PLATFORM_FEE = "hs_platform_fee"
NET = "hs_net_amount"
_BY_HAND = "Enter the deposit in QuickBooks by hand; then mark this as settled."


def is_paid_out(row: JsonObject) -> bool:
    """Whether the bank got the money of a payment, as far as HubSpot says."""
    held = Properties("payment", row)
    return held.text(PAID_OUT) is not None and held.text("hs_latest_status") in RECEIVED


def payout_change(rules: Rules, parts: PaymentParts) -> SourceChange:
    """The payout of a payment that is paid out."""
    rows = [parts.row]
    return change("payout", parts.source_id, parts.row, parts.raw(), rows, lambda: payout(parts, rules))


def payout(parts: PaymentParts, rules: Rules) -> Payout:
    """What reached the bank of one payment.

    Raises:
        BadValueError: a number or date that is none, another currency at the bank, or a fee that is not known.
    """
    held = Properties("payment", parts.row)
    amount, day = held.number("hs_initial_amount"), held.local_day(PAID_OUT, rules.zone)
    if amount is None:
        raise missing("payment", parts.row, "hs_initial_amount", "Give the payment its amount in HubSpot.")
    if day is None:
        raise missing("payment", parts.row, PAID_OUT, _BY_HAND)
    currency = currency_of(parts, held, rules)
    settled = held.text("hs_settlement_currency_code")
    if settled is not None and settled != currency:
        told = f"The payment {parts.source_id} was made in {currency} and paid out in {settled}."
        raise BadValueError(f"payment {parts.source_id}, property hs_settlement_currency_code", told, _BY_HAND)
    fee = _fee(parts, held, amount)
    return Payout(
        reference=held.text("hs_payment_id") or held.text("hs_reference_number"),
        dated=day,
        currency=currency,
        amount=amount - fee,
        fee=fee,
        parts=(PayoutPart(part_of=record_key(rules.connection, "payment", parts.source_id), amount=amount),),
    )


def _fee(parts: PaymentParts, held: Properties, amount: Decimal) -> Decimal:
    """What was kept, with the platform's part where HubSpot's own net amount shows that it is charged beside it."""
    fee = held.number(FEE)
    if fee is None:
        raise missing("payment", parts.row, FEE, _BY_HAND)
    net = held.number(NET)
    if net is None:
        return fee
    kept = amount - (held.number(REFUNDED) or Decimal(0)) - net
    if kept not in (fee, fee + (held.number(PLATFORM_FEE) or Decimal(0))):
        place = f"payment {parts.source_id}, property {NET}"
        told = f"Of the payment {parts.source_id}, {kept} was kept by its net amount, but its fee is {fee}."
        raise BadValueError(place, told, _BY_HAND)
    return kept
