"""What customers owed and what vendors were owed on a day, by how long it was overdue."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.reports.asked import Asked
from counterfoil.quickbooks.emulator.reports.layout import Line, Report, data, summary, total_of
from counterfoil.quickbooks.emulator.reports.openness import open_on, open_on_account
from counterfoil.quickbooks.emulator.reports.subjects import headed, name_of
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

RECEIVABLE = (("Invoice", 1), ("CreditMemo", -1), ("Payment", -1))
PAYABLE = (("Bill", 1), ("VendorCredit", -1))


def aged_receivables(books: Books, asked: Asked) -> Report:
    """Customers and what they owe."""
    return _aged(books, asked, RECEIVABLE, "CustomerRef")


def aged_payables(books: Books, asked: Asked) -> Report:
    """Vendors and what they are owed."""
    return _aged(books, asked, PAYABLE, "VendorRef")


def _aged(books: Books, asked: Asked, kinds: tuple[tuple[str, int], ...], party: str) -> Report:
    buckets = asked.aging.titles
    open_by: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO] * len(buckets))
    for entity, sign in kinds:
        for row in books.tables.table(entity).rows.values():
            day = date.fromisoformat(as_text(row.body["TxnDate"]))
            if day > asked.as_of or not headed(row, asked.filters):
                continue
            amount = sign * open_on(books, entity, row, asked.as_of)
            if amount:
                reference = as_object(row.body.get(party))
                key = (as_text(reference.get("name")), as_text(reference.get("value")))
                open_by[key][asked.aging.place(overdue(row, asked.aged_on))] += amount
    kind = party.removesuffix("Ref")
    alone = next((wanted for filtered, wanted in asked.filters if filtered == kind), None)
    for row, identifier, amount in open_on_account(books, kind, asked.as_of):
        if alone is None or identifier in alone:
            key = (name_of(books.tables, kind, identifier), identifier)
            open_by[key][asked.aging.place(overdue(row, asked.aged_on))] += amount
    lines = [
        Line(name, identifier, (*amounts, sum(amounts, ZERO)))
        for (name, identifier), amounts in sorted(open_by.items())
        if any(amounts)
    ]
    rows: list[JsonValue] = [data(line) for line in lines]
    if lines:
        total = total_of([line.amounts for line in lines], len(buckets) + 1)
        closing: JsonObject = {"Summary": summary("TOTAL", total), "type": "Section", "group": "GrandTotal"}
        rows.append(closing)
    first = ("", "Customer" if party == "CustomerRef" else "Vendor")
    return Report((first, *((bucket, "Money") for bucket in buckets), ("Total", "Money")), rows)


def overdue(row: Row, day: date) -> int:
    """For how many days a document should have been settled by then; of one without a term since its own day."""
    return (day - date.fromisoformat(as_text(row.body.get("DueDate") or row.body["TxnDate"]))).days
