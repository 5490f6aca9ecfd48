"""Chance from a seed: the same seed throws the same numbers on every machine and every release of Python."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")
_BYTES = 8


class Dice:
    """Whole numbers drawn from blocks of SHA-256 over seed, name and counter; no floats anywhere.

    Args:
        seed: decides everything.
        name: keeps the throws for one purpose apart from those for another.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._start = f"{seed}/{name}"
        self._thrown = 0

    def below(self, limit: int) -> int:
        """A number from 0 up to, not including, `limit`."""
        self._thrown += 1
        block = sha256(f"{self._start}/{self._thrown}".encode()).digest()
        return int.from_bytes(block[:_BYTES]) % limit

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """One of several."""
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        """True in that many of a hundred cases."""
        return self.below(100) < percent

    def several(self, choices: Sequence[T], count: int) -> list[T]:
        """That many different ones, in the order drawn."""
        left = list(choices)
        return [left.pop(self.below(len(left))) for _ in range(count)]
