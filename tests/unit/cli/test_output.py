"""Amounts and JSON as they are printed."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.cli.output import as_json, money, pretty
from counterfoil.cli.tasks.figures import Outcomes, Reason
from counterfoil_schema import exact_json


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (Decimal("1330735.98"), "USD", "1,330,735.98 USD"),
        (Decimal(5), "EUR", "5.00 EUR"),
        (Decimal("0.1251"), None, "0.1251"),
        (Decimal("-12.5"), "USD", "-12.50 USD"),
        (Decimal("1E+3"), "JPY", "1,000.00 JPY"),
        (None, "USD", ""),
    ],
)
def test_amounts_for_people(amount: Decimal | None, currency: str | None, expected: str) -> None:
    assert expected == money(amount, currency)


def test_values_become_json_without_loss() -> None:
    value = {
        1: (Decimal("0.10"), None, True),
        "at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "path": Path("a/b"),
        "row": Reason("parked", "conflict", 3),
    }

    assert exact_json.dumps(as_json(value)) == (
        b'{"1":[0.10,null,true],"at":"2026-03-01T12:00:00+00:00","path":"a/b",'
        b'"row":{"state":"parked","code":"conflict","changes":3}}'
    )


# What our JSON holds: characters that no text in Postgres holds are replaced as it is written (see test_exact_json).
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)


@given(json_values)
def test_pretty_json_is_the_same_json(value: exact_json.JsonValue) -> None:
    assert value == json.loads(pretty(value))


def test_pretty_json_keeps_every_digit() -> None:
    amount = Decimal("12345678901234567890.10")
    assert f'{{\n  "amount": {amount}\n}}' == pretty({"amount": amount})


def test_the_five_outcomes_add_up() -> None:
    found = Outcomes(
        (
            Reason("applied", "", 5),
            Reason("waiting", "decision", 2),
            Reason("waiting", "approval", 1),
            Reason("parked", "conflict", 1),
        )
    )

    assert found.counts == {"applied": 5, "unchanged": 0, "skipped": 0, "waiting": 3, "parked": 1}
    assert found.total == 9 == sum(found.counts.values())
    assert found.undecided == 2
    assert found.as_words("waiting") == "2 decision, 1 approval"
