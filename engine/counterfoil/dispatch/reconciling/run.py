"""One reconciliation of one company: its books type by type, then its sources. What fails is named, no more."""

from collections.abc import Mapping
from datetime import timedelta

from counterfoil.dispatch.books import Books, BooksUnreadableError, Shown, Span
from counterfoil.dispatch.limiter import ReadBudget
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.reconciling.books_side import LANE, BooksSide, Found, Tick, Within, accounts_of, span_of
from counterfoil.dispatch.reconciling.own_documents import Figured, OwnDocuments
from counterfoil.dispatch.reconciling.recording import RECONCILED, DriftRecorder
from counterfoil.dispatch.reconciling.source_side import SourceFound, SourceSide
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.sources import SourceReader
from counterfoil.dispatch.view import EventSource, KeyedHash, ViewLoader
from counterfoil.dispatch.watched import BOOKS
from counterfoil.planning.adopted import LISTS
from counterfoil.planning.reconciling.drifts import Drift
from counterfoil.planning.reconciling.report import NotCompared, Report, Scope
from counterfoil.planning.reconciling.totals import Totals
from counterfoil.ports import Clock
from counterfoil.sources import SourceAdapter
from counterfoil.state.store import StateStore

DRIFTS_MAX = 20_000
"""So many are kept with their fields; those beyond are counted."""

BEFORE_THE_FIRST = timedelta(days=1)
"""Our first document was made after our first event, by clocks that may differ."""

AT_SOURCE = frozenset({"missing_in_log", "changed_at_source", "not_shown_by_source"})


def no_tick(what: str, done: int, of: int) -> None:
    """Nobody looks on."""
    del what, done, of


class Reconciler:
    """Compares source, log and books of one company."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        hashes: KeyedHash,
        view: ViewLoader,
        mappings: Mappings,
        books: Books,
        reader: BooksReader,
        sources: SourceReader,
        adapters: Mapping[str, SourceAdapter],
        budget: ReadBudget,
        clock: Clock,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._view = view
        self._books = books
        self._reader = reader
        self._budget = budget
        self._clock = clock
        self._ours = OwnDocuments(
            company=session.company, store=store, events=events, mappings=mappings, survivors=view.survivors
        )
        self._side = BooksSide(company=session.company, store=store, books=books, ours=self._ours)
        self._sources = SourceSide(
            company=session.company, store=store, reader=sources, mappings=mappings, adapters=adapters
        )
        self._recorder = DriftRecorder(session=session, store=store, hashes=hashes)

    async def entities(self) -> list[str]:
        """The types of which documents stand for source records."""
        return await self._ours.entities()

    async def run(self, scope: Scope, tick: Tick = no_tick) -> Report:
        """Compare, and record what was found.

        A holder of the lease also records the documents that differ, so that the log knows of them from here on.
        """
        company = self._session.company
        metered = self._budget.used()
        await self._view.survivors.load()
        not_compared: list[NotCompared] = []
        figured = Figured(home=(await self._view.company()).home_currency, accounts_of_items={})
        entities = [one for one in await self._ours.entities() if not scope.entities or one in scope.entities]
        if any(entity not in LISTS for entity in entities):
            figured = await self._figured(figured, not_compared)
        found: list[Found] = []
        for entity in entities:
            if scope.month is not None and entity in LISTS:
                continue
            try:
                found.append(await self._compared(entity, scope, figured, tick))
            except BooksUnreadableError as trouble:
                not_compared.append(NotCompared(what=entity, reason=str(trouble)))
        source = await self._sources.compare(scope, tick) if scope.sources else SourceFound()
        report = await self._report(company, scope, found, source, [*not_compared, *source.not_compared], metered)
        await self._recorder.record(report, Examination(found, source, scope))
        if scope.is_whole and not report.not_compared:
            now = self._clock.now()
            await self._store.execute("save_cursor", company, BOOKS, RECONCILED, now.isoformat(), now)
        return report

    async def _figured(self, figured: Figured, not_compared: list[NotCompared]) -> Figured:
        """With the accounts of items, which lines of sales do not always name."""
        items: list[Shown] = []
        try:
            async for page in self._books.within("Item", LANE, Span()):
                items += page
        except BooksUnreadableError as trouble:
            not_compared.append(NotCompared(what="accounts of items", reason=str(trouble)))
        return Figured(home=figured.home, accounts_of_items=accounts_of(items))

    async def _compared(self, entity: str, scope: Scope, figured: Figured, tick: Tick) -> Found:
        company, now = self._session.company, self._clock.now()
        since = (await self._events.recorded_at(company, 1)).recorded_at - BEFORE_THE_FIRST
        span = span_of(scope.month, since, now + BEFORE_THE_FIRST)
        found = await self._side.compare(entity, Within(span=span, month=scope.month, figured=figured), tick)
        if found.differing and self._session.epoch is not None:
            await self._reader.record(found.differing, "look-up")
        return found

    async def _report(
        self,
        company: int,
        scope: Scope,
        found: list[Found],
        source: SourceFound,
        not_compared: list[NotCompared],
        metered: int,
    ) -> Report:
        totals = Totals()
        drifts: list[Drift] = []
        for one in found:
            totals = totals.with_all(one.totals)
            drifts += one.drifts
        drifts += source.drifts
        waiting = await self._store.records("outcomes", company)
        return Report(
            company=company,
            scope=scope,
            totals=totals,
            drifts=tuple(drifts[:DRIFTS_MAX]),
            drifts_left_out=max(0, len(drifts) - DRIFTS_MAX),
            apart=tuple(one for each in found for one in each.apart),
            reads=tuple(one.read for one in found),
            not_compared=tuple(not_compared),
            open=tuple(
                (row["state"], row["code"], row["changes"]) for row in waiting if row["state"] in ("waiting", "parked")
            ),
            source_records=source.records,
            metered=self._budget.used() - metered,
        )


class Examination:
    """Whether a run looked at something, so that it would have found a difference there again."""

    def __init__(self, found: list[Found], source: SourceFound, scope: Scope) -> None:
        self._books = {key for one in found for key in one.examined}
        # A document that stands for no record is looked for among all of its type.
        self._types = {one.read.entity for one in found} if scope.month is None else set[str]()
        self._source = source.examined

    def __call__(self, about: str, kind: str) -> bool:
        """By what the difference is about, and its kind."""
        if kind in AT_SOURCE:
            return about in self._source
        if about.startswith(f"{BOOKS}:"):
            return about.split(":", 2)[1] in self._types
        return about in self._books
