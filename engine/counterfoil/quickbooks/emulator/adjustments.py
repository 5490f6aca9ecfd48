"""InventoryAdjustment: what was found when the stock was counted, or was lost.

Source: Intuit's entity page. What is found comes at what the last that went had cost, or at the item's own cost.
"""

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.fields import rows
from counterfoil.quickbooks.emulator.inventory import stocked_item
from counterfoil.quickbooks.emulator.lines import number_lines, resolve_details, sent_lines
from counterfoil.quickbooks.emulator.postings import Effect, Movement, Sums
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import as_object, as_text, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

DETAIL = "ItemAdjustmentLineDetail"


def shape_adjustment(draft: Draft) -> Shaped:
    """Differences of items of inventory.

    Raises:
        QuickBooksFaultError: 2020 without account, lines, items or differences, 2170 for lines of another type, 6000
            for an item that is not kept in stock.
    """
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    if "AdjustAccountRef" not in body:
        raise faults.required("AdjustAccountRef")
    body["AdjustAccountRef"] = draft.reference(body["AdjustAccountRef"], "Account", "AdjustAccountRef")
    lines = [_line(draft, line) for line in sent_lines(draft)]
    numbered, made = number_lines(draft, lines, first=1)
    body["Line"] = [*numbered]
    return Shaped(body, lines_made=made)


def adjustment_effect(body: JsonObject, tables: Tables) -> Effect:
    """So many more or fewer; their cost goes to the account of the adjustment."""
    sums = Sums()
    for line in rows(body, "Line"):
        detail = as_object(line.get(DETAIL))
        item = stocked_item(detail, tables)
        if item:
            difference = to_decimal(detail.get("QtyDiff", 0), "QtyDiff")
            account = reference_id(body.get("AdjustAccountRef"))
            sums.move(Movement(item, difference, as_text(body.get("TxnDate")), expense=account))
    return Effect(stock=sums.stock())


def _line(draft: Draft, line: JsonObject) -> JsonObject:
    kind = as_text(line["DetailType"])
    if kind != DETAIL:
        raise faults.bad_enum("Line.DetailType", kind)
    detail = resolve_details(draft, as_object(line.get(DETAIL)), f"Line.{DETAIL}")
    for name in ("ItemRef", "QtyDiff"):
        if name not in detail:
            raise faults.required(f"Line.{DETAIL}.{name}")
    if not stocked_item(detail, draft.tables):
        raise faults.business("Only the quantity of inventory items can be adjusted.", element="ItemRef")
    detail["QtyDiff"] = to_decimal(detail["QtyDiff"], f"Line.{DETAIL}.QtyDiff")
    kept: JsonObject = {name: value for name, value in line.items() if not name.endswith("Detail")}
    return {**kept, DETAIL: detail}
