"""Intuit's limits in sliding windows: any 60 seconds, any second, at once.

Source: Intuit's limits-and-throttles page (10 per second in the current text, 10 at once in the older one; both
are enforced) and its announcements of 2025 for batches.
"""

from collections import deque
from dataclasses import dataclass, fields

from counterfoil.ports import Clock
from counterfoil_schema.exact_json import JsonObject

MINUTE = 60.0
SECOND = 1.0
DAY = 86_400.0
# Differences of floats fall a hair to either side; a request exactly one span ago no longer counts.
EDGE_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class LimitNumbers:
    """How much is allowed; all of it can be changed, as Intuit changes it.

    Attributes:
        requests_per_minute: per realm, whoever asks.
        requests_per_second, concurrent, batches_per_minute, combined_per_minute: per realm and app.
        batches_per_minute_realm: per realm, whoever asks.
        metered_per_month: reads that are billed, over a calendar month; 0 for no end, as in sandboxes.
        mails_per_day: documents sent by e-mail, as in sandboxes; 0 for no end.
        count_rejected: refused requests use up the windows too.
    """

    enabled: bool = True
    requests_per_minute: int = 500
    requests_per_second: int = 10
    concurrent: int = 10
    batches_per_minute: int = 40
    batches_per_minute_realm: int = 120
    combined_per_minute: int = 800
    metered_per_month: int = 0
    mails_per_day: int = 40
    count_rejected: bool = False

    def as_json(self) -> JsonObject:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Window:
    """How many of something happened in the last so many seconds, and the most that ever did."""

    def __init__(self, span: float) -> None:
        self._span = span
        self._stamps: deque[float] = deque()
        self.peak = 0

    def count(self, now: float) -> int:
        while self._stamps and self._stamps[0] <= now - self._span + EDGE_SECONDS:
            self._stamps.popleft()
        return len(self._stamps)

    def add(self, now: float) -> None:
        self._stamps.append(now)
        self.peak = max(self.peak, self.count(now))


class Limiter:
    """Admits requests or refuses them.

    Args:
        clock: whose monotonic time the windows use.
        numbers: what is allowed.
    """

    def __init__(self, clock: Clock, numbers: LimitNumbers) -> None:
        self._clock = clock
        self.numbers = numbers
        self.other_app_per_minute = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.rejected = 0
        self.minute = Window(MINUTE)
        self.second = Window(SECOND)
        self.batches = Window(MINUTE)
        self.mails = Window(DAY)

    def admit(self, *, batch: bool, mail: bool = False) -> str:
        """Count the request and say which limit it breaks; an empty string lets it through."""
        now = self._clock.monotonic()
        broken = self._broken(now, batch=batch, mail=mail) if self.numbers.enabled else ""
        if broken:
            self.rejected += 1
        if not broken or self.numbers.count_rejected:
            self.minute.add(now)
            self.second.add(now)
            if batch:
                self.batches.add(now)
            if mail:
                self.mails.add(now)
        return broken

    def _broken(self, now: float, *, batch: bool, mail: bool) -> str:
        numbers = self.numbers
        minute = self.minute.count(now)
        if minute + self.other_app_per_minute >= numbers.requests_per_minute:
            return "requests_per_minute"
        if minute >= numbers.combined_per_minute:
            return "combined_per_minute"
        if self.second.count(now) >= numbers.requests_per_second:
            return "requests_per_second"
        if self.in_flight >= numbers.concurrent:
            return "concurrent"
        batches = self.batches.count(now)
        if batch and batches >= numbers.batches_per_minute:
            return "batches_per_minute"
        if batch and batches >= numbers.batches_per_minute_realm:
            return "batches_per_minute_realm"
        if mail and 0 < numbers.mails_per_day <= self.mails.count(now):
            return "mails_per_day"
        return ""

    def enter(self) -> None:
        """A request is being handled."""
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def leave(self) -> None:
        """It no longer is."""
        self.in_flight -= 1
