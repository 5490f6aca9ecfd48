"""Deals, quotes and HubSpot's own invoices as sales to be invoiced. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.sources import BadValueError
from counterfoil.sources.port import SourceChange
from counterfoil_adapters.hubspot.normalise import Parties, Rules, change, missing
from counterfoil_adapters.hubspot.values import Properties, parse_instant
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Estimate, Invoice, InvoiceLine, record_key

CURRENCIES: Mapping[str, str] = {"deal": "deal_currency_code", "quote": "hs_currency", "invoice": "hs_currency"}
AMOUNTS: Mapping[str, str] = {"deal": "amount", "quote": "hs_quote_amount", "invoice": "hs_amount_billed"}
"""The property with what a sale comes to; of quotes and invoices with the tax."""

OPENED = frozenset({"open", "paid"})
"""States of a HubSpot invoice that the customer owes or has paid; not those of a draft, or of one that was voided."""

STATES: Mapping[str, Mapping[str, str]] = {
    "quote": {
        "DRAFT": "Draft",
        "PENDING_APPROVAL": "Pending approval",
        "REJECTED": "Rejected",
        "APPROVED": "Published",
        "APPROVAL_NOT_NEEDED": "Published without approval",
    },
    "invoice": {"draft": "Draft", "open": "Open", "paid": "Paid", "voided": "Voided"},
}
"""What quotes and invoices can be in (HubSpot: their guides); a deal's stages are the account's own."""

PUBLISHED = frozenset({"APPROVED", "APPROVAL_NOT_NEEDED"})
"""States of a quote that its buyer was given."""

_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class SaleParts:
    """A deal, quote or invoice with what it names: companies and contacts, and those of its lines that are shown."""

    kind: str
    row: JsonObject
    parties: Parties = field(default_factory=Parties)
    line_ids: Sequence[str] = ()
    lines: Mapping[str, JsonObject] = field(default_factory=dict)

    def shown(self) -> list[JsonObject]:
        """The lines that HubSpot shows, in the order in which they are linked."""
        return [self.lines[line_id] for line_id in self.line_ids if line_id in self.lines]

    def raw(self) -> JsonObject:
        """The parts as one payload."""
        lines: JsonObject = {"line_items": [*self.shown()], "line_item_ids": list(self.line_ids)}
        return {self.kind: self.row, **self.parties.raw(), **lines}


def sale_change(rules: Rules, parts: SaleParts) -> SourceChange:
    """A sale as an invoice, whether it is to be invoiced by now or not."""
    rows = [parts.row, *parts.shown()]
    return change(parts.kind, str(parts.row.get("id")), parts.row, parts.raw(), rows, lambda: sale(parts, rules))


def sale(parts: SaleParts, rules: Rules) -> Invoice | Estimate:
    """A sale with its lines, or what it would come to.

    Raises:
        BadValueError: a number or date that is none, no currency, or a line that HubSpot does not show.
    """
    held = Properties(parts.kind, parts.row)
    currency = _currency(parts, held, rules)
    for line_id in parts.line_ids:
        if line_id not in parts.lines:
            place = f"{parts.kind} {parts.row.get('id')}, line item {line_id}"
            fix = f"Read the {parts.kind} again, or remove the line."
            raise BadValueError(place, f"HubSpot does not show the {place}.", fix)
    taxed = parts.kind != "deal"
    lines = tuple(line(row, rules, taxed=taxed) for row in sorted(parts.shown(), key=_place_of))
    total = held.number(AMOUNTS[parts.kind])
    tax = sum((one.tax for one in lines if one.tax is not None), Decimal(0))
    bare = Invoice(
        customer=parts.parties.customer(rules),
        status="",
        won=False,
        currency=currency,
        stated_total=total - tax if total is not None and tax else total,
        exchange_rate=held.number(rules.rate_property) if rules.rate_property else None,
        lines=lines,
    )
    match parts.kind:
        case "deal":
            return _deal(bare, held, rules)
        case "quote":
            quote = _quote(bare, held, parts.row)
            return _estimate(quote, held, rules) if parts.kind in rules.offered else quote
        case _:
            return _invoice(bare, held, rules)


def _deal(bare: Invoice, held: Properties, rules: Rules) -> Invoice:
    return bare.model_copy(
        update={
            "number": held.text(rules.number_property),
            "status": held.text("dealstage") or "",
            "won": held.flag("hs_is_closed_won"),
            "happened_at": held.instant("closedate"),
            "due": held.day(rules.due_property),
            "memo": held.text("dealname"),
        }
    )


def _quote(bare: Invoice, held: Properties, row: JsonObject) -> Invoice:
    """A quote is won once it was signed or paid, on the day of the signature, else on that of its making."""
    signed = held.instant("hs_esign_date")
    made = row.get("createdAt")
    return bare.model_copy(
        update={
            "number": held.text("hs_quote_number"),
            "status": held.text("hs_status") or "",
            "won": signed is not None or held.text("hs_payment_status") == "PAID",
            "happened_at": signed or (parse_instant(made) if isinstance(made, str) else None),
            "memo": held.text("hs_title"),
        }
    )


def _estimate(quote: Invoice, held: Properties, rules: Rules) -> Estimate:
    """A quote is offered once it is published, and accepted once it was signed or paid."""
    same = {name: getattr(quote, name) for name in Estimate.model_fields if name in Invoice.model_fields}
    return Estimate.model_validate(
        {
            **same,
            "kind": "estimate",
            "offered": quote.status in PUBLISHED,
            "accepted": quote.won,
            "expires": held.local_day("hs_expiration_date", rules.zone),
        }
    )


def _invoice(bare: Invoice, held: Properties, rules: Rules) -> Invoice:
    status = held.text("hs_invoice_status") or ""
    return bare.model_copy(
        update={
            "number": held.text("hs_number"),
            "status": status,
            "won": status in OPENED,
            "happened_at": held.instant("hs_invoice_date"),
            "due": held.local_day("hs_due_date", rules.zone),
            "memo": held.text("hs_title"),
        }
    )


def _currency(parts: SaleParts, held: Properties, rules: Rules) -> str:
    name = CURRENCIES[parts.kind]
    currency = held.text(name) or rules.currency
    if currency is None or not _CURRENCY.fullmatch(currency):
        fix = f"Set the {parts.kind}'s currency in HubSpot, or `currency` for the connection."
        raise missing(parts.kind, parts.row, name, fix)
    return currency


def line(row: JsonObject, rules: Rules, *, taxed: bool = False) -> InvoiceLine:
    """A line item. HubSpot's `discount` is an amount off each unit, and is taken off the price, which stays exact;
    `hs_discount_percentage` is a part of the line, and is kept as one.

    Args:
        taxed: what HubSpot says of its tax counts.

    Raises:
        BadValueError: a number that is none, or no price.
    """
    held = Properties("line item", row)
    price = held.number("price")
    if price is None:
        raise missing("line item", row, "price", "Give the line item a price in HubSpot (0 if it is free).")
    quantity = held.number("quantity")
    percentage = held.number("hs_discount_percentage")
    unit_discount = held.number("discount") if not percentage else None
    product_id = held.text("hs_product_id")
    return InvoiceLine(
        line_id=str(row.get("id")),
        product=record_key(rules.connection, "product", product_id) if product_id else None,
        description=held.text("name") or held.text("description"),
        quantity=quantity if quantity is not None else Decimal(1),
        unit_price=price - (unit_discount or 0),
        discount=percentage / 100 if percentage else Decimal(0),
        amount=held.number("amount"),
        tax=held.number("hs_tax_amount") if taxed else None,
        tax_code=held.text("hs_tax_label") if taxed else None,
    )


def _place_of(row: JsonObject) -> tuple[Decimal, int, str]:
    try:
        position = Properties("line item", row).number("hs_position_on_quote")
    except BadValueError:
        position = None
    source_id = str(row.get("id"))
    return (position if position is not None else Decimal("Infinity"), len(source_id), source_id)
