"""Appending a great many events of one company, piece by piece, the next piece encoded while one is written."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from counterfoil.log.types import Append, Appended, NewEvent, PreparedAppend

ROWS_MAX = 2_000
"""Events to a transaction: it holds the company's head, and live appends wait behind it."""


class PreparingWriter(Protocol):
    """A log that encodes apart from recording."""

    async def prepare(self, append: Append) -> PreparedAppend:
        """Check and encode an append."""
        ...

    async def record(self, prepared: PreparedAppend) -> Appended:
        """Record what was prepared."""
        ...


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """What a backfill wrote: how many events, and from where to where (0, 0 if there were none)."""

    company: int
    events: int
    first_position: int
    last_position: int


async def backfill(
    log: PreparingWriter,
    company: int,
    events: AsyncIterable[NewEvent] | Iterable[NewEvent],
    *,
    epoch: int | None = None,
    rows_max: int = ROWS_MAX,
    progress: Callable[[int], None] | None = None,
) -> BackfillReport:
    """Append all events in order, at most `rows_max` to a transaction.

    Each transaction stands or falls whole; after an error those before it remain, in order and without a gap.
    Live appends may come in between two of them. Outside deliveries have no place here.

    Args:
        log: where to.
        company: whose log.
        events: what to append, read only as fast as it can be written.
        epoch: of the company's lease, checked by each transaction.
        rows_max: events to a transaction.
        progress: told the number of events after each transaction.

    Raises:
        FencedError: the lease was lost on the way.
        LogError: see `LogWriter.append`.
    """
    if rows_max < 1:
        raise ValueError("a transaction takes at least one event")
    first = last = count = 0
    writing: asyncio.Task[Appended] | None = None
    try:
        async for piece in _pieces(events, rows_max):
            # Encoded while the piece before it is written, sent only once that one is confirmed.
            prepared = await log.prepare(Append(company, piece, epoch))
            if writing is not None:
                first, last, count = _add(await writing, first, count, progress)
            writing = asyncio.create_task(log.record(prepared), name="counterfoil backfill")
        if writing is not None:
            first, last, count = _add(await writing, first, count, progress)
    finally:
        if writing is not None and not writing.done():
            writing.cancel()
            await asyncio.wait({writing})
    return BackfillReport(company, count, first, last)


def _add(appended: Appended, first: int, count: int, progress: Callable[[int], None] | None) -> tuple[int, int, int]:
    count += appended.last_position - appended.first_position + 1
    if progress is not None:
        progress(count)
    return first or appended.first_position, appended.last_position, count


async def _pieces(events: AsyncIterable[NewEvent] | Iterable[NewEvent], rows_max: int) -> AsyncIterator[list[NewEvent]]:
    piece: list[NewEvent] = []
    async for new in _each(events):
        piece.append(new)
        if len(piece) == rows_max:
            yield piece
            piece = []
    if piece:
        yield piece


async def _each(events: AsyncIterable[NewEvent] | Iterable[NewEvent]) -> AsyncIterator[NewEvent]:
    if isinstance(events, AsyncIterable):
        async for new in events:
            yield new
    else:
        for new in events:
            yield new
