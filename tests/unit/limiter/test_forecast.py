"""What a month and a backlog come to: figures by hand from Intuit's limits."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.dispatch.limiter.forecast import backlog_seconds, month_forecast
from counterfoil.dispatch.limiter.settings import LimiterSettings


@pytest.mark.parametrize(
    ("now", "calls", "expected"),
    [
        (datetime(2026, 11, 16, tzinfo=UTC), 150, 300),
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), 3000, 3000),
        (datetime(2026, 11, 1, 1, tzinfo=UTC), 10, 300),
        (datetime(2026, 2, 15, tzinfo=UTC), 14, 28),
    ],
)
def test_a_month_goes_on_as_it_began(now: datetime, calls: int, expected: int) -> None:
    assert month_forecast({f"{now:%Y-%m}": calls, "2025-01": 10**6}, now) == expected


def test_a_month_without_calls_comes_to_none() -> None:
    assert month_forecast({"2026-10": 5}, datetime(2026, 11, 2, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    ("singles", "transactions", "items_max", "ceiling", "expected"),
    [
        (0, 0, 30, 1.0, 0.0),
        # Of invoices a minute takes 40 batches and 460 single calls: 1,660.
        (0, 830, 30, 1.0, 30.0),
        (0, 10_000, 30, 1.0, 10_000 / 1_660 * 60),
        # In tens it takes 860; with a ceiling of four fifths 32 batches and 368 single calls: 688.
        (0, 10_000, 10, 1.0, 10_000 / 860 * 60),
        (0, 10_000, 10, 0.8, 10_000 / 688 * 60),
        # 5,000 names go one by one, 500 a minute; four fifths of that with a ceiling.
        (5_000, 0, 30, 1.0, 600.0),
        (5_000, 0, 30, 0.8, 750.0),
        # Both: 5,334 calls are the narrower limit.
        (5_000, 10_000, 30, 1.0, 5_334 / 500 * 60),
    ],
)
def test_a_backlog_takes_as_long_as_its_narrowest_limit(
    singles: int, transactions: int, items_max: int, ceiling: float, expected: float
) -> None:
    found = backlog_seconds(singles, transactions, settings=LimiterSettings(), items_max=items_max, ceiling=ceiling)
    assert found == pytest.approx(expected)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 30), st.floats(0.1, 1.0))
def test_more_work_never_takes_less_time(singles: int, transactions: int, items_max: int, ceiling: float) -> None:
    settings = LimiterSettings()
    less = backlog_seconds(singles, transactions, settings=settings, items_max=items_max, ceiling=ceiling)
    more = backlog_seconds(singles + 1, transactions + 1, settings=settings, items_max=items_max, ceiling=ceiling)
    assert 0 <= less <= more
