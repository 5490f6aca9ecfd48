"""A log that was restored from an older backup: all of the books that may be ours is read, before anything is sent.

What the log knows is read again where it has changed or gone since. What it does not know, and bears a sign of ours, is
kept by that sign (`recovery.found`): when its record is to be made, `dispatch/recovered.py` takes it instead. At last
the sources are read to their end, from where the log left off: only what they hold now is held against the books.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from counterfoil.dispatch.acquaintance import Acquaintance
from counterfoil.dispatch.books import Books, BooksUnreadableError, Shown, Span
from counterfoil.dispatch.early_echoes import signs_of
from counterfoil.dispatch.folding import Folder
from counterfoil.dispatch.ids import MARKER_BEGIN
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.observing import EVENTS_PER_APPEND, BooksReader
from counterfoil.dispatch.outbox import SINGLE_ENTITIES
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.sources import SourceReader
from counterfoil.dispatch.steps import Step, no_step
from counterfoil.dispatch.sweeping import SWEEP, Sweeper
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.dispatch.watched import BOOKS, DOCUMENTS, POLLED_DOCUMENTS
from counterfoil.log import LogForgetfulError
from counterfoil.planning.inbound import Foreign, judge
from counterfoil.ports import Clock, Entropy
from counterfoil.state.recoveries import known_sign
from counterfoil.state.rows import CompanyRow, DocumentRow, LinkRow, RecoveredRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.recoveries import RecoveryBegun, RecoveryEnded, RecoveryFound
from counterfoil_schema.records import split_key

LANE: Final[Lane] = "live"
READ: Final = (*DOCUMENTS, *POLLED_DOCUMENTS)
BEFORE: Final = timedelta(days=1)
"""So long before the last that the log holds, documents of ours may have been made that it does not know."""

CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""A name that was made earlier than the end of the log by more than that is somebody else's: names bear no mark."""

AFRESH: Final = frozenset({"Customer", "Invoice", "Item", "Vendor"})
"""Documents that are updated: of these what changed in the forgotten time is held against the source once more."""

EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
ID_BYTES: Final = 8

Tick = Callable[[str, int, int], None]
"""Told of what is read, how many of how many documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a person asks for.

    Args:
        since: from when on documents of ours may be unknown; None where the log's own end says it.
        anchored: the position that the anchor knows of.
        sources: read them to their end as well, so that nothing is decided on a state that they have left behind.
        left_out: entities that are not looked through, since QuickBooks has them switched off.
    """

    author: str
    reason: str
    since: datetime | None = None
    anchored: int | None = None
    sources: bool = True
    left_out: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Regained:
    """What was found.

    Attributes:
        found: documents that bear a sign of ours and that the log had forgotten, by entity.
        before: those of them that an earlier try had recorded.
        voided: those of them that are void by now.
        doubled: marks that more than one living document bears.
        changed: documents that the log knew, and that had changed or gone since.
        read: how many documents were looked at.
    """

    recovery: str
    since: datetime
    found: dict[str, int] = field(default_factory=dict)
    before: int = 0
    voided: int = 0
    doubled: int = 0
    changed: int = 0
    read: int = 0
    _marks: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, one: Shown, signs: Sequence[str], *, known: bool) -> None:
        """Count a document of ours."""
        self.found[one.entity] = self.found.get(one.entity, 0) + 1
        self.before += known
        self.voided += one.status == "voided"
        if one.status == "live":
            for sign in signs:
                self._marks[one.entity, sign] = self._marks.get((one.entity, sign), 0) + 1
        self.doubled = sum(count > 1 for count in self._marks.values())


@dataclass(frozen=True, slots=True)
class Stages:
    """What a recovery puts to work, one after the other; `connections` are the sources to be read."""

    sweeper: Sweeper
    folder: Folder
    acquaintance: Acquaintance
    sources: SourceReader
    connections: tuple[str, ...]


