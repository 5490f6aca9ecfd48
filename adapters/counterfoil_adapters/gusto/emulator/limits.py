"""Gusto's limit: 200 requests in any sixty seconds for each grant."""

from dataclasses import dataclass

from counterfoil.emulating import Window
from counterfoil.ports import Clock

WINDOW_SECONDS = 60.0
REQUESTS_MAX = 200
UNLIMITED = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and what the headers say."""

    allowed: bool
    remaining: int
    reset_seconds: int


class Limits:
    """A window per grant; a refused request does not count."""

    def __init__(self, clock: Clock, *, on: bool, requests_max: int = REQUESTS_MAX) -> None:
        self._clock = clock
        self.limit = requests_max
        self._most = requests_max if on else UNLIMITED
        self._windows: dict[str, Window] = {}

    @property
    def refused(self) -> int:
        return sum(window.refused for window in self._windows.values())

    def ask(self, grant: str) -> Verdict:
        """Count a request of a grant, if it may pass."""
        now = self._clock.monotonic()
        window = self._windows.setdefault(grant, Window(self._most, WINDOW_SECONDS))
        allowed = window.admit(now)
        remaining = max(0, self.limit - (self._most - window.remaining(now)))
        return Verdict(allowed=allowed, remaining=remaining, reset_seconds=window.reset_seconds(now))
