"""Rows as canonical records. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.sources import BadValueError, compose
from counterfoil.sources.port import Removed, SourceChange
from counterfoil_adapters.salesforce.shapes import LinesShape, Shape
from counterfoil_adapters.salesforce.values import Values
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Address, Customer, Invoice, InvoiceLine, Product, Record, record_key

_CURRENCY = re.compile(r"[A-Z]{3}")
PRICE = {"unit_price": ("UnitPrice",), "currency": ("CurrencyIsoCode",)}


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a connection's settings decides how its rows are read."""

    connection: str
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """A row with what belongs to it: an invoice's lines, a product's prices in the standard price book."""

    row: JsonObject
    lines: Sequence[JsonObject] = ()
    prices: Sequence[JsonObject] = field(default=())


def change_of(shape: Shape, rules: Rules, parts: Parts) -> SourceChange:
    """What a row says: seen, deleted, merged, or unreadable."""
    row = parts.row
    if row.get("IsDeleted") is True:
        return removed(shape, row)
    return _change(shape, parts, lambda: _record(shape, rules, parts))


def removed(shape: Shape, row: JsonObject) -> Removed:
    """A row in the recycle bin: deleted, or merged into another."""
    source_id, master = str(row.get("Id")), row.get("MasterRecordId")
    if isinstance(master, str) and master:
        told = f"Salesforce shows {shape.object} {source_id} as merged into {master}."
        return Removed(kind=shape.kind, source_id=source_id, evidence=told, merged_into=master)
    told = f"Salesforce shows {shape.object} {source_id} as deleted at {row.get('SystemModstamp')}."
    return Removed(kind=shape.kind, source_id=source_id, evidence=told)


def _record(shape: Shape, rules: Rules, parts: Parts) -> Record:
    held = Values(shape.kind, parts.row, shape.fields)
    match shape.record:
        case "customer":
            return _customer(held)
        case "product":
            return _product(held, rules, parts)
        case "invoice":
            return _invoice(shape, held, rules, parts)


def _customer(held: Values) -> Customer:
    name = held.text("name")
    if name is None:
        raise held.missing("name", "Give the record a name in Salesforce.")
    street = held.text("street") or ""
    billing = Address(
        lines=tuple(line.strip() for line in street.splitlines() if line.strip()),
        city=held.text("city"),
        region=held.text("region"),
        postal_code=held.text("postal_code"),
        country=held.text("country"),
    )
    active = held.flag("active")
    return Customer(
        name=name,
        company_name=held.text("company_name"),
        given_name=held.text("given_name"),
        family_name=held.text("family_name"),
        email=held.text("email"),
        phone=held.text("phone"),
        billing=billing if billing != Address() else None,
        currency=held.text("currency"),
        active=True if active is None else active,
    )


def _product(held: Values, rules: Rules, parts: Parts) -> Product:
    name = held.text("name")
    if name is None:
        raise held.missing("name", "Give the product a name in Salesforce.")
    currency = held.text("currency") or rules.currency
    active = held.flag("active")
    price = held.number("unit_price")
    for row in parts.prices:
        listed = Values("price book entry", row, PRICE)
        if price is None and (listed.text("currency") or currency) == currency:
            price = listed.number("unit_price")
    return Product(
        name=name,
        sku=held.text("sku"),
        description=held.text("description"),
        unit_price=price,
        currency=currency,
        active=True if active is None else active,
    )


def _invoice(shape: Shape, held: Values, rules: Rules, parts: Parts) -> Invoice:
    currency = held.text("currency") or rules.currency
    if currency is None or not _CURRENCY.fullmatch(currency):
        raise held.missing(
            "currency", "Set `currency` for the connection: the org has a single one and does not say it."
        )
    customer = held.text("customer")
    won = held.flag("won")
    lines = shape.lines
    return Invoice(
        customer=record_key(rules.connection, shape.customer_kind, customer) if customer else None,
        number=held.text("number"),
        status=held.text("status") or "",
        # A custom object that has no word for it is an order: what is there is to be invoiced.
        won=won if won is not None else "won" not in shape.fields,
        happened_at=held.instant("happened_at"),
        dated=held.day("dated"),
        due=held.day("due"),
        exchange_rate=held.number("exchange_rate"),
        currency=currency,
        stated_total=held.number("stated_total"),
        stated_tax=held.number("stated_tax"),
        memo=held.text("memo"),
        lines=tuple(_line(shape, lines, rules, row) for row in _in_order(lines, parts.lines)) if lines else (),
    )


def _line(shape: Shape, lines: LinesShape, rules: Rules, row: JsonObject) -> InvoiceLine:
    held = Values(lines.object, row, lines.fields)
    price = held.number("unit_price")
    amount = held.number("amount")
    quantity = held.number("quantity")
    if price is None and amount is not None:
        price, quantity = amount, Decimal(1)
    if price is None:
        raise held.missing("unit_price", "Give the line a price in Salesforce (0 if it is free).")
    percent = held.number("discount_percent")
    product = held.text("product")
    return InvoiceLine(
        line_id=str(row.get("Id")),
        product=record_key(rules.connection, shape.product_kind, product) if product else None,
        description=held.text("description"),
        quantity=quantity if quantity is not None else Decimal(1),
        unit_price=price,
        discount=percent / 100 if percent else Decimal(0),
        amount=amount,
        taxed=held.flag("taxed"),
        tax=held.number("tax"),
        tax_code=held.text("tax_code"),
    )


def _in_order(lines: LinesShape | None, rows: Sequence[JsonObject]) -> list[JsonObject]:
    def place(row: JsonObject) -> tuple[Decimal, str]:
        try:
            position = Values("line", row, lines.fields if lines else {}).number("position")
        except BadValueError:
            position = None
        return (position if position is not None else Decimal("Infinity"), str(row.get("Id")))

    return sorted(rows, key=place)


def _change(shape: Shape, parts: Parts, normalise: Callable[[], Record]) -> SourceChange:
    source_id = str(parts.row.get("Id"))
    payload: JsonObject = {"record": parts.row}
    if shape.lines is not None:
        payload["lines"] = list(parts.lines)
    if shape.priced:
        payload["prices"] = list(parts.prices)
    return compose(
        shape.kind,
        source_id,
        source="Salesforce",
        payload=payload,
        stamp=parts.row.get("SystemModstamp"),
        essence=payload,
        normalise=normalise,
    )
