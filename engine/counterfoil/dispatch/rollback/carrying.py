"""A compensation just before it goes out: it is carried out on the content that it was planned on, and on no other.

QuickBooks moves a document's SyncToken by itself when a payment lets go of it, so the content is compared, not the
token; the token that is sent is that of the reading which was compared, so that QuickBooks refuses whatever came later.
"""

from dataclasses import dataclass, replace
from typing import Final

from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.planning.lines import take_keys
from counterfoil.planning.rollback.common import NAME_LISTS, content_changed
from counterfoil.planning.types import Composed
from counterfoil.planning.values import number
from counterfoil.state.rows import DocumentRow, IntentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import IntentAccepted, IntentParked, IntentPlanned, RecordAdopted
from counterfoil_schema.events.receipts import BooksMerged, BooksObserved
from counterfoil_schema.exact_json import JsonObject, JsonValue

_AGAIN: Final = "Preview the rollback again; or `counterfoil skip` this one, so that what was written stays."
_WHOLE: Final = frozenset({"Deposit", "Transfer"})
"""What QuickBooks deletes only where the whole object is sent (Intuit: entity pages)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The document that a compensation is about, as it stands now."""

    document_id: str
    sync_token: str | None
    latest: JsonObject


@dataclass(slots=True, kw_only=True)
class Compensations:
    """Looks at the documents of one company's compensations."""

    company: int
    store: StateStore
    events: EventSource
    view: ViewLoader

    async def found(self, row: IntentRow, planned: IntentPlanned) -> Found | IntentParked:
        """The document, if it is the one that was planned on; else why the compensation waits for a person."""
        base = await self.events.event_at(self.company, planned.builds_on or 0)
        if not isinstance(base, IntentAccepted | BooksObserved | BooksMerged | RecordAdopted):
            raise TypeError(f"the event at {planned.builds_on} carries no document")
        now = await self.store.one(DocumentRow, self.company, base.entity, base.document_id)
        if now is None:
            return _parked(row, "changed_since", f"{base.entity} {base.document_id} is not known any more.")
        latest = (await self.view.document_at(now.position)).fields()
        before = base.document.fields()
        if planned.operation != "create":
            # Lists are never deleted: what a reading of their names leaves out is inactive, and may be active again.
            if now.status != "live" and (base.entity not in NAME_LISTS or now.merged_into is not None):
                return _parked(row, "gone", f"{base.entity} {base.document_id} was {now.status} in QuickBooks since.")
            if planned.operation != "update" and _is_settled(latest):
                reason = f"A payment or credit is applied to {base.entity} {base.document_id}."
                return _parked(row, "payment_applied", reason)
        changed = content_changed(before, latest, base.entity)
        if changed:
            shown = ", ".join(changed)
            reason = f"{base.entity} {base.document_id} was changed in QuickBooks since the preview ({shown})."
            return _parked(row, "changed_since", reason)
        return Found(document_id=base.document_id, sync_token=now.sync_token, latest=latest)


def composed(planned: IntentPlanned, found: Found) -> Composed | None:
    """The exact body of a void, a deletion or an update; None where no token is known, so that it is read first."""
    token = found.sync_token
    if token is None:
        return None
    body: JsonObject = {"Id": found.document_id, "SyncToken": token}
    keys: tuple[str, ...] = ()
    match planned.operation:
        case "void" if planned.entity != "Invoice":
            # Everything but an invoice is voided by an update that says so (Intuit: payment page).
            body["sparse"] = True
        case "delete" if planned.entity in _WHOLE:
            body = {**found.latest, **body}
        case "update":
            fields = planned.body.fields()
            body = {**body, "sparse": True, **fields}
            if "Line" in fields:
                arranged = take_keys(_objects(fields["Line"]))
                body["Line"], keys = arranged.lines, arranged.keys
        case _:
            pass
    made = Composed(entity=planned.entity, operation=planned.operation, body=body, sync_token=token, line_keys=keys)
    return replace(made, changes=("status",))


def _is_settled(document: JsonObject) -> bool:
    return "Balance" in document and number(document.get("Balance")) != number(document.get("TotalAmt"))


def _parked(row: IntentRow, code: str, reason: str) -> IntentParked:
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code=code,
        reason=reason,
        fix=_AGAIN,
        outside="What was written for it was to be taken back, and could not be.",
    )


def _objects(value: JsonValue) -> list[JsonObject]:
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []
