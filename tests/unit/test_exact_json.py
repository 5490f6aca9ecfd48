"""JSON without floats, and without characters that stop what comes behind."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil_schema.exact_json import JsonValue, canonical, dumps, loads

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_nineteen_digits_come_back() -> None:
    assert loads(dumps({"a": Decimal("1265793.0395000001")})) == {"a": Decimal("1265793.0395000001")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'["a\\u0000b"]', ["a\ufffdb"]),
        (b'["\\ud83d"]', ["\ufffd"]),
        (b'{"\\udc00": {"x": "\\ud800\\u0041"}}', {"\ufffd": {"x": "\ufffdA"}}),
        (b'["\\ud83d\\ude00", "\\u00e9"]', ["\U0001f600", "é"]),
        ('["\\uD83D"]', ["\ufffd"]),
        (b'["\\\\u0000"]', ["\\u0000"]),
    ],
)
def test_what_no_text_can_hold_is_replaced(text: str | bytes, expected: JsonValue) -> None:
    value = loads(text)
    assert value == expected
    assert loads(dumps(value)) == value


@given(JSON)
def test_equal_values_give_equal_bytes_on_whichever_side_of_the_wire(value: JsonValue) -> None:
    assert canonical(loads(dumps(value))) == canonical(value)


def test_halves_of_pairs_and_nul_are_written_as_they_will_be_read() -> None:
    assert dumps({"a\x00": "\ud83d"}) == '{"a\ufffd":"\ufffd"}'.encode()
