"""What the load is made of: made-up records of the deployment's shape, each with its instant, from a seed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal

from counterfoil.demo.dice import Dice
from counterfoil.errors import ConfigurationError
from counterfoil.loadtest.shape import Rate

Kind = Literal["customer", "product", "order"]

CUSTOMERS, PRODUCTS = 10, 10
BASE_MAX = 60
"""Records that are there before the load begins, of each kind, for changes to happen to."""

CHANGES_MAX = 100_000
AGAIN_SECONDS = 60.0
"""A record is changed again after so long at the earliest, so that each change is seen for itself."""

HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order."""

    product: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A state of a made-up record.

    Attributes:
        at: seconds from the beginning of the load; 0 for what is there before.
        writes: whether it calls for a document.
    """

    at: float
    kind: Kind
    id: str
    edition: int = 1
    customer: str = ""
    lines: tuple[Line, ...] = ()
    writes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One company's load: what is there before, and what comes, in its order."""

    before: tuple[Made, ...]
    load: tuple[Made, ...]

    @property
    def writes(self) -> int:
        """Changes of the load that call for a document."""
        return sum(one.writes for one in self.load)


def counts_of(rate: Rate, times: float, seconds: float) -> Mapping[str, int]:
    """How many changes of each sort a load holds."""
    sorts = [part.name for part in fields(Rate) if part.name != "lines"]
    return {sort: round(getattr(rate, sort) * times * seconds / HOUR_SECONDS) for sort in sorts}


def make_plan(rate: Rate, *, times: float, seconds: float, seed: int) -> Plan:
    """The plan of a seed: the same numbers give the same plan.

    Raises:
        ConfigurationError: it comes to nothing, or to more than is bearable.
    """
    counts = counts_of(rate, times, seconds)
    total = sum(counts.values())
    if not total:
        raise ConfigurationError(
            f"{times:g} times the volume comes to less than one change in {seconds:g} s.",
            remedy="Raise --times, run for longer (--minutes), or state a volume with --orders-per-hour.",
        )
    if total > CHANGES_MAX:
        raise ConfigurationError(
            f"{times:g} times the volume comes to {total:,} changes in {seconds:g} s; {CHANGES_MAX:,} are the most.",
            remedy="Lower --times, or run for a shorter time.",
        )
    dice = Dice(seed, "load")
    maker = _Maker(dice, rate.lines)
    before = maker.base(counts["singles_changed"], counts["batched_changed"])
    sorts = [sort for sort, count in counts.items() for _ in range(count)]
    instants = sorted(dice.below(max(1, round(seconds * 1000))) / 1000 for _ in sorts)
    load = tuple(maker.make(sort, at) for sort, at in zip(dice.several(sorts, total), instants, strict=True))
    return Plan(before=before, load=load)


class _Maker:
    """Makes records one after the other."""

    def __init__(self, dice: Dice, lines: int) -> None:
        self._dice = dice
        self._lines = lines
        self._made: dict[Kind, int] = {"customer": 0, "product": 0, "order": 0}
        self._last: dict[Kind, dict[str, Made]] = {"customer": {}, "product": {}, "order": {}}

    def base(self, singles_changed: int, batched_changed: int) -> tuple[Made, ...]:
        """What is there before: enough to change, and one order at least."""
        products = [self._new("product", 0.0) for _ in range(PRODUCTS)]
        customers = [self._new("customer", 0.0) for _ in range(CUSTOMERS + min(singles_changed, BASE_MAX))]
        orders = [self._new("order", 0.0) for _ in range(max(1, min(batched_changed, BASE_MAX)))]
        return (*customers, *products, *orders)

    def make(self, sort: str, at: float) -> Made:
        """One change of the load."""
        if sort == "quiet":
            return self._new("order", at, writes=False)
        kind: Kind = "customer" if sort.startswith("singles") else "order"
        return self._changed(kind, at) if sort.endswith("changed") else self._new(kind, at)

    def _new(self, kind: Kind, at: float, *, writes: bool = True) -> Made:
        self._made[kind] += 1
        identity = f"{kind[0].upper()}{self._made[kind]:06d}"
        customer = ""
        lines: tuple[Line, ...] = ()
        if kind == "order":
            # Only customers that are in the books before: nothing waits for another record.
            customer = f"C{self._dice.between(1, CUSTOMERS):06d}"
            lines = self._some_lines()
        made = Made(at=at, kind=kind, id=identity, customer=customer, lines=lines, writes=writes)
        if writes:
            self._last[kind][identity] = made
        return made

    def _changed(self, kind: Kind, at: float) -> Made:
        """A newer state of the record that has rested longest; a new one where none has rested long enough."""
        last = next(iter(self._last[kind].values()), None)
        if last is None or (last.at > 0 and at - last.at < AGAIN_SECONDS):
            return self._new(kind, at)
        del self._last[kind][last.id]
        lines = self._some_lines(other_than=last.lines) if kind == "order" else ()
        made = Made(at=at, kind=kind, id=last.id, edition=last.edition + 1, customer=last.customer, lines=lines)
        self._last[kind][last.id] = made
        return made

    def _some_lines(self, other_than: tuple[Line, ...] = ()) -> tuple[Line, ...]:
        while True:
            lines = tuple(
                Line(
                    f"P{self._dice.between(1, PRODUCTS):06d}",
                    self._dice.between(1, 9),
                    Decimal(self._dice.between(100, 99_999)) / 100,
                )
                for _ in range(self._lines)
            )
            if lines != other_than:
                return lines
