"""The projections in memory: what the engine reads and writes, held to the same contract as the store in Postgres.

Also the place into which a log is folded afresh, to be compared row for row with what the engine keeps.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from counterfoil.log import LogReader
from counterfoil.state.projection import Checkpoint, Foldable, FoldedPage, fold_page
from counterfoil.state.rows import IntentRow, Key, Row, key_of
from counterfoil.state.store import SingleReads, overtaken
from counterfoil.testing.memory_operational import OperationalTables
from counterfoil.testing.memory_queries import ROWS
from counterfoil.testing.memory_records import RECORDS, VALUES
from counterfoil.testing.memory_tables import Columns, CompanyTables

PAGE_EVENTS = 500
R = TypeVar("R", bound=Row)


async def _at_once() -> None:
    """No way to the store at all."""


class MemoryStateStore:
    """Rows, checkpoints and operational tables of all companies, until the process ends.

    Args:
        way: waited for before each statement, and after those that change something; none by default.
    """

    def __init__(self, way: Callable[[], Awaitable[None]] = _at_once) -> None:
        self._tables: dict[int, CompanyTables] = defaultdict(CompanyTables)
        self._checkpoints: dict[int, Checkpoint] = {}
        self._operational = OperationalTables()
        self._way = way
        self._single = SingleReads(self)

    def seen_over(self, way: Callable[[], Awaitable[None]]) -> "MemoryStateStore":
        """The same tables for another process, at the end of another way."""
        other = MemoryStateStore(way)
        other._tables, other._checkpoints = self._tables, self._checkpoints
        other._operational = self._operational
        return other

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """See `StateStore.load`."""
        await self._way()
        kept = self._tables[company].by_table[table]
        return {key: kept[key] for key in keys if key in kept}

    async def one(self, row_type: type[R], company: int, *key: str) -> R | None:
        """See `StateStore.one`."""
        return await self._single.one(row_type, company, *key)

    async def some(self, row_type: type[R], query: str, *arguments: object) -> list[R]:
        """See `StateStore.some`."""
        await self._way()
        company, *rest = arguments
        if query.startswith("all_"):
            found: Sequence[Row] = list(self._of(company).by_table[row_type.table].values())
        else:
            found = ROWS[query](self._of(company), *rest)
        return [row for row in found if isinstance(row, row_type)]

    async def intents_of(self, company: int, record_key: str) -> Sequence[IntentRow]:
        """See `StateStore.intents_of`."""
        return await self._single.intents_of(company, record_key)

    async def intents_of_changes(self, company: int, record_key: str) -> Sequence[IntentRow]:
        """See `StateStore.intents_of_changes`."""
        return await self.some(IntentRow, "intents_of_changes", company, record_key)

    async def answer(self, query: str, company: int, *question: str) -> str | None:
        """See `StateStore.answer`."""
        return await self._single.answer(query, company, *question)

    async def records(self, query: str, *arguments: object) -> Sequence[Columns]:
        """See `StateStore.records`."""
        await self._way()
        if query in RECORDS:
            company, *rest = arguments
            found = RECORDS[query](self._of(company), *rest)
        else:
            found = self._operational.records(query, *arguments)
        return found

    async def value(self, query: str, *arguments: object) -> Any:
        """See `StateStore.value`."""
        await self._way()
        if query in VALUES:
            company, *rest = arguments
            return VALUES[query](self._of(company), *rest)
        return self._operational.value(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> None:
        """See `StateStore.execute`."""
        await self._way()
        self._operational.execute(query, *arguments)
        await self._way()

    async def checkpoint(self, company: int) -> Checkpoint:
        """See `StateStore.checkpoint`."""
        await self._way()
        return self._checkpoints.get(company, Checkpoint(company=company))

    async def save(
        self, rows: Iterable[Row], before: Checkpoint, after: Checkpoint, moved_at: datetime | None = None
    ) -> None:
        """See `StateStore.save`."""
        await self._way()
        stands = self._checkpoints.get(after.company, Checkpoint(company=after.company))
        if (stands.position, stands.generation) != (before.position, before.generation):
            raise overtaken(before)
        # Without an await in between, this is the transaction.
        self._checkpoints[after.company] = replace(after, moved_at=moved_at, generation=before.generation)
        tables = self._tables[after.company].by_table
        for row in rows:
            tables[row.table][key_of(row)] = row
        await self._way()

    def rows(self, company: int) -> Mapping[tuple[str, Key], Row]:
        """Every row of a company, by table and key."""
        tables = self._tables[company].by_table
        return {(table, key): row for table, rows in tables.items() for key, row in rows.items()}

    async def fold(self, company: int, events: Iterable[Foldable]) -> FoldedPage:
        """Fold a page of events that follows the checkpoint, and keep what came of it."""
        before = await self.checkpoint(company)
        page = await fold_page(self, company, before.position, events)
        state = Checkpoint(
            company=company,
            position=page.position,
            state="stopped" if page.error else "running",
            error=page.error,
        )
        await self.save(page.rows.values(), before, state)
        return page

    def _of(self, company: object) -> CompanyTables:
        if not isinstance(company, int):
            raise TypeError(f"a company is a number, not {company!r}")
        return self._tables[company]


async def fold_afresh(reader: LogReader, company: int, *, until: int | None = None) -> MemoryStateStore:
    """Fold a company's whole log into an empty store, or up to a position; it stops where the engine would."""
    store = MemoryStateStore()
    while True:
        position = (await store.checkpoint(company)).position
        limit = PAGE_EVENTS if until is None else min(PAGE_EVENTS, until - position)
        page = await reader.read(company, after=position, limit=limit) if limit > 0 else []
        if not page or (await store.fold(company, page)).error:
            return store
