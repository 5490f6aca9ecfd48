"""How many items a company's books take in one batch: thirty as documented, ten where that is refused."""

from typing import Final

from counterfoil.dispatch.watched import BOOKS
from counterfoil.ports import Clock
from counterfoil.state.store import StateStore

DOCUMENTED: Final = 30
"""Intuit: batch page."""

REPORTED: Final = 10
"""Some companies answer larger batches with 1040 since 2025, as developers report."""

REFUSED_CODE: Final = "1040"
_CURSOR = "batch-items"


class BatchSize:
    """Learns from refusals, and remembers what it learned across restarts."""

    def __init__(self, *, company: int, store: StateStore, clock: Clock) -> None:
        self._company = company
        self._store = store
        self._clock = clock
        self._known: int | None = None

    async def items_max(self) -> int:
        """The most items to put into a batch."""
        if self._known is None:
            kept = await self._store.value("cursor", self._company, BOOKS, _CURSOR)
            self._known = int(kept) if kept else DOCUMENTED
        return self._known

    async def refused(self, items: int) -> None:
        """A batch of so many was too large: from now on smaller ones go out."""
        known = await self.items_max()
        smaller = min(known, REPORTED if items > REPORTED else max(1, items // 2))
        if smaller < known:
            self._known = smaller
            await self._store.execute("save_cursor", self._company, BOOKS, _CURSOR, str(smaller), self._clock.now())
