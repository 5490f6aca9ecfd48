"""Which lane of the log's writer carries a company."""

from collections import Counter
from itertools import pairwise

import pytest

from counterfoil.log.writer import lane_of


@pytest.mark.parametrize("lanes", [2, 3, 4])
@pytest.mark.parametrize("companies", [range(1, 1_001), range(0, 2_000, 2), range(1, 4_001, 4)])
def test_lanes_carry_about_as_many_companies_each(lanes: int, companies: range) -> None:
    carried = Counter(lane_of(company, lanes) for company in companies)

    assert sorted(carried) == list(range(lanes))
    assert max(carried.values()) <= 1.1 * len(companies) / lanes


def test_neighbours_do_not_take_turns() -> None:
    changes = [lane_of(company, 2) != lane_of(following, 2) for company, following in pairwise(range(1_000))]

    assert 0.25 <= sum(changes) / len(changes) <= 0.75


def test_there_is_a_lane_for_every_number_that_a_company_may_have() -> None:
    assert all(lane_of(company, lanes) in range(lanes) for company in (0, 2**63 - 1) for lanes in (1, 2, 7))
