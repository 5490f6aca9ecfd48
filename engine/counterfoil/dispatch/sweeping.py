"""Sweeps the books of one company for what changed: since the last time that is known to have missed nothing."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from counterfoil.dispatch.books import Books, BooksUnreadableError, Shown, Swept
from counterfoil.dispatch.limiter import ReadBudget
from counterfoil.dispatch.merging import MERGED
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.view import EventSource
from counterfoil.dispatch.watched import BOOKS, DOCUMENTS, LISTS, POLLED_DOCUMENTS, POLLED_LISTS, SWEPT
from counterfoil.ports import Clock
from counterfoil.state.rows import DocumentRow, HintRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import Lane

SWEEP = "sweep"
LEFT_OUT = "left-out"
"""Names of cursors: of the sweep, and of what change data capture leaves out."""

SWEEP_OVERLAP = timedelta(minutes=2)
SWEEP_REACH = timedelta(days=29)
"""Intuit: change data capture reaches 30 days back."""

LISTS_POLLED_EVERY = timedelta(days=1)
"""Tax codes and the like change a few times a year, and each costs a metered read."""

READ_AT_ONCE = 200
QUERIES_BEFORE_SWEEP = 2
"""Hints that cost more queries than this are followed by a sweep, which is one call for all of them."""

IDS_PER_QUERY = 200
COUNTS_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """How a sweep ended: what it showed, whether anything was new, and up to when nothing can be missing."""

    seen: Collection[tuple[str, str]]
    news: int
    until: datetime | None


class Sweeper:
    """Finds what webhooks did not tell of, or did not tell of in time.

    Args:
        budget: of metered reads.

    Attributes:
        sweeps: how many were made.
    """

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        books: Books,
        reader: BooksReader,
        clock: Clock,
        budget: ReadBudget,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._books = books
        self._reader = reader
        self._clock = clock
        self._budget = budget
        self._sweeping = asyncio.Lock()
        self._listed: dict[str, frozenset[tuple[str, str, str]]] = {}
        self._active_at = clock.now()
        self.sweeps = 0

    async def begin(self, *, first: bool) -> None:
        """From when on changes are swept for, where that is not known.

        Args:
            first: nothing was ever read of these books. Otherwise the cursor was lost, as operational rows may be:
                then everything since the company was set up may have been missed.
        """
        company, now = self._session.company, self._clock.now()
        if await self._store.value("cursor", company, BOOKS, SWEEP) is None:
            since = now if first else (await self._events.recorded_at(company, 1)).recorded_at
            await self._save(SWEEP, since)

    async def sweep(self, lane: Lane = "reconcile") -> Sweeping:
        """Record all changes since the last sweep that missed nothing, whoever made it.

        Raises:
            BooksUnreadableError: a read failed.
        """
        async with self._sweeping:
            swept = await self._swept(lane)
            self.sweeps += 1
            if swept.news:
                self._active_at = self._clock.now()
            return swept

    def spacing(self, wanted: float) -> float:
        """Seconds until the next sweep: those wanted, or more where the month's budget does not allow as many."""
        return self._budget.sweep_seconds(wanted, self._active_at)

    async def first_in(self, wanted: float) -> float:
        """Seconds until a new holder's first sweep: none, but where the budget spaces sweeps, the rest of a spacing.

        A company that is taken over again and again would else be swept each time.
        """
        spacing = self.spacing(wanted)
        if spacing <= wanted:
            return 0.0
        now = self._clock.now()
        return max(0.0, spacing - (now - await self._since(SWEEP, now)).total_seconds())

    async def _swept(self, lane: Lane) -> Sweeping:
        now = self._clock.now()
        since = await self._since(SWEEP, now)
        if now - since > SWEEP_REACH:
            # Change data capture tells of 30 days only: everything since, and every document known, is read.
            swept = await self._read_all(since - SWEEP_OVERLAP, now, lane)
        else:
            swept = await self._sweep_since(since - SWEEP_OVERLAP, lane)
        if swept.until is not None:
            await self._save(SWEEP, swept.until)
        return swept

    async def follow(self, hints: Sequence[HintRow]) -> int:
        """Read what webhooks hinted at in as few metered calls as can be; returns how many hints that were.

        Raises:
            BooksUnreadableError: some of it could not be read.
        """
        ready = await self._reader.to_follow(hints)
        swept = [hint for hint in ready if hint.kind in DOCUMENTS]
        if _queries(swept) <= QUERIES_BEFORE_SWEEP:
            return await self._reader.follow(hints)
        seen = (await self.sweep("live")).seen
        # A sweep does not say what a record was merged into: those are followed one by one.
        told = [one for one in swept if (one.kind, one.source_id) in seen and one.operation != MERGED]
        rest = {(hint.kind, hint.source_id) for hint in told}
        followed = await self._reader.settle(told)
        return followed + await self._reader.follow([one for one in hints if (one.kind, one.source_id) not in rest])

    async def find_everything(self, hints: Sequence[HintRow]) -> None:
        """Something changed and nobody can say what: a sweep shows it.

        Raises:
            BooksUnreadableError: a read failed.
        """
        await self.sweep()
        await self.poll_left_out()
        await self._reader.settle(hints)

    async def poll_left_out(self) -> None:
        """Ask for what change data capture leaves out: time if any is known, lists of taxes now and then.

        Raises:
            BooksUnreadableError: a read failed.
        """
        company, now = self._session.company, self._clock.now()
        for entity in POLLED_DOCUMENTS:
            if await self._store.records("living_documents", company, entity, "", 1):
                since = await self._since(entity, now - SWEEP_OVERLAP)
                await self._changed(entity, since - SWEEP_OVERLAP, "reconcile")
                await self._save(entity, now)
        if now - await self._since(LEFT_OUT, datetime.min.replace(tzinfo=now.tzinfo)) < LISTS_POLLED_EVERY:
            return
        for entity in POLLED_LISTS:
            try:
                await self._reader.learn_names(entity, "reconcile")
            except BooksUnreadableError as trouble:
                # Some countries' editions have no such list; that says nothing about the others.
                if trouble.reconnect or trouble.retry_after is not None:
                    raise
        await self._save(LEFT_OUT, now)

    async def _since(self, kind: str, otherwise: datetime) -> datetime:
        kept = await self._store.value("cursor", self._session.company, BOOKS, kind)
        return datetime.fromisoformat(kept) if kept else otherwise

    async def _save(self, kind: str, until: datetime) -> None:
        now = self._clock.now()
        await self._store.execute("save_cursor", self._session.company, BOOKS, kind, until.isoformat(), now)

    async def _sweep_since(self, since: datetime, lane: Lane) -> Sweeping:
        """All changes; where one answer has no room for them, narrowed to one entity after the other."""
        swept = await self._books.sweep(SWEPT, since, lane)
        if not swept.truncated:
            return await self._taken(swept, lane)
        seen: set[tuple[str, str]] = set()
        news, instants = 0, list[datetime | None]()
        for entity in SWEPT:
            part = await self._books.sweep([entity], since, lane)
            if part.truncated and entity in LISTS:
                await self._reader.learn_names(entity, lane)
            elif part.truncated:
                # What was deleted comes last in the answer, and may have been cut off.
                news += await self.read_whole(entity, since, lane)
            else:
                taken = await self._taken(part, lane)
                seen.update(taken.seen)
                news += taken.news
            instants.append(part.until)
        known = [instant for instant in instants if instant is not None]
        return Sweeping(seen=seen, news=news, until=min(known) if len(known) == len(instants) else None)

    async def _taken(self, swept: Swept, lane: Lane) -> Sweeping:
        """Record what an answer shows, once it is confirmed, with the invoices that new payments concern."""
        changed = [one for one in swept.shown if one.entity in DOCUMENTS]
        shown = [*changed, *await self._confirmed(swept.gone, lane)]
        news = await self._reader.news(shown)
        seen = {(one.entity, one.document_id) for one in shown}
        wanted = await self._reader.invoices_of([one.shown for one in news])
        missing = [one for one in wanted if ("Invoice", one) not in seen]
        beside = await self._books.read("Invoice", missing, lane) if missing else []
        recorded = await self._reader.append([*news, *await self._reader.news(beside)], "sweep", lane=lane)
        await self._learn_lists(swept, lane)
        return Sweeping(seen=seen, news=recorded, until=swept.until)

    async def _learn_lists(self, swept: Swept, lane: Lane) -> None:
        """Read the lists of which an answer shows more than the answers before it: they overlap."""
        shown = {(one.entity, one.document_id, str(one.document.get("SyncToken"))) for one in swept.shown}
        shown |= {(entity, document_id, "gone") for entity, document_id in swept.gone}
        for entity in LISTS:
            entries = frozenset(entry for entry in shown if entry[0] == entity)
            if entries - self._listed.get(entity, frozenset()):
                await self._reader.learn_names(entity, lane)
                self._listed[entity] = entries

    async def _confirmed(self, gone: Sequence[tuple[str, str]], lane: Lane) -> list[Shown]:
        """What is reported deleted, as a read shows it: false reports exist. What is known to be gone is not asked for.

        Intuit meters only what succeeds, so that a read of what is gone indeed costs nothing of the month's.
        """
        asked = [key for key in dict.fromkeys(gone) if key[0] in DOCUMENTS]
        known = await self._store.load(self._session.company, DocumentRow.table, asked)
        shown: list[Shown] = []
        for entity, document_id in asked:
            row = known.get((entity, document_id))
            if not isinstance(row, DocumentRow) or row.status != "deleted":
                shown.extend(await self._books.read(entity, [document_id], lane))
        return shown

    async def _read_all(self, since: datetime, now: datetime, lane: Lane) -> Sweeping:
        news = 0
        for entity in DOCUMENTS:
            news += await self.read_whole(entity, since, lane)
        for entity in LISTS:
            await self._reader.learn_names(entity, lane)
        return Sweeping(seen=(), news=news, until=now)

    async def read_whole(self, entity: str, since: datetime, lane: Lane) -> int:
        """All that changed since, however long ago, and every document known of an entity: some may be gone.

        Raises:
            BooksUnreadableError: a read failed, or showed less than QuickBooks counts.
        """
        news, read = await self._changed(entity, since, lane)
        after = ""
        while True:
            rows = await self._store.records("living_documents", self._session.company, entity, after, READ_AT_ONCE)
            if not rows:
                return news
            after = rows[-1]["document_id"]
            rest = [row["document_id"] for row in rows if row["document_id"] not in read]
            if rest:
                news += await self._reader.record(await self._books.read(entity, rest, lane), "sweep")

    async def _changed(self, entity: str, since: datetime, lane: Lane) -> tuple[int, set[str]]:
        """Everything that changed since and is still there, counted; how much was new, and all ids."""
        read: set[str] = set()
        news = counted = 0
        for _ in range(COUNTS_MAX):
            counted = await self._books.count(entity, lane, changed_since=since)
            async for whole in self._books.changed_since(entity, since, lane):
                page = [one for one in whole if one.document_id not in read]
                read.update(one.document_id for one in page)
                missing = await self._reader.invoices_of(page)
                beside = await self._books.read("Invoice", missing, lane) if missing else []
                news += await self._reader.record([*page, *beside], "sweep")
            # What was deleted while it was read is missing without fault: then a new count is lower as well.
            if len(read) >= counted or len(read) >= await self._books.count(entity, lane, changed_since=since):
                return news, read
        raise BooksUnreadableError(
            f"QuickBooks counts {counted} records of {entity} changed since {since:%Y-%m-%d}, but shows {len(read)}.",
            remedy="It is read again later.",
        )


def _queries(hints: Sequence[HintRow]) -> int:
    """How many queries following these one entity after the other takes."""
    kinds = Counter(hint.kind for hint in hints)
    with_invoices = "Payment" in kinds and "Invoice" not in kinds
    return sum(ceil(count / IDS_PER_QUERY) for count in kinds.values()) + with_invoices
