"""Picks what goes out next: into which kind of call, and how much of it."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from counterfoil.dispatch.batch_size import BatchSize
from counterfoil.dispatch.books import Books
from counterfoil.dispatch.outbox import SINGLE_ENTITIES
from counterfoil.dispatch.places import BATCHES_MAX, PATIENT, SINGLE_CALLS_MAX, URGENT, Places
from counterfoil.ports import Clock
from counterfoil.state.rows import IntentRow
from counterfoil.state.store import StateStore

AHEAD_SECONDS: Final = 2.0
"""How long before its slot a batch is put together; transactions go one by one where it would wait so much longer.

What has been put into a batch waits with it: at the end of a backlog single calls would stand idle meanwhile.
"""

COUNT_SECONDS: Final = 1.0


class Picker:
    """The ready intents of one company, by what finds a place."""

    def __init__(
        self, *, company: int, store: StateStore, books: Books, places: Places, batch_size: BatchSize, clock: Clock
    ) -> None:
        self._company = company
        self._store = store
        self._books = books
        self._places = places
        self._batch_size = batch_size
        self._clock = clock
        self._transactions = 0
        self._counted_at = float("-inf")

    async def page(self, unfit: Sequence[str]) -> list[IntentRow]:
        """What may go out and finds a place, one for each record: what is urgent, then names, then transactions.

        Args:
            unfit: ids of intents that are under way, or have to wait for a while.
        """
        items_max = await self._batch_size.items_max()
        rows = await self._ready(None, URGENT, unfit, SINGLE_CALLS_MAX + BATCHES_MAX * items_max)
        singles = max(0, self._places.free(PATIENT[0], batch=False))
        batched = self._places.free(PATIENT[0], batch=True) * items_max if self.batch_fits(PATIENT[0]) else 0
        if singles:
            rows += await self._ready(True, PATIENT, unfit, singles)
        if singles or batched:
            rows += await self._ready(False, PATIENT, unfit, batched + singles)
            await self._count()
        first: dict[str, IntentRow] = {}
        for row in rows:
            first.setdefault(row.record_key, row)
        return list(first.values())

    async def _ready(
        self, names: bool | None, lanes: Sequence[str], unfit: Sequence[str], limit: int
    ) -> list[IntentRow]:
        """The oldest of the name lists, of the transactions, or (None) of both."""
        arguments = (self._company, sorted(SINGLE_ENTITIES), names, lanes, unfit, limit)
        return await self._store.some(IntentRow, "ready_of", *arguments)

    async def _count(self) -> None:
        """How many transactions wait: now and then, for it need not be exact."""
        now = self._clock.monotonic()
        if now - self._counted_at >= COUNT_SECONDS:
            self._counted_at = now
            counted = await self._store.value("transactions_ready", self._company, sorted(SINGLE_ENTITIES))
            self._transactions = int(counted or 0)

    async def chunks(self, rows: Sequence[IntentRow], *, more: bool) -> list["Chunks"]:
        """The rows parted by lane, and names from transactions; each part gives its calls as places allow.

        Args:
            more: rows may be on their way that would fill a batch.
        """
        items_max = await self._batch_size.items_max()
        parts: dict[tuple[str, bool], deque[IntentRow]] = {}
        for row in rows:
            parts.setdefault((row.lane, row.entity in SINGLE_ENTITIES), deque()).append(row)
        return [
            Chunks(self, waiting, lane, 1 if names else items_max, more=more)
            for (lane, names), waiting in parts.items()
        ]

    def singles(self, lane: str) -> int:
        """How many single calls of this lane find a place."""
        return max(0, self._places.free(lane, batch=False))

    def batch_fits(self, lane: str, ahead: int = 0) -> bool:
        """Whether another batch of this lane does, and will not wait long; `ahead` are about to go before it."""
        if self._places.free(lane, batch=True) <= 0:
            return False
        return self._books.wait_seconds(lane, batch=True, ahead=ahead) <= AHEAD_SECONDS

    def singles_pay(self, lane: str, items_max: int) -> bool:
        """Whether the minute's batches will be used up long before its single calls."""
        ahead = self._transactions // items_max if lane in PATIENT else 0
        batch = self._books.wait_seconds(lane, batch=True, ahead=ahead)
        return batch - self._books.wait_seconds(lane, batch=False) > AHEAD_SECONDS


class Chunks:
    """The rows of one lane and kind, call by call, for as long as there are places.

    Transactions go in batches, and one by one as well where the minute's batches cannot take them all and its single
    calls are not used up. A batch of a backlog waits until it is full, as long as rows that may complete it are still
    to come: a half-empty batch counts against the minute like a full one.
    """

    def __init__(self, picker: Picker, waiting: deque[IntentRow], lane: str, items_max: int, *, more: bool) -> None:
        self._picker = picker
        self._waiting = waiting
        self._lane = lane
        self._items_max = items_max
        self._more = more

    def __iter__(self) -> Iterator[tuple[list[IntentRow], int]]:
        """Rows to be prepared side by side, and how many of them make a call; places are taken in between."""
        singles = self._picker.singles(self._lane)
        if singles and (self._items_max == 1 or self._picker.singles_pay(self._lane, self._items_max)):
            yield self._take(singles), 1
        batches = 0
        while self._waiting and self._items_max > 1 and self._picker.batch_fits(self._lane, batches):
            if self._more and self._lane == "backfill" and len(self._waiting) < self._items_max:
                return
            batches += 1
            yield self._take(self._items_max), self._items_max

    def _take(self, most: int) -> list[IntentRow]:
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
