"""How often books are swept: the figures are worked out by hand from Intuit's tiers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.dispatch.limiter import Lane
from counterfoil.dispatch.limiter.spacing import Budget, gather_seconds, stopped_until, sweep_seconds

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


HALF_PASSED = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "stopped"),
    [
        # In the middle of the month half of 20 %, and of 10 %, is kept back from the lower lanes.
        (50_000, []),
        (49_999, [Lane.RECONCILE]),
        (25_000, [Lane.RECONCILE]),
        (24_999, [Lane.RECONCILE, Lane.BACKFILL]),
        (1, [Lane.RECONCILE, Lane.BACKFILL]),
        (0, [Lane.RECONCILE, Lane.BACKFILL, Lane.LIVE]),
        (-5_000, [Lane.RECONCILE, Lane.BACKFILL, Lane.LIVE]),
    ],
)
def test_the_low_lanes_stop_first_and_what_a_write_needs_never(left: int, stopped: list[Lane]) -> None:
    budget = Budget(reads_per_month=500_000, spent=500_000 - left)
    found = [lane for lane in Lane if stopped_until(lane, budget, HALF_PASSED) is not None]
    assert found == sorted(stopped)


@pytest.mark.parametrize(
    ("left", "until"),
    [
        # A quarter of 100,000 is what is kept for a quarter of the month: 7.5 of 30 days.
        (25_000, datetime(2026, 11, 23, 12, tzinfo=UTC)),
        (10_000, datetime(2026, 11, 28, tzinfo=UTC)),
        (0, datetime(2026, 12, 1, tzinfo=UTC)),
        (-1, datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_stop_ends_when_what_is_left_suffices_for_the_rest_of_the_month(left: int, until: datetime) -> None:
    budget = Budget(reads_per_month=500_000, spent=500_000 - left)
    assert stopped_until(Lane.RECONCILE, budget, HALF_PASSED) == until
    if left > 0:
        assert stopped_until(Lane.RECONCILE, budget, until) is None


@given(
    reads=st.integers(1, 10_000_000),
    spent=st.integers(0, 12_000_000),
    day=st.floats(0, 29.99),
    lane=st.sampled_from(Lane),
)
def test_a_stop_lies_ahead_and_ends_with_the_month(reads: int, spent: int, day: float, lane: Lane) -> None:
    now = BEGIN + timedelta(days=day)
    until = stopped_until(lane, Budget(reads_per_month=reads, spent=spent), now)
    assert until is None or now - timedelta(seconds=1) <= until <= BEGIN + timedelta(days=30)
    assert until is not None or lane is Lane.RETRY or spent < reads


def test_webhooks_are_gathered_longer_the_less_is_left() -> None:
    half_a_month = 15 * 86_400
    found = [
        gather_seconds(3.0, Budget(reads_per_month=500_000, spent=500_000 - left, companies=companies), HALF_PASSED)
        for left, companies in ((400_000, 1), (50_000, 1), (40_000, 1), (4_000, 1), (4_000, 10), (10, 1), (0, 1))
    ]
    # Two reads each time, so that what is left lasts to the month's end; once a day at least while any is left.
    assert found == pytest.approx([3.0, 3.0, 64.8, 648.0, 6_480.0, 86_400.0, half_a_month])


def test_what_webhooks_cost_in_a_month_stays_within_the_budget_however_many_come() -> None:
    budget, spent, now, ends = 20_000, 0, BEGIN, BEGIN + timedelta(seconds=MONTH_SECONDS)
    while now < ends:
        left = Budget(reads_per_month=budget, spent=spent)
        if stopped_until(Lane.LIVE, left, now) is None:
            spent += 2
        now += timedelta(seconds=gather_seconds(60.0, left, now))
    assert 19_000 <= spent <= budget
