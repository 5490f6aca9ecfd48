"""A whole reading neither skips nor repeats what is there all the time, whatever others do meanwhile."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.online.outcomes import QueryOutcome, QueryPage, ReadFailed, ReadFailedError
from counterfoil.quickbooks.online.paging import read_pages
from counterfoil.quickbooks.online.query import Query, QueryError, select
from counterfoil_schema.exact_json import JsonObject


class Books:
    """Records that come and go between pages."""

    def __init__(self, count: int, rng: random.Random, churn: float) -> None:
        self.ids = list(range(1, count + 1))
        self.stable = {number for number in self.ids if rng.random() < 0.5}
        self.calls = 0
        self._next = count + 1
        self._rng = rng
        self._churn = churn
        self._hidden: list[int] = []

    async def fetch(self, query: Query) -> QueryOutcome:
        assert query.order == (("Id", False),)
        assert query.start_position is not None
        assert query.max_results is not None
        self.calls += 1
        first = query.start_position - 1
        page = sorted(self.ids)[first : first + query.max_results]
        self._write()
        rows: tuple[JsonObject, ...] = tuple({"Id": str(number)} for number in page)
        return QueryPage(rows, query.start_position, None, None, None)

    def _write(self) -> None:
        """Delete some, bring some back, add some."""
        if self.calls > 200 or self._rng.random() > self._churn:
            return
        going = [number for number in self.ids if number not in self.stable and self._rng.random() < 0.3]
        self.ids = [number for number in self.ids if number not in going]
        self._hidden += going
        back = [number for number in self._hidden if self._rng.random() < 0.1]
        self._hidden = [number for number in self._hidden if number not in back]
        self.ids += back
        for _ in range(self._rng.randrange(4)):
            self.ids.append(self._next)
            self._next += 1


@settings(deadline=None)
@given(
    count=st.integers(0, 300),
    page_rows=st.integers(2, 60),
    seed=st.integers(0, 2**32),
    churn=st.sampled_from([0.0, 0.5, 1.0]),
)
async def test_what_is_there_all_the_time_comes_exactly_once(
    count: int, page_rows: int, seed: int, churn: float
) -> None:
    books = Books(count, random.Random(seed), churn)
    found = [row["Id"] async for row in read_pages(books.fetch, select("Invoice"), page_rows=page_rows)]
    assert len(found) == len(set(found))
    assert {str(number) for number in books.stable} <= set(found)
    if not churn:
        assert [str(number) for number in range(1, count + 1)] == found


async def test_quiet_books_cost_hardly_more_than_the_least_number_of_calls() -> None:
    books = Books(5_000, random.Random(1), 0.0)
    found = [row["Id"] async for row in read_pages(books.fetch, select("Invoice"))]
    assert (len(found), books.calls) == (5_000, 6)


async def test_a_page_that_fails_ends_the_reading_loudly() -> None:
    async def fetch(query: Query) -> QueryOutcome:
        return ReadFailed("the connection failed")

    with pytest.raises(ReadFailedError, match="the connection failed"):
        _ = [row async for row in read_pages(fetch, select("Invoice"))]


async def test_a_query_with_an_order_of_its_own_is_refused() -> None:
    books = Books(3, random.Random(1), 0.0)
    with pytest.raises(QueryError):
        _ = [row async for row in read_pages(books.fetch, select("Invoice").order_by("TxnDate"))]
