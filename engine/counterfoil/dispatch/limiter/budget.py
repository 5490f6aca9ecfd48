"""The month's budget of metered reads, as one company stands in it: counted here, shared with all processes."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from counterfoil.dispatch.limiter.forecast import month_forecast
from counterfoil.dispatch.limiter.settings import Lane
from counterfoil.dispatch.limiter.spacing import Budget, gather_seconds, stopped_until, sweep_seconds
from counterfoil.ports import Clock

COMPANIES_SEEN = timedelta(days=1)
"""A company that was worked for within this time shares the app's budget."""

WHAT_STOPS: Mapping[Lane, str] = {
    Lane.RECONCILE: "sweeps and comparisons",
    Lane.BACKFILL: "reads of a backfill",
    Lane.LIVE: "reads that webhooks ask for",
}


class ReadBudget:
    """Counts metered reads by month, and says what they leave to whom.

    Args:
        own: metered reads a month of this company alone; None where it has no such bound.
        app: the same of the whole app, all companies together; None where Intuit meters nothing.

    Attributes:
        counted: reads of this company, by month ("2026-11").
    """

    def __init__(self, clock: Clock, *, own: int | None = None, app: int | None = None) -> None:
        self.own = own
        self.app = app
        self.counted: dict[str, int] = {}
        self._clock = clock
        self._others: tuple[str, int, int] = ("", 0, 0)

    def count(self, reads: int = 1) -> None:
        """Reads that succeeded, and are therefore metered."""
        self.restore({self.month(): reads})

    def restore(self, counted: Mapping[str, int]) -> None:
        """Add what an earlier holder of the company counted, by month."""
        for month, reads in counted.items():
            self.counted[month] = self.counted.get(month, 0) + reads

    def learn(self, *, spent: int, companies: int) -> None:
        """What the app's other companies have spent in the present month, and how many of them are worked for."""
        self._others = (self.month(), spent, companies)

    def month(self) -> str:
        """The present month, as it is counted under."""
        return f"{self._clock.now():%Y-%m}"

    def used(self) -> int:
        """Reads of this company in the present month."""
        return self.counted.get(self.month(), 0)

    def forecast(self) -> int:
        """What the present month comes to for this company, if it goes on as it began."""
        return month_forecast(self.counted, self._clock.now())

    def budgets(self) -> tuple[Budget, ...]:
        """All that bind this company."""
        month, spent, companies = self._others
        others = spent if month == self.month() else 0
        found: list[Budget] = []
        if self.own is not None:
            found.append(Budget(reads_per_month=self.own, spent=self.used()))
        if self.app is not None:
            found.append(Budget(reads_per_month=self.app, spent=self.used() + others, companies=companies + 1))
        return tuple(found)

    def tightest(self) -> Budget | None:
        """The one that runs out first; None where nothing bounds the reads."""
        return min(self.budgets(), key=lambda one: one.left / one.reads_per_month, default=None)

    def stopped_until(self, lane: Lane) -> datetime | None:
        """Until when a lane may read nothing; None where it may."""
        now = self._clock.now()
        until = [stopped_until(lane, budget, now) for budget in self.budgets()]
        return max((one for one in until if one is not None), default=None)

    def stopped(self) -> dict[Lane, datetime]:
        """The lanes that read nothing now, and until when."""
        return {lane: until for lane in WHAT_STOPS if (until := self.stopped_until(lane)) is not None}

    def gather_seconds(self, wanted: float) -> float:
        """How long what webhooks tell of is gathered."""
        now = self._clock.now()
        return max((gather_seconds(wanted, budget, now) for budget in self.budgets()), default=wanted)

    def sweep_seconds(self, wanted: float, active_at: datetime | None = None) -> float:
        """How long it is from one sweep to the next; at the longest, where nothing is said of when news came."""
        now = self._clock.now()
        spacings = [sweep_seconds(wanted, budget, now=now, active_at=active_at) for budget in self.budgets()]
        return max(spacings, default=wanted)
