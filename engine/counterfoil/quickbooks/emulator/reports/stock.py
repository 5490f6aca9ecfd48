"""What items of inventory are worth, and how that came to be: first in, first out, on any day."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.costing import Shelf, Step
from counterfoil.quickbooks.emulator.reports.asked import Asked
from counterfoil.quickbooks.emulator.reports.columns import TITLES, TYPE_NAMES
from counterfoil.quickbooks.emulator.reports.layout import Report, cells, text_of
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text, cents
from counterfoil_schema.exact_json import JsonObject, JsonValue

DETAIL_COLUMNS = ("tx_date", "txn_type", "doc_num", "name", "quantity", "rate")
"""Those before the cost, the quantity on hand and its worth, which have titles of their own here."""


def valuation(books: Books, asked: Asked) -> Report:
    """Items of inventory with what there is of them, and what that is worth."""
    rows: list[JsonValue] = []
    total = ZERO
    for item, shelf in _shelves(books, asked.as_of):
        average = cents(shelf.worth / shelf.quantity) if shelf.quantity else ZERO
        shown = [as_text(item.body.get("Sku")), text_of(shelf.quantity), text_of(shelf.worth), text_of(average)]
        rows.append(cells(as_text(item.body.get("Name")), shown, item.id))
        total += shelf.worth
    if rows:
        rows.append({**cells("TOTAL", ["", "", text_of(total), ""]), "group": "GrandTotal"})
    titles = ("SKU", "Qty", "Asset Value", "Avg Cost")
    return Report((("", "ProductsAndService"), *((title, "Money") for title in titles)), rows)


def valuation_detail(books: Books, asked: Asked) -> Report:
    """Item by item each movement of the days asked for, with its cost, and what there was behind it."""
    sections: list[JsonValue] = []
    for item, shelf in _shelves(books, asked.end):
        steps = [step for step in shelf.steps if step.movement.day >= asked.start.isoformat()]
        if not steps:
            continue
        name = as_text(item.body.get("Name"))
        quantity = sum((step.movement.quantity for step in steps), Decimal(0))
        cost = sum((step.cost for step in steps), ZERO)
        closing = ["", "", "", f"{quantity:f}", "", text_of(cost), f"{shelf.quantity:f}", text_of(shelf.worth)]
        inside: list[JsonValue] = [_step(books, step) for step in steps]
        sections.append(
            {
                "Header": cells(name, [""] * len(closing), item.id),
                "Rows": {"Row": inside},
                "Summary": cells(f"Total for {name}", closing),
                "type": "Section",
            }
        )
    columns = [(TITLES[key], key) for key in DETAIL_COLUMNS]
    columns += [("FIFO Cost", "home_amount"), ("Qty on Hand", "qty_on_hand"), ("Asset Value", "home_asset_value")]
    return Report(tuple(columns), sections)


def _shelves(books: Books, day: date) -> Iterator[tuple[Row, Shelf]]:
    for item in sorted(books.tables.table("Item").rows.values(), key=lambda row: as_text(row.body.get("Name"))):
        shelf = books.ledger.shelf(item.id, day.isoformat())
        if shelf is not None:
            yield item, shelf


def _step(books: Books, step: Step) -> JsonObject:
    entity, identifier = step.document
    body = books.tables.find(entity, identifier).body
    party = as_object(body.get("CustomerRef") or body.get("VendorRef") or body.get("EntityRef"))
    number = "START" if entity == "Item" else as_text(body.get("DocNumber"))
    values = [
        TYPE_NAMES.get(entity, entity),
        number,
        as_text(party.get("name")),
        f"{step.movement.quantity:f}",
        text_of(cents(step.cost / step.movement.quantity)),
        text_of(step.cost),
        f"{step.quantity:f}",
        text_of(step.worth),
    ]
    return {**cells(step.movement.day, values), "type": "Data"}
