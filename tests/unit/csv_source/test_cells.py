"""Cells: exact numbers, true dates, and clear words about everything else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil_adapters.csv.cells import CellError, Style, amount, day, instant

US = Style(thousands=",")
GERMAN = Style(decimal=",", thousands=".", dates=("%d.%m.%Y", "iso"), zone=ZoneInfo("Europe/Berlin"))
PLAIN = Style()


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("0", PLAIN, "0"),
        ("12.50", PLAIN, "12.50"),
        ("-12.5", PLAIN, "-12.5"),
        ("12.50-", PLAIN, "-12.50"),
        ("(12.50)", PLAIN, "-12.50"),
        ("$12.50", PLAIN, "12.50"),
        ("-$12.50", PLAIN, "-12.50"),
        ("12.50 €", PLAIN, "12.50"),
        (".5", PLAIN, "0.5"),
        ("+3", PLAIN, "3"),
        ("\u22123", PLAIN, "-3"),
        ("1 234.50", PLAIN, "1234.50"),
        ("1,265,793.29", US, "1265793.29"),
        ("1.265.793,29", GERMAN, "1265793.29"),
        ("0,15", GERMAN, "0.15"),
        ("1265793.0395000001", PLAIN, "1265793.0395000001"),
        ("9999999999999999999.99", PLAIN, "9999999999999999999.99"),
        ("-0.00", PLAIN, "0.00"),
    ],
)
def test_amounts_are_exact(text: str, style: Style, expected: str) -> None:
    assert expected == str(amount("price", text, style))


@pytest.mark.parametrize(
    "text",
    ["abc", "12,50", "1.2.3", "1e5", "NaN", "Infinity", "--1", "12.", "1_000", "0x1F", "١٢", "9" * 40, "$", "-", "()"],
)
def test_what_is_no_number_is_said_to_be_none(text: str) -> None:
    with pytest.raises(CellError) as caught:
        amount("price", text, PLAIN)
    assert "'price'" in caught.value.problem
    assert caught.value.fix


def test_a_comma_for_cents_is_never_taken_for_thousands() -> None:
    with pytest.raises(CellError):
        amount("price", "12,50", US)


def test_a_number_shortened_by_a_spreadsheet_is_explained() -> None:
    with pytest.raises(CellError) as caught:
        amount("price", "1.2E+05", PLAIN)
    assert "spreadsheet" in caught.value.fix


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_every_amount_written_with_a_decimal_comma_is_read_back(number: Decimal) -> None:
    text = f"{number:,f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    assert number == amount("price", text, GERMAN)


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("1996-07-04", PLAIN, date(1996, 7, 4)),
        ("1996-07-04 00:00:00", PLAIN, date(1996, 7, 4)),
        ("1899-12-31", PLAIN, date(1899, 12, 31)),
        ("04.07.1996", GERMAN, date(1996, 7, 4)),
        ("1996-07-04", GERMAN, date(1996, 7, 4)),
        ("2024-01-31T23:30:00Z", GERMAN, date(2024, 2, 1)),
    ],
)
def test_dates(text: str, style: Style, expected: date) -> None:
    assert expected == day("dated", text, style)


@pytest.mark.parametrize("text", ["2024-02-30", "04/07/1996", "0000-00-00", "yesterday", "45000"])
def test_what_is_no_date_is_said_to_be_none(text: str) -> None:
    with pytest.raises(CellError) as caught:
        day("dated", text, PLAIN)
    assert repr(text) in caught.value.problem
    assert "YYYY-MM-DD" in caught.value.problem


def test_an_instant_without_an_offset_is_the_zone_s() -> None:
    assert datetime(2024, 1, 31, 22, 30, tzinfo=UTC) == instant("at", "2024-01-31 23:30", GERMAN)
    assert datetime(2024, 1, 31, 23, 30, tzinfo=UTC) == instant("at", "2024-01-31T23:30:00Z", GERMAN)


def test_an_instant_at_the_edge_of_time_is_said_to_be_none() -> None:
    with pytest.raises(CellError):
        instant("at", "0001-01-01 00:10", GERMAN)


def test_what_stands_in_a_person_s_row_is_not_repeated() -> None:
    with pytest.raises(CellError) as caught:
        day("hired", "123-45-6789", Style(secret=True))
    assert "123-45-6789" not in caught.value.problem
