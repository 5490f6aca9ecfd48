"""Records of a name list that somebody made one in QuickBooks: the one stands for what the other stood for.

QuickBooks itself moves the documents that named the one. Intuit's webhook names both; where it was lost, a customer or
vendor that is gone can only have been merged, since QuickBooks deletes none, and a document of ours shows into which.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.dispatch.books import Books, Shown
from counterfoil.dispatch.view import EventSource
from counterfoil.state.rows import DocumentRow, HintRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import BooksMerged, WebhookReceived
from counterfoil_schema.exact_json import JsonObject, JsonValue

MERGED: Final = "merged"
MERGEABLE: Final = frozenset({"Customer", "Vendor", "Employee", "Item"})
"""Entities of which records may stand for a source's, and that a person can merge."""

MERGES_MAX: Final = 10
"""How many merges, one into the other, are followed."""

PARTIES: Final[Mapping[str, str]] = {"Customer": "CustomerRef", "Vendor": "VendorRef"}
"""Those that a document names at its head: there it is seen whom it belongs to now."""

Key = tuple[str, str]


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
        gone = [one for one in shown if one.entity in MERGEABLE and _is_gone(one)]
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
            if not _is_gone(kept):
                by_webhook = (one.entity, one.document_id) in told
                found.append(_merged(one, kept, await self._standing_for(one), by_webhook=by_webhook))
        return found

    async def _standing_for(self, gone: Shown) -> tuple[str, ...]:
        rows = await self.store.records("standing_for", self.company, gone.entity, gone.document_id)
        return tuple(row["record_key"] for row in rows)

    async def _pointed_at(self, row: DocumentRow, gone: Shown, lane: Lane) -> str | None:
        """Whom a document of ours names now that named the one that is gone."""
        reference = PARTIES.get(gone.entity)
        if reference is None or gone.status != "deleted" or row.record_key is None:
            return None
        for record in await self.store.records("pointing_at", self.company, row.record_key):
            (document,) = await self.books.read(record["entity"], [record["document_id"]], lane)
            held = document.document.get(reference)
            named = held.get("value") if isinstance(held, dict) else None
            if document.status == "live" and isinstance(named, str):
                return named
        return None


def _is_gone(shown: Shown) -> bool:
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


async def survivors_of(store: StateStore, company: int, keys: Iterable[Key]) -> dict[Key, str]:
    """The ids of the records that these were merged into in the end, those that were."""
    ends: dict[Key, str] = {}
    asked = {key: key for key in keys}
    for _ in range(MERGES_MAX):
        rows = await store.load(company, DocumentRow.table, sorted(set(asked.values())))
        steps = {key: row.merged_into for key, row in rows.items() if isinstance(row, DocumentRow) and row.merged_into}
        asked = {key: (at[0], steps[at]) for key, at in asked.items() if at in steps}
        if not asked:
            break
        ends.update({key: at[1] for key, at in asked.items()})
    return ends


def with_survivors(image: JsonObject, survivors: Mapping[Key, str]) -> JsonObject:
    """An image of ours with each reference to a record that was merged leading to the one that stayed."""
    return {name: _moved(name, value, survivors) for name, value in image.items()}


def references_in(value: JsonValue, name: str = "") -> set[Key]:
    """Entity and id of all that a document names: a field `CustomerRef` names a Customer."""
    if isinstance(value, dict):
        held = value.get("value")
        own = {(name.removesuffix("Ref"), held)} if name.endswith("Ref") and isinstance(held, str) else set[Key]()
        return own.union(*(references_in(part, key) for key, part in value.items()))
    return set[Key]().union(*(references_in(part, name) for part in value)) if isinstance(value, list) else set()


def _moved(name: str, value: JsonValue, survivors: Mapping[Key, str]) -> JsonValue:
    match value:
        case {"value": str(held)} if (kept := survivors.get((name.removesuffix("Ref"), held))) is not None:
            return {"value": kept}
        case dict():
            return {key: _moved(key, part, survivors) for key, part in value.items()}
        case list():
            return [_moved(name, part, survivors) for part in value]
        case _:
            return value
