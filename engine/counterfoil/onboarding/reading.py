"""Reads both sides, page by page, and keeps of each record and document what helps to match it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from counterfoil.dispatch.adapters import pages
from counterfoil.dispatch.ids import markers_in
from counterfoil.onboarding.facts import ENTITY_OF, Facts, Type, of_books, of_record
from counterfoil.onboarding.others import Posted, posted_of
from counterfoil.planning.derived import derived
from counterfoil.planning.filters import passes
from counterfoil.planning.mapping import Mapping as MappingRules
from counterfoil.planning.plan import taken_from
from counterfoil.planning.start import day_of
from counterfoil.planning.types import Park
from counterfoil.sources import Seen, SourceAdapter, Unreadable
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Custom, record_key

Tick = Callable[[str, int], None]
"""Told of what is being read, and how much of it has come."""

POSTED_BY: Mapping[str, tuple[str, ...]] = {
    "invoice": ("Invoice", "SalesReceipt"),
    "credit_memo": ("CreditMemo",),
    "payment": ("Payment",),
    "refund": ("RefundReceipt",),
    "payout": ("Deposit",),
    "pay_run": ("JournalEntry",),
    "contractor_payment": ("Bill", "Purchase"),
}
"""As what other apps post what a source holds."""


class Shelf(Protocol):
    """The books, as far as they are read whole."""

    def listed(
        self,
        entity: str,
        lane: Lane,
        *,
        open_only: bool = False,
        dated_from: date | None = None,
        created_from: datetime | None = None,
    ) -> AsyncIterator[Sequence[JsonObject]]: ...


@dataclass(slots=True, kw_only=True)
class SourceSide:
    """What a company's sources hold.

    Attributes:
        facts: of what may stand for something in the books, by record key.
        early: those that are dated before the start date.
        kinds: canonical kinds of record that there are.
        dated: of each dated type, how many records there are, and `before` the start date.
        passed_over: how many are left out, by reason.
    """

    facts: dict[str, Facts] = field(default_factory=dict)
    early: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)

    def add(self, key: str, seen: Seen, mapping: MappingRules) -> None:
        """Take a record in."""
        record = seen.record
        if isinstance(record, Custom):
            self.passed_over["of a kind that only its source knows"] += 1
            return
        allowed = taken_from(record, mapping)
        if allowed and seen.kind not in allowed:
            self.passed_over["not mapped"] += 1
            return
        if not passes(record, key, mapping):
            self.passed_over["kept out by the mapping's filter"] += 1
            return
        made = derived(record, key, mapping.derived, mapping.connection.zone)
        if isinstance(made, Park):
            self.passed_over["a derived field comes to nothing"] += 1
            return
        self.kinds[record.kind] += 1
        day, start = day_of(made, mapping), mapping.start.of(record.kind)
        is_early = start is not None and day is not None and day < start
        self.before[record.kind] += is_early
        facts = of_record(key, made, mapping)
        if facts is None:
            return
        if not facts.active:
            self.passed_over["inactive at the source"] += 1
            return
        self.facts[key] = facts
        self.early |= {key} if is_early else set()


async def read_source(
    side: SourceSide, connection: str, adapter: SourceAdapter, mapping: MappingRules, tick: Tick
) -> None:
    """Everything of one source.

    Raises:
        SourceError: it cannot be read now.
    """
    for kind in adapter.kinds():
        count = 0
        async with aclosing(pages(connection, adapter, kind, None)) as read:
            async for page in read:
                for change in page.changes:
                    count += 1
                    if isinstance(change, Unreadable):
                        side.passed_over["cannot be read"] += 1
                    elif isinstance(change, Seen):
                        side.add(record_key(connection, change.kind, change.source_id), change, mapping)
                tick(f"{connection}: {kind}", count)


@dataclass(slots=True, kw_only=True)
class BooksSide:
    """What the books hold.

    Attributes:
        facts: by entity and Id.
        documents: the same, whole; only where asked for.
        posted: documents that were made lately and bear no marker of ours.
    """

    facts: dict[tuple[str, str], Facts] = field(default_factory=dict)
    documents: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)

    def add(self, kind: Type, document: JsonObject, *, whole: bool) -> Facts | None:
        """Take an entry in."""
        facts = of_books(kind, document)
        if facts is not None:
            self.facts[facts.entity, facts.key] = facts
            if whole:
                self.documents[facts.entity, facts.key] = document
        return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to read of the books.

    Args:
        kinds: canonical kinds of record that the sources hold.
        start: the earliest start date of invoices, where there is one.
        since: from when on documents count as made lately.
        whole: keep the documents, for their adoption.
    """

    kinds: frozenset[str]
    start: date | None
    since: datetime
    whole: bool = False


async def read_books(shelf: Shelf, wanted: Wanted, tick: Tick) -> BooksSide:
    """The lists whole; of invoices those that are open, dated from the start date on, or made lately.

    Raises:
        BooksUnreadableError: they cannot be read now.
    """
    side = BooksSide()
    for kind, entity in ENTITY_OF.items():
        if kind in wanted.kinds and kind != "invoice":
            await _read(side, shelf.listed(entity, "live"), kind, entity, wanted, tick)
    if "invoice" in wanted.kinds:
        await _read(side, shelf.listed("Invoice", "live", open_only=True), "invoice", "Invoice", wanted, tick)
        if wanted.start is not None:
            dated = shelf.listed("Invoice", "live", dated_from=wanted.start)
            await _read(side, dated, "invoice", "Invoice", wanted, tick)
    await _read_posted(side, shelf, wanted, tick)
    return side


async def _read(
    side: BooksSide,
    listed: AsyncIterator[Sequence[JsonObject]],
    kind: Type,
    entity: str,
    wanted: Wanted,
    tick: Tick,
) -> None:
    count = 0
    async for page in listed:
        count += len(page)
        for document in page:
            side.add(kind, document, whole=wanted.whole)
        tick(f"QuickBooks: {entity}", count)


async def _read_posted(side: BooksSide, shelf: Shelf, wanted: Wanted, tick: Tick) -> None:
    for kind, entities in POSTED_BY.items():
        # To adopt something takes what can be adopted; who else posts was told when the file was written.
        for entity in (one for one in entities if kind in wanted.kinds and (one == "Invoice" or not wanted.whole)):
            count = 0
            async for page in shelf.listed(entity, "live", created_from=wanted.since):
                count += len(page)
                for document in page:
                    facts = side.add("invoice", document, whole=wanted.whole) if entity == "Invoice" else None
                    facts = of_books("invoice", document) if entity == "SalesReceipt" else facts
                    posted = posted_of(entity, document, facts)
                    if not markers_in(posted.note):
                        side.posted.append(posted)
                tick(f"QuickBooks: {entity}, made lately", count)
