"""What happens when: everything that a seed decides beforehand. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal["engine", "postmaster", "backend", "stop", "partition", "outage", "disk full", "token"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
WEIGHTS: Final[Mapping[Kind, int]] = {
    "engine": 46,
    "postmaster": 18,
    "backend": 8,
    "stop": 9,
    "partition": 5,
    "outage": 6,
    "disk full": 3,
    "token": 5,
}
KILLS: Final[frozenset[Kind]] = frozenset({"engine", "postmaster", "backend"})
GAP_SECONDS_MIN, GAP_SECONDS_MAX = 0.4, 8.0
POINTS: Final = (
    ("lease.acquired", 2),
    ("fold.computed", 12),
    ("fold.saved", 12),
    ("source.recorded", 3),
    ("cursor.saved", 12),
    ("call.sent", 2),
    ("call.answered", 2),
    ("call.settled", 2),
    ("batch.sent", 2),
    ("batch.answered", 2),
    ("batch.settled", 2),
    ("books.recorded", 2),
    ("write_back.sent", 3),
    ("write_back.answered", 3),
    ("write_back.settled", 3),
)
"""Points between two durable steps, and by which pass at the latest a life may be told to end there.

Those of tokens are left to `test_killed_engine.py`: a rotated token that is lost wants a person.
"""


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that happens: so many seconds after the one before it, `choice` picks its victim, `force` its size."""

    after: float
    kind: Kind
    choice: float
    force: float


@dataclass(frozen=True, slots=True)
class Fate:
    """How a life is to end by itself: at which pass of which point."""

    step: str
    passes: int


def blows(seed: int, count: int, *, gap_seconds: float) -> Sequence[Blow]:
    """As many blows; every kind comes before any has come far more often than its weight says.

    Args:
        gap_seconds: between two, on average.
    """
    dice = random.Random(f"blows {seed}")
    deck: list[Kind] = []
    made = []
    for _ in range(count):
        if not deck:
            deck = [kind for kind, weight in WEIGHTS.items() for _ in range(weight)]
            dice.shuffle(deck)
            # One of each first, so that a short run has seen them all.
            for kind in KINDS:
                deck.remove(kind)
            deck += dice.sample(KINDS, len(KINDS))
        gap = min(GAP_SECONDS_MAX, max(GAP_SECONDS_MIN, dice.expovariate(1 / gap_seconds)))
        made.append(Blow(round(gap, 3), deck.pop(), dice.random(), dice.random()))
    return made


def fate(dice: random.Random, share: float) -> Fate | None:
    """How the next life of an engine ends by itself, if it does.

    Args:
        share: of the lives.
    """
    if dice.random() >= share:
        return None
    step, latest = dice.choice(POINTS)
    return Fate(step, dice.randint(1, latest))
