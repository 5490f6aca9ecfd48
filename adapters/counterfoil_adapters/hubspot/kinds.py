"""HubSpot's kinds of record: what they are called in its paths, events and scopes, and which of them are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MODIFIED: Final = "hs_lastmodifieddate"
MERGED: Final = "hs_merged_object_ids"
"""In which an object lists those that were folded into it."""

LINES: Final = "line_items"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    Attributes:
        plural: its objects in HubSpot's paths.
        type_id: in HubSpot's events (HubSpot: object type ids).
        properties: what is asked for.
        modified: the property with the instant of an object's last change.
    """

    plural: str
    type_id: str
    properties: tuple[str, ...]
    modified: str = MODIFIED


_COMPANY = (
    *("name", "domain", "phone", "address", "address2", "city", "state", "zip", "country"),
    *(MODIFIED, MERGED),
)
_CONTACT = (
    *("firstname", "lastname", "email", "phone", "company", "address", "city", "state", "zip", "country"),
    *("lastmodifieddate", MERGED),
)
_PRODUCT = ("name", "description", "hs_sku", "price", MODIFIED)
_DEAL = (
    *("dealname", "amount", "deal_currency_code", "dealstage", "pipeline", "closedate", "hs_is_closed_won"),
    *(MODIFIED, MERGED),
)
_QUOTE = (
    *("hs_title", "hs_status", "hs_currency", "hs_quote_amount", "hs_quote_number", "hs_expiration_date"),
    *("hs_esign_date", "hs_payment_status", MODIFIED),
)
_INVOICE = (
    *("hs_title", "hs_number", "hs_invoice_status", "hs_currency", "hs_amount_billed", "hs_invoice_date"),
    *("hs_due_date", MODIFIED),
)
_PAYMENT = (
    *("hs_initial_amount", "hs_initiated_date", "hs_currency_code", "hs_latest_status", "hs_reference_number"),
    *("hs_payment_id", "hs_refunds_amount", MODIFIED),
)
_PAYOUT = (
    *(*_PAYMENT, "hs_fees_amount", "hs_platform_fee", "hs_net_amount", "hs_payout_date"),
    "hs_settlement_currency_code",
)

KINDS: Final[Mapping[str, Kind]] = {
    "company": Kind("companies", "0-2", _COMPANY),
    "contact": Kind("contacts", "0-1", _CONTACT, "lastmodifieddate"),
    "product": Kind("products", "0-7", _PRODUCT),
    "deal": Kind("deals", "0-3", _DEAL),
    "quote": Kind("quotes", "0-14", _QUOTE),
    "invoice": Kind("invoices", "0-53", _INVOICE),
    "payment": Kind("commerce_payments", "0-101", _PAYMENT),
    "refund": Kind("commerce_payments", "0-101", _PAYMENT),
    "payout": Kind("commerce_payments", "0-101", _PAYOUT),
}
"""Every kind, in the order in which they must be read. A refund is a part of a payment that was given back, a payout
its arrival at the bank, less what the processor kept.
"""

OF_PAYMENTS: Final = ("payment", "refund", "payout")
"""Kinds that are read from the same objects."""

PARTIES: Final = ("company", "contact")
SALES: Final = ("deal", "quote", "invoice")

LINE_PROPERTIES = (
    *("name", "description", "hs_product_id", "hs_sku", "quantity", "price", "discount", "hs_discount_percentage"),
    *("amount", "hs_position_on_quote", MODIFIED),
)
TAXED_LINE_PROPERTIES = (*LINE_PROPERTIES, "hs_tax_amount", "hs_tax_label")
"""Of lines of quotes and invoices, which HubSpot taxes; it taxes no deal."""

_SCOPES: Mapping[str, str] = {"commerce_payments": "commercepayments"}
_USUAL: Mapping[str, tuple[str, ...]] = {"customer": ("company",), "product": ("product",), "invoice": ("deal",)}
_SECTIONS = ("customer", "product", "invoice", "estimate", "payment", "refund", "payout")


def scope(plural: str, *, write: bool = False, properties: bool = False) -> str:
    """The scope that a token needs for objects of a type, or for setting up their properties."""
    area = "schemas" if properties else "objects"
    return f"crm.{area}.{_SCOPES.get(plural, plural)}.{'write' if write else 'read'}"


def named_in(mapping: Mapping[str, Any], section: str) -> tuple[str, ...]:
    """The kinds that a section of the mapping takes; those that it takes by default where it names none."""
    held = mapping.get(section)
    named = held.get("from") if isinstance(held, Mapping) else None
    if not isinstance(named, list | tuple) or not named:
        return _USUAL.get(section, ())
    return tuple(str(name) for name in named)


def kinds_read(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds that the mapping has a use for: nothing else is asked for, so that no scope is needed in vain."""
    named = {kind for section in _SECTIONS for kind in named_in(mapping, section)}
    if "payment" in named:
        named.add("refund")  # so that money given back is seen, whatever the mapping says of it
    return tuple(kind for kind in KINDS if kind in named)
