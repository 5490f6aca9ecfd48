"""Once a week: does QuickBooks count as many documents as are known here? What is missing is read."""

from datetime import datetime, timedelta

from counterfoil.dispatch.books import Books
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.sweeping import SWEEP, SWEEP_OVERLAP, Sweeper
from counterfoil.dispatch.watched import BOOKS, DOCUMENTS, LISTS, POLLED_DOCUMENTS
from counterfoil.log import NewEvent
from counterfoil.ports import Clock
from counterfoil.state.document_facts import second_of
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import CoverageChecked

SINCE = "coverage since"
CHECKED = "coverage checked"
EVERY = timedelta(days=7)
AGAIN = timedelta(days=1)
"""After a difference: what was read for it must be counted too."""

RELISTED = frozenset(("Item", *LISTS))
COUNTED = frozenset((*DOCUMENTS, *POLLED_DOCUMENTS)) - RELISTED
"""Items, accounts, classes and the like are not counted: of many only the name is known, not when they were created,
and inactive ones count as gone here and not there. Their lists are read whole instead, which is one read for a thousand
and misses none."""


class Coverage:
    """Compares counts, for the kinds of document that are in use; of lists the names are read.

    Counted are the documents created since the books are known, up to the last sweep: of older ones only those are
    known that changed since.
    """

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        books: Books,
        reader: BooksReader,
        sweeper: Sweeper,
        clock: Clock,
    ) -> None:
        self._session = session
        self._store = store
        self._books = books
        self._reader = reader
        self._sweeper = sweeper
        self._clock = clock

    async def check(self) -> list[CoverageChecked]:
        """Check if it is time to; what was found, one for each kind of document.

        Raises:
            BooksUnreadableError: a read failed.
        """
        now = self._clock.now()
        due, since, swept = await self._kept(CHECKED), await self._kept(SINCE), await self._kept(SWEEP)
        if since is None:
            await self._save(SINCE, now)
            await self._save(CHECKED, now + EVERY)
            return []
        if swept is None or (due is not None and now < due):
            return []
        # What was created just before the last sweep may have come after it, by another clock than ours.
        span = (_second(since), _second(swept - SWEEP_OVERLAP))
        found: list[CoverageChecked] = []
        if span[0] < span[1]:
            arguments = (self._session.company, second_of(span[0]), second_of(span[1]))
            rows = await self._store.records("documents_created", *arguments)
            found = [await self._compare(row["entity"], span, row["known"]) for row in rows if row["entity"] in COUNTED]
            for entity in sorted(RELISTED.intersection(row["entity"] for row in rows)):
                await self._reader.learn_names(entity, "reconcile")
        if found:
            await self._session.receive([NewEvent(event=one) for one in found])
        differs = any(one.counted != one.known for one in found)
        await self._save(CHECKED, now + (AGAIN if differs else EVERY))
        return found

    async def _compare(self, entity: str, span: tuple[datetime, datetime], known: int) -> CoverageChecked:
        counted = await self._books.count(entity, "reconcile", created=span)
        read = await self._sweeper.read_whole(entity, span[0], "reconcile") if counted != known else 0
        return CoverageChecked(
            entity=entity, created_from=span[0], created_before=span[1], counted=counted, known=known, found=read
        )

    async def _kept(self, kind: str) -> datetime | None:
        kept = await self._store.value("cursor", self._session.company, BOOKS, kind)
        return datetime.fromisoformat(kept) if kept else None

    async def _save(self, kind: str, instant: datetime) -> None:
        now = self._clock.now()
        await self._store.execute("save_cursor", self._session.company, BOOKS, kind, instant.isoformat(), now)


def _second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
