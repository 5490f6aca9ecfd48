"""Pipedrive's records as canonical ones: organizations and persons are customers, products items. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.sources import compose
from counterfoil.sources.port import Removed, SourceChange
from counterfoil_adapters.pipedrive.api import Listed
from counterfoil_adapters.pipedrive.fields import FieldDefinition
from counterfoil_adapters.pipedrive.values import Row, plain, primary
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Address, Customer, Product, Record

LISTS: Mapping[str, Listed] = {
    "organization": "organizations",
    "person": "persons",
    "product": "products",
    "deal": "deals",
}
"""The kinds of record that have a list of their own, in reading order, and its name in paths."""

INSTALLMENT = "installment"
DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRules:
    """What bears on customers and products.

    Args:
        email: the custom field of organizations that holds where invoices go: organizations have no address of their
            own for that.
        currency: which of a product's prices counts.
    """

    email: FieldDefinition | None = None
    currency: str | None = None


def organization_change(row: JsonObject, rules: PartyRules) -> SourceChange:
    """An organization as a customer."""
    return change("organization", str(row.get("id")), row, [row], lambda: organization(row, rules))


def person_change(row: JsonObject) -> SourceChange:
    """A person as a customer."""
    return change("person", str(row.get("id")), row, [row], lambda: person(row))


def product_change(row: JsonObject, rules: PartyRules) -> SourceChange:
    """A product."""
    return change("product", str(row.get("id")), row, [row], lambda: product(row, rules))


def is_deleted(row: JsonObject) -> bool:
    """Whether Pipedrive itself shows a record as deleted."""
    return row.get("is_deleted") is True or row.get("status") == DELETED


def removed(kind: str, row: JsonObject) -> Removed:
    """A record that Pipedrive still shows, as deleted."""
    source_id = str(row.get("id"))
    when = plain(row.get("update_time"))
    return Removed(kind=kind, source_id=source_id, evidence=f"Pipedrive shows {kind} {source_id} as deleted ({when}).")


def organization(row: JsonObject, rules: PartyRules) -> Customer:
    """An organization.

    Raises:
        BadValueError: it has no name.
    """
    held = Row("organization", row)
    name = held.text("name")
    if name is None:
        raise held.missing("name", "Give the organization a name in Pipedrive.")
    email = rules.email.text(row) if rules.email is not None else None
    return Customer(name=name, company_name=name, email=email, billing=address(row.get("address")))


def person(row: JsonObject) -> Customer:
    """A person.

    Raises:
        BadValueError: neither a name nor an e-mail address.
    """
    held = Row("person", row)
    email = primary(row.get("emails"))
    name = held.text("name") or email
    if name is None:
        raise held.missing("name", "Give the person a name in Pipedrive.")
    return Customer(
        name=name,
        given_name=held.text("first_name"),
        family_name=held.text("last_name"),
        email=email,
        phone=primary(row.get("phones")),
        billing=address(row.get("postal_address")),
    )


def product(row: JsonObject, rules: PartyRules) -> Product:
    """A product; its price is the one in the mapping's currency, else its only one.

    Raises:
        BadValueError: no name, or a price that is no number.
    """
    held = Row("product", row)
    name = held.text("name")
    if name is None:
        raise held.missing("name", "Give the product a name in Pipedrive.")
    given = row.get("prices")
    prices = [price for price in given if isinstance(price, dict)] if isinstance(given, list) else []
    fitting = [price for price in prices if price.get("currency") == rules.currency] or (
        prices if len(prices) == 1 else []
    )
    price = held.as_number("price", plain(fitting[0].get("price"))) if fitting else None
    return Product(
        name=name,
        sku=held.text("code"),
        description=held.text("description"),
        unit_price=price,
        currency=plain(fitting[0].get("currency")) if fitting else None,
        active=held.flag("is_linkable", default=True),
    )


def address(value: JsonValue) -> Address | None:
    """An address by its parts; where Pipedrive could not tell them apart, as the one line that was typed in."""
    if not isinstance(value, dict):
        whole = plain(value)
        return Address(lines=(whole,)) if whole else None
    parts = {name: plain(part) for name, part in value.items()}
    street = " ".join(part for name in ("street_number", "route") if (part := parts.get(name)))
    lines = tuple(line for line in (street, parts.get("subpremise"), parts.get("sublocality")) if line)
    if not street:
        return Address(lines=(whole,)) if (whole := parts.get("value")) else None
    return Address(
        lines=lines,
        city=parts.get("locality"),
        region=parts.get("admin_area_level_1"),
        postal_code=parts.get("postal_code"),
        country=parts.get("country"),
    )


def change(
    kind: str, source_id: str, payload: JsonObject, rows: Sequence[JsonObject], normalise: Callable[[], Record]
) -> SourceChange:
    """A record with everything that came, or why it cannot be read.

    Args:
        rows: what the record is made of; its version changes when any of them does.
    """
    return compose(
        kind,
        source_id,
        source="Pipedrive",
        payload=payload,
        stamp=rows[0].get("update_time"),
        essence=list(rows),
        normalise=normalise,
    )
