"""Two records of a name list made one, as a person does it: everything that named the one names the other.

Source: Intuit's help pages on merging; the notification from its webhooks page.
"""

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import ENTITIES, EntitySpec
from counterfoil.quickbooks.emulator.drafting import name_of
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.pointing import Pointing
from counterfoil_schema.exact_json import JsonObject


def merge(books: Books, spec: EntitySpec, gone_id: str, kept_id: str, origin: Origin) -> JsonObject:
    """Let one record go into another of its kind.

    Returns:
        The record that stays.

    Raises:
        QuickBooksFaultError: 500 for a kind that cannot be merged, 610 for what is not there, 6000 for
            one and the same, for different currencies, and for stock.
    """
    if "m" not in spec.verbs:
        raise faults.unsupported_operation(f"merge {spec.path}")
    gone, kept = books.tables.find(spec.name, gone_id), books.tables.find(spec.name, kept_id)
    if gone.id == kept.id:
        raise faults.business("A record cannot be merged with itself.")
    if gone.body.get("CurrencyRef") != kept.body.get("CurrencyRef"):
        raise faults.business("Records in different currencies cannot be merged.")
    if any(row.body.get("Type") == "Inventory" for row in (gone, kept)):
        raise faults.business("Items of inventory cannot be merged.")
    pointing = Pointing(spec.name, gone.id, {"value": kept.id, "name": name_of(kept)})
    for entity in ENTITIES:
        for row in list(books.tables.table(entity).rows.values()):
            body = pointing.moved(row.body, entity)
            if body != row.body and (entity, row.id) != (spec.name, gone.id):
                books.rewrite(entity, row, body)
    books.merged(spec, books.tables.find(spec.name, kept.id), gone, origin)
    return books.show(spec.name, books.tables.find(spec.name, kept.id))
