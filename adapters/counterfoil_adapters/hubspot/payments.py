"""Commerce payments as payments applied to the sales that they are associated with, and what was given back. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from counterfoil.sources import BadValueError
from counterfoil.sources.port import SourceChange
from counterfoil_adapters.hubspot.normalise import Parties, Rules, change, missing
from counterfoil_adapters.hubspot.sales import AMOUNTS, CURRENCIES, SaleParts
from counterfoil_adapters.hubspot.values import Properties, local_day
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Application, InvoiceLine, Payment, Refund, record_key

RECEIVED = frozenset(
    {
        *("succeeded", "partially_refunded", "refunded", "processing_refund"),
        *("disputed_won", "disputed_action_required", "disputed_awaiting_decision"),
    }
)
"""States of a payment whose money came, and was not taken back by the customer's bank (HubSpot: payments guide)."""

GIVEN_BACK = frozenset({"partially_refunded", "refunded"})
REFUNDED = "hs_refunds_amount"


@dataclass(frozen=True, slots=True)
class Step:
    """What `hs_refunds_amount` was set to, and when: HubSpot's own history of the property."""

    value: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PaymentParts:
    """A payment, whom it is from, the sales that it is for, and how what was given back of it grew, oldest first."""

    row: JsonObject
    parties: Parties = field(default_factory=Parties)
    sales: Sequence[SaleParts] = ()
    steps: Sequence[Step] = ()

    @property
    def source_id(self) -> str:
        return str(self.row.get("id"))

    def raw(self) -> JsonObject:
        """The parts as one payload."""
        steps: list[JsonObject] = [{"value": step.value, "timestamp": step.at.isoformat()} for step in self.steps]
        sales: list[JsonObject] = [{sale.kind: sale.row} for sale in self.sales]
        return {"payment": self.row, **self.parties.raw(), "sales": [*sales], "refunds": [*steps]}


def is_given_back(row: JsonObject) -> bool:
    """Whether some of a payment was given back, whether HubSpot says how much or not."""
    held = Properties("payment", row)
    return held.text(REFUNDED) is not None or held.text("hs_latest_status") in GIVEN_BACK


def payment_change(rules: Rules, parts: PaymentParts) -> SourceChange:
    """A payment, received or not."""
    rows = [parts.row, *(sale.row for sale in parts.sales)]
    return change("payment", parts.source_id, parts.row, parts.raw(), rows, lambda: payment(parts, rules))


def payment(parts: PaymentParts, rules: Rules) -> Payment:
    """A payment applied to its sales.

    Raises:
        BadValueError: a number or date that is none, nobody whom it is from, or sales among which it cannot be split.
    """
    held = Properties("payment", parts.row)
    amount, status = held.number("hs_initial_amount"), held.text("hs_latest_status")
    if amount is None:
        raise missing("payment", parts.row, "hs_initial_amount", "Give the payment its amount in HubSpot.")
    return Payment(
        customer=_customer(parts, rules),
        dated=_dated(held, parts.row, rules),
        currency=currency_of(parts, held, rules),
        amount=amount,
        reference=held.text("hs_reference_number") or held.text("hs_payment_id"),
        applied=_applied(parts, amount, rules),
        status=status,
        received=status in RECEIVED,
    )


def refund_changes(rules: Rules, parts: PaymentParts) -> Iterator[SourceChange]:
    """Each amount that was given back, as a record of its own: dated when HubSpot says that its total grew.

    A total that falls again is kept as unreadable, and so is a refund without an amount.
    """
    before = Decimal(0)
    for number, step in enumerate(parts.steps, start=1):
        source_id = f"{parts.source_id}-{number}"
        row: JsonObject = {"id": source_id, "properties": {REFUNDED: step.value}, "updatedAt": step.at.isoformat()}
        grown = _Grown(step, before)
        before = grown.total if grown.total is not None else before
        if grown.total is None or grown.by:
            yield change("refund", source_id, row, parts.raw(), [row], partial(refund, parts, rules, source_id, grown))
    status = Properties("payment", parts.row).text("hs_latest_status")
    if status in GIVEN_BACK and not parts.steps:
        source_id = f"{parts.source_id}-1"
        yield change(
            "refund", source_id, parts.row, parts.raw(), [parts.row], partial(refund, parts, rules, source_id, None)
        )


