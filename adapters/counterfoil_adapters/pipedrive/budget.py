"""The daily budget of tokens that a Pipedrive company has for all its integrations, and what is left of it.

Every call costs tokens (Pipedrive: rate limiting; the costs stand at each endpoint of the reference). Answers usually
say what is left. When the day ends depends on where Pipedrive keeps the company: midnight UTC is assumed, and since it
may come earlier, a spent budget is probed once an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from counterfoil.ports import Clock
from counterfoil.sources.http import HttpAnswer, retry_after_seconds
from counterfoil.sources.port import SourceError

READ_ONE, READ_LIST, READ_STAGES, WRITE, READ_USER = 1, 10, 5, 5, 2
"""Tokens that calls of version 2 cost, and `users/me`, which has no such version."""

LIMIT_HEADER = "x-daily-ratelimit-token-limit"
LEFT_HEADER = "x-daily-ratelimit-token-remaining"
BURST_HEADER = "x-ratelimit-reset"
PROBE_SECONDS = 3600.0
TOO_MANY = 429


class BudgetSpentError(SourceError):
    """No more calls today: the company's token budget is spent, or what is left is kept for more urgent calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLeft:
    """What is left of a day's tokens; None where Pipedrive has not said."""

    limit: int | None
    left: int | None
    spent_here: int
    resets_at: datetime


class TokenBudget:
    """Counts what is spent, and stops reading before nothing is left for writing back.

    Args:
        daily: what the company's plan grants, where the answers do not say it themselves.
        reserve: tokens that polls leave for webhooks' reads and for write-back.
    """

    def __init__(self, clock: Clock, *, daily: int | None, reserve: int) -> None:
        self._clock = clock
        self._daily = daily
        self._reserve = reserve
        self._limit: int | None = daily
        self._left: int | None = daily
        self._spent_here = 0
        self._day = clock.now().date()
        self._probe_at: datetime | None = None

    def state(self) -> BudgetLeft:
        """What is left today, as far as it is known."""
        self._turn_day()
        midnight = self._midnight()
        return BudgetLeft(limit=self._limit, left=self._left, spent_here=self._spent_here, resets_at=midnight)

    def spend(self, cost: int, *, urgent: bool) -> None:
        """Count a call that is about to be made.

        Raises:
            BudgetSpentError: it does not fit today.
        """
        self._turn_day()
        floor = 0 if urgent else min(self._reserve, (self._limit or self._reserve) // 4)
        if self._left is not None and self._left - cost < floor and not self._may_probe():
            raise self._spent()
        self._spent_here += cost
        if self._left is not None:
            self._left = max(0, self._left - cost)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer says; both headers may be missing after a long rest."""
        limit, left = _number(headers.get(LIMIT_HEADER)), _number(headers.get(LEFT_HEADER))
        if limit is not None:
            self._limit = limit
        if left is not None:
            self._left = left
            self._probe_at = None

    def told(self, answer: HttpAnswer) -> float | None:
        """How long a busy answer asks to wait: until the day ends, or until the burst window does."""
        self.learn(answer.headers)
        if answer.status == TOO_MANY and _number(answer.headers.get(LEFT_HEADER)) == 0:
            return self._wait()
        told = retry_after_seconds(answer.headers, self._clock)
        if told is not None:
            return told
        burst = _number(answer.headers.get(BURST_HEADER)) if answer.status == TOO_MANY else None
        return float(burst) if burst is not None else None

    def _may_probe(self) -> bool:
        now = self._clock.now()
        if self._probe_at is None:
            self._probe_at = now + timedelta(seconds=PROBE_SECONDS)
            return False
        if now < self._probe_at:
            return False
        self._probe_at = now + timedelta(seconds=PROBE_SECONDS)
        return True

    def _spent(self) -> BudgetSpentError:
        of = f" of {self._limit}" if self._limit is not None else ""
        return BudgetSpentError(
            f"Pipedrive's daily token budget has {self._left}{of} left, too little for this call.",
            remedy="It is filled up at midnight; poll less often, or buy more tokens in Pipedrive.",
            retry_after=self._wait(),
        )

    def _wait(self) -> float:
        return min(PROBE_SECONDS, (self._midnight() - self._clock.now()).total_seconds() + 1)

    def _midnight(self) -> datetime:
        tomorrow = self._clock.now() + timedelta(days=1)
        return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)

    def _turn_day(self) -> None:
        today = self._clock.now().date()
        if today != self._day:
            self._day = today
            self._left = self._daily
            self._spent_here = 0
            self._probe_at = None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
