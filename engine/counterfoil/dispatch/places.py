"""How many calls of one company may be prepared at a time: places by urgency and kind.

A call takes its place when its body is fixed, and waits for its slot then. With one number for all kinds, batches that
wait for their own limit would fill it for most of a minute, and neither names nor live work could come to the gate.
"""

from collections.abc import Sequence
from typing import Final

SINGLE_CALLS_MAX: Final = 10
"""Intuit lets ten be under way at once."""

BATCHES_MAX: Final = 6
URGENT: Final[Sequence[str]] = ("live", "retry")
PATIENT: Final[Sequence[str]] = ("backfill", "reconcile")


class Places:
    """Counts the calls that wait or are under way, urgent and patient lanes apart."""

    def __init__(self) -> None:
        self._taken: dict[tuple[bool, bool], int] = {}

    def __len__(self) -> int:
        return sum(self._taken.values())

    def free(self, lane: str, *, batch: bool) -> int:
        """How many more calls of this lane and kind may be prepared."""
        return (BATCHES_MAX if batch else SINGLE_CALLS_MAX) - self._taken.get((lane in URGENT, batch), 0)

    def take(self, lane: str, *, batch: bool) -> None:
        """A call is prepared."""
        key = (lane in URGENT, batch)
        self._taken[key] = self._taken.get(key, 0) + 1

    def give_back(self, lane: str, *, batch: bool) -> None:
        """It has ended."""
        self._taken[lane in URGENT, batch] -= 1