class _Grown:
    """By how much a step raised the total; `total` is None where it is no number."""

    def __init__(self, step: Step, before: Decimal) -> None:
        self.step = step
        try:
            row: JsonObject = {"properties": {REFUNDED: step.value}}
            self.total: Decimal | None = Properties("refund", row).number(REFUNDED) or Decimal(0)
        except BadValueError:
            self.total = None
        self.by = (self.total or Decimal(0)) - before


def refund(parts: PaymentParts, rules: Rules, source_id: str, grown: _Grown | None) -> Refund:
    """An amount given back, on one line.

    Raises:
        BadValueError: it is not known how much, or nobody is known who got it.
    """
    place = f"payment {parts.source_id}, property {REFUNDED}"
    fix = "Enter the refund in QuickBooks by hand; then mark this as settled."
    if grown is None:
        raise BadValueError(place, f"HubSpot says that payment {parts.source_id} was refunded, not how much.", fix)
    if grown.total is None or grown.by < 0:
        told = f"What was refunded of payment {parts.source_id} changed to {grown.step.value[:60]!r}."
        raise BadValueError(place, told, fix)
    held = Properties("payment", parts.row)
    said = held.text("hs_reference_number") or held.text("hs_payment_id") or parts.source_id
    return Refund(
        customer=_customer(parts, rules),
        number=source_id,
        dated=local_day(grown.step.at, rules.zone),
        currency=currency_of(parts, held, rules),
        lines=(InvoiceLine(line_id="refund", description=f"Refund of payment {said}", unit_price=grown.by),),
    )


def _customer(parts: PaymentParts, rules: Rules) -> str:
    """Who is linked to the payment, else those to whom its sales belong, if that is one."""
    own = parts.parties.customer(rules)
    if own is not None:
        return own
    theirs = {sale.parties.customer(rules) for sale in parts.sales}
    only = theirs.pop() if len(theirs) == 1 else None
    if only is None:
        wanted = " or ".join(rules.customers)
        fix = f"Associate the payment with its {wanted} in HubSpot."
        raise BadValueError(f"payment {parts.source_id}", f"The payment {parts.source_id} names no {wanted}.", fix)
    return only


def _dated(held: Properties, row: JsonObject, rules: Rules) -> date:
    day = held.local_day("hs_initiated_date", rules.zone)
    if day is None:
        raise missing("payment", row, "hs_initiated_date", "Give the payment its date in HubSpot.")
    return day


def currency_of(parts: PaymentParts, held: Properties, rules: Rules) -> str:
    sold = (Properties(sale.kind, sale.row).text(CURRENCIES[sale.kind]) for sale in parts.sales)
    currency = held.text("hs_currency_code") or next((one for one in sold if one), None) or rules.currency
    if currency is None:
        fix = "Set the payment's currency in HubSpot, or `currency` for the connection."
        raise missing("payment", parts.row, "hs_currency_code", fix)
    return currency


def _applied(parts: PaymentParts, amount: Decimal, rules: Rules) -> tuple[Application, ...]:
    """All of it on the one sale, up to what that comes to; on several only where it pays each of them in full."""
    billed = [
        (
            record_key(rules.connection, sale.kind, str(sale.row.get("id"))),
            Properties(sale.kind, sale.row).number(AMOUNTS[sale.kind]),
        )
        for sale in parts.sales
    ]
    if len(billed) == 1:
        ((key, total),) = billed
        return (Application(invoice=key, amount=min(amount, total) if total is not None else amount),)
    parted = [Application(invoice=key, amount=total) for key, total in billed if total is not None]
    if sum((part.amount for part in parted), Decimal(0)) != (amount if billed else 0) or len(parted) != len(billed):
        names = ", ".join(str(sale.row.get("id")) for sale in parts.sales)
        raise BadValueError(
            f"payment {parts.source_id}",
            f"HubSpot does not say how the payment {parts.source_id} of {amount} is split over {names}.",
            "Record one payment for each of them in HubSpot, or apply it in QuickBooks and mark this as settled.",
        )
    return tuple(parted)
