"""Every record of a connection as the log holds it now, planned under one mapping or several."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from counterfoil.dispatch.decide import LEFT
from counterfoil.dispatch.decided import request_of
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.log import RecordedEvent
from counterfoil.planning.mapping import Mapping as MappingRules
from counterfoil.planning.shadow import wanted
from counterfoil.planning.types import Plan, PlanRequest, Skip
from counterfoil.state.rows import Key, RecordRow, ReviewRow, Row
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import SourceObserved, SourceRemoved

PAGE_RECORDS: Final = 100
"""As many as the engine itself plans side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One record, and what each mapping in turn makes of it.

    Attributes:
        request: what was planned; None where there is nothing to plan, as of a record that cannot be read.
        content_hash: of the record, as its source showed it; `removed` where that removed it.
    """

    row: RecordRow
    request: PlanRequest | None
    content_hash: str
    plans: tuple[Plan, ...]


class ShadowPlanner:
    """Plans the records of one company beside whoever works for it; nothing is written, nobody is called.

    Args:
        view: of this planner alone; it is made to forget from page to page, so that memory stays as it is.
    """

    def __init__(self, *, company: int, store: StateStore, events: EventSource, view: ViewLoader) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._view = view

    async def count(self, connection: str) -> int:
        """How many records a connection has shown."""
        found: int = await self._store.value("records_count", self._company, f"{connection}:")
        return found

    async def pages(self, connection: str, mappings: Sequence[MappingRules]) -> AsyncIterator[list[Planned]]:
        """All records of a connection in pages, in the order of the table's keys."""
        after = ""
        while True:
            arguments = (self._company, f"{connection}:", after, PAGE_RECORDS)
            rows = await self._store.some(RecordRow, "records_after", *arguments)
            if rows:
                self._view.forget()
                yield await self.plan(rows, mappings)
            if len(rows) < PAGE_RECORDS:
                return
            after = rows[-1].record_key

    async def plan(self, rows: Sequence[RecordRow], mappings: Sequence[MappingRules]) -> list[Planned]:
        """Some records, side by side: they ask the same questions at the same time."""
        found = await self._events.recorded_many(self._company, [row.position for row in rows])
        left = await self._store.load(self._company, ReviewRow.table, [(row.record_key,) for row in rows])
        return list(await asyncio.gather(*(self._planned(row, found, left, mappings) for row in rows)))

    async def _planned(
        self,
        row: RecordRow,
        found: Mapping[int, RecordedEvent],
        left: Mapping[Key, Row],
        mappings: Sequence[MappingRules],
    ) -> Planned:
        recorded = found.get(row.position)
        event = await recorded.event() if recorded is not None else None
        review = left.get((row.record_key,))
        if isinstance(review, ReviewRow) and review.verdict in LEFT:
            reason = "A person left it out on the first day, or is still to decide on it."
            return _settled(row, Skip(code="left-out", reason=reason), len(mappings))
        if not isinstance(event, SourceObserved | SourceRemoved):
            reason = "Its source's last word on it could not be read."
            return _settled(row, Skip(code="unreadable", reason=reason), len(mappings))
        request = request_of(event, row.record_key, row.position)
        plans = [await self._view.run(row.record_key, partial(wanted, request, mapping)) for mapping in mappings]
        content = event.content_hash if isinstance(event, SourceObserved) else "removed"
        return Planned(row=row, request=request, content_hash=content, plans=tuple(plans))


def _settled(row: RecordRow, skip: Skip, times: int) -> Planned:
    return Planned(row=row, request=None, content_hash=row.content_hash, plans=(skip,) * times)
