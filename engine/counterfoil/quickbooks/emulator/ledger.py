"""Double entry behind the documents: what each transaction posts, who owes what, and which payment paid what."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from counterfoil.quickbooks.emulator.values import ZERO

DocumentKey = tuple[str, str]
"""Entity and Id of a document."""


class About(NamedTuple):
    """What a line is about, as Ids, where it says so itself; reports ask its document for the rest."""

    item: str = ""
    tracked_class: str = ""
    department: str = ""
    party_kind: str = ""
    party: str = ""


NOTHING = About()


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount on an account: positive is a debit, negative a credit."""

    account: str
    amount: Decimal
    about: About = NOTHING


@dataclass(frozen=True, slots=True)
class Effect:
    """What one transaction does to the books.

    Attributes:
        postings: what it moves on the accounts.
        owed: what a customer owes more by it, or a vendor is owed, by the party's Id.
        stock: how many of an item of inventory it brings or takes, by the item's Id.
    """

    postings: tuple[Posting, ...] = ()
    owed: tuple[tuple[str, Decimal], ...] = ()
    stock: tuple[tuple[str, Decimal], ...] = ()


NO_EFFECT = Effect()


class Sums:
    """Postings in the making: amounts on the same account, about the same, become one."""

    def __init__(self) -> None:
        self._stock: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._amounts: defaultdict[tuple[str, About], Decimal] = defaultdict(lambda: ZERO)

    def add(self, account: str, amount: Decimal, about: About = NOTHING) -> None:
        """Positive is a debit."""
        self._amounts[account, about] += amount

    def move(self, item: str, quantity: Decimal) -> None:
        """So many of an item come in, or go out."""
        self._stock[item] += quantity

    def stock(self) -> tuple[tuple[str, Decimal], ...]:
        """What comes and goes, by item."""
        return tuple((item, quantity) for item, quantity in self._stock.items() if quantity)

    def postings(self) -> tuple[Posting, ...]:
        """One for each that does not come to nothing."""
        return tuple(Posting(account, amount, about) for (account, about), amount in self._amounts.items() if amount)


class Ledger:
    """Running balances; a changed document replaces its former effect."""

    def __init__(self) -> None:
        self._effects: dict[DocumentKey, Effect] = {}
        self._accounts: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._parties: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._stock: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._paid_by: defaultdict[DocumentKey, dict[str, Decimal]] = defaultdict(dict)
        self._pays: dict[str, dict[DocumentKey, Decimal]] = {}

    def record(self, document: DocumentKey, effect: Effect) -> None:
        """Replace what a document does; `NO_EFFECT` takes it out."""
        self._add(self._effects.pop(document, NO_EFFECT), -1)
        if effect != NO_EFFECT:
            self._effects[document] = effect
            self._add(effect, 1)

    def _add(self, effect: Effect, sign: int) -> None:
        for posting in effect.postings:
            self._accounts[posting.account] += sign * posting.amount
        for party, owed in effect.owed:
            self._parties[party] += sign * owed
        for item, quantity in effect.stock:
            self._stock[item] += sign * quantity

    def account(self, identifier: str) -> Decimal:
        """Debits less credits of an account."""
        return self._accounts.get(identifier, ZERO)

    def party(self, identifier: str) -> Decimal:
        """What a customer owes, or a vendor is owed."""
        return self._parties.get(identifier, ZERO)

    def stock(self, item: str) -> Decimal:
        """How many of an item documents have brought, less what they took."""
        return self._stock.get(item, Decimal(0))

    def accounts(self) -> dict[str, Decimal]:
        """Debits less credits of every account that was ever posted to."""
        return dict(self._accounts)

    def applied_to(self, document: DocumentKey, *, besides: str = "") -> Decimal:
        """How much payments have applied to an invoice or used up of a credit memo."""
        return sum((amount for payment, amount in self._paid_by.get(document, {}).items() if payment != besides), ZERO)

    def payments_of(self, document: DocumentKey) -> dict[str, Decimal]:
        """Payment Ids and their amounts on a document, in the order in which they came."""
        return dict(self._paid_by.get(document, {}))

    def links_of(self, payment: str) -> dict[DocumentKey, Decimal]:
        """What a payment is applied to."""
        return dict(self._pays.get(payment, {}))

    def all_links(self) -> dict[str, dict[DocumentKey, Decimal]]:
        """What each payment is applied to."""
        return {payment: dict(links) for payment, links in self._pays.items()}

    def effect_of(self, document: DocumentKey) -> Effect:
        """What one document does now."""
        return self._effects.get(document, NO_EFFECT)

    def effects(self) -> Iterator[tuple[DocumentKey, Effect]]:
        """What each document does now."""
        return iter(self._effects.items())

    def link(self, payment: str, links: Mapping[DocumentKey, Decimal]) -> list[DocumentKey]:
        """Replace what a payment is applied to; returns each document that it touched or touches."""
        before = self._pays.pop(payment, {})
        for document in before:
            self._paid_by[document].pop(payment, None)
            if not self._paid_by[document]:
                del self._paid_by[document]
        for document, amount in links.items():
            self._paid_by[document][payment] = amount
        if links:
            self._pays[payment] = dict(links)
        changed = [document for document in before if links.get(document) != before[document]]
        return changed + [document for document in links if document not in before]


def balanced(postings: Iterable[Posting]) -> bool:
    """Whether debits equal credits."""
    return sum((posting.amount for posting in postings), ZERO) == ZERO
