"""How often the books are swept: as often as the month's budget of metered reads allows, idle companies rarest."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

SHARE: Final = 0.5
"""Of what is left of the month's budget at any time; the rest is for what webhooks tell of, and for evidence."""

IDLE_AFTER: Final = timedelta(hours=1)
IDLE_FACTOR_MAX: Final = 8.0
LONGEST_SECONDS: Final = 86_400.0
"""Intuit: look at changed data daily at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent, and by how many.

    Attributes:
        reads_per_month: metered reads of the app, all companies together.
        spent: of them in this month so far.
        companies: that are swept.
    """

    reads_per_month: int
    spent: int
    companies: int


def sweep_seconds(wanted: float, budget: Budget, *, now: datetime, active_at: datetime) -> float:
    """Seconds from one sweep of a company to its next.

    A company at which nothing happened for an hour is swept more rarely, down to an eighth. Once the budget has no
    read left for each company, the month's end is waited for.

    Args:
        wanted: the least, as configured.
        budget: of the whole app.
        now: the present.
        active_at: when anything new was last seen at this company.
    """
    utc = now.astimezone(UTC)
    days = monthrange(utc.year, utc.month)[1]
    month_ends = utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
    companies = max(1, budget.companies)
    left = budget.reads_per_month - budget.spent
    remaining = (month_ends - utc).total_seconds()
    if left < companies:
        return max(wanted, remaining)
    fair = remaining * companies / (left * SHARE)
    if fair <= wanted:
        return wanted
    idle = (now - active_at) / IDLE_AFTER
    return min(LONGEST_SECONDS, max(wanted, fair * min(IDLE_FACTOR_MAX, max(1.0, idle))))
