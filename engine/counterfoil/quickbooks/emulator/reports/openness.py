"""What was open of a document on a day: less the payments that were dated until then."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.payments import CREDITS, WITHOUT_BALANCE, payer
from counterfoil.quickbooks.emulator.sales import deposit_of
from counterfoil.quickbooks.emulator.settling import SETTLED, SETTLEMENTS
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_text, to_decimal


def open_on(books: Books, entity: str, row: Row, day: date) -> Decimal:
    """Of an invoice, a bill or a credit what was not settled; of a payment what was not applied."""
    total = to_decimal(row.body.get("TotalAmt", 0), "TotalAmt")
    if entity in SETTLED:
        paid = books.ledger.payments_of((entity, row.id))
        total -= deposit_of(entity, row.body)
        return total - sum((amount for payment, amount in paid.items() if _was_there(books, payment, day)), ZERO)
    applied = books.ledger.links_of(row.id)
    signed = ((-amount if kind in CREDITS else amount, kind, other) for (kind, other), amount in applied.items())
    return total - sum((amount for amount, kind, other in signed if _dated(books, kind, other) <= day), ZERO)


def open_on_account(books: Books, kind: str, day: date) -> Iterator[tuple[Row, str, Decimal]]:
    """Entries and deposits that customers owe, or vendors are owed, by: each, the party, what was open on a day."""
    found = ((entity, row) for entity in sorted(WITHOUT_BALANCE) for row in books.tables.table(entity).rows.values())
    for entity, row in found:
        key = (entity, row.id)
        if _dated(books, *key) > day:
            continue
        for party, owed in books.ledger.effect_of(key).owed:
            if books.tables.get(kind, party) is None:
                continue
            paid = sum(
                (
                    amount
                    for payment, amount in books.ledger.payments_of(key).items()
                    if payer(books.tables, payment) == party and _was_there(books, payment, day)
                ),
                ZERO,
            )
            if owed != paid:
                yield row, party, owed - paid


def _was_there(books: Books, payment: str, day: date) -> bool:
    return any(
        _dated(books, entity, payment) <= day for entity in SETTLEMENTS if books.tables.get(entity, payment) is not None
    )


def _dated(books: Books, entity: str, identifier: str) -> date:
    row = books.tables.get(entity, identifier)
    return date.fromisoformat(as_text(row.body["TxnDate"])) if row is not None else date.max
