"""A customer or vendor with two currencies is two parties: QuickBooks fixes a party's currency for life.

The second entry is a record of its own, `connection:kind@EUR:id`, with a link, a name and a marker of its own; what is
personal in it lies under the key of the party that it stands for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from counterfoil.planning.exchange import kept_in_one
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.names import NameRules, choose_name, clean, held_name
from counterfoil.planning.outcome import named
from counterfoil.planning.party_details import NAME_MAX, PARTY_ENTITIES, details_of
from counterfoil.planning.sections import MoneyPartySection
from counterfoil.planning.types import Intent, Link, Park, Plan, Skip, StateView, Unchanged
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, Record, Vendor, record_key, split_key

MoneyParty = Customer | Vendor


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who a document is for; `missing` is the entry to make first, if there is none yet."""

    key: str
    missing: Intent | None = None


def second_key(customer: str, currency: str) -> str:
    """The record key of a customer's entry in another currency."""
    connection, kind, source_id = split_key(customer)
    return record_key(connection, f"{kind}@{currency}", source_id)


def own_currency(key: str, record: Record | None, mapping: Mapping, view: StateView) -> str:
    """The currency that a party's first entry has, or will have."""
    link = view.link(key)
    if link is not None:
        held = link.image.get("CurrencyRef")
        code = held.get("value") if isinstance(held, dict) else None
        return code if isinstance(code, str) else view.home_currency()
    stated = record.currency if isinstance(record, MoneyParty) else None
    return stated or mapping.connection.currency or view.home_currency()


def party_for(key: str, customer: str, currency: str, mapping: Mapping, view: StateView) -> Party | Park:
    """Whose document it is, in its currency; or why the books cannot take it."""
    if not view.multi_currency():
        return kept_in_one(key, currency, view) or Party(key=customer)
    record = view.record(customer) if view.link(customer) is None else None
    own = own_currency(customer, record, mapping, view)
    if own == currency:
        return Party(key=customer)
    record = view.record(customer)
    if not isinstance(record, MoneyParty) or currency not in section_of(record, mapping).other_currencies:
        return Park(
            code="customer_currency",
            reason=f"{named(key)} is in {currency}, but {named(customer)} is kept in {own} in QuickBooks, for life.",
            fix="Use a customer who is kept in the same currency; or list the currency under [customer] "
            "other_currencies in the mapping, so that a second entry is made.",
        )
    return second_entry(customer, record, currency, mapping, view)


def section_of(record: MoneyParty, mapping: Mapping) -> MoneyPartySection:
    """What the mapping says of its kind."""
    return mapping.customer if isinstance(record, Customer) else mapping.vendor


def second_entry(customer: str, record: MoneyParty, currency: str, mapping: Mapping, view: StateView) -> Party | Park:
    """A party's entry in another currency, as it is or as it has to be made."""
    key = second_key(customer, currency)
    if view.link(key) is not None:
        return Party(key=key)
    name = _name(key, record, currency, None, mapping, view)
    if isinstance(name, Park):
        return name
    if view.name_taken(_entity(record), name) == key:
        return Party(key=key)  # on its way already
    body, unfit = _body(record, name, currency, mapping)
    if unfit:
        return _unfit(customer, unfit)
    missing = Intent(
        target="quickbooks",
        entity=_entity(record),
        operation="create",
        body=body,
        person=customer,
        review=mapping.reviews(record.kind, None),
        name=name,
        record_key=key,
    )
    return Party(key=key, missing=missing)


def second_entries(customer: str, section: MoneyPartySection, view: StateView) -> list[Link]:
    """The living entries that a party has beside the first, in the currencies that the mapping names."""
    found = (view.link(second_key(customer, currency)) for currency in section.other_currencies)
    return [link for link in found if link is not None and link.status == "live" and link.shared_with is None]


def follow_party(customer: str, record: MoneyParty, planned: Plan, mapping: Mapping, view: StateView) -> Plan:
    """The plan for a party, and beside it what its second entries need to say the same."""
    intents: list[Intent] = []
    for link in second_entries(customer, section_of(record, mapping), view):
        currency = split_key(link.record_key)[1].rpartition("@")[2]
        update = _update(customer, record, currency, link, mapping, view)
        if isinstance(update, Park):
            return update
        intents.extend(update)
    if not intents or isinstance(planned, Park):
        return planned
    return (*planned, *intents) if isinstance(planned, tuple) else tuple(intents)


def _update(
    customer: str, record: MoneyParty, currency: str, link: Link, mapping: Mapping, view: StateView
) -> Sequence[Intent] | Park:
    name = _name(link.record_key, record, currency, link, mapping, view)
    if isinstance(name, Park):
        return name
    body, unfit = _body(record, name, currency, mapping)
    if unfit:
        return _unfit(customer, unfit)
    if view.body_hash(body) == link.content_hash or section_of(record, mapping).edited == "park":
        return ()
    update = Intent(
        target="quickbooks",
        entity=_entity(record),
        operation="update",
        body=body,
        person=customer,
        review=mapping.reviews(record.kind, None),
        name=name,
        record_key=link.record_key,
    )
    return (update,)


def _entity(record: MoneyParty) -> Literal["Customer", "Vendor"]:
    return "Customer" if isinstance(record, Customer) else "Vendor"


def with_party(party: Party, planned: Plan) -> Plan:
    """The plan of a document, after the entry that it needs."""
    if party.missing is None or isinstance(planned, Skip | Park):
        return planned
    return (party.missing,) if isinstance(planned, Unchanged) else (party.missing, *planned)


def _name(
    key: str, record: MoneyParty, currency: str, link: Link | None, mapping: Mapping, view: StateView
) -> str | Park:
    section = section_of(record, mapping)
    rules = NameRules(entities=PARTY_ENTITIES, longest=NAME_MAX, colon=section.colon, same_name=section.same_name)
    raw = f"{clean(record.name, section.colon)} ({currency})"
    return choose_name(key, raw, rules, held_name(link, "DisplayName"), view)


def _body(record: MoneyParty, name: str, currency: str, mapping: Mapping) -> tuple[JsonObject, list[str]]:
    section = section_of(record, mapping)
    details, unfit = details_of(record, section.colon)
    body: JsonObject = {"DisplayName": name, **details, "CurrencyRef": {"value": currency}}
    if section.inactive == "deactivate":
        body["Active"] = record.active
    sends = mapping.ownership(record.kind).sends
    kept: JsonObject = {field: value for field, value in body.items() if sends(field)}
    return kept, unfit if section.unfit == "park" else []


def _unfit(customer: str, unfit: Sequence[str]) -> Park:
    return Park(
        code="unfit_details",
        reason=f"QuickBooks refuses these details of {named(customer)}: {', '.join(unfit)}.",
        fix='Correct them at the source, or set unfit = "leave_out" in the mapping.',
    )
