"""Records of a name list that somebody made one in QuickBooks: the one stands for what the other stood for.

QuickBooks itself moves the documents that named the one. Intuit's webhook names both; where it was lost, a record that
is gone can only have been merged, since QuickBooks deletes none of these, and our documents show into which. One that
is inactive may have been merged: where several of our documents agree on another, it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.dispatch.books import Books, Shown
from counterfoil.dispatch.view import EventSource, document_at
from counterfoil.planning.references import Key, places_in
from counterfoil.state.rows import DocumentRow, HintRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import BooksMerged, WebhookReceived

MERGED: Final = "merged"
MERGEABLE: Final = frozenset(
    {"Customer", "Vendor", "Employee", "Item", "Account", "Class", "Department", "Term", "PaymentMethod"}
)
"""Entities that a person can merge (Intuit's table of notifications), and that documents of ours name."""

AGREEING_MIN: Final = 2
"""How many documents must name another record before one that is inactive, and not gone, counts as merged."""


@dataclass(slots=True, kw_only=True)
class Merges:
    """Finds out what the records of one company's books were merged into."""

    company: int
    store: StateStore
    events: EventSource
    books: Books

    async def told(self, hints: Sequence[HintRow]) -> dict[Key, str]:
        """The other record of each merge that these hints tell of: which of the two went, a reading shows."""
        found: dict[Key, str] = {}
        for received in {hint.received for hint in hints if hint.operation == MERGED and hint.kind in MERGEABLE}:
            event = await self.events.event_at(self.company, received)
            for one in event.hints if isinstance(event, WebhookReceived) else ():
                if one.other_id is not None:
                    found[one.kind, one.source_id] = one.other_id
        return found

    async def among(self, shown: Sequence[Shown], told: Mapping[Key, str], lane: Lane) -> list[BooksMerged]:
        """The merges that took away any of these documents, as far as they are known here and it is not noted yet.

        Raises:
            BooksUnreadableError: the record that stays could not be read.
        """
        gone = [one for one in shown if one.entity in MERGEABLE and is_gone(one)]
        keys = [(one.entity, one.document_id) for one in gone]
        rows = await self.store.load(self.company, DocumentRow.table, keys)
        found: list[BooksMerged] = []
        for one in gone:
            row = rows.get((one.entity, one.document_id))
            if not isinstance(row, DocumentRow) or row.merged_into is not None:
                continue
            kept_id = told.get((one.entity, one.document_id)) or await self._pointed_at(row, one, lane)
            if kept_id is None or kept_id == one.document_id:
                continue
            (kept,) = await self.books.read(one.entity, [kept_id], lane)
            if not is_gone(kept):
                by_webhook = (one.entity, one.document_id) in told
                found.append(_merged(one, kept, await self._standing_for(one), by_webhook=by_webhook))
        return found

    async def _standing_for(self, gone: Shown) -> tuple[str, ...]:
        rows = await self.store.records("standing_for", self.company, gone.entity, gone.document_id)
        return tuple(row["record_key"] for row in rows)

    async def _pointed_at(self, row: DocumentRow, gone: Shown, lane: Lane) -> str | None:
        """Whom our documents name now, where they named the one that is gone.

        Somebody may have changed one of them before: only where all agree is it known into which it was merged. The
        first that still names it ends the search: a record that is merely inactive costs one reading.
        """
        if row.record_key is None:
            return None
        lost, named, agreeing = (gone.entity, gone.document_id), set[Key](), 0
        for record in await self.store.records("pointing_at", self.company, row.record_key):
            image = await document_at(self.events, self.company, record["image"])
            places = [place for place, key in places_in(image.fields(), record["entity"]).items() if key == lost]
            if not places:
                continue
            (shown,) = await self.books.read(record["entity"], [record["document_id"]], lane)
            now = places_in(shown.document, record["entity"]) if shown.status == "live" else {}
            moved = {now[place] for place in places if place in now}
            named |= moved
            agreeing += bool(moved)
            if lost in named or len(named) > 1:
                return None
        enough = agreeing >= (1 if gone.status == "deleted" else AGREEING_MIN)
        (entity, kept_id), *_ = [*named, ("", "")]
        return kept_id if enough and entity == gone.entity else None


def is_gone(shown: Shown) -> bool:
    """Whether a record of a name list is not to be named any more: deleted, or inactive."""
    return shown.status == "deleted" or shown.document.get("Active") is False


def _merged(gone: Shown, kept: Shown, records: tuple[str, ...], *, by_webhook: bool) -> BooksMerged:
    token = kept.document.get("SyncToken")
    return BooksMerged(
        entity=gone.entity,
        gone_id=gone.document_id,
        document_id=kept.document_id,
        sync_token=str(token) if token is not None else None,
        evidence="webhook" if by_webhook else "document",
        records=records,
        document=Document.of(kept.entity, kept.document),
    )
