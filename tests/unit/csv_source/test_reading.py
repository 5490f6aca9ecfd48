"""Rows out of text: as the standard library writes them, with true line numbers, and past every broken row."""

import csv
import io
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil_adapters.csv.reading import DELIMITERS, BrokenRow, Row, RowReader, choose_delimiter

# What text may hold once it is decoded: all but the surrogates (bytes that were none) and NUL, which are faults.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
TROUBLESOME = st.text(st.sampled_from('",;\t|\r\n a\u00e9\U0001f69a\u2028'), max_size=12)


def read(text: str, *, delimiter: str = ",", width: int | None = None) -> list[Row | BrokenRow]:
    reader = RowReader(io.StringIO(text, newline=""), delimiter, "utf-8")
    reader.width = width
    return list(reader.rows())


@given(
    table=st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(TEXT | TROUBLESOME, min_size=width, max_size=width), max_size=6)
    ),
    delimiter=st.sampled_from(DELIMITERS),
    # With line ends of LF alone, the writer leaves a lone CR unquoted, and cannot read it back itself.
    style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
)
def test_whatever_the_standard_library_writes_is_read_back(
    table: list[list[str]], delimiter: str, style: tuple[str, Literal[0, 1]]
) -> None:
    line_end, quoting = style
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(table)
    expected = [row for row in table if any(row)]
    assert expected == [list(row.fields) for row in read(out.getvalue(), delimiter=delimiter)]


@given(table=st.lists(st.lists(TROUBLESOME, min_size=2, max_size=2).filter(any), min_size=1, max_size=8))
def test_a_row_s_line_is_where_it_begins(table: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    expected: list[int] = []
    for row in table:
        # Counted apart from the reader: line ends before the row, CR LF as one.
        written = out.getvalue()
        expected.append(1 + written.replace("\r\n", "\n").replace("\r", "\n").count("\n"))
        writer.writerow(row)
    assert expected == [row.line for row in read(out.getvalue())]


@given(text=st.text(st.sampled_from('",\n\ra1'), max_size=60), width=st.integers(1, 4))
def test_any_text_is_read_to_its_end_and_no_line_counts_twice(text: str, width: int) -> None:
    rows = read(text, width=width)
    lines = [row.line for row in rows]
    assert sorted(set(lines)) == lines
    assert all(len(row.fields) == width for row in rows if isinstance(row, Row))


def test_a_newline_inside_quotes_is_text_and_counts_as_a_line() -> None:
    rows = read('1,"507 - 20th Ave.\nApt. 2A"\n2,b\n', width=2)
    assert [Row(1, ["1", "507 - 20th Ave.\nApt. 2A"]), Row(3, ["2", "b"])] == rows


@pytest.mark.parametrize(
    ("text", "bad_lines", "good_ids"),
    [
        ("1,a\n2\n3,c\n", [2], ["1", "3"]),  # too few
        ("1,a\n2,b,b\n3,c\n", [2], ["1", "3"]),  # too many
        ('1,a\n2,"b\n3,c\n4,d\n', [2], ["1", "3", "4"]),  # unclosed up to the end
        ('1,a\n2,"b\n3,c\n4,"d"\n5,e\n', [2], ["1", "3", "4", "5"]),  # unclosed, met by the next row's quote
        ('1,a\n2,"b\n3,"c\nc"\n4,d\n', [2], ["1", "3", "4"]),  # unclosed before a cell of two lines
        ('1,a\n2,"b\n3,c\n4,",d\n5,e\n', [2, 4], ["1", "3", "5"]),  # unclosed, met by another such row's quote
        ('1,a\n2,"b"x\n3,c\n', [2], ["1", "3"]),  # text after the closing quote
        ('1,a\n2,"b\nb",x\n3,c\n', [2], ["1", "3"]),  # a cell of two lines in a row too long
        ('1,a\n2,"b\nb"x,y\n3,c\n', [2, 3], ["1", "3"]),  # the rest of a broken row is not taken for a row
        ("1,a\n2,b\0\n3,c\n", [2], ["1", "3"]),  # NUL
        ("1,a\n2,\udce9\n3,c\n", [2], ["1", "3"]),  # a byte that could not be decoded
    ],
)
def test_one_broken_row_costs_one_row(text: str, bad_lines: list[int], good_ids: list[str]) -> None:
    rows = read(text, width=2)
    broken = [row for row in rows if isinstance(row, BrokenRow)]
    assert bad_lines == [row.line for row in broken]
    assert good_ids == [row.fields[0] for row in rows if isinstance(row, Row)]
    assert all(row.problem and row.fix and row.raw for row in broken)


def test_a_stray_quote_inside_an_unquoted_cell_is_text() -> None:
    assert [Row(1, ['5" pipe', "x"])] == read('5" pipe,x\n', width=2)


def test_blank_rows_and_rows_of_delimiters_are_passed_over() -> None:
    assert [Row(2, ["1", "a"]), Row(5, ["2", "b"])] == read("\n1,a\n\r\n,\n2,b", width=2)


def test_a_cell_of_a_megabyte_is_read_although_the_standard_library_s_bound_is_left_alone() -> None:
    before = csv.field_size_limit()
    big = "x\n" * 500_000
    assert [Row(1, ["1", big])] == read(f'1,"{big}"\n', width=2)
    assert before == csv.field_size_limit()


def test_a_row_without_end_is_refused_and_the_next_is_read() -> None:
    broken, row = read("x" * (9 * 1024 * 1024) + "\n1,a\n", width=2)
    assert isinstance(broken, BrokenRow)
    assert len(broken.raw) < 2000
    assert list(row.fields) == ["1", "a"]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("id,name\n", ","),
        ("id;name;a,b,c,d,e\n", ";"),
        ("id\tname\n", "\t"),
        ("id|name\n", "|"),
        ('"id";"na,me"\n', ";"),
        ("id\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_gives_the_wanted_columns(header: str, delimiter: str) -> None:
    assert delimiter == choose_delimiter(header, ["id", "name"])
