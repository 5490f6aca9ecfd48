"""Figures of a load run against numbers reckoned by hand, and the page and the table that show them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from counterfoil.cli.exits import ExitCode
from counterfoil.loadtest.figures import Delays, Sample, course_of, delays_of, most_within, thinned
from counterfoil.loadtest.report import Company, Report, as_data, page_of
from counterfoil.loadtest.run import Measured
from counterfoil.loadtest.shape import by_hand


def test_delays_are_the_nearest_rank() -> None:
    assert delays_of([float(number) for number in range(200, 0, -1)]) == Delays(p50=100, p95=190, p99=198, max=200)
    assert delays_of([3.5]) == Delays(p50=3.5, p95=3.5, p99=3.5, max=3.5)
    assert delays_of([]) is None


@pytest.mark.parametrize(
    ("instants", "seconds", "most"),
    [
        ([], 1.0, 0),
        ([5.0], 1.0, 1),
        ([0.0, 0.5, 1.0, 1.4, 3.0], 1.0, 3),  # 0.5, 1.0, 1.4
        ([1.0, 0.0], 1.0, 1),
        ([float(number) for number in range(120)], 60.0, 60),
    ],
)
def test_the_most_in_a_window(instants: list[float], seconds: float, most: int) -> None:
    assert most_within(instants, seconds) == most


def course(*stood: tuple[float, int, int], seconds: float = 100.0) -> tuple[float, float, int, float | None, bool]:
    found = course_of([Sample(*one) for one in stood], seconds)
    return found.half, found.end, found.slack, found.drained, found.keeps_up


def test_a_backlog_that_stays_is_kept_up_with() -> None:
    # 50 come in the second half, in 50 s: 3 seconds' worth of them are 3.
    assert course((0, 1, 0), (50, 60, 52), (100, 110, 99), (104, 110, 110)) == (8, 11, 3, 4.0, True)


def test_a_backlog_that_grows_is_not() -> None:
    assert course((0, 1, 0), (50, 60, 52), (100, 110, 98), (130, 110, 110)) == (8, 12, 3, 30.0, False)


def test_what_is_never_done_is_not_kept_up_with() -> None:
    assert course((0, 1, 0), (50, 60, 60), (100, 110, 109), (220, 110, 109)) == (0, 1, 3, None, False)


def test_nothing_left_at_the_end_is_done_at_once() -> None:
    assert course((0, 1, 0), (50, 60, 60), (100, 110, 110)) == (0, 0, 3, 0.0, True)


def test_quarters_count_on_average_and_a_long_load_has_a_twentieth_of_slack() -> None:
    stood = ((20, 10, 0), (30, 24, 20), (50, 60, 52), (80, 90, 84), (90, 100, 98), (100, 110, 109), (101, 110, 110))
    # 4 and 8 in the second quarter, 6, 2 and 1 in the last.
    assert course(*stood) == (6, 3, 3, 1.0, True)
    assert course((0, 1, 0), (1000, 600, 600), (2000, 1100, 1075), (2009, 1100, 1100), seconds=2000) == (
        (0, 25, 25, 9.0, True)
    )


def test_of_many_samples_some_are_kept_and_both_ends() -> None:
    many = [Sample(float(number), number, 0) for number in range(101)]
    assert [one.made for one in thinned(many, 5)] == [0, 25, 50, 75, 100]
    assert thinned(many[:5], 5) == tuple(many[:5])


MEASURED = Measured(
    company=1,
    planned=110,
    made=110,
    outcomes={"applied": 110},
    course=course_of([Sample(0, 1, 0), Sample(50, 60, 52), Sample(100, 110, 99), Sample(104, 110, 110)], 100.0),
    samples=(Sample(0, 1, 0), Sample(50, 60, 52), Sample(100, 110, 99), Sample(104, 110, 110)),
    delays=Delays(p50=1.0, p95=2.0, p99=3.0, max=4.0),
    effects=110,
    calls=60,
    writes=40,
    throttled=0,
    in_minute=50,
    in_second=5,
    batches_in_minute=10,
)
ONE = Company(
    company=1,
    name="Shop <b>& Sons</b>",
    volume=by_hand(1320.0),
    measured=MEASURED,
    requests_per_minute=500,
    ceiling=0.8,
    multiple_max=60.4,
)
REPORT = Report(
    times=3.0,
    seconds=100.0,
    seed=1,
    began=datetime(2026, 11, 30, 11, tzinfo=UTC),
    days=None,
    companies=(ONE,),
    without_history=(2,),
    peak_memory_bytes=100 * 2**20,
)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, ExitCode.OK),
        ({"made": 109}, ExitCode.UNSETTLED),
        ({"outcomes": {"applied": 109, "parked": 1}}, ExitCode.UNSETTLED),
        ({"course": replace(MEASURED.course, end=11.5)}, ExitCode.UNSETTLED),
        ({"course": replace(MEASURED.course, drained=None)}, ExitCode.UNSETTLED),
    ],
)
def test_it_leaves_with_0_only_if_all_was_borne(change: dict[str, object], code: ExitCode) -> None:
    fields = {name: getattr(MEASURED, name) for name in Measured.__slots__}
    report = replace(REPORT, companies=(ONE, replace(ONE, measured=Measured(**{**fields, **change}))))
    assert report.exit_code == code
    assert as_data(report)["exit"] == int(code)


def test_the_page_shows_the_figures_and_takes_no_markup_from_names() -> None:
    page = page_of(REPORT)
    assert "<b>& Sons" not in page
    assert "Shop &lt;b&gt;&amp; Sons&lt;/b&gt; (company 1)" in page
    for shown in ("It keeps up with 3 times its volume for 100 s.", "10% of 500", "50% of 10", "25% of 40", "60 times"):
        assert shown in page
    assert "Nothing is recorded of company 2: left out." in page
    # Largest backlog 11 at 100 s of 104: 46 + 720 * 100 / 104, at the top but for 12.
    assert "738.3,12.0" in page
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 1
