"""Gusto's limit: 200 requests in any sixty seconds for each grant."""

from collections import deque
from dataclasses import dataclass
from math import ceil

from counterfoil.ports import Clock

WINDOW_SECONDS = 60.0
REQUESTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and what the headers say."""

    allowed: bool
    remaining: int
    reset_seconds: int


class Limits:
    """A sliding log per grant; a refused request does not count."""

    def __init__(self, clock: Clock, *, on: bool, requests_max: int = REQUESTS_MAX) -> None:
        self._clock = clock
        self._on = on
        self._max = requests_max
        self._log: dict[str, deque[float]] = {}
        self.refused = 0

    def ask(self, grant: str) -> Verdict:
        """Count a request of a grant, if it may pass."""
        now = self._clock.monotonic()
        log = self._log.setdefault(grant, deque(maxlen=self._max))
        while log and log[0] <= now - WINDOW_SECONDS:
            log.popleft()
        if self._on and len(log) >= self._max:
            self.refused += 1
            return Verdict(allowed=False, remaining=0, reset_seconds=max(1, ceil(log[0] + WINDOW_SECONDS - now)))
        log.append(now)
        reset = ceil(log[0] + WINDOW_SECONDS - now)
        return Verdict(allowed=True, remaining=self._max - len(log), reset_seconds=max(0, reset))

    @property
    def limit(self) -> int:
        return self._max
