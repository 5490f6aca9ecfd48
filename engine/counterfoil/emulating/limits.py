"""A limit on calls in any window of time."""

from collections import deque
from math import ceil


class Window:
    """A sliding log of what was let through; `cost` is for vendors that count in tokens. A refusal counts nothing."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self.refused = 0
        self._used = 0
        self._log: deque[tuple[float, int]] = deque()

    def admit(self, now: float, cost: int = 1) -> bool:
        """Whether so much more fits now; it is counted if so."""
        self._forget(now)
        if self._used + cost > self.most:
            self.refused += 1
            return False
        self._log.append((now, cost))
        self._used += cost
        return True

    def remaining(self, now: float) -> int:
        self._forget(now)
        return self.most - self._used

    def reset_seconds(self, now: float) -> int:
        """Whole seconds until something comes free."""
        self._forget(now)
        return max(0, ceil(self._log[0][0] + self.seconds - now)) if self._log else 0

    def _forget(self, now: float) -> None:
        while self._log and self._log[0][0] <= now - self.seconds:
            self._used -= self._log.popleft()[1]
