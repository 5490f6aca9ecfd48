"""How often books are swept: the figures are worked out by hand from Intuit's tiers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.dispatch.spacing import Budget, sweep_seconds

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MONTH_SECONDS = 30 * 86_400


def seconds(
    *, companies: int = 1, spent: int = 0, reads: int = 500_000, now: datetime = BEGIN, idle: timedelta = timedelta()
) -> float:
    budget = Budget(reads_per_month=reads, spent=spent, companies=companies)
    return sweep_seconds(300.0, budget, now=now, active_at=now - idle)


@pytest.mark.parametrize(
    ("companies", "spent", "expected"),
    [
        (1, 0, 300.0),
        (28, 0, 300.0),
        # Half of 500,000 for sweeps; 30 days are 2,592,000 seconds.
        (100, 0, 1_036.8),
        (1_000, 0, 10_368.0),
        (100, 250_000, 2_073.6),
        (100, 499_000, 86_400.0),
        (100, 499_901, 2_592_000.0),
        (100, 700_000, 2_592_000.0),
    ],
)
def test_the_budget_is_shared_by_all_companies(companies: int, spent: int, expected: float) -> None:
    assert seconds(companies=companies, spent=spent) == pytest.approx(expected)


def test_what_is_left_at_the_month_s_end_is_used() -> None:
    assert seconds(companies=100, spent=400_000, now=BEGIN + timedelta(days=29)) == 300.0


def test_idle_companies_are_swept_most_rarely_but_daily() -> None:
    spacings = [seconds(companies=100, idle=timedelta(hours=hours)) for hours in (0, 1, 2, 4, 8, 100)]
    assert spacings == pytest.approx([1_036.8, 1_036.8, 2_073.6, 4_147.2, 8_294.4, 8_294.4])
    assert seconds(companies=5_000, idle=timedelta(hours=100)) == 86_400.0


@given(
    companies=st.integers(1, 2_000),
    reads=st.integers(1, 100_000_000),
    spent=st.integers(0, 100_000_000),
    day=st.floats(0, 29.99),
    idle=st.floats(0, 10_000),
)
def test_it_is_never_less_than_wanted_nor_more_than_a_day_while_there_is_budget(
    companies: int, reads: int, spent: int, day: float, idle: float
) -> None:
    now = BEGIN + timedelta(days=day)
    found = seconds(companies=companies, reads=reads, spent=spent, now=now, idle=timedelta(hours=idle))
    assert found >= 300.0
    assert found <= 86_400.0 or reads - spent < companies


def test_a_month_of_sweeps_never_costs_more_than_the_budget() -> None:
    companies, spent, now, ends = 400, 0, BEGIN, BEGIN + timedelta(seconds=MONTH_SECONDS)
    while now < ends:
        wait = seconds(companies=companies, spent=spent, now=now)
        spent += companies
        now += timedelta(seconds=wait)
    assert 400_000 <= spent <= 500_000
