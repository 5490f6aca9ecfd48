"""A customer who is billed in two currencies is two parties: QuickBooks fixes a party's currency for life.

The second entry is a record of its own, `connection:kind@EUR:id`, with a link, a name and a marker of its own; what is
personal in it lies under the key of the customer that it stands for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.names import NameRules, choose_name, clean, held_name
from counterfoil.planning.outcome import named
from counterfoil.planning.party_details import NAME_MAX, PARTY_ENTITIES, details_of
from counterfoil.planning.types import Intent, Link, Park, Plan, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, record_key, split_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who a document is for; `missing` is the entry to make first, if there is none yet."""

    key: str
    missing: Intent | None = None


def second_key(customer: str, currency: str) -> str:
    """The record key of a customer's entry in another currency."""
    connection, kind, source_id = split_key(customer)
    return record_key(connection, f"{kind}@{currency}", source_id)


def own_currency(customer: str, mapping: Mapping, view: StateView) -> str:
    """The currency that a customer's first entry has, or will have."""
    link = view.link(customer)
    if link is not None:
        held = link.image.get("CurrencyRef")
        code = held.get("value") if isinstance(held, dict) else None
        return code if isinstance(code, str) else view.home_currency()
    record = view.record(customer)
    stated = record.currency if isinstance(record, Customer) else None
    return stated or mapping.connection.currency or view.home_currency()


def party_for(key: str, customer: str, currency: str, mapping: Mapping, view: StateView) -> Party | Park:
    """Whose document it is, in its currency; or why the books cannot take it."""
    home = view.home_currency()
    if not view.multi_currency():
        if currency == home:
            return Party(key=customer)
        return Park(
            code="foreign_currency",
            reason=f"{named(key)} is in {currency}, but these books are kept in {home} alone.",
            fix="Switch on multi-currency in QuickBooks, or enter the document by hand.",
        )
    own = own_currency(customer, mapping, view)
    if own == currency:
        return Party(key=customer)
    record = view.record(customer)
    if currency not in mapping.customer.other_currencies or not isinstance(record, Customer):
        return Park(
            code="customer_currency",
            reason=f"{named(key)} is in {currency}, but {named(customer)} is kept in {own} in QuickBooks, for life.",
            fix="Use a customer who is kept in the same currency; or list the currency under [customer] "
            "other_currencies in the mapping, so that a second entry is made.",
        )
    return _second(customer, record, currency, mapping, view)


def _second(customer: str, record: Customer, currency: str, mapping: Mapping, view: StateView) -> Party | Park:
    key = second_key(customer, currency)
    if view.link(key) is not None:
        return Party(key=key)
    name = _name(key, record, currency, None, mapping, view)
    if isinstance(name, Park):
        return name
    if view.name_taken("Customer", name) == key:
        return Party(key=key)  # on its way already
    body, unfit = _body(record, name, currency, mapping)
    if unfit:
        return _unfit(customer, unfit)
    missing = Intent(
        target="quickbooks",
        entity="Customer",
        operation="create",
        body=body,
        person=customer,
        review=mapping.reviews("customer", None),
        name=name,
        record_key=key,
    )
    return Party(key=key, missing=missing)


def second_entries(customer: str, mapping: Mapping, view: StateView) -> list[Link]:
    """The living entries that a customer has beside the first, in the currencies that the mapping names."""
    found = (view.link(second_key(customer, currency)) for currency in mapping.customer.other_currencies)
    return [link for link in found if link is not None and link.status == "live" and link.shared_with is None]


def follow_customer(customer: str, record: Customer, planned: Plan, mapping: Mapping, view: StateView) -> Plan:
    """The plan for a customer, and beside it what its second entries need to say the same."""
    intents: list[Intent] = []
    for link in second_entries(customer, mapping, view):
        currency = split_key(link.record_key)[1].rpartition("@")[2]
        update = _update(customer, record, currency, link, mapping, view)
        if isinstance(update, Park):
            return update
        intents.extend(update)
    if not intents or isinstance(planned, Park):
        return planned
    return (*planned, *intents) if isinstance(planned, tuple) else tuple(intents)


def _update(
    customer: str, record: Customer, currency: str, link: Link, mapping: Mapping, view: StateView
) -> Sequence[Intent] | Park:
    name = _name(link.record_key, record, currency, link, mapping, view)
    if isinstance(name, Park):
        return name
    body, unfit = _body(record, name, currency, mapping)
    if unfit:
        return _unfit(customer, unfit)
    if view.body_hash(body) == link.content_hash or mapping.customer.edited == "park":
        return ()
    update = Intent(
        target="quickbooks",
        entity="Customer",
        operation="update",
        body=body,
        person=customer,
        review=mapping.reviews("customer", None),
        name=name,
        record_key=link.record_key,
    )
    return (update,)


def with_party(party: Party, planned: Plan) -> Plan:
    """The plan of a document, after the entry that it needs."""
    if party.missing is None or not isinstance(planned, tuple):
        return planned
    return (party.missing, *planned)


def _name(
    key: str, record: Customer, currency: str, link: Link | None, mapping: Mapping, view: StateView
) -> str | Park:
    section = mapping.customer
    rules = NameRules(entities=PARTY_ENTITIES, longest=NAME_MAX, colon=section.colon, same_name=section.same_name)
    raw = f"{clean(record.name, section.colon)} ({currency})"
    return choose_name(key, raw, rules, held_name(link, "DisplayName"), view)


def _body(record: Customer, name: str, currency: str, mapping: Mapping) -> tuple[JsonObject, list[str]]:
    section = mapping.customer
    details, unfit = details_of(record, section.colon)
    body: JsonObject = {"DisplayName": name, **details, "CurrencyRef": {"value": currency}}
    if section.inactive == "deactivate":
        body["Active"] = record.active
    sends = mapping.ownership("customer").sends
    kept: JsonObject = {field: value for field, value in body.items() if sends(field)}
    return kept, unfit if section.unfit == "park" else []


def _unfit(customer: str, unfit: Sequence[str]) -> Park:
    return Park(
        code="unfit_details",
        reason=f"QuickBooks refuses these details of {named(customer)}: {', '.join(unfit)}.",
        fix='Correct them at the source, or set unfit = "leave_out" in the mapping.',
    )
