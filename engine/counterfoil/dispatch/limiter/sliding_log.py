"""A sliding window in which a slot comes free a full window after its *response*.

Between send and response nobody but the server knows when a request counted. Holding the slot until a window
after the response is the one rule that is safe at any delay: whatever arrives later arrived after that.
"""

import heapq
from collections.abc import Iterable, Iterator


class SlidingLog:
    """Counts calls in flight and calls answered within the window.

    Args:
        limit: most calls in any window.
        window_seconds: length of the window.
    """

    __slots__ = ("_answered", "_in_flight", "limit", "window_seconds")

    def __init__(self, limit: int, window_seconds: float) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self._in_flight = 0
        self._answered: list[float] = []

    def used(self, now: float) -> int:
        """Slots taken at `now` (monotonic seconds)."""
        while self._answered and self._answered[0] + self.window_seconds < now:
            heapq.heappop(self._answered)
        return self._in_flight + len(self._answered)

    def free_at(self, now: float, allowed: int) -> float | None:
        """The earliest instant at which fewer than `allowed` slots are taken; `now` if so already.

        None when only a response can free enough of them.
        """
        surplus = self.used(now) - allowed + 1
        if surplus <= 0:
            return now
        if surplus > len(self._answered):
            return None
        oldest = self._answered[0] if surplus == 1 else heapq.nsmallest(surplus, self._answered)[-1]
        return oldest + self.window_seconds

    def take(self) -> None:
        """A call begins."""
        self._in_flight += 1

    def give_back(self) -> None:
        """A call that began was never sent."""
        self._in_flight -= 1

    def answered(self, at: float) -> None:
        """A call that began was answered, or must be counted as if it had been, at `at`."""
        self._in_flight -= 1
        heapq.heappush(self._answered, at)

    def restore(self, stamps: Iterable[float]) -> None:
        """Count calls of an earlier process by their response times."""
        for at in stamps:
            heapq.heappush(self._answered, at)

    def stamps(self, now: float) -> Iterator[float]:
        """Response times that still count; a call in flight stands at `now`."""
        self.used(now)
        yield from sorted(self._answered)
        yield from (now for _ in range(self._in_flight))
