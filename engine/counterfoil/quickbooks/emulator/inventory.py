"""Items of inventory: what comes to stock, what goes, and against which accounts."""

from decimal import Decimal

from counterfoil.quickbooks.emulator import chart
from counterfoil.quickbooks.emulator.postings import NO_EFFECT, About, Effect, Movement, Stocked, Sums
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import as_text, cents, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

INVENTORY_ASSET = "81"
FIRST_COST = "FirstCost"
"""What one cost of those that there were to begin with; kept beside what is shown of an item."""


def item_effect(item: JsonObject, identifier: str) -> Effect:
    """How an item of inventory is kept, and what there was of it to begin with, against the opening balance."""
    if item.get("Type") != "Inventory":
        return NO_EFFECT
    quantity = _number(item, "QtyOnHand")
    worth = cents(quantity * _number(item, FIRST_COST if FIRST_COST in item else "PurchaseCost"))
    sums = Sums()
    sums.add(_asset(item), worth)
    sums.add(chart.OPENING_EQUITY, -worth)
    sums.move(Movement(identifier, quantity, as_text(item.get("InvStartDate")), worth))
    expense = reference_id(item.get("ExpenseAccountRef")) or chart.COST_OF_GOODS_SOLD
    stocked = Stocked(_asset(item), expense, _number(item, "PurchaseCost"))
    return Effect(sums.postings(), stock=sums.stock(), stocked=stocked)


def sold(sums: Sums, detail: JsonObject, sign: int, day: str, tables: Tables) -> None:
    """Take what a sales line sells from the stock; give it back where the sign says so."""
    item = stocked_item(detail, tables)
    if item:
        about = About(item=item, tracked_class=reference_id(detail.get("ClassRef")))
        sums.move(Movement(item, -sign * _number(detail, "Qty"), day, about=about))


def bought(sums: Sums, detail: JsonObject, worth: Decimal, sign: int, day: str, tables: Tables) -> None:
    """Put what a line buys into the stock, at what it is posted with."""
    item = stocked_item(detail, tables)
    if item:
        sums.move(Movement(item, sign * _number(detail, "Qty"), day, worth))


def stocked_item(detail: JsonObject, tables: Tables) -> str:
    """The Id of the item of inventory that a line is about, if it is about one."""
    row = tables.get("Item", reference_id(detail.get("ItemRef")))
    return row.id if row is not None and row.body.get("Type") == "Inventory" else ""


def _asset(item: JsonObject) -> str:
    return reference_id(item.get("AssetAccountRef")) or INVENTORY_ASSET


def _number(body: JsonObject, name: str) -> Decimal:
    return to_decimal(body.get(name, 0), name)
