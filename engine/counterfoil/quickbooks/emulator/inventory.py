"""Items of inventory: how many there are, what they are worth, and what it costs to sell them.

They are valued at the purchase cost that the item has now; a real company keeps them first in, first out.
"""

from decimal import Decimal

from counterfoil.quickbooks.emulator import chart
from counterfoil.quickbooks.emulator.ledger import NO_EFFECT, About, Effect, Sums
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import as_object, cents, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

INVENTORY_ASSET = "81"


def opening_effect(item: JsonObject) -> Effect:
    """What there was of an item to begin with, against the opening balance."""
    if item.get("Type") != "Inventory":
        return NO_EFFECT
    worth = cents(_number(item, "QtyOnHand") * _number(item, "PurchaseCost"))
    sums = Sums()
    sums.add(_asset(item), worth)
    sums.add(chart.OPENING_EQUITY, -worth)
    return Effect(sums.postings())


def sold(sums: Sums, detail: JsonObject, sign: int, rate: Decimal, tables: Tables) -> None:
    """Take what a sales line sells from the stock, at its cost; give it back where the sign says so.

    Args:
        rate: of the document, whose postings are turned into home money later.
    """
    row = tables.get("Item", reference_id(detail.get("ItemRef")))
    quantity = _number(detail, "Qty")
    if row is None or row.body.get("Type") != "Inventory" or not quantity:
        return
    sums.move(row.id, -sign * quantity)
    cost = sign * cents(quantity * _number(row.body, "PurchaseCost")) / rate
    about = About(item=row.id, tracked_class=reference_id(detail.get("ClassRef")))
    sums.add(reference_id(row.body.get("ExpenseAccountRef")) or chart.COST_OF_GOODS_SOLD, cost, about)
    sums.add(_asset(row.body), -cost)


def bought(sums: Sums, detail: JsonObject, sign: int, tables: Tables) -> None:
    """Put what a line buys into the stock."""
    row = tables.get("Item", reference_id(detail.get("ItemRef")))
    if row is not None and row.body.get("Type") == "Inventory":
        sums.move(row.id, sign * _number(detail, "Qty"))


def _asset(item: JsonObject) -> str:
    return reference_id(as_object(item.get("AssetAccountRef"))) or INVENTORY_ASSET


def _number(body: JsonObject, name: str) -> Decimal:
    return to_decimal(body.get(name, 0), name)
