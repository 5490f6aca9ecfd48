"""Expressions of a mapping: exact, bounded, and unable to reach anything but their values."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.expression_functions import FUNCTIONS, Value
from counterfoil.planning.expressions import ExpressionError, checked, evaluate, names_in, unknown

VALUES: dict[str, Value] = {
    "id": "512",
    "number": None,
    "memo": "Größe XL",
    "unit_price": Decimal("19.99"),
    "dated": date(2026, 1, 31),
    "due": None,
    "won": True,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 + 0.2", Decimal("0.3")),
        ("unit_price * 1.19", Decimal("23.7881")),
        ("round(unit_price * 1.19)", Decimal("23.79")),
        ("round(2.345)", Decimal("2.35")),
        ("round(-2.345)", Decimal("-2.35")),
        ("round(2.5, 0)", Decimal(3)),
        ("round(1 / 3, 4)", Decimal("0.3333")),
        ("1234567890123456789.01 + 0.01", Decimal("1234567890123456789.02")),
        ("1_000.50 - 1", Decimal("999.50")),
        ("7 // 2 + 7 % 2", Decimal(4)),
        ('"HS-" + id', "HS-512"),
        ('first(number, "HS-" + id)', "HS-512"),
        ('"due: " + first(number, "")', "due: "),
        ('"HS-" + (number or id)', "HS-512"),
        ("upper(part(memo, 1, 5))", "GRÖSSE"),
        ('"XL" in memo and won', True),
        ('"large" if ends_with(memo, "XL") else "small"', "large"),
        ("dated if due is None else due", date(2026, 1, 31)),
        ("days_after(dated, 30)", date(2026, 3, 2)),
        ("month_end(days_after(dated, 1))", date(2026, 2, 28)),
        ('text(dated) + "/" + text(unit_price)', "2026-01-31/19.99"),
        ('number if number is not None else text(year(dated)) + "-" + id', "2026-512"),
        ('replace("a-b", "-", "+")', "a+b"),
        ('number(" 12.50 ") * 2', Decimal("25.00")),
        ("min(3, 1.5, 2) + max(1, 2)", Decimal("3.5")),
        ("unit_price >= 10 and unit_price < 20", True),
        ("not won", False),
        ("length(memo) == 8", True),
    ],
)
def test_what_an_expression_comes_to(text: str, expected: Value) -> None:
    found = evaluate(text, VALUES)
    assert (expected, type(expected)) == (found, type(found))


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15)


@given(AMOUNTS, AMOUNTS)
def test_sums_and_products_are_exact(one: Decimal, other: Decimal) -> None:
    values: dict[str, Value] = {"one": one, "other": other}
    for text, exact in (
        ("one + other", Fraction(one) + Fraction(other)),
        ("one - other", Fraction(one) - Fraction(other)),
        ("one * other", Fraction(one) * Fraction(other)),
        (f"{one:f} - other", Fraction(one) - Fraction(other)),
    ):
        found = evaluate(text, values)
        assert isinstance(found, Decimal)
        assert Fraction(found) == exact


@pytest.mark.parametrize(
    "text",
    [
        '__import__("os")',
        "id.__class__",
        "(1).real",
        "id[0]",
        "[1, 2]",
        "{1: 2}",
        "2 ** 9",
        "1 << 2",
        "lambda: 1",
        "[x for x in id]",
        'f"{id}"',
        'open("x")',
        "print(1)",
        "(x := 1)",
        "...",
        'b"x"',
        "1j",
        "x = 1",
        "import os",
        "await id",
        "upper(*id)",
        "upper(value=id)",
        '"a".upper()',
        "first(*[id])",
        "0x1F",
        "",
        "1 +",
        "\x00",
        "(" * 300,
        "-" * 400 + "1",
        "not " * 100 + "won",
        "1+" * 200 + "1",
        "1" + "0" * 600,
    ],
)
def test_everything_else_is_refused_before_anything_is_done(text: str) -> None:
    with pytest.raises(ExpressionError):
        checked(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 / 0", "divides by nothing"),
        ("unit_price / (unit_price - unit_price)", "divides by nothing"),
        ("0 / 0", "divides by nothing"),
        ('"HS-" + number', r"\+ adds a text to nothing: write text"),
        ("memo + unit_price", r"\+ adds a text to a number"),
        ('"ab" * 3', r"\* needs a number, and gets a text"),
        ("memo > unit_price", "> compares a text with a number"),
        ("unit_price in memo", "in needs a text, and gets a number"),
        ("9e30 * 9e30", "too large"),
        ("9e40 + 9e40", "too large"),
        ("days_after(dated, 99999999)", "days_after takes whole days"),
        ("days_after(dated, 0.5)", "days_after takes whole days"),
        ("month_end(memo)", "month_end needs a date, and gets a text"),
        ("round(unit_price, 99)", "round takes 0 to 12 places"),
        ('number("12,50")', "a text that is no number"),
        ('replace(memo, "", "x")', "replace needs a text to look for"),
        ("upper(memo, memo)", "do not go together"),
        ("max()", "do not go together"),
        ("-memo", "- needs a number"),
        ("part(memo, 0, 1)", "part counts from 1"),
    ],
)
def test_values_that_do_not_go_together_are_told_without_them(text: str, says: str) -> None:
    with pytest.raises(ExpressionError, match=says) as told:
        evaluate(text, VALUES)
    assert not any(secret in str(told.value) for secret in ("Größe", "19.99", "512"))


def test_texts_stay_short_however_often_they_are_doubled() -> None:
    doubled = "replace(memo, memo, memo + memo)"
    for _ in range(8):
        doubled = f"replace({doubled}, memo, memo + memo)"
    with pytest.raises(ExpressionError, match=r"longer than 4000|characters"):
        evaluate(doubled, {"memo": "x" * 100})


def test_names_and_functions_are_told_with_the_nearest() -> None:
    assert names_in('upper(memo) + text(unit_price) + "id"') == {"memo", "unit_price"}
    assert unknown("unit_prise * 2", ["unit_price", "id"]) == "there is no unit_prise; did you mean unit_price?"
    assert unknown("unit_price * 2", ["unit_price"]) is None
    with pytest.raises(ExpressionError, match=r"there is no function uper, at its character 1; did you mean upper\?"):
        checked("uper(memo)")
    with pytest.raises(ExpressionError, match="it holds a dot, which is not for expressions, at its character 1"):
        checked("memo.title")


def test_no_function_sees_a_clock_or_chance() -> None:
    assert set(FUNCTIONS) & {"now", "today", "rand", "random", "randint"} == set()
