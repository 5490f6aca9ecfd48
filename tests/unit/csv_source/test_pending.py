"""Rows of lines are put aside and taken back as they were, whatever they hold."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.sources import SourceError
from counterfoil_adapters.csv import pending as module
from counterfoil_adapters.csv.files import Header
from counterfoil_adapters.csv.pending import PendingRows
from counterfoil_adapters.csv.plans import RowOf
from counterfoil_adapters.csv.reading import BrokenRow, Row

HEADER = Header(("order", "qty"), {"order": 0, "qty": 1}, frozenset({"NULL"}))
OTHER = Header(("qty", "order"), {"qty": 0, "order": 1})

# Whole text, and bytes that were no text: halves of characters stand for them.
texts = st.text(st.characters(exclude_categories=())) | st.binary().map(
    lambda raw: raw.decode(errors="surrogateescape")
)
rows = st.builds(Row, st.integers(1, 2**31), st.lists(texts)) | st.builds(
    BrokenRow, st.integers(1, 2**31), st.lists(texts), texts, texts, texts
)
placed = st.builds(RowOf, st.just("lines.csv"), st.sampled_from([HEADER, OTHER]), rows)


@given(added=st.lists(st.tuples(st.sampled_from(["1", "2", "3"]) | texts, placed), max_size=30), data=st.data())
def test_what_was_added_comes_back_by_key_and_in_order(added: list[tuple[str, RowOf]], data: st.DataObject) -> None:
    expected: dict[str, list[RowOf]] = {}
    with PendingRows() as pending:
        for key, row in added:
            pending.add(key, row)
            expected.setdefault(key, []).append(row)
        for key in data.draw(st.lists(st.sampled_from([*expected, "unknown"]), unique=True)):
            assert pending.take(key) == expected.pop(key, [])
            assert pending.take(key) == []
        assert list(pending.rest()) == list(expected.items())


def test_more_than_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    with PendingRows() as pending:
        for number in range(100):
            pending.add(str(number % 10), RowOf("lines.csv", HEADER, Row(number + 2, [str(number)])))
        assert [row.row.line for row in pending.take("3")] == list(range(5, 102, 10))
        assert [key for key, _ in pending.rest()] == ["0", "1", "2", "4", "5", "6", "7", "8", "9"]


def test_no_room_for_them_is_said_in_words() -> None:
    with PendingRows() as pending:
        pending.add("1", RowOf("lines.csv", HEADER, Row(2, ["1", "7"])))
        pending._database.execute("pragma query_only = on")
        with pytest.raises(SourceError, match=r"^The lines of lines.csv cannot be put aside") as refused:
            pending.take("1")
    assert isinstance(refused.value.__cause__, sqlite3.Error)
    assert "TMPDIR" in str(refused.value.remedy)
