"""Parts that equal their sum to the cent, whatever the weights."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.splitting import split

CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) / 100)
WEIGHTS = st.lists(
    st.integers(-1_000, 1_000) | st.decimals(-1_000, 1_000, places=3, allow_nan=False), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        # 100.00 in three: 33.33 each, the cent that is left goes to the first.
        ("100.00", [1, 1, 1], ["33.34", "33.33", "33.33"]),
        # By days of a fortnight: 2,500.005 twice.
        ("5000.01", [7, 7], ["2500.01", "2500.00"]),
        # 0.05 by 3, 3, 1: 0.02142, 0.02142, 0.00714; 0.02, 0.02, 0.00 and one cent for the largest remainder.
        ("0.05", [3, 3, 1], ["0.02", "0.02", "0.01"]),
        ("-100.00", [1, 1, 1], ["-33.34", "-33.33", "-33.33"]),
        ("10.00", [1, 0, 2], ["3.33", "0.00", "6.67"]),
        # A weight below zero takes away: 10 x 3/2 and 10 x -1/2.
        ("10.00", [3, -1], ["15.00", "-5.00"]),
        # Weights that come to nothing say nothing.
        ("0.03", [0, 0], ["0.02", "0.01"]),
        ("0.03", [1, -1], ["0.02", "0.01"]),
        ("0.00", [1, 2], ["0.00", "0.00"]),
    ],
)
def test_figures_by_hand(total: str, weights: list[int], parts: list[str]) -> None:
    assert split(Decimal(total), weights) == tuple(Decimal(part) for part in parts)


@given(CENTS, WEIGHTS)
def test_the_parts_equal_the_sum_and_are_whole_in_cents(total: Decimal, weights: list[int | Decimal]) -> None:
    parts = split(total, weights)
    assert len(parts) == len(weights)
    assert sum(parts) == total
    assert all(part == part.quantize(Decimal("0.01")) for part in parts)
    assert split(-total, weights) == tuple(-part for part in parts)


@given(CENTS, st.lists(st.integers(0, 1_000), min_size=1, max_size=12).filter(any))
def test_no_part_is_a_cent_away_from_its_share(total: Decimal, weights: list[int]) -> None:
    for part, weight in zip(split(total, weights), weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < Decimal("0.01") * sum(weights)
        assert weight or not part


@pytest.mark.parametrize(("total", "weights"), [("0.001", [1]), ("1.00", [])])
def test_what_cannot_be_split_is_refused(total: str, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"cents|no parts"):
        split(Decimal(total), weights)
