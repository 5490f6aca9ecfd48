"""Sentences about figures."""

import pytest

from counterfoil.explain.words import tied
from counterfoil_schema.exact_json import JsonObject


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, ""),
        ({"currency": "USD", "total": "50.00", "tax": "0", "expected": "50.00"}, ""),
        ({"currency": "USD", "total": "108.25", "tax": "8.25", "expected": "108.25"}, " Tax 8.25 USD."),
        (
            {"currency": "EUR", "total": "10", "tax": "0", "expected": "10", "rate": "1.1012", "home_total": "11.01"},
            " Worth 11.01 at home, at 1.1012.",
        ),
        (
            {"currency": "USD", "total": "0.32", "tax": "0.02", "expected": "0.33"},
            " Tax 0.02 USD. The source makes it 0.33 USD.",
        ),
    ],
)
def test_what_a_total_is_made_of(figures: JsonObject, said: str) -> None:
    assert tied(figures) == said
