"""Decides what QuickBooks showed: our own echo, somebody's edit, or money that the source should hear of."""

from collections.abc import Sequence
from dataclasses import replace

from counterfoil.dispatch.decided import Decided
from counterfoil.dispatch.ids import MARKER_BEGIN
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.observing import may_have_made
from counterfoil.dispatch.outbox import SINGLE_ENTITIES
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.write_back_plans import WriteBackPlans
from counterfoil.planning.inbound import Foreign, judge, payment_effect
from counterfoil.planning.ownership import Ownership, note_field
from counterfoil.planning.types import Link
from counterfoil.state.rows import IN_FLIGHT, ChangeRow, DocumentRow, IntentRow, PaymentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import ChangeSkipped, ChangeUnchanged, IntentPlanned
from counterfoil_schema.events.receipts import BooksObserved
from counterfoil_schema.records import split_key

CREATES_MAX = 1_000
"""Far more than can be in flight at once."""
_NEVER_EDITED = (None, "0")
"""SyncTokens of documents that are as they were made."""


class InboundDecider:
    """Decides the changes that came from the books of one company."""

    def __init__(
        self, *, company: int, store: StateStore, view: ViewLoader, mappings: Mappings, plans: WriteBackPlans
    ) -> None:
        self._company = company
        self._store = store
        self._view = view
        self._mappings = mappings
        self._plans = plans

    async def decide(self, change: ChangeRow, event: BooksObserved) -> Decided | None:
        """Decisions about a document that QuickBooks showed.

        None while a write-back of its record is under way, or while it may be the effect of a create of ours whose
        answer is not recorded yet.
        """
        bears_on = (change.record_key,)
        seen = await self._store.some(ChangeRow, "changes_of_record", self._company, change.record_key)
        later = [row for row in seen if row.code != "older"]
        if later[-1].position > change.position:
            reason = f"A newer reading of the same document, {later[-1].position}, overtook it."
            return Decided(events=[_skipped(change, "superseded", reason)], bears_on=bears_on)
        if await self._is_perhaps_ours(change, event):
            return None
        decisions: list[Event] = []
        owners = await self._owners(event)
        for ordinal, owner in enumerate(owners):
            planned = await self._plans.plan(change, owner, ordinal, record=event.content_hash)
            if planned is None:
                return None
            decisions.extend(planned)
        if not any(isinstance(decision, IntentPlanned) for decision in decisions):
            decisions.append(await self._remark(change, event))
        elif event.entity == "Invoice" and event.sync_token not in _NEVER_EDITED:
            decisions = await self._with_edit(decisions, event, owners[0])
        # Seen before our own answer was recorded, a document of ours does not yet bear the trace that led to it.
        trace = await self._view.trace_to(event.entity, event.document_id)
        return Decided(events=decisions, bears_on=(*bears_on, *owners), trace=trace)

    async def _is_perhaps_ours(self, change: ChangeRow, event: BooksObserved) -> bool:
        """Whether a document that nobody owns may yet turn out to be ours, by its mark or, for names, by its type.

        Its create was recorded as sent before it could be seen, so the rows know of it whenever they hold its reading.
        """
        note = str(event.document.fields().get(note_field(event.entity), ""))
        if event.entity not in SINGLE_ENTITIES and MARKER_BEGIN not in note:
            return False
        if await self._view.owner_of(event.entity, event.document_id) is not None:
            return False
        flying = await self._store.some(IntentRow, "intents_in", self._company, sorted(IN_FLIGHT), CREATES_MAX)
        return any(row.entity == event.entity and may_have_made(row, change.position) for row in flying)

    async def _owners(self, event: BooksObserved) -> list[str]:
        """The source records whose invoices this document concerns."""
        match event.entity:
            case "Invoice":
                invoice_ids = [event.document_id]
            case "Payment":
                row = await self._store.one(PaymentRow, self._company, event.document_id)
                effect = payment_effect(event.document.fields(), event.status)
                invoice_ids = list(dict.fromkeys((*effect.invoices, *(row.invoices if row else ()))))
            case _:
                return []
        owners = [await self._view.owner_of("Invoice", invoice_id) for invoice_id in invoice_ids]
        return [owner for owner in owners if owner is not None]

    async def _with_edit(self, decisions: Sequence[Event], event: BooksObserved, owner: str) -> list[Event]:
        """The decisions; what is planned says so where the same reading shows somebody's edit as well."""
        link = await self._view.link(owner)
        edited, reason = await self._judged(event, owner, link) if link is not None else (False, "")
        told = {"remark": reason if edited else ""}
        return [one.model_copy(update=told) if isinstance(one, IntentPlanned) else one for one in decisions]

    async def _judged(self, event: BooksObserved, owner: str, link: Link) -> tuple[bool, str]:
        """Whether somebody else edited a document of ours, and in words what is seen of it."""
        held = await self._mappings.held(split_key(owner)[0])
        rules = held.mapping.ownership_of_entity(event.entity) if held else None
        verdict = judge(event.document.fields(), event.status, link, rules)
        if not isinstance(verdict, Foreign):
            return False, "Our own write, seen again."
        if self._only_merged(event, link, rules):
            return False, "Nothing but names of records that were merged in QuickBooks differs."
        return True, f"Edited in QuickBooks ({', '.join(verdict.changed) or event.status}); the edit is kept."

    def _only_merged(self, event: BooksObserved, link: Link, rules: Ownership | None) -> bool:
        """Whether a document differs from our image by no more than what QuickBooks moved when it merged records."""
        image = self._view.survivors.turn(link.image, event.entity)
        if image == link.image:
            return False
        moved = replace(link, image=image)
        return not isinstance(judge(event.document.fields(), event.status, moved, rules), Foreign)

    async def _remark(self, change: ChangeRow, event: BooksObserved) -> Event:
        """What to say of a document that calls for nothing at a source."""
        row = await self._store.one(DocumentRow, self._company, event.entity, event.document_id)
        if row is not None and row.merged_into is not None:
            reason = f"Merged in QuickBooks into {event.entity} {row.merged_into}, which stands for what it stood for."
            return _unchanged(change, event, reason)
        owner = row.record_key if row is not None else None
        link = await self._view.link(owner) if owner else None
        if owner is None or link is None:
            if event.entity == "Payment":
                return _unchanged(change, event, "Nothing that it settles came from a source, or all is written back.")
            return _skipped(change, "not-ours", "This document does not come from a source of ours.")
        edited, reason = await self._judged(event, owner, link)
        return _skipped(change, "edited-in-books", reason) if edited else _unchanged(change, event, reason)


def _skipped(change: ChangeRow, code: str, reason: str) -> ChangeSkipped:
    return ChangeSkipped(change=change.position, record_key=change.record_key, code=code, reason=reason)


def _unchanged(change: ChangeRow, event: BooksObserved, reason: str) -> ChangeUnchanged:
    return ChangeUnchanged(
        change=change.position, record_key=change.record_key, proof=event.content_hash, reason=reason
    )
