"""The plan of a load: its numbers follow from the rate, its records from the seed; nothing is changed twice at once."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.loadtest.feed import Feed, file_of, key_of
from counterfoil.loadtest.plan import AGAIN_SECONDS, Line, Made, make_plan
from counterfoil.loadtest.shape import Rate

RATE = Rate(quiet=60, singles_new=120, singles_changed=30, batched_new=240, batched_changed=90, lines=4)


def test_it_holds_so_many_of_each_as_rate_times_and_time_say() -> None:
    plan = make_plan(RATE, times=2, seconds=600, seed=7)  # a sixth of an hour, twice: a third of each
    assert len(plan.load) == 20 + 40 + 10 + 80 + 30
    assert plan.writes == 160
    assert Counter((one.kind, one.writes) for one in plan.load) == {
        ("order", False): 20,
        ("customer", True): 50,
        ("order", True): 110,
    }
    assert Counter(one.kind for one in plan.load if one.edition > 1) == {"customer": 10, "order": 30}
    assert all(len(one.lines) == 4 for one in plan.load if one.kind == "order")
    instants = [one.at for one in plan.load]
    assert instants == sorted(instants)
    assert 0 <= instants[0] < 60
    assert 540 < instants[-1] < 600


def test_the_same_seed_is_the_same_plan_and_another_is_another() -> None:
    first = make_plan(RATE, times=2, seconds=600, seed=7)
    assert make_plan(RATE, times=2, seconds=600, seed=7) == first
    assert make_plan(RATE, times=2, seconds=600, seed=8) != first


def test_whatever_is_changed_is_there_before_and_is_another_each_time() -> None:
    plan = make_plan(RATE, times=20, seconds=600, seed=3)
    last = {(one.kind, one.id): one for one in plan.before}
    for one in plan.load:
        before = last.get((one.kind, one.id))
        assert (before is not None) == (one.edition > 1)
        if before is not None:
            assert one.edition == before.edition + 1
            assert before.at == 0 or one.at - before.at >= AGAIN_SECONDS
            assert (one.lines, one.edition) != (before.lines, before.edition)
            assert one.customer == before.customer
        last[one.kind, one.id] = one
    parties = {one.id for one in plan.before if one.kind == "customer"}
    goods = {one.id for one in plan.before if one.kind == "product"}
    for one in plan.load:
        if one.kind == "order":
            assert one.customer in parties
            assert {line.product for line in one.lines} <= goods


@pytest.mark.parametrize(
    ("rate", "times", "seconds", "said"),
    [
        (Rate(batched_new=2), 1.0, 600.0, "less than one change"),
        (Rate(), 1000.0, 3600.0, "less than one change"),
        (Rate(batched_new=1000), 101.0, 3600.0, "100,000 are the most"),
    ],
)
def test_a_load_of_nothing_or_of_too_much_is_refused(rate: Rate, times: float, seconds: float, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        make_plan(rate, times=times, seconds=seconds, seed=1)
    assert "--times" in refused.value.remedy


def order(number: int, edition: int = 1) -> Made:
    return Made(
        at=0.0,
        kind="order",
        id=f"O{number}",
        edition=edition,
        customer="C1",
        lines=(Line("P1", 2, Decimal(edition)), Line("P2", 1, Decimal(5))),
    )


def test_a_file_holds_a_row_for_each_line() -> None:
    assert file_of([order(1)], "order", "2026-11-30").splitlines() == [
        "id,date,customer,state,line,product,quantity,price",
        "O1,2026-11-30,C1,won,1,P1,2,1",
        "O1,2026-11-30,C1,won,2,P2,1,5",
    ]


def test_a_record_is_not_changed_again_before_its_file_was_read(tmp_path: Path) -> None:
    feed = Feed(tmp_path, "2026-11-30")
    first, second, other = order(1), order(1, 2), order(2)
    assert feed.write([first, other]) == ([first, other], [])
    assert feed.write([second]) == ([], [second])
    (path,) = tmp_path.iterdir()
    assert path.name == "orders_000001.csv"

    feed.take_away([key_of(first)])
    assert [*tmp_path.iterdir()] == [path]
    feed.take_away([key_of(other)])
    assert [*tmp_path.iterdir()] == []
    assert feed.write([second]) == ([second], [])
    assert [one.name for one in tmp_path.iterdir()] == ["orders_000002.csv"]
