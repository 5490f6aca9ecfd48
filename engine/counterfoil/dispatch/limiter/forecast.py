"""What follows from the limits: how long a backlog takes, and how many metered reads a month comes to. Pure."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from math import ceil

from counterfoil.dispatch.limiter.settings import LimiterSettings

BUILDER_READS_PER_MONTH = 500_000
"""Intuit: App Partner Program, the free tier; beyond it the app is shown as offline."""

_MINUTE = 60.0


def month_forecast(metered: Mapping[str, int], now: datetime) -> int:
    """Metered reads that the present month comes to, if it goes on as it began.

    Args:
        metered: calls by month ("2026-11").
    """
    calls = metered.get(f"{now:%Y-%m}", 0)
    days = monthrange(now.year, now.month)[1]
    passed = (now.day - 1) + (now.hour * 60 + now.minute) / 1440
    # Of the first hours little follows: they count as a day.
    return round(calls * days / max(1.0, passed))


def backlog_seconds(
    singles: int, transactions: int, *, settings: LimiterSettings, items_max: int, ceiling: float
) -> float:
    """The least seconds that a backlog takes inside the limits, answers not counted.

    Args:
        singles: writes that go one by one, as name lists do.
        transactions: writes that go in batches, and one by one as well where the minute's batches cannot take them.
        items_max: writes to a batch.
        ceiling: share of the limits that may be used.
    """
    batches = ceil(transactions / items_max)
    calls_a_minute = min(settings.requests_per_minute * ceiling, settings.requests_per_second * _MINUTE)
    batches_a_minute = settings.batches_per_minute * ceiling
    in_batches = batches / batches_a_minute
    both_ways = (singles + transactions) / (calls_a_minute + (items_max - 1) * batches_a_minute)
    return max((singles + batches) / calls_a_minute, min(in_batches, both_ways)) * _MINUTE
