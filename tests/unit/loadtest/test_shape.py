"""A deployment's volume out of its hours, and what the limits would bear of it; expected figures reckoned by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from counterfoil.dispatch.limiter import LimiterSettings
from counterfoil.loadtest.shape import Hour, Rate, by_hand, multiple_max, volume_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)
TUESDAY = datetime(2026, 11, 17, 14, tzinfo=UTC)
WHOLE = LimiterSettings.unreserved()


def hour(at: datetime, kind: str = "order", **counts: int) -> Hour:
    none = {
        "quiet": 0,
        "singles_new": 0,
        "singles_changed": 0,
        "batched_new": 0,
        "batched_changed": 0,
        "lines": 0,
        "lined": 0,
    }
    given = {**none, **counts}
    changes = sum(value for name, value in given.items() if name not in {"lines", "lined"})
    return Hour(hour=at, connection="shop", kind=kind, changes=changes, **given)


def test_the_busiest_hour_of_the_week_on_the_average_of_the_weeks_seen() -> None:
    hours = [
        # Thirteen days seen: two weeks begun. Tuesdays 14:00: 40 and 20 orders, 6 customers, 4 that call for nothing.
        hour(TUESDAY, batched_new=30, batched_changed=10, lines=90, lined=40),
        hour(TUESDAY, "customer", singles_new=4, singles_changed=2, quiet=4),
        hour(TUESDAY + timedelta(days=7), batched_new=20, lines=50, lined=20),
        hour(TUESDAY + timedelta(days=1), batched_new=50, lines=100, lined=50),
    ]
    found = volume_of(hours, SINCE, NOW)
    assert found is not None
    assert found.slot == "Tue 14:00 UTC"
    assert found.peak == Rate(
        quiet=2.0, singles_new=2.0, singles_changed=1.0, batched_new=25.0, batched_changed=5.0, lines=2
    )  # 240 lines of 110 documents: 2.2
    assert found.peak.changes == 35.0
    assert (found.changes, found.busiest) == (120, 50)
    assert found.kinds == (("shop:customer", 10), ("shop:order", 110))
    assert found.mean == pytest.approx(120 / (13 * 24 - 2))


def test_a_log_that_is_older_than_the_time_looked_at_counts_from_there() -> None:
    found = volume_of([hour(SINCE, batched_new=50)], SINCE, NOW)
    assert found is not None
    assert found.peak.batched_new == 10.0  # of thirty days the fifth week has begun
    assert found.peak.lines == 3
    assert volume_of([], SINCE, NOW) is None


def test_a_volume_by_hand_is_new_orders_and_nothing_else() -> None:
    assert by_hand(120.0).peak == Rate(batched_new=120.0, lines=3)


@pytest.mark.parametrize(
    ("rate", "settings", "ceiling", "expected"),
    [
        # 600 calls an hour, 500 a minute: 1.2 minutes of sixty.
        (Rate(singles_new=400, singles_changed=200), WHOLE, 1.0, 50.0),
        # 40 batches of 30 and 460 single calls a minute: 1,660 transactions.
        (Rate(batched_new=1660), WHOLE, 1.0, 60.0),
        # At four fifths of that: 1,328 a minute.
        (Rate(batched_new=1328), WHOLE, 0.8, 60.0),
        # A customer with each invoice: 500 calls a minute hold 480 of each (480 + 480 / 30 = 496) and a little more.
        (Rate(singles_new=480, batched_new=480), WHOLE, 1.0, 60 * 500 / 496),
        # Ten a second are 600 a minute: a higher limit for the minute does not help beyond.
        (Rate(singles_new=600), LimiterSettings(requests_per_minute=5000), 1.0, 60.0),
    ],
)
def test_the_most_that_the_limits_would_bear(
    rate: Rate, settings: LimiterSettings, ceiling: float, expected: float
) -> None:
    found = multiple_max(rate, settings, 30, ceiling)
    assert found is not None
    assert found == pytest.approx(expected, rel=1e-3)


def test_what_writes_nothing_meets_no_limit() -> None:
    assert multiple_max(Rate(quiet=1000), WHOLE, 30, 1.0) is None
