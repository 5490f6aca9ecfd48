"""Two ways to look at the same documents: when they were made, or when they were paid.

In cash an invoice or a bill counts on the days on which it is paid, and for the part that is paid; so does a credit,
when it is used up. What a payment leaves unapplied is income, or expense, of an account of its own. Source: Intuit's
help pages on cash and accrual reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator import chart
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.payments import CREDITS
from counterfoil.quickbooks.emulator.postings import DocumentKey, Effect, Posting
from counterfoil.quickbooks.emulator.sales import deposit_of
from counterfoil.quickbooks.emulator.settling import SETTLED, SETTLEMENTS
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_text, cents, reference_id, to_decimal

UNAPPLIED = {"Payment": chart.UNAPPLIED_INCOME, "BillPayment": chart.UNAPPLIED_EXPENSE}
ON_ACCOUNT = frozenset({"Accounts Receivable", "Accounts Payable"})


@dataclass(frozen=True, slots=True)
class Posted:
    """Postings of a document on a day; they balance."""

    day: date
    document: DocumentKey
    row: Row
    postings: tuple[Posting, ...]


def accrued(books: Books) -> Iterator[Posted]:
    """Every document on its own day."""
    for document, effect in books.ledger.effects():
        row = books.tables.get(*document)
        if row is not None and effect.postings:
            yield Posted(_day(row), document, row, effect.postings)


def settled_in_cash(books: Books) -> Iterator[Posted]:
    """Every document when it was paid."""
    for posted in accrued(books):
        entity = posted.document[0]
        if entity in SETTLED:
            yield from _as_paid(books, posted)
        elif entity in SETTLEMENTS:
            yield _with_unapplied(books, posted)
        else:
            yield posted


def _as_paid(books: Books, posted: Posted) -> Iterator[Posted]:
    """A document on account in the parts in which it was paid, to the cent its whole once it is paid whole."""
    entity, row = posted.document[0], posted.row
    total = to_decimal(row.body.get("TotalAmt", 0), "TotalAmt")
    if not total:
        return
    deposit = deposit_of(entity, row.body)
    box = reference_id(row.body.get("DepositToAccountRef")) if deposit else ""
    account = next((leg.account for leg in posted.postings if _type_of(leg.account, books) in ON_ACCOUNT), box)
    earned = tuple(leg for leg in posted.postings if leg.account not in {account, box})
    paid = [(posted.day, deposit, box)] if deposit else []
    paid += sorted(
        (max(posted.day, _day_of_payment(books, payment, posted.day)), amount, account)
        for payment, amount in books.ledger.payments_of(posted.document).items()
    )
    so_far, before = ZERO, tuple(ZERO for _ in earned)
    for day, amount, against in paid:
        so_far += amount
        until_now = _share(earned, so_far / total)
        moved = [replace(leg, amount=now - then) for leg, now, then in zip(earned, until_now, before, strict=True)]
        moved.append(Posting(against, -sum((leg.amount for leg in moved), ZERO)))
        yield Posted(day, posted.document, row, tuple(leg for leg in moved if leg.amount))
        before = until_now


def _share(postings: tuple[Posting, ...], part: Decimal) -> tuple[Decimal, ...]:
    """That part of each posting; together they are that part of all, and the largest takes what rounding leaves."""
    shares = [cents(posting.amount * part) for posting in postings]
    if shares:
        largest = max(range(len(shares)), key=lambda place: abs(shares[place]))
        whole = sum((posting.amount for posting in postings), ZERO)
        shares[largest] += cents(whole * part) - sum(shares, ZERO)
    return tuple(shares)


def _with_unapplied(books: Books, posted: Posted) -> Posted:
    """A payment whose rest is no credit of the customer, but income until it is applied."""
    entity, identifier = posted.document
    effect: Effect = books.ledger.effect_of(posted.document)
    moved = [posting for posting in posted.postings if _type_of(posting.account, books) in ON_ACCOUNT]
    if len(moved) != 1:
        return posted
    (leg,) = moved
    total = to_decimal(posted.row.body.get("TotalAmt", 0), "TotalAmt")
    links = books.ledger.links_of(identifier)
    applied = sum((-amount if key[0] in CREDITS else amount for key, amount in links.items()), ZERO)
    rest = cents(leg.amount * (total - applied) / total) if total else ZERO
    if not rest or not effect.postings:
        return posted
    others = tuple(posting for posting in posted.postings if posting is not leg)
    kept = replace(leg, amount=leg.amount - rest)
    unapplied = Posting(UNAPPLIED[entity], rest, leg.about)
    return replace(posted, postings=(*others, *((kept,) if kept.amount else ()), unapplied))


def _type_of(account: str, books: Books) -> str:
    row = books.tables.get("Account", account)
    return as_text(row.body.get("AccountType")) if row is not None else ""


def _day_of_payment(books: Books, payment: str, otherwise: date) -> date:
    for entity in SETTLEMENTS:
        row = books.tables.get(entity, payment)
        if row is not None:
            return _day(row)
    return otherwise


def _day(row: Row) -> date:
    """Of a document its own; of an item the day from which it is counted."""
    return date.fromisoformat(as_text(row.body.get("TxnDate") or row.body["InvStartDate"]))
