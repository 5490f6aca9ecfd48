"""HubSpot objects as canonical records. Pure."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError

from counterfoil.sources.port import Removed, Seen, SourceChange, Unreadable
from counterfoil_adapters.hubspot.client import Linked
from counterfoil_adapters.hubspot.values import BadValueError, Properties
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Address, Customer, Invoice, InvoiceLine, Product, Record, record_key

KINDS: Mapping[str, str] = {"company": "companies", "product": "products", "deal": "deals"}
"""The kinds of record that this source shows, in reading order, and their names in HubSpot's paths."""

MERGED = "hs_merged_object_ids"
COMPANY_PROPERTIES = (
    *("name", "domain", "phone", "address", "address2", "city", "state", "zip", "country"),
    *("hs_lastmodifieddate", MERGED),
)
PRODUCT_PROPERTIES = ("name", "description", "hs_sku", "price", "hs_lastmodifieddate")
LINE_PROPERTIES = (
    *("name", "description", "hs_product_id", "hs_sku", "quantity", "price", "discount", "hs_discount_percentage"),
    *("amount", "hs_position_on_quote", "hs_lastmodifieddate"),
)
DEAL_PROPERTIES = (
    *("dealname", "amount", "deal_currency_code", "dealstage", "pipeline", "closedate", "hs_is_closed_won"),
    *("hs_lastmodifieddate", MERGED),
)
_DIGEST_CHARACTERS = 16
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a connection's settings decides how its objects are read."""

    connection: str
    currency: str | None = None
    number_property: str | None = None
    due_property: str | None = None
    rate_property: str | None = None


@dataclass(frozen=True, slots=True)
class DealParts:
    """A deal with what it names: its companies, and its line items (those that HubSpot shows)."""

    deal: JsonObject
    companies: Linked | None
    line_ids: Sequence[str]
    lines: Mapping[str, JsonObject]

    def raw(self) -> JsonObject:
        """The parts as one payload."""
        companies = self.companies
        return {
            "deal": self.deal,
            "companies": list(companies.ids) if companies else [],
            "primary_company": companies.primary if companies else None,
            "line_items": [self.lines[line_id] for line_id in self.line_ids if line_id in self.lines],
            "line_item_ids": list(self.line_ids),
        }


def company_change(row: JsonObject) -> SourceChange:
    """A company as a customer."""
    return _change("company", row, row, [row], lambda: customer(row))


def product_change(rules: Rules, row: JsonObject) -> SourceChange:
    """A product."""
    return _change("product", row, row, [row], lambda: product(row, rules))


def deal_change(rules: Rules, parts: DealParts) -> SourceChange:
    """A deal as an invoice, won or not."""
    rows = [parts.deal, *(parts.lines[line_id] for line_id in parts.line_ids if line_id in parts.lines)]
    return _change("deal", parts.deal, parts.raw(), rows, lambda: invoice(parts, rules))


def merged_changes(kind: str, row: JsonObject) -> Sequence[Removed]:
    """The objects that were folded into this one, as it says itself."""
    winner = str(row.get("id"))
    losers = (Properties(kind, row).text(MERGED) or "").split(";")
    return [
        Removed(kind=kind, source_id=loser, evidence=f"{kind} {winner} lists {loser} in {MERGED}.", merged_into=winner)
        for loser in losers
        if loser and loser != winner
    ]


def archived_change(kind: str, row: JsonObject) -> Removed:
    """A deleted object, which HubSpot still shows as archived."""
    moment = row.get("archivedAt") or row.get("updatedAt")
    source_id = str(row.get("id"))
    return Removed(kind=kind, source_id=source_id, evidence=f"HubSpot shows {kind} {source_id} as deleted at {moment}.")


def customer(row: JsonObject) -> Customer:
    """A company; one without a name goes by its domain.

    Raises:
        BadValueError: it has neither.
    """
    held = Properties("company", row)
    name = held.text("name") or held.text("domain")
    if name is None:
        raise _missing("company", row, "name", "Give the company a name in HubSpot.")
    lines = tuple(line for line in (held.text("address"), held.text("address2")) if line)
    billing = Address(
        lines=lines,
        city=held.text("city"),
        region=held.text("state"),
        postal_code=held.text("zip"),
        country=held.text("country"),
    )
    return Customer(
        name=name,
        company_name=held.text("name"),
        phone=held.text("phone"),
        billing=billing if billing != Address() else None,
    )


