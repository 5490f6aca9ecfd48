"""The breaker's rule: what goes unasked is never more than the share, nor than the number that always may."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.breaker import BreakerRule, Gone, sentence, takes_away
from counterfoil_schema.exact_json import JsonObject

SHARES = st.decimals(min_value=0, max_value=1, places=3, allow_nan=False)
COUNTS = st.integers(min_value=0, max_value=100_000)


@given(share=SHARES, always=st.integers(0, 50), there=COUNTS, steps=st.lists(st.integers(1, 500), max_size=40))
def test_whatever_comes_in_whatever_portions_no_more_than_the_share_goes_unasked(
    share: Decimal, always: int, there: int, steps: list[int]
) -> None:
    rule = BreakerRule(share=share, documents=always)
    gone = 0
    for step in steps:
        stops, _, _ = Gone(there=there - gone, planned=gone, carried_out=gone).with_more(rule, step)
        if not stops:
            gone += step
    assert gone <= max(always, int(share * there))


@pytest.mark.parametrize(
    ("gone", "there", "stops"),
    [(5, 6, False), (6, 6, True), (40, 100, True), (10, 100, False), (11, 100, True), (0, 0, False)],
)
def test_a_tenth_and_five_in_any_case(gone: int, there: int, stops: bool) -> None:
    assert BreakerRule(share=Decimal("0.1"), documents=5).stops(gone, there) is stops


def test_a_share_of_one_never_asks() -> None:
    assert not BreakerRule(share=Decimal(1), documents=0).stops(1_000, 1_000)


def test_what_is_gone_at_the_source_and_not_decided_yet_counts() -> None:
    rule = BreakerRule(share=Decimal("0.1"), documents=5)
    assert Gone(there=200, pending=79).with_more(rule, 1) == (True, 80, 200)


@pytest.mark.parametrize(
    ("operation", "body", "takes"),
    [
        ("void", {}, True),
        ("delete", {}, True),
        ("update", {"Active": False}, True),
        ("update", {"Active": False, "DisplayName": "Ann"}, False),
        ("create", {"Active": False}, False),
        ("update", {"Active": True}, False),
    ],
)
def test_what_takes_a_document_away(operation: str, body: JsonObject, takes: bool) -> None:
    assert takes_away(operation, body) is takes


def test_the_sentence_says_how_many_of_how_many() -> None:
    said = sentence("Invoice", 80, 200, BreakerRule(share=Decimal("0.1"), documents=5))
    assert "80 of 200 Invoice documents of ours (40 %)" in said
    assert "more than 10 %" in said
