"""What a payment does: how much of each invoice is settled by money, how much by credit memos, and what is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from counterfoil.planning.money import CENT
from counterfoil.planning.types import Settlement
from counterfoil.planning.values import number, real_lines
from counterfoil_schema.exact_json import JsonObject

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledPart:
    """What one payment does to one invoice.

    An amount that the payment leaves unapplied is stated at the first of its invoices and at no other, so that the
    parts of all invoices add up to the payment.
    """

    cash: Decimal = _ZERO
    credited: Decimal = _ZERO
    unapplied: Decimal = _ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEffect:
    """What one payment does; a deleted or voided one does nothing.

    `invoices` by document id, `credit_memos` the amounts used of each, `unapplied` the money that no document has
    taken. Amounts are in the payment's currency.
    """

    payment_id: str
    dated: str | None = None
    currency: str | None = None
    cash: Decimal = _ZERO
    invoices: Mapping[str, SettledPart] = field(default_factory=dict)
    credit_memos: Mapping[str, Decimal] = field(default_factory=dict)
    unapplied: Decimal = _ZERO


def payment_effect(document: JsonObject, status: Literal["live", "deleted", "voided"] = "live") -> PaymentEffect:
    """The effect of a Payment document as QuickBooks shows it.

    Its lines apply amounts to invoices and use amounts of credit memos (Intuit: payment page); the total is the money
    received. A payment of zero that ties a credit memo to an invoice moves no money.
    """
    identity = str(document.get("Id", ""))
    if status != "live":
        return PaymentEffect(payment_id=identity)
    applied: dict[str, Decimal] = {}
    credits_used: dict[str, Decimal] = {}
    others = _ZERO
    for kind, linked_id, amount in _applications(document):
        if kind == "Invoice":
            applied[linked_id] = applied.get(linked_id, _ZERO) + amount
        elif kind == "CreditMemo":
            credits_used[linked_id] = credits_used.get(linked_id, _ZERO) + amount
        else:
            others += amount
    received = number(document.get("TotalAmt"))
    owed = sum(applied.values(), _ZERO)
    credit = sum(credits_used.values(), _ZERO)
    unapplied = number(document.get("UnappliedAmt")) if "UnappliedAmt" in document else None
    if unapplied is None:
        unapplied = max(received + credit - owed - others, _ZERO)
    # A journal entry among the lines is a credit where the money alone does not reach, else it is a debt paid too.
    missing = owed - credit - (received - unapplied)
    if others and missing > 0:
        credit += min(others, missing)
    return PaymentEffect(
        payment_id=identity,
        dated=_text(document.get("TxnDate")),
        currency=_currency(document),
        cash=received,
        invoices=_parts(applied, min(credit, owed), unapplied),
        credit_memos=credits_used,
        unapplied=unapplied,
    )


def settlement_of(invoice_id: str, effects: Iterable[PaymentEffect]) -> Settlement:
    """What all payments together do to one invoice."""
    cash = credited = unapplied = _ZERO
    dates: list[str] = []
    payments: list[str] = []
    for effect in effects:
        part = effect.invoices.get(invoice_id)
        if part is None:
            continue
        cash += part.cash
        credited += part.credited
        unapplied += part.unapplied
        payments.append(effect.payment_id)
        if effect.dated is not None and part.cash:
            dates.append(effect.dated)
    return Settlement(
        cash=cash,
        credited=credited,
        unapplied=unapplied,
        last_paid=max(dates, default=None),
        payment_ids=tuple(payments),
    )


def _applications(document: JsonObject) -> list[tuple[str, str, Decimal]]:
    found: list[tuple[str, str, Decimal]] = []
    for line in real_lines(document):
        linked = line.get("LinkedTxn")
        targets = [link for link in linked if isinstance(link, dict)] if isinstance(linked, list) else []
        if targets:
            first = targets[0]
            found.append((str(first.get("TxnType")), str(first.get("TxnId")), number(line.get("Amount"))))
    return found


def _parts(applied: Mapping[str, Decimal], credit: Decimal, unapplied: Decimal) -> dict[str, SettledPart]:
    shares = _shared_out(credit, applied)
    parts: dict[str, SettledPart] = {}
    for place, (invoice, amount) in enumerate(applied.items()):
        parts[invoice] = SettledPart(
            cash=amount - shares[invoice],
            credited=shares[invoice],
            unapplied=unapplied if place == 0 else _ZERO,
        )
    return parts


def _shared_out(credit: Decimal, applied: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The credit over the invoices, by their amounts and in whole cents, so that the shares add up to it exactly.

    QuickBooks says which credit memos a payment used, but not on which of its invoices.
    """
    total = sum(applied.values(), _ZERO)
    if not credit or not total:
        return dict.fromkeys(applied, _ZERO)
    exact = {invoice: credit * amount / total for invoice, amount in applied.items()}
    shares = {invoice: share.quantize(CENT, rounding=ROUND_DOWN) for invoice, share in exact.items()}
    rest = credit - sum(shares.values(), _ZERO)
    by_remainder = sorted(applied, key=lambda invoice: (shares[invoice] - exact[invoice], invoice))
    for invoice in by_remainder:
        step = min(rest, CENT)
        shares[invoice] += step
        rest -= step
    return shares


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _currency(document: JsonObject) -> str | None:
    reference = document.get("CurrencyRef")
    return _text(reference.get("value")) if isinstance(reference, dict) else None