def product(row: JsonObject, rules: Rules) -> Product:
    """A product of the library.

    Raises:
        BadValueError: no name, or a price that is no number.
    """
    held = Properties("product", row)
    name = held.text("name")
    if name is None:
        raise _missing("product", row, "name", "Give the product a name in HubSpot.")
    return Product(
        name=name,
        sku=held.text("hs_sku"),
        description=held.text("description"),
        unit_price=held.number("price"),
        currency=rules.currency,
    )


def invoice(parts: DealParts, rules: Rules) -> Invoice:
    """A deal with its lines.

    Several companies of which none is the primary one leave the customer open, and so does none at all.

    Raises:
        BadValueError: a number or date that is none, no currency, or a line that HubSpot does not show.
    """
    held = Properties("deal", parts.deal)
    currency = held.text("deal_currency_code") or rules.currency
    if currency is None or not _CURRENCY.fullmatch(currency):
        fix = "Set the deal's currency in HubSpot, or `currency` for the connection."
        raise _missing("deal", parts.deal, "deal_currency_code", fix)
    for line_id in parts.line_ids:
        if line_id not in parts.lines:
            place = f"deal {parts.deal.get('id')}, line item {line_id}"
            raise BadValueError(
                place, f"HubSpot does not show the {place}.", "Read the deal again, or remove the line."
            )
    rows = sorted((parts.lines[line_id] for line_id in parts.line_ids), key=_place_of)
    company = parts.companies.primary if parts.companies else None
    if company is None and parts.companies is not None and len(parts.companies.ids) == 1:
        company = parts.companies.ids[0]
    return Invoice(
        customer=record_key(rules.connection, "company", company) if company else None,
        number=held.text(rules.number_property),
        status=held.text("dealstage") or "",
        won=held.flag("hs_is_closed_won"),
        happened_at=held.instant("closedate"),
        due=held.day(rules.due_property),
        exchange_rate=held.number(rules.rate_property) if rules.rate_property else None,
        currency=currency,
        stated_total=held.number("amount"),
        memo=held.text("dealname"),
        lines=tuple(line(row, rules) for row in rows),
    )


def line(row: JsonObject, rules: Rules) -> InvoiceLine:
    """A line item. HubSpot's `discount` is an amount off each unit, and is taken off the price, which stays exact;
    `hs_discount_percentage` is a part of the line, and is kept as one.

    Raises:
        BadValueError: a number that is none, or no price.
    """
    held = Properties("line item", row)
    price = held.number("price")
    if price is None:
        raise _missing("line item", row, "price", "Give the line item a price in HubSpot (0 if it is free).")
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
    )


def _change(
    kind: str, row: JsonObject, payload: JsonObject, rows: Sequence[JsonObject], normalise: Callable[[], Record]
) -> SourceChange:
    source_id = str(row.get("id"))
    raw = exact_json.dumps(payload)
    try:
        record = normalise()
    except BadValueError as error:
        return Unreadable(
            kind=kind,
            source_id=source_id,
            place=error.place,
            problem=error.problem,
            fix=error.fix,
            raw=raw.decode(),
        )
    except ValidationError as error:
        names = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        return Unreadable(
            kind=kind,
            source_id=source_id,
            place=f"{kind} {source_id}, {names}",
            problem=f"{names} of {kind} {source_id} cannot be used.",
            fix="Correct it in HubSpot.",
            raw=raw.decode(),
        )
    # Listings, searches and single reads wrap the same properties differently; the version must not tell them apart.
    essence = [record.model_dump(mode="json"), [[part.get("id"), part.get("properties")] for part in rows]]
    digest = hashlib.sha256(exact_json.canonical(essence)).hexdigest()[:_DIGEST_CHARACTERS]
    version = f"{row.get('updatedAt')}/{digest}"
    return Seen(kind=kind, source_id=source_id, version=version, record=record, raw=raw.decode())


def _missing(kind: str, row: JsonObject, name: str, fix: str) -> BadValueError:
    place = f"{kind} {row.get('id')}"
    return BadValueError(f"{place}, property {name}", f"The {place} has no usable {name}.", fix)


def _place_of(row: JsonObject) -> tuple[Decimal, int, str]:
    try:
        position = Properties("line item", row).number("hs_position_on_quote")
    except BadValueError:
        position = None
    source_id = str(row.get("id"))
    return (position if position is not None else Decimal("Infinity"), len(source_id), source_id)
