"""The log's side: documents that stand for source records, with what they must hold and come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.survivors import Survivors
from counterfoil.dispatch.view import EventSource
from counterfoil.planning.reconciling.drifts import Expected
from counterfoil.planning.reconciling.figures import Posted, amount_of_others, posted_of, wanted_by_source
from counterfoil.planning.types import Link
from counterfoil.state.rows import DocumentStatus, LinkRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import CallSent, IntentAccepted, IntentPlanned, RecordAdopted
from counterfoil_schema.events.receipts import BooksMerged, BooksObserved
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import split_key

PAGE_ROWS = 1_000
UNDONE = frozenset({"void", "delete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """One document of ours, as rows have it. `change`: where its last wish came from; None for one that was adopted."""

    record_key: str
    document_id: str
    status: DocumentStatus
    shared_with: str | None
    incarnation: int
    planned: int | None
    operation: str | None
    change: int | None

    @property
    def taken_back(self) -> bool:
        """Whether we voided or deleted it ourselves, at the source's word."""
        return self.operation in UNDONE and self.status != "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One document of ours, whole: what it must hold, and what it came to when it was last written."""

    own: Own
    expected: Expected
    accepted: Posted


@dataclass(frozen=True, slots=True, kw_only=True)
class Figured:
    """By what figures documents are told: the books' own currency, and Id of an item → Id of its account."""

    home: str
    accounts_of_items: Mapping[str, str]

    def posted(self, entity: str, document: JsonObject) -> Posted:
        """A document in figures."""
        return posted_of(entity, document, home=self.home, accounts_of_items=self.accounts_of_items)


class OwnDocuments:
    """Reads them, a type or some at a time."""

    def __init__(
        self, *, company: int, store: StateStore, events: EventSource, mappings: Mappings, survivors: Survivors
    ) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._mappings = mappings
        self._survivors = survivors

    async def entities(self) -> list[str]:
        """The types of which there is any."""
        return [row["entity"] for row in await self._store.records("own_entities", self._company)]

    async def of(self, entity: str) -> dict[str, Own]:
        """All of one type, by document. What was merged into another's is the other's."""
        found: dict[str, Own] = {}
        after = ""
        while True:
            rows = await self._store.records("own_documents", self._company, entity, after, PAGE_ROWS)
            for row in rows:
                own = Own(**dict(row))
                if own.shared_with is None:
                    found[own.document_id] = own
            if len(rows) < PAGE_ROWS:
                return found
            after = rows[-1]["record_key"]

    async def known(self, some: Sequence[Own], figured: Figured) -> dict[str, Known]:
        """These, by document, as the rows stand now; what is no longer ours is left out."""
        rows = await self._store.load(self._company, LinkRow.table, [(own.record_key,) for own in some])
        links = {key[0]: row for key, row in rows.items() if isinstance(row, LinkRow)}
        positions = {place for row in links.values() for place in (row.image, row.latest)}
        positions |= {own.planned for own in some if own.planned is not None}
        recorded = await self._events.recorded_many(self._company, sorted(positions))
        events = {place: await one.event() for place, one in recorded.items()}
        found: dict[str, Known] = {}
        for own in some:
            row = links.get(own.record_key)
            if row is not None and row.document_id == own.document_id:
                found[own.document_id] = await self._one(own, row, events, figured)
        return found

    async def _one(self, own: Own, row: LinkRow, events: Mapping[int, Event], figured: Figured) -> Known:
        shown, planned = events[row.image], events.get(own.planned or 0)
        image = self._survivors.turn(document_of(shown), row.entity)
        accepted = figured.posted(row.entity, image)
        figures = planned.figures if isinstance(planned, IntentPlanned) else None
        tie = shown.tie_out if isinstance(shown, IntentAccepted) else None
        others = amount_of_others(image, frozenset(row.lines.values()))
        net, tax = wanted_by_source(accepted, figures, tie, of_others=others)
        held = await self._mappings.held(split_key(own.record_key)[0])
        is_foreign = figures is not None and figures.currency != figures.home
        link = Link(
            record_key=own.record_key,
            entity=row.entity,
            document_id=row.document_id,
            sync_token=row.sync_token,
            content_hash=row.content_hash,
            image=image,
            latest=document_of(events[row.latest]),
            lines=row.lines,
            sent=await self._sent(row) if is_foreign else {},
            status=_our_word(own),
            shared_with=row.shared_with,
            adopted=row.adopted,
        )
        wanted = Posted(
            entity=row.entity,
            currency=figures.currency if figures is not None else accepted.currency,
            month=accepted.month,
            party=accepted.party,
            net=net,
            tax=tax,
            accounts=accepted.accounts,
        )
        rules = held.mapping.ownership_of_entity(row.entity) if held is not None else None
        carried = _carried_by(shown)
        erased = carried is not None and carried.is_erased
        expected = Expected(link=link, figures=figures, wanted=wanted, rules=rules, erased=erased)
        return Known(own=own, expected=expected, accepted=accepted)

    async def _sent(self, row: LinkRow) -> JsonObject:
        if row.sent is None:
            return {}
        call = await self._events.event_at(self._company, row.sent)
        items = call.items if isinstance(call, CallSent) else ()
        return next((item.body.fields() for item in items if item.record_key == row.record_key), {})


def _our_word(own: Own) -> Literal["live", "deleted", "voided"]:
    """How we left it: gone by a person's hand is a difference from that, however long it is known."""
    if not own.taken_back:
        return "live"
    return "voided" if own.operation == "void" else "deleted"


def document_of(event: Event) -> JsonObject:
    """The document that an event carries."""
    document = _carried_by(event)
    return document.fields() if document is not None else {}


def _carried_by(event: Event) -> Document | None:
    if isinstance(event, IntentAccepted | BooksObserved | BooksMerged | RecordAdopted):
        return event.document
    return None
