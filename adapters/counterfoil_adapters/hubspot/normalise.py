"""HubSpot objects as canonical records: what all kinds share, and companies, contacts and products. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from counterfoil.sources import BadValueError, compose
from counterfoil.sources.port import Removed, SourceChange
from counterfoil_adapters.hubspot.client import Linked
from counterfoil_adapters.hubspot.kinds import MERGED
from counterfoil_adapters.hubspot.values import Properties
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Address, Customer, Product, Record, record_key


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a connection's settings and mapping decides how its objects are read.

    `customers`: the kinds that become customers, whose turn comes in this order. `sold`: the kinds that become
    invoices, to which payments may be applied; `offered`: those that become estimates. `paid_out`: payouts are read.
    `zone`: in which instants become dates.
    """

    connection: str
    currency: str | None = None
    number_property: str | None = None
    due_property: str | None = None
    rate_property: str | None = None
    customers: tuple[str, ...] = ("company",)
    sold: tuple[str, ...] = ("deal",)
    offered: tuple[str, ...] = ()
    paid_out: bool = False
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Parties:
    """The companies and contacts that an object is linked to, by kind."""

    links: Mapping[str, Linked] = field(default_factory=dict)

    def customer(self, rules: Rules) -> str | None:
        """The key of the one whom the object concerns: the primary one of a kind, or the only one.

        Several of which none is the primary one leave it open, and so does none at all.
        """
        for kind in rules.customers:
            link = self.links.get(kind)
            if link is not None and link.ids:
                only = link.ids[0] if len(link.ids) == 1 else link.primary
                return record_key(rules.connection, kind, only) if only is not None else None
        return None

    def raw(self) -> JsonObject:
        """As a part of a payload."""
        company = self.links.get("company", Linked(()))
        contacts = self.links.get("contact", Linked(())).ids
        told: JsonObject = {"companies": list(company.ids), "primary_company": company.primary}
        return {**told, "contacts": list(contacts)} if contacts else told


def company_change(row: JsonObject) -> SourceChange:
    """A company as a customer."""
    return change("company", str(row.get("id")), row, row, [row], lambda: company(row))


def contact_change(row: JsonObject) -> SourceChange:
    """A contact as a customer."""
    return change("contact", str(row.get("id")), row, row, [row], lambda: contact(row))


def product_change(rules: Rules, row: JsonObject) -> SourceChange:
    """A product."""
    return change("product", str(row.get("id")), row, row, [row], lambda: product(row, rules))


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


def company(row: JsonObject) -> Customer:
    """A company; one without a name goes by its domain.

    Raises:
        BadValueError: it has neither.
    """
    held = Properties("company", row)
    name = held.text("name") or held.text("domain")
    if name is None:
        raise missing("company", row, "name", "Give the company a name in HubSpot.")
    return Customer(name=name, company_name=held.text("name"), phone=held.text("phone"), billing=_address(held))


def contact(row: JsonObject) -> Customer:
    """A contact; one without a name goes by its e-mail address.

    Raises:
        BadValueError: it has neither.
    """
    held = Properties("contact", row)
    given, family, email = held.text("firstname"), held.text("lastname"), held.text("email")
    name = " ".join(part for part in (given, family) if part) or email
    if name is None:
        raise missing("contact", row, "name", "Give the contact a name or an e-mail address in HubSpot.")
    return Customer(
        name=name,
        company_name=held.text("company"),
        given_name=given,
        family_name=family,
        email=email,
        phone=held.text("phone"),
        billing=_address(held),
    )


def _address(held: Properties) -> Address | None:
    address = Address(
        lines=tuple(line for line in (held.text("address"), held.text("address2")) if line),
        city=held.text("city"),
        region=held.text("state"),
        postal_code=held.text("zip"),
        country=held.text("country"),
    )
    return address if address != Address() else None


def product(row: JsonObject, rules: Rules) -> Product:
    """A product of the library.

    Raises:
        BadValueError: no name, or a price that is no number.
    """
    held = Properties("product", row)
    name = held.text("name")
    if name is None:
        raise missing("product", row, "name", "Give the product a name in HubSpot.")
    return Product(
        name=name,
        sku=held.text("hs_sku"),
        description=held.text("description"),
        unit_price=held.number("price"),
        currency=rules.currency,
    )


def change(
    kind: str,
    source_id: str,
    row: JsonObject,
    payload: JsonObject,
    rows: Sequence[JsonObject],
    normalise: Callable[[], Record],
) -> SourceChange:
    """What an object and its parts come to: the record, or why it cannot be read.

    Args:
        row: the object itself.
        payload: what is kept of it.
        rows: all objects that went into it, whose properties make its version.
    """
    # Listings, searches and single reads wrap the same properties differently; the version must not tell them apart.
    essence: list[JsonValue] = [[part.get("id"), part.get("properties")] for part in rows]
    return compose(
        kind,
        source_id,
        source="HubSpot",
        payload=payload,
        stamp=row.get("updatedAt"),
        essence=essence,
        normalise=normalise,
    )


def missing(kind: str, row: JsonObject, name: str, fix: str) -> BadValueError:
    """That an object lacks a property which it cannot do without."""
    place = f"{kind} {row.get('id')}"
    return BadValueError(f"{place}, property {name}", f"The {place} has no usable {name}.", fix)
