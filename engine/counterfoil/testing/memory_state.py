"""The projections in memory: what folds read and write, held to the same contract as the store in Postgres.

Also the place into which a log is folded afresh, to be compared row for row with what the engine keeps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from counterfoil.log import LogReader
from counterfoil.state.projection import Checkpoint, Foldable, FoldedPage, fold_page
from counterfoil.state.rows import Key, Row, key_of
from counterfoil.state.store import overtaken

PAGE_EVENTS = 500


class MemoryStateStore:
    """Rows and checkpoints of all companies, until the process ends."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[tuple[str, Key], Row]] = {}
        self._checkpoints: dict[int, Checkpoint] = {}

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """See `StateStore.load`."""
        kept = self._rows.get(company, {})
        return {key: kept[table, key] for key in keys if (table, key) in kept}

    async def checkpoint(self, company: int) -> Checkpoint:
        """See `StateStore.checkpoint`."""
        return self._checkpoints.get(company, Checkpoint(company=company))

    async def save(
        self, rows: Iterable[Row], before: Checkpoint, after: Checkpoint, moved_at: datetime | None = None
    ) -> None:
        """See `StateStore.save`."""
        kept = await self.checkpoint(after.company)
        if (kept.position, kept.generation) != (before.position, before.generation):
            raise overtaken(before)
        # Without an await in between, this is the transaction.
        self._checkpoints[after.company] = replace(after, moved_at=moved_at, generation=before.generation)
        self._rows.setdefault(after.company, {}).update({(row.table, key_of(row)): row for row in rows})

    def rows(self, company: int) -> Mapping[tuple[str, Key], Row]:
        """Every row of a company, by table and key."""
        return dict(self._rows.get(company, {}))

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


async def fold_afresh(reader: LogReader, company: int, *, until: int | None = None) -> MemoryStateStore:
    """Fold a company's whole log into an empty store, or up to a position; it stops where the engine would."""
    store = MemoryStateStore()
    while True:
        position = (await store.checkpoint(company)).position
        limit = PAGE_EVENTS if until is None else min(PAGE_EVENTS, until - position)
        page = await reader.read(company, after=position, limit=limit) if limit > 0 else []
        if not page or (await store.fold(company, page)).error:
            return store
