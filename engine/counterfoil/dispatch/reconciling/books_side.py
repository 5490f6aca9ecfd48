"""The books' side: reads every document of one type in pages, proves by a count that none is missing, and compares.

What differs is read once more by Id, two hundred documents a read, before it is told: our own writes go on meanwhile. A
read that fails, or shows less than is counted, raises; nothing follows from it for any record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from counterfoil.dispatch.books import Books, BooksUnreadableError, Shown, Span
from counterfoil.dispatch.ids import marker, markers_in
from counterfoil.dispatch.outbox import marker_for
from counterfoil.dispatch.reconciling.own_documents import Figured, Known, Own, OwnDocuments
from counterfoil.planning.ownership import note_field
from counterfoil.planning.reconciling.drifts import Compared, Drift, compare_document, missing, stranger
from counterfoil.planning.reconciling.figures import Posted
from counterfoil.planning.reconciling.report import Read
from counterfoil.planning.reconciling.totals import Totals
from counterfoil.state.rows import IN_FLIGHT, IntentRow, LinkRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import Lane

LANE: Lane = "reconcile"
DOCUMENTS_PER_READ = 200
FLYING_MAX = 10_000
_GONE = frozenset({"missing_in_books", "voided_in_books"})

Tick = Callable[[str, int, int], None]
"""Told of what is compared, how many of how many documents."""


@dataclass(slots=True, kw_only=True)
class Found:
    """One type, compared.

    Attributes:
        apart: documents in which others changed what is theirs to change, by record.
        examined: records that were looked at, for differences that are gone since.
        differing: documents as they were read, of which the log may not know yet.
    """

    read: Read
    totals: Totals = field(default_factory=Totals)
    drifts: list[Drift] = field(default_factory=list)
    apart: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    examined: set[str] = field(default_factory=set)
    differing: list[Shown] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """What of a type is compared.

    Args:
        span: of pages and count; documents of ours outside are read by Id.
        month: only what is dated in it; None for all.
        figured: by what figures.
    """

    span: Span
    month: str | None
    figured: Figured


class BooksSide:
    """Compares the books of one company, type by type."""

    def __init__(self, *, company: int, store: StateStore, books: Books, ours: OwnDocuments) -> None:
        self._company = company
        self._store = store
        self._books = books
        self._ours = ours

    async def compare(self, entity: str, within: Within, tick: Tick) -> Found:
        """All documents of a type.

        Raises:
            BooksUnreadableError: a read failed, or showed less than QuickBooks counts.
        """
        own = await self._ours.of(entity)
        found = Found(read=Read(entity=entity, ours=0, shown=0, counted=0))
        seen: set[str] = set()
        again: list[Own] = []
        strangers: list[Shown] = []
        counted = await self._count(entity, within)
        tick(entity, 0, counted)
        async for whole in self._books.within(entity, LANE, within.span):
            page = [one for one in whole if one.document_id not in seen]
            seen.update(one.document_id for one in page)
            again += await self._first_look(page, own, within, found)
            strangers += [one for one in page if one.document_id not in own and _marks(one)]
            tick(entity, len(seen), counted)
        # What was deleted while it was read is missing without fault: then a new count is lower as well.
        if len(seen) < counted and len(seen) < (counted := await self._count(entity, within)):
            raise BooksUnreadableError(
                f"QuickBooks counts {counted} documents of {entity}, but shows {len(seen)}.",
                remedy="It is compared again at the next run.",
            )
        rest = await self._dated_within([one for one in own.values() if one.document_id not in seen], within)
        await self._second_look(entity, [*again, *rest], within, found)
        found.drifts += await self._strange(entity, strangers, within)
        by_id = len(again) + len(rest)
        found.read = Read(entity=entity, ours=len(found.examined), shown=len(seen), counted=counted, by_id=by_id)
        return found

    async def _count(self, entity: str, within: Within) -> int:
        return await self._books.count(entity, LANE, created=within.span.created, dated=within.span.dated)

    async def _first_look(
        self, page: Sequence[Shown], own: Mapping[str, Own], within: Within, found: Found
    ) -> list[Own]:
        """Take in what agrees; what does not is for the second look."""
        shown = {one.document_id: one for one in page if one.document_id in own}
        again: list[Own] = []
        for known in (await self._ours.known([own[one] for one in shown], within.figured)).values():
            compared, books = _judged(known, shown[known.own.document_id], within)
            if compared.drift is not None:
                again.append(known.own)
            else:
                _take(found, known, books, compared)
        return again

    async def _second_look(self, entity: str, some: Sequence[Own], within: Within, found: Found) -> None:
        """By Id, on rows that are as new as the reading."""
        for start in range(0, len(some), DOCUMENTS_PER_READ):
            part = some[start : start + DOCUMENTS_PER_READ]
            # Of what is deleted the log has QuickBooks' own word already, and it does not come back.
            asked = [one.document_id for one in part if one.status != "deleted"]
            shown = {one.document_id: one for one in await self._books.read(entity, asked, LANE)} if asked else {}
            flying = {row.record_key for row in await self._flying()}
            for known in (await self._ours.known(part, within.figured)).values():
                one = shown.get(known.own.document_id)
                if known.own.record_key in flying:
                    _take(found, known, known.accepted, Compared())
                elif one is None:
                    drift = None if known.own.taken_back else missing(known.expected)
                    _take(found, known, _nothing(known), Compared(drift=drift))
                else:
                    compared, books = _judged(known, one, within)
                    _take(found, known, books, compared)
                    found.differing += [one] if compared.drift is not None else []

    async def _dated_within(self, some: Sequence[Own], within: Within) -> list[Own]:
        """Those that were not shown although they belong to what is compared."""
        if within.month is None:
            return list(some)
        kept: list[Own] = []
        for start in range(0, len(some), DOCUMENTS_PER_READ):
            known = await self._ours.known(some[start : start + DOCUMENTS_PER_READ], within.figured)
            kept += [one.own for one in known.values() if one.accepted.month == within.month]
        return kept

    async def _flying(self) -> list[IntentRow]:
        return await self._store.some(IntentRow, "intents_in", self._company, sorted(IN_FLIGHT), FLYING_MAX)

    async def _strange(self, entity: str, strangers: Sequence[Shown], within: Within) -> list[Drift]:
        """Documents that bear a marker of ours and stand for no record, now that all is read."""
        if not strangers:
            return []
        own = await self._ours.of(entity)
        owners = {
            marker(self._company, one.record_key, entity, number): one
            for one in own.values()
            for number in range(1, one.incarnation + 1)
        }
        flying = await self._flying_markers(entity)
        told: list[Drift] = []
        for one in strangers:
            marks = _marks(one)
            if one.document_id in own or flying.intersection(marks) or one.status != "live":
                continue
            owner = next((owners[mark] for mark in marks if mark in owners), None)
            number = one.document.get("DocNumber")
            told.append(
                stranger(
                    entity,
                    one.document_id,
                    number if isinstance(number, str) else "",
                    within.figured.posted(entity, one.document),
                    owner=owner.record_key if owner is not None else None,
                    other=owner.document_id if owner is not None else None,
                )
            )
        return told

    async def _flying_markers(self, entity: str) -> set[str]:
        rows = [row for row in await self._flying() if row.entity == entity and row.operation == "create"]
        links = await self._store.load(self._company, LinkRow.table, [(row.record_key,) for row in rows])
        found: set[str] = set()
        for row in rows:
            link = links.get((row.record_key,))
            found.add(marker_for(row, link if isinstance(link, LinkRow) else None))
        return found


def _judged(known: Known, one: Shown, within: Within) -> tuple[Compared, Posted]:
    books = _nothing(known) if one.status == "deleted" else within.figured.posted(one.entity, one.document)
    if known.own.taken_back and one.status != "live":
        return Compared(), books
    return compare_document(known.expected, one.document, one.status, books), books


def _take(found: Found, known: Known, books: Posted, compared: Compared) -> None:
    """Into the sums, and among the differences if there is one."""
    found.examined.add(known.own.record_key)
    if not known.own.taken_back:
        if known.expected.wanted is not None:
            found.totals.add("source", known.expected.wanted)
        found.totals.add("log", known.accepted)
        if compared.drift is None or compared.drift.kind not in _GONE:
            found.totals.add("books", books)
    if compared.drift is not None:
        found.drifts.append(compared.drift)
    if compared.apart:
        found.apart.append((known.own.record_key, compared.apart))


def _marks(one: Shown) -> list[str]:
    return markers_in(str(one.document.get(note_field(one.entity), "")))


def _nothing(known: Known) -> Posted:
    accepted = known.accepted
    return Posted(entity=accepted.entity, currency=accepted.currency, month=accepted.month, party=accepted.party)


def span_of(month: str | None, since: datetime, until: datetime) -> Span:
    """What pages and count are narrowed to: documents dated in a month, or made since ours began.

    Raises:
        ValueError: no month.
    """
    if month is None:
        return Span(created=(since.replace(microsecond=0), until.replace(microsecond=0)))
    first = date.fromisoformat(f"{month}-01")
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return Span(dated=(first, date.fromordinal(after.toordinal() - 1)))


def accounts_of(items: Iterable[Shown]) -> dict[str, str]:
    """Id of each item → Id of the account that its sales are posted to."""
    found: dict[str, str] = {}
    for one in items:
        held = one.document.get("IncomeAccountRef")
        account = held.get("value") if isinstance(held, dict) else None
        if isinstance(account, str):
            found[one.document_id] = account
    return found
