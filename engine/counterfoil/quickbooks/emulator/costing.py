"""First in, first out: what is sold costs what the longest there had cost.

Within a day what comes is there before what goes. What goes though nothing is there costs the item's own estimate,
until what comes later settles the difference. What a customer gives back comes at what the last sold had cost.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from counterfoil.quickbooks.emulator.postings import DocumentKey, Movement, Posting, Stocked
from counterfoil.quickbooks.emulator.values import ZERO, cents


class Lot(NamedTuple):
    """So many that came together, and what they cost together."""

    quantity: Decimal
    worth: Decimal

    def part(self, quantity: Decimal) -> Decimal:
        """What so many of them cost, to the cent; all of them, what they cost together."""
        return self.worth if quantity == self.quantity else cents(self.worth * quantity / self.quantity)


class Step(NamedTuple):
    """A movement with what it cost, and what there is behind it."""

    document: DocumentKey
    movement: Movement
    cost: Decimal
    quantity: Decimal
    worth: Decimal


class Shelf:
    """One item's stock, movement by movement."""

    def __init__(self, stocked: Stocked) -> None:
        self._stocked = stocked
        self._lots: deque[Lot] = deque()
        self._missing: deque[Lot] = deque()
        self._last: Lot | None = None
        self.costs: defaultdict[DocumentKey, list[Posting]] = defaultdict(list)
        self.steps: list[Step] = []

    @property
    def quantity(self) -> Decimal:
        """How many there are; negative where more went than came."""
        there = sum((lot.quantity for lot in self._lots), Decimal(0))
        return there - sum((lot.quantity for lot in self._missing), Decimal(0))

    @property
    def worth(self) -> Decimal:
        """What they cost."""
        return sum((lot.worth for lot in self._lots), ZERO) - sum((lot.worth for lot in self._missing), ZERO)

    def take(self, document: DocumentKey, movement: Movement) -> None:
        """The next movement."""
        before = self.worth
        move = self._go if movement.quantity < 0 else self._come
        move(movement)
        change = self.worth - before
        moved = change if movement.worth is None else change - movement.worth
        if moved:
            self.costs[document] += [
                Posting(self._stocked.asset, moved),
                Posting(movement.expense or self._stocked.expense, -moved, movement.about),
            ]
        self.steps.append(Step(document, movement, change, self.quantity, self.worth))

    def _come(self, movement: Movement) -> None:
        lot = Lot(movement.quantity, self._worth_of(movement))
        while self._missing and lot.quantity:
            owed = self._missing.popleft()
            taken = min(owed.quantity, lot.quantity)
            if taken < owed.quantity:
                self._missing.appendleft(Lot(owed.quantity - taken, owed.worth - owed.part(taken)))
            lot = Lot(lot.quantity - taken, lot.worth - lot.part(taken))
        if lot.quantity and movement.worth is None:
            # Given back: they were there before the others.
            self._lots.appendleft(lot)
        elif lot.quantity:
            self._lots.append(lot)

    def _worth_of(self, movement: Movement) -> Decimal:
        if movement.worth is not None:
            return movement.worth
        if self._last is not None:
            return cents(movement.quantity * self._last.worth / self._last.quantity)
        return cents(movement.quantity * self._stocked.estimate)

    def _go(self, movement: Movement) -> None:
        wanted, cost = -movement.quantity, ZERO
        while wanted and self._lots:
            lot = self._lots.popleft()
            taken = min(wanted, lot.quantity)
            part = lot.part(taken)
            if taken < lot.quantity:
                self._lots.appendleft(Lot(lot.quantity - taken, lot.worth - part))
            wanted, cost = wanted - taken, cost + part
        if wanted:
            missing = Lot(wanted, cents(wanted * self._stocked.estimate))
            self._missing.append(missing)
            cost += missing.worth
        self._last = Lot(-movement.quantity, cost)


def shelf_of(stocked: Stocked, movements: Mapping[DocumentKey, Iterable[Movement]], until: str = "") -> Shelf:
    """An item's stock after all its movements, or after those of a day."""
    shelf = Shelf(stocked)
    ordered = sorted(
        ((document, movement) for document, moved in movements.items() for movement in moved),
        key=lambda one: (one[1].day, one[1].quantity < 0, one[0][0] != "Item", int(one[0][1])),
    )
    for document, movement in ordered:
        if until and movement.day > until:
            break
        shelf.take(document, movement)
    return shelf
