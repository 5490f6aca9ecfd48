"""Reading the log out of Postgres: keyset pages, each a short statement of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg

from counterfoil.log import polling
from counterfoil.log.polling import DEFAULT_PACE, Pace
from counterfoil.log.types import READ_ROWS, BodyDecoder, Head, RecordedEvent
from counterfoil.ports import Clock
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query

# What a named tuple's own `_make` calls, without the call in between.
_new = tuple.__new__


class PostgresLogReader:
    """See `LogReader`. Because positions are assigned under the head's lock, nothing appears behind a reader."""

    def __init__(
        self, pool: Pool, names: Names, decoder: BodyDecoder, *, clock: Clock, pace: Pace = DEFAULT_PACE
    ) -> None:
        self._pool = pool
        self._decoder = decoder
        self._clock = clock
        self._pace = pace
        self._read = load_query("log_read", names)
        self._read_many = load_query("log_read_many", names)
        self._timeline = load_query("log_timeline", names)
        self._heads = load_query("log_heads", names)
        self._heads_of = load_query("log_heads_of", names)

    async def read(self, company: int, after: int = 0, limit: int = READ_ROWS) -> list[RecordedEvent]:
        """See `LogReader.read`."""
        return self._recorded(await self._pool.fetch(self._read, company, after, limit))

    async def stream(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.stream`. The bytes of two pages are held at most, and one event at a time as an object."""
        decoder = self._decoder
        coming = self._page(company, after)
        try:
            while True:
                rows = await coming
                is_last = len(rows) < READ_ROWS
                if not is_last:
                    coming = self._page(company, rows[-1]["position"])
                    # The server looks for the next page while this one is worked on, once the question is sent.
                    await asyncio.sleep(0)
                for row in rows:
                    yield _new(RecordedEvent, (*row, decoder))
                if is_last:
                    return
        finally:
            coming.cancel()

    def _page(self, company: int, after: int) -> asyncio.Task[list[asyncpg.Record]]:
        fetch = self._pool.fetch(self._read, company, after, READ_ROWS)
        return asyncio.create_task(fetch, name="counterfoil log page")

    def follow(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.follow`."""
        return polling.follow(self, self._clock, self._pace, company, after)

    def follow_all(self, after: Mapping[int, int] | None = None) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.follow_all`."""
        return polling.follow_all(self, self._clock, self._pace, after or {})

    async def record_timeline(
        self, company: int, record_key: str, after: int = 0, limit: int = READ_ROWS
    ) -> list[RecordedEvent]:
        """See `LogReader.record_timeline`."""
        return self._recorded(await self._pool.fetch(self._timeline, company, record_key, after, limit))

    async def get(self, company: int, position: int) -> RecordedEvent | None:
        """See `LogReader.get`."""
        found = await self.get_many(company, [position])
        return found[0] if found else None

    async def get_many(self, company: int, positions: Sequence[int]) -> list[RecordedEvent]:
        """See `LogReader.get_many`."""
        return self._recorded(await self._pool.fetch(self._read_many, company, [*positions]))

    async def heads(self, companies: Sequence[int] | None = None) -> dict[int, Head]:
        """See `LogReader.heads`."""
        if companies is None:
            rows = await self._pool.fetch(self._heads)
        else:
            rows = await self._pool.fetch(self._heads_of, [*companies])
        return {row["company"]: Head(row["company"], row["position"], row["hash"], row["epoch"]) for row in rows}

    def _recorded(self, rows: Sequence[asyncpg.Record]) -> list[RecordedEvent]:
        decoder = self._decoder
        return [_new(RecordedEvent, (*row, decoder)) for row in rows]
