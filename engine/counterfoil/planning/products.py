"""Products become items."""

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import plain
from counterfoil.planning.names import ITEM_NAME_MAX, NameRules, choose_name, held_name
from counterfoil.planning.outcome import Draft, carry, name_ref, named
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Product

_SKU_MAX, _DESCRIPTION_MAX = 100, 4000


def plan_product(record: Product, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan an item."""
    section = mapping.product
    link = view.link(request.record_key)
    if section.inactive == "deactivate" and not record.active and link is None:
        return Skip(code="inactive", reason=f"{named(request.record_key)} is inactive at the source.")
    rules = NameRules(
        entities=("Item",),
        longest=ITEM_NAME_MAX,
        colon=section.colon,
        same_name=section.same_name,
        too_long=section.name_too_long,
    )
    chosen = choose_name(request.record_key, record.name, rules, held_name(link, "Name"), view)
    if isinstance(chosen, Park):
        return chosen
    body = _body(record, mapping, view, chosen)
    if record.sku is not None and len(record.sku.strip()) > _SKU_MAX:
        return Park(
            code="sku_too_long",
            reason=f"The SKU of {named(request.record_key)} has {len(record.sku.strip())} characters; "
            f"QuickBooks takes {_SKU_MAX}.",
            fix="Shorten the SKU at the source.",
        )
    draft = Draft(document="product", entity="Item", body=body, name=chosen, edited=section.edited)
    return carry(draft, request, mapping, view)


def _body(record: Product, mapping: Mapping, view: StateView, name: str) -> JsonObject:
    section = mapping.product
    body: JsonObject = {
        "Name": name,
        "Type": section.type,
        "IncomeAccountRef": name_ref("Account", section.income_account),
    }
    if record.sku is not None and record.sku.strip():
        body["Sku"] = record.sku.strip()
    if record.description is not None and record.description.strip():
        body["Description"] = record.description.strip()[:_DESCRIPTION_MAX]
    # An item has one price, in the books' own currency; a foreign list price would be a wrong one there.
    if record.unit_price is not None and (record.currency or view.home_currency()) == view.home_currency():
        body["UnitPrice"] = plain(record.unit_price)
    if section.inactive == "deactivate":
        body["Active"] = record.active
    return body
