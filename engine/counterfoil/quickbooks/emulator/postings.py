"""What one transaction does to the books: amounts on accounts, what parties owe, what comes to stock and goes."""

from collections import defaultdict
from collections.abc import Iterable
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


class Movement(NamedTuple):
    """So many of an item of inventory come in, or go out where they are negative.

    Attributes:
        day: of the document, as ISO text.
        worth: in home money, what the document itself posts to the item's asset account for them; None where that is
            their cost, which the other documents of the item decide.
        expense: where their cost goes; empty where the item says.
    """

    item: str
    quantity: Decimal
    day: str
    worth: Decimal | None = None
    expense: str = ""
    about: About = NOTHING


class Stocked(NamedTuple):
    """How an item of inventory is kept: its accounts, and what one costs where nothing else tells."""

    asset: str
    expense: str
    estimate: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """What one transaction does to the books.

    Attributes:
        postings: what it moves on the accounts, but for the cost of what it takes out of stock.
        owed: what a customer owes more by it, or a vendor is owed, by the party's Id.
        stock: what comes and goes by it.
        stocked: of an item of inventory, how it is kept.
    """

    postings: tuple[Posting, ...] = ()
    owed: tuple[tuple[str, Decimal], ...] = ()
    stock: tuple[Movement, ...] = ()
    stocked: Stocked | None = None


NO_EFFECT = Effect()


class Sums:
    """Postings in the making: amounts on the same account, about the same, become one."""

    def __init__(self) -> None:
        self._stock: list[Movement] = []
        self._amounts: defaultdict[tuple[str, About], Decimal] = defaultdict(lambda: ZERO)

    def add(self, account: str, amount: Decimal, about: About = NOTHING) -> None:
        """Positive is a debit."""
        self._amounts[account, about] += amount

    def move(self, movement: Movement) -> None:
        """Something comes to stock, or goes."""
        if movement.quantity:
            self._stock.append(movement)

    def stock(self) -> tuple[Movement, ...]:
        """What comes and goes."""
        return tuple(self._stock)

    def postings(self) -> tuple[Posting, ...]:
        """One for each that does not come to nothing."""
        return tuple(Posting(account, amount, about) for (account, about), amount in self._amounts.items() if amount)


def balanced(postings: Iterable[Posting]) -> bool:
    """Whether debits equal credits."""
    return sum((posting.amount for posting in postings), ZERO) == ZERO
