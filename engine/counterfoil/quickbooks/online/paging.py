"""Reading a whole query in pages that neither skip nor repeat while others write.

Intuit pages by position, and `Id` cannot be compared with `>`, so keyset paging is not to be had. Rows are therefore
sorted by `Id`, and each page begins a little before the last one ended. If its first row is one that was
seen, nothing lies between the two pages; if not, rows before it were deleted and everything moved up: the
next try begins further back. A row that exists, and matches, during the whole reading is yielded exactly once.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

from counterfoil.quickbooks.online.outcomes import QueryOutcome, QueryPage, ReadFailed, ReadFailedError
from counterfoil.quickbooks.online.query import PAGE_ROWS_MAX, Query, QueryError
from counterfoil_schema.exact_json import JsonObject

OVERLAP_ROWS = 20
PAGES_MAX = 10_000

Fetch = Callable[[Query], Awaitable[QueryOutcome]]


async def read_pages(fetch: Fetch, query: Query, *, page_rows: int = PAGE_ROWS_MAX) -> AsyncIterator[JsonObject]:
    """All rows of a query, sorted by `Id`.

    Args:
        fetch: asks for one page.
        query: without order or page of its own.
        page_rows: rows per page, 2 to 1,000.

    Raises:
        ReadFailedError: a page could not be read; what was yielded before is not all there is.
        QueryError: the query has an order, a page or a count.
    """
    if query.order or query.start_position is not None or query.counting:
        raise QueryError("A query that is read whole has no order and no page of its own.")
    ordered = query.order_by("Id")
    widest = max(1, page_rows // 2)
    overlap = min(OVERLAP_ROWS, widest)
    seen: set[str] = set()
    start = 1
    for _ in range(PAGES_MAX):
        page = await fetch(ordered.page(start, page_rows))
        if not isinstance(page, QueryPage):
            raise ReadFailedError(page)
        ids = [_row_id(row) for row in page.rows]
        if start > 1 and (not ids or ids[0] not in seen):
            # Everything moved up by more than the overlap: look further back, in ever larger steps.
            start = max(1, start - overlap)
            overlap *= 2
            continue
        for row, row_id in zip(page.rows, ids, strict=True):
            if row_id not in seen:
                seen.add(row_id)
                yield row
        if len(ids) < page_rows:
            return
        overlap = min(OVERLAP_ROWS, widest)
        start += len(ids) - overlap
    raise ReadFailedError(ReadFailed(f"no end after {PAGES_MAX} pages"))


def _row_id(row: JsonObject) -> str:
    row_id = row.get("Id")
    if not isinstance(row_id, str):
        raise ReadFailedError(ReadFailed("a row without an Id"))
    return row_id