class Recovering:
    """Recovers one company, under its lease."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        view: ViewLoader,
        books: Books,
        reader: BooksReader,
        mappings: Mappings,
        stages: Stages,
        clock: Clock,
        entropy: Entropy,
        step: Step = no_step,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._view = view
        self._books = books
        self._reader = reader
        self._mappings = mappings
        self._sweeper = stages.sweeper
        self._folder = stages.folder
        self._acquaintance = stages.acquaintance
        self._sources = stages.sources
        self._connections = stages.connections
        self._clock = clock
        self._entropy = entropy
        self._step = step

    async def refuse_if_open(self) -> None:
        """Nothing is sent between the beginning of a recovery and its end.

        Raises:
            LogForgetfulError: one was begun and has not ended.
        """
        row = await self._store.one(CompanyRow, self._session.company)
        if row is not None and row.recovering is not None:
            raise unfinished(row)

    async def log_ends(self) -> datetime:
        """When the restored log ended, at the latest: what came in since the restore was neither folded nor swept."""
        company = self._session.company
        checkpoint = await self._store.checkpoint(company)
        instants: list[datetime] = []
        if checkpoint.position:
            instants.append((await self._events.recorded_at(company, checkpoint.position)).recorded_at)
        swept = await self._store.value("cursor", company, BOOKS, SWEEP)
        if isinstance(swept, str):
            instants.append(datetime.fromisoformat(swept))
        return min(instants, default=EVER)

    async def run(self, wish: Recovery, ended: datetime, tick: Tick) -> Regained:
        """Recover, or go on where an earlier try broke off.

        Args:
            ended: when the restored log ended.

        Raises:
            BooksUnreadableError: the books cannot be read now.
            RealmMismatchError: they are others.
            SourceError: a source cannot be read now.
        """
        await self._folder.to_head()
        await self._acquaintance.register()
        await self._fold()
        begun = await self._begin(wish, ended)
        await self._acquaintance.meet()
        regained = Regained(recovery=begun.recovery, since=begun.since)
        regained.changed = (await self._sweeper.sweep(LANE)).news
        for entity in (one for one in POLLED_DOCUMENTS if one not in wish.left_out):
            regained.changed += await self._sweeper.read_whole(entity, begun.since - BEFORE, LANE)
        await self._fold()
        await self._note_known(begun)
        self._step("recovery.swept")
        await self._look(regained, wish.left_out, tick, dry=False)
        for place, connection in enumerate(self._connections if wish.sources else (), start=1):
            tick("sources", place - 1, len(self._connections))
            await self._sources.poll(connection, "poll")
            tick("sources", place, len(self._connections))
        ended_with = RecoveryEnded(
            recovery=begun.recovery, found=sum(regained.found.values()), changed=regained.changed
        )
        await self._session.decide([ended_with])
        self._step("recovery.ended")
        await self._fold()
        return regained

    async def preview(self, wish: Recovery, ended: datetime, tick: Tick) -> Regained:
        """The same without recording anything: documents that the log knows are not read again.

        Raises:
            BooksUnreadableError, RealmMismatchError: as `run`.
        """
        await self._acquaintance.verify()
        regained = Regained(recovery="", since=wish.since or ended)
        await self._look(regained, wish.left_out, tick, dry=True)
        return regained

    async def _begin(self, wish: Recovery, ended: datetime) -> RecoveryBegun:
        row = await self._store.one(CompanyRow, self._session.company)
        if row is not None and row.recovering is not None:
            event = await self._events.event_at(self._session.company, row.recovering)
            if isinstance(event, RecoveryBegun):
                return event
        begun = RecoveryBegun(
            recovery=self._entropy.token_bytes(ID_BYTES).hex(),
            since=wish.since or ended,
            anchored=wish.anchored,
            author=wish.author,
            reason=wish.reason,
        )
        await self._session.decide([begun])
        self._step("recovery.begun")
        await self._fold()
        return begun

    async def _note_known(self, begun: RecoveryBegun) -> None:
        """Note which documents that the log knows were seen to have changed: by a person, or by a forgotten update."""
        company = self._session.company
        row = await self._store.one(CompanyRow, company)
        since, after = (row.recovering if row is not None else None) or 0, ""
        while True:
            links = await self._store.some(LinkRow, "links_seen_since", company, since, after, EVENTS_PER_APPEND)
            if not links:
                break
            after = links[-1].record_key
            fresh = [
                RecoveryFound(
                    recovery=begun.recovery,
                    entity=link.entity,
                    document_id=link.document_id,
                    observed=link.latest,
                    signs=(known_sign(link.record_key),),
                )
                for link in links
                if link.entity in AFRESH and await self._is_foreign(link)
            ]
            if fresh:
                await self._session.decide(fresh)
        await self._fold()

    async def _is_foreign(self, row: LinkRow) -> bool:
        """Whether a document differs from how we left it, as far as the log knows, in what a source owns."""
        link = await self._view.link(row.record_key)
        if link is None or link.status != "live":
            return False
        held = await self._mappings.held(split_key(row.record_key)[0])
        rules = held.mapping.ownership_of_entity(row.entity) if held is not None else None
        return isinstance(judge(link.latest, link.status, link, rules), Foreign)

    async def _fold(self) -> None:
        await self._folder.to_head()
        self._view.forget()

    async def _look(self, regained: Regained, left_out: Collection[str], tick: Tick, *, dry: bool) -> None:
        """All that was made since, type by type; a count proves that none is missing."""
        until = self._clock.now().replace(microsecond=0) + timedelta(hours=1)
        span = Span(created=((regained.since - BEFORE).replace(microsecond=0), until))
        for entity in (one for one in READ if one not in left_out):
            counted = await self._books.count(entity, LANE, created=span.created)
            seen: set[str] = set()
            tick(entity, 0, counted)
            async for whole in self._books.within(entity, LANE, span):
                page = [one for one in whole if one.document_id not in seen]
                seen.update(one.document_id for one in page)
                if not dry:
                    await self._reader.record(page, "sweep")
                    await self._fold()
                await self._take(page, regained, dry=dry)
                tick(entity, len(seen), counted)
            if len(seen) < counted and len(seen) < await self._books.count(entity, LANE, created=span.created):
                raise BooksUnreadableError(
                    f"QuickBooks counts {counted} documents of {entity}, but shows {len(seen)}.",
                    remedy="Nothing was sent; run the command again, it goes on here.",
                )
            regained.read += len(seen)

    async def _take(self, page: Sequence[Shown], regained: Regained, *, dry: bool) -> None:
        """Record which of these are ours and stand for nothing."""
        company = self._session.company
        keys = [(one.entity, one.document_id) for one in page]
        rows = await self._store.load(company, DocumentRow.table, keys)
        fresh: list[RecoveryFound] = []
        for one in page:
            row = rows.get((one.entity, one.document_id))
            owner = row.record_key if isinstance(row, DocumentRow) else None
            if owner is not None or one.status == "deleted":
                continue
            signs = await self._signs(one, regained.since)
            if not signs:
                continue
            known = await self._is_recorded(one, signs)
            regained.take(one, signs, known=known)
            if not dry and not known and isinstance(row, DocumentRow):
                fresh.append(
                    RecoveryFound(
                        recovery=regained.recovery,
                        entity=one.entity,
                        document_id=one.document_id,
                        observed=row.position,
                        signs=tuple(signs),
                    )
                )
        for start in range(0, len(fresh), EVENTS_PER_APPEND):
            await self._session.decide(fresh[start : start + EVENTS_PER_APPEND])
            self._step("recovery.found")
        if fresh:
            await self._fold()

    async def _signs(self, one: Shown, since: datetime) -> list[str]:
        """Its markers; of an entry of a name list its name, if it was made in the time that the log does not know."""
        if one.entity in SINGLE_ENTITIES and _created(one) < since - CLOCKS_DIFFER:
            return []
        is_named = one.entity in SINGLE_ENTITIES
        return [sign for _, sign in await signs_of(one, self._view) if is_named or sign.startswith(MARKER_BEGIN)]

    async def _is_recorded(self, one: Shown, signs: Sequence[str]) -> bool:
        keys = [(one.entity, sign) for sign in signs]
        rows = await self._store.load(self._session.company, RecoveredRow.table, keys)
        held = [row for row in rows.values() if isinstance(row, RecoveredRow) and one.document_id in row.documents]
        return len(held) == len(signs)


def unfinished(row: CompanyRow) -> LogForgetfulError:
    """What to raise of a company whose recovery was begun and has not ended."""
    return LogForgetfulError(
        f"The recovery of company {row.company} was begun at position {row.recovering} and has not ended; until then "
        "nothing is sent.",
        remedy=f"Run `counterfoil recover --company {row.company}` again: it goes on where it stopped.",
    )


def _created(one: Shown) -> datetime:
    metadata = one.document.get("MetaData")
    created = metadata.get("CreateTime") if isinstance(metadata, dict) else None
    return datetime.fromisoformat(created) if isinstance(created, str) else EVER
