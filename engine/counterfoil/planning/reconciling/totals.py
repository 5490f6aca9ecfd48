"""Adds documents up by side: per type, month, party and account, each in each currency."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from counterfoil.planning.reconciling.figures import NOTHING, Posted

Side = Literal["source", "log", "books"]
Dimension = Literal["type", "month", "party", "account"]
DIMENSIONS: tuple[Dimension, ...] = ("type", "month", "party", "account")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a sum stands: `value` is the month, the party or the Id of the account; empty for a whole type."""

    dimension: Dimension
    entity: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How many documents, and what they come to; tax apart."""

    documents: int = 0
    net: Decimal = NOTHING
    tax: Decimal = NOTHING

    def __add__(self, other: "Sum") -> "Sum":
        """Both together."""
        return Sum(documents=self.documents + other.documents, net=self.net + other.net, tax=self.tax + other.tax)

    @property
    def total(self) -> Decimal:
        """Net and tax."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One sum on all sides."""

    place: Place
    source: Sum = field(default_factory=Sum)
    log: Sum = field(default_factory=Sum)
    books: Sum = field(default_factory=Sum)

    @property
    def differs(self) -> bool:
        """Whether the sides do not come to the same."""
        return not self.source == self.log == self.books

    @property
    def difference(self) -> Decimal:
        """By how much the books come to more than the source."""
        return self.books.total - self.source.total


class Totals:
    """Sums by place and side."""

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self._cells = {cell.place: cell for cell in cells}

    def add(self, side: Side, posted: Posted, times: int = 1) -> None:
        """Count a document on a side; `times` -1 takes one back."""
        whole = Sum(documents=times, net=times * posted.net, tax=times * posted.tax)
        self._put(side, Place("type", posted.entity, "", posted.currency), whole)
        if posted.month:
            self._put(side, Place("month", posted.entity, posted.month, posted.currency), whole)
        if posted.party:
            self._put(side, Place("party", posted.entity, posted.party, posted.currency), whole)
        for account, amount in posted.accounts.items():
            place = Place("account", posted.entity, account, posted.currency)
            self._put(side, place, Sum(documents=times, net=times * amount))

    def _put(self, side: Side, place: Place, amount: Sum) -> None:
        cell = self._cells.get(place) or Cell(place=place)
        match side:
            case "source":
                self._cells[place] = replace(cell, source=cell.source + amount)
            case "log":
                self._cells[place] = replace(cell, log=cell.log + amount)
            case "books":
                self._cells[place] = replace(cell, books=cell.books + amount)

    def cells(self, dimension: Dimension | None = None) -> Iterator[Cell]:
        """All sums, or those of one dimension, in order."""
        for place in sorted(self._cells):
            if dimension is None or place.dimension == dimension:
                yield self._cells[place]

    def with_all(self, other: "Totals") -> "Totals":
        """Both together; of different types."""
        return Totals([*self.cells(), *other.cells()])


def by_month(cells: Iterable[Cell]) -> dict[str, dict[str, Cell]]:
    """Sums of all types together: currency → month → cell."""
    found: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        if cell.place.dimension != "month":
            continue
        months = found.setdefault(cell.place.currency, {})
        place = Place("month", "", cell.place.value, cell.place.currency)
        known = months.get(cell.place.value) or Cell(place=place)
        months[cell.place.value] = Cell(
            place=place,
            source=known.source + cell.source,
            log=known.log + cell.log,
            books=known.books + cell.books,
        )
    return found
