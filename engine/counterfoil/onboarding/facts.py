"""What is known of a record or of an entry of the books, as far as it helps to tell which of both are one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, assert_never

from counterfoil.planning.below_zero import is_below_zero
from counterfoil.planning.invoices import is_due
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import to_cents
from counterfoil.planning.ownership import note_field
from counterfoil.planning.sales import template_values
from counterfoil.planning.start import day_of
from counterfoil.planning.templates import fill
from counterfoil.planning.values import number
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import (
    ContractorPayment,
    CreditMemo,
    Custom,
    Customer,
    Employee,
    Estimate,
    Invoice,
    Payment,
    Payout,
    PayRun,
    Product,
    Record,
    Refund,
    TimeEntry,
    Vendor,
)

Type = Literal["customer", "vendor", "employee", "product", "invoice"]
TYPES: tuple[Type, ...] = ("customer", "vendor", "employee", "product", "invoice")
ENTITY_OF: dict[Type, str] = {
    "customer": "Customer",
    "vendor": "Vendor",
    "employee": "Employee",
    "product": "Item",
    "invoice": "Invoice",
}
_GROUPS = frozenset({"Category", "Group"})
"""Items that stand for no product: nobody sells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One side of a possible pair.

    Attributes:
        key: the record key, or the Id in the books.
        code: what tells it for certain: the books' Id as the source holds it, an item's SKU.
        numbers: under which an invoice may be known: as the mapping would number it, and as the source does.
        amounts: what an invoice comes to: with tax, and without.
        party: of an invoice, whose it is: a record key, or a customer's Id.
        note: of an entry of the books, where a marker of ours would stand.
    """

    type: Type
    key: str
    name: str = ""
    email: str = ""
    code: str = ""
    numbers: tuple[str, ...] = ()
    amounts: frozenset[Decimal] = frozenset()
    currency: str = ""
    party: str = ""
    dated: date | None = None
    note: str = ""
    active: bool = True

    @property
    def entity(self) -> str:
        """What it is, or would be, in QuickBooks."""
        return ENTITY_OF[self.type]

    @property
    def amount(self) -> Decimal | None:
        """What it comes to, with tax."""
        return max(self.amounts, default=None)


def of_record(key: str, record: Record, mapping: Mapping) -> Facts | None:
    """What a source record says of itself; None for what no entry of the books is matched with."""
    match record:
        case Customer() | Vendor():
            return Facts(type=record.kind, key=key, name=record.name, email=record.email or "", active=record.active)
        case Employee():
            return Facts(
                type="employee",
                key=key,
                name=f"{record.given_name} {record.family_name}".strip(),
                email=record.email or "",
                code=record.books_id or "",
                active=record.active,
            )
        case Product():
            return Facts(type="product", key=key, name=record.name, code=record.sku or "", active=record.active)
        case Invoice():
            is_invoiced = is_due(record, mapping) and not is_below_zero(record, mapping)
            return _of_sale(key, record, mapping) if is_invoiced else None
        case CreditMemo() | Estimate() | Refund() | Payment() | Payout():
            return None
        case PayRun() | ContractorPayment() | TimeEntry() | Custom():
            return None
        case _:
            assert_never(record)


def _of_sale(key: str, record: Invoice, mapping: Mapping) -> Facts:
    ours = fill(mapping.invoice.number, template_values(key, record))
    net = sum(
        (
            line.amount if line.amount is not None else line.quantity * line.unit_price * (1 - line.discount)
            for line in record.lines
        ),
        Decimal(0),
    )
    sums = {to_cents(net)} if record.lines else set[Decimal]()
    if record.stated_total is not None:
        sums.add(to_cents(record.stated_total))
    tax = record.stated_tax
    taxed = {to_cents(one + tax) for one in sums} if tax is not None else set[Decimal]()
    return Facts(
        type="invoice",
        key=key,
        name=record.memo or "",
        numbers=tuple(dict.fromkeys(one.strip() for one in (ours, record.number or "") if one.strip())),
        amounts=frozenset(sums | taxed),
        currency=record.currency,
        party=record.customer or "",
        dated=day_of(record, mapping),
    )


def of_books(kind: Type, document: JsonObject) -> Facts | None:
    """What an entry of the books says of itself; None for what nothing of a source can be."""
    identity = str(document.get("Id", ""))
    active = document.get("Active") is not False
    if kind == "invoice":
        return _of_invoice(identity, document)
    if kind == "product":
        if document.get("Type") in _GROUPS:
            return None
        name = str(document.get("Name", ""))
        return Facts(type=kind, key=identity, name=name, code=str(document.get("Sku") or ""), active=active)
    name = str(document.get("DisplayName") or "")
    return Facts(
        type=kind, key=identity, name=name, email=_part(document, "PrimaryEmailAddr", "Address"), active=active
    )


def _of_invoice(identity: str, document: JsonObject) -> Facts:
    total = to_cents(number(document.get("TotalAmt")))
    taxes = document.get("TxnTaxDetail")
    tax = number(taxes.get("TotalTax")) if isinstance(taxes, dict) else Decimal(0)
    doc_number = str(document.get("DocNumber") or "").strip()
    dated = document.get("TxnDate")
    return Facts(
        type="invoice",
        key=identity,
        name=_part(document, "CustomerRef", "name"),
        numbers=(doc_number,) if doc_number else (),
        amounts=frozenset({total, to_cents(total - tax)}),
        currency=_part(document, "CurrencyRef", "value"),
        party=_part(document, "CustomerRef", "value"),
        dated=date.fromisoformat(dated) if isinstance(dated, str) else None,
        note=str(document.get(note_field("Invoice")) or ""),
    )


def _part(document: JsonObject, name: str, inner: str) -> str:
    part = document.get(name)
    return str(part.get(inner) or "") if isinstance(part, dict) else ""


def by_type(facts: Sequence[Facts], kind: Type) -> list[Facts]:
    """Those of one type."""
    return [one for one in facts if one.type == kind]
