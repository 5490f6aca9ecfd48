"""How the metered reads of a month are spread: what is swept how often, and who stops first when they run out. Pure.

What is left of the budget is compared with what is left of the month, so that a large rest on its last day stops
nobody, and a poor one in its middle stops early.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from counterfoil.dispatch.limiter.settings import Lane

SHARE: Final = 0.5
"""Of what is left of the month's budget at any time; the rest is for what webhooks tell of, and for evidence."""

IDLE_AFTER: Final = timedelta(hours=1)
IDLE_FACTOR_MAX: Final = 8.0
LONGEST_SECONDS: Final = 86_400.0
"""Intuit: look at changed data daily at least."""

KEPT_BACK: Final[Mapping[Lane, float]] = {Lane.RECONCILE: 0.2, Lane.BACKFILL: 0.1, Lane.LIVE: 0.0}
"""Share of a whole month's budget that a lane leaves to the better ones; in the middle of the month half of it.

The lane of retries is not here: what a write needs, as evidence of a lost one, is never stopped.
"""

READS_PER_FOLLOWING: Final = 2
"""What webhooks tell of costs one query for each kind of document; mostly invoices and payments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent, and by how many.

    Attributes:
        reads_per_month: metered reads, of a company or of the app with all its companies together.
        spent: of them in this month so far.
        companies: that share them.
    """

    reads_per_month: int
    spent: int
    companies: int = 1

    @property
    def left(self) -> int:
        """What may still be spent; below 0 where writes needed more."""
        return self.reads_per_month - self.spent


def month_of(now: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the month, as Intuit is taken to count it: by UTC."""
    begins = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begins, begins + timedelta(days=monthrange(begins.year, begins.month)[1])


def stopped_until(lane: Lane, budget: Budget, now: datetime) -> datetime | None:
    """Until when a lane reads nothing, if nothing more is spent meanwhile; None where it may read now."""
    share = KEPT_BACK.get(lane)
    if share is None:
        return None
    begins, ends = month_of(now)
    if budget.left <= 0:
        return ends
    kept = budget.reads_per_month * share
    if kept * ((ends - now) / (ends - begins)) <= budget.left:
        return None
    return ends - (ends - begins) * (budget.left / kept)


def gather_seconds(wanted: float, budget: Budget, now: datetime) -> float:
    """Seconds for which what webhooks tell of is gathered before it is read: more, the less is left.

    Args:
        wanted: the usual ones, which count until the lowest lane has been stopped.
    """
    if stopped_until(Lane.RECONCILE, budget, now) is None:
        return wanted
    remaining = (month_of(now)[1] - now).total_seconds()
    if budget.left <= 0:
        return max(wanted, remaining)
    return max(wanted, min(LONGEST_SECONDS, remaining * budget.companies * READS_PER_FOLLOWING / budget.left))


def sweep_seconds(wanted: float, budget: Budget, *, now: datetime, active_at: datetime | None) -> float:
    """Seconds from one sweep of a company to its next.

    A company at which nothing happened for an hour is swept more rarely, down to an eighth. Once the budget has no
    read left for each company, the month's end is waited for.

    Args:
        wanted: the least, as configured.
        budget: of the whole app.
        now: the present.
        active_at: when anything new was last seen at this company; None: long ago.
    """
    remaining = (month_of(now)[1] - now).total_seconds()
    companies = max(1, budget.companies)
    if budget.left < companies:
        return max(wanted, remaining)
    fair = remaining * companies / (budget.left * SHARE)
    if fair <= wanted:
        return wanted
    idle = (now - active_at) / IDLE_AFTER if active_at is not None else IDLE_FACTOR_MAX
    return min(LONGEST_SECONDS, max(wanted, fair * min(IDLE_FACTOR_MAX, max(1.0, idle))))
