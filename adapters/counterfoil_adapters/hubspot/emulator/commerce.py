"""Quotes, invoices and payments: what HubSpot asks of them, and what it works out (HubSpot: guides to the three).

An invoice begins as a draft and can be opened once it has a contact or company and a line item. A payment that
succeeded and is associated with an invoice counts towards it, and pays it once it covers what is billed. No network.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from counterfoil_adapters.hubspot.emulator.errors import PortalError

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "quotes": ("hs_title", "hs_expiration_date"),
    "invoices": ("hs_currency",),
    "commerce_payments": ("hs_initial_amount", "hs_initiated_date"),
}
CHOICES: Mapping[tuple[str, str], frozenset[str]] = {
    ("invoices", "hs_invoice_status"): frozenset({"draft", "open", "paid", "voided"}),
    ("quotes", "hs_status"): frozenset({"DRAFT", "APPROVAL_NOT_NEEDED", "PENDING_APPROVAL", "APPROVED", "REJECTED"}),
    ("commerce_payments", "hs_latest_status"): frozenset(
        {
            *("processing", "succeeded", "failed", "partially_refunded", "refunded", "processing_refund"),
            *("disputed_won", "disputed_lost", "disputed_action_required", "disputed_awaiting_decision"),
        }
    ),
}
RECEIVED = frozenset({"succeeded", "partially_refunded", "refunded", "processing_refund"})
SETTLED = frozenset({"quotes", "invoices", "commerce_payments"})
COUNT = "hs_number_of_associated_invoices"
KEPT = ("hs_fees_amount", "hs_platform_fee", "hs_refunds_amount")
"""What the net amount of a payment is less than what the customer was charged."""

CENT = Decimal("0.01")
FIRST_NUMBER = 1001


class Held(Protocol):
    """What of the account is looked at: properties of live objects, and what is linked."""

    def properties_of(self, kind: str, object_id: int) -> dict[str, str] | None: ...

    def linked_ids(self, left: str, left_id: int, right: str) -> Iterable[int]: ...


def begin(kind: str, properties: dict[str, str], count: int) -> None:
    """What a new object has by itself.

    Raises:
        PortalError: 400, what it needs is missing.
    """
    missing = [name for name in REQUIRED.get(kind, ()) if not properties.get(name)]
    if missing:
        raise PortalError(400, f"Error creating {kind}. Some required properties were not set: {', '.join(missing)}")
    match kind:
        case "invoices":
            properties.setdefault("hs_invoice_status", "draft")
            properties["hs_number"] = f"INV-{FIRST_NUMBER + count}"
        case "quotes":
            properties.setdefault("hs_status", "DRAFT")
        case "commerce_payments":
            properties.setdefault("hs_latest_status", "succeeded")
        case _:
            pass


def check(kind: str, object_id: int | None, values: Mapping[str, str], held: Held) -> None:
    """Refuse values that are not among those of an enumeration, and an invoice that is opened too soon.

    Raises:
        PortalError: 400.
    """
    for name, value in values.items():
        choices = CHOICES.get((kind, name))
        if choices is not None and value and value not in choices:
            raise PortalError(400, f"{value} was not one of the allowed options: {sorted(choices)}")
    if kind == "invoices" and object_id is not None and values.get("hs_invoice_status") == "open":
        parties = [*held.linked_ids(kind, object_id, "contacts"), *held.linked_ids(kind, object_id, "companies")]
        if not parties or not list(held.linked_ids(kind, object_id, "line_items")):
            raise PortalError(400, "An invoice needs a contact and a line item before it can be opened")


def settle(kind: str, object_id: int, held: Held) -> None:
    """Bring what HubSpot computes of a quote, an invoice or a payment up to date, in place."""
    properties = held.properties_of(kind, object_id)
    if properties is None or kind not in SETTLED:
        return
    if kind == "commerce_payments":
        properties[COUNT] = str(len(list(held.linked_ids(kind, object_id, "invoices"))))
        kept = sum((_amount(properties, name) for name in KEPT), Decimal(0))
        properties["hs_net_amount"] = _cents(_amount(properties, "hs_initial_amount") - kept)
        return
    lines = [held.properties_of("line_items", line) or {} for line in held.linked_ids(kind, object_id, "line_items")]
    billed = sum((_amount(line, "amount") + _amount(line, "hs_tax_amount") for line in lines), Decimal(0))
    if kind == "quotes":
        properties["hs_quote_amount"] = _cents(billed)
        return
    payments = [
        found
        for payment in held.linked_ids(kind, object_id, "commerce_payments")
        if (found := held.properties_of("commerce_payments", payment)) and found.get("hs_latest_status") in RECEIVED
    ]
    paid = min(sum((_amount(payment, "hs_initial_amount") for payment in payments), Decimal(0)), billed)
    properties["hs_amount_billed"] = _cents(billed)
    properties["hs_amount_paid"] = _cents(paid)
    properties["hs_balance_due"] = _cents(billed - paid)
    if properties.get("hs_invoice_status") == "open" and billed and paid == billed:
        properties["hs_invoice_status"] = "paid"


def _amount(properties: Mapping[str, str], name: str) -> Decimal:
    return Decimal(properties.get(name) or 0)


def _cents(amount: Decimal) -> str:
    return str(amount.quantize(CENT, ROUND_HALF_UP))
