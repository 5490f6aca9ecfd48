"""Queries say exactly what was meant, and only what QuickBooks understands."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.quickbooks.online.query import Operator, Query, QueryError, Value, chunks_of_ids, quote, select

PACIFIC = timezone(timedelta(hours=-8))


@pytest.mark.parametrize(
    ("expected", "query"),
    [
        ("select * from Invoice", select("Invoice")),
        (
            "select count(*) from Bill where Balance > '0.10'",
            select("Bill").where("Balance", ">", Decimal("0.10")).count(),
        ),
        (
            "select * from Customer where DisplayName = 'O\\'Brien \\\\ Söhne' and Active IN (true, false)",
            select("Customer").where("DisplayName", "=", "O'Brien \\ Söhne").with_inactive(),
        ),
        (
            "select * from Payment where CustomerRef = '3' and TxnDate >= '2026-11-01'",
            select("Payment").where("CustomerRef", "=", "3").where("TxnDate", ">=", date(2026, 11, 1)),
        ),
        (
            "select * from Bill where MetaData.CreateTime > '2026-11-01T08:00:00.000Z' orderby TxnDate asc, Id desc",
            select("Bill")
            .where("MetaData.CreateTime", ">", datetime(2026, 11, 1, tzinfo=PACIFIC))
            .order_by("TxnDate")
            .order_by("Id", descending=True),
        ),
        ("select * from Term startposition 101 maxresults 100", select("Term").page(101, 100)),
        ("select * from Invoice where Id IN ('1', '2')", select("Invoice").where("Id", "IN", "1", "2")),
        ("select * from Item where Name LIKE 'Garden%'", select("Item").where("Name", "LIKE", "Garden%")),
    ],
)
def test_the_text_of_a_query(expected: str, query: Query) -> None:
    assert expected == query.text


@pytest.mark.parametrize(
    ("entity", "field", "operator", "values"),
    [
        ("Invoice", "PrivateNote", "=", ("x",)),
        ("Invoice", "Line.Amount", "=", ("1",)),
        ("JournalEntry", "DepartmentRef", "=", ("1",)),
        ("Invoice", "Id", ">", ("5",)),
        ("Invoice", "Id", "LIKE", ("5%",)),
        ("Invoice", "DocNumber", "=", ()),
        ("Invoice", "DocNumber", "=", ("1", "2")),
        ("Invoice", "Active", "IN", (True, False)),
    ],
)
def test_what_quickbooks_does_not_filter_by_is_refused(
    entity: str, field: str, operator: Operator, values: tuple[Value, ...]
) -> None:
    with pytest.raises(QueryError):
        select(entity).where(field, operator, *values)


@pytest.mark.parametrize("entity", ["invoice", "Paycheck", "Invoice where 1=1", ""])
def test_unknown_entities_are_refused(entity: str) -> None:
    with pytest.raises(QueryError):
        select(entity)


def test_pages_keep_to_the_limit() -> None:
    for start, rows in [(0, 10), (1, 0), (1, 1001)]:
        with pytest.raises(QueryError):
            select("Invoice").page(start, rows)


def test_instants_need_a_zone_and_text_no_control_characters() -> None:
    with pytest.raises(QueryError):
        _ = select("Invoice").where("MetaData.CreateTime", ">", datetime.fromisoformat("2026-01-01")).text
    with pytest.raises(QueryError):
        _ = select("Invoice").where("DocNumber", "=", "a\nb").text


def unescape(literal: str) -> str:
    """The reading side, written from the rule alone: a backslash makes the next character plain."""
    assert re.fullmatch(r"'(?:[^'\\]|\\.)*'", literal, re.DOTALL)
    return re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL)


@given(st.text(alphabet=st.characters(min_codepoint=32)))
def test_a_literal_reads_back_as_what_was_meant(text: str) -> None:
    assert text == unescape(quote(text))


@given(st.lists(st.text(min_size=1)), st.integers(1, 50))
def test_chunks_hold_every_id_once(ids: list[str], size: int) -> None:
    chunks = chunks_of_ids(ids, size)
    assert ids == [entry for chunk in chunks for entry in chunk]
    assert all(len(chunk) <= size for chunk in chunks)


def test_the_aware_instant_is_sent_in_utc() -> None:
    at = datetime(2026, 11, 1, 0, 0, 0, 999_999, tzinfo=UTC)
    query = select("Bill").where("MetaData.CreateTime", "<", at)
    assert query.text.endswith("< '2026-11-01T00:00:00.999Z'")
