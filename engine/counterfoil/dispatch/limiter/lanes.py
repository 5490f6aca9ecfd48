"""Who waits, and who goes next: strict by lane, first come first served inside one, and nobody for ever.

A batch goes before single calls of its lane: it carries thirty times as much, and its own limit keeps it from keeping
them out.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from counterfoil.dispatch.limiter.settings import CallKind, Lane


@dataclass(eq=False, slots=True)
class Waiter:
    """A caller at the gate."""

    lane: Lane
    kind: CallKind
    number: int
    since: float
    granted: asyncio.Future[None] = field(repr=False)


class Lanes:
    """Waiting callers by lane and kind.

    Kinds queue apart, so that a batch waiting for its own limit does not hold up the single calls behind it.

    Args:
        low_lane_turn: after so many grants past a waiting lower lane, the longest waiter goes first once.
    """

    __slots__ = ("_low_lane_turn", "_passed_over", "_queues")

    def __init__(self, low_lane_turn: int) -> None:
        self._queues: dict[tuple[Lane, CallKind], deque[Waiter]] = {
            (lane, kind): deque() for lane in Lane for kind in CallKind
        }
        self._low_lane_turn = low_lane_turn
        self._passed_over = 0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def waiting(self, lane: Lane) -> int:
        """How many callers wait in a lane."""
        return sum(len(self._queues[lane, kind]) for kind in CallKind)

    def waiting_before(self, lane: Lane, kind: CallKind | None) -> int:
        """How many callers of a kind, or of all kinds, would be served before one that came to this lane now."""
        kinds = CallKind if kind is None else (kind,)
        return sum(len(self._queues[better, each]) for better in Lane if better <= lane for each in kinds)

    def add(self, waiter: Waiter) -> None:
        """Queue a caller behind all others of its lane and kind."""
        self._queues[waiter.lane, waiter.kind].append(waiter)

    def add_first(self, waiter: Waiter) -> None:
        """Put a caller back to where it stood before it was served."""
        self._queues[waiter.lane, waiter.kind].appendleft(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Take a caller out wherever it stands; nothing happens if it has gone already."""
        queue = self._queues[waiter.lane, waiter.kind]
        if waiter in queue:
            queue.remove(waiter)

    def heads(self) -> list[Waiter]:
        """The first caller of every lane and kind, best first."""
        firsts = [queue[0] for queue in self._queues.values() if queue]
        return sorted(firsts, key=lambda waiter: (waiter.lane, waiter.kind is not CallKind.BATCH, waiter.number))

    def next(self, eligible: Callable[[Waiter], bool]) -> Waiter | None:
        """Take out the caller to be served now, among those that the limits let pass; None if there is none."""
        candidates = [waiter for waiter in self.heads() if eligible(waiter)]
        if not candidates:
            return None
        chosen = candidates[0]
        if any(waiter.lane > chosen.lane for waiter in candidates):
            self._passed_over += 1
            if self._passed_over > self._low_lane_turn:
                chosen = min(candidates, key=lambda waiter: waiter.number)
                self._passed_over = 0
        self._queues[chosen.lane, chosen.kind].popleft()
        return chosen
