"""Folds of the first day in existing books: what was there before is linked, and what was planned is decided afresh."""

from msgspec.structs import replace

from counterfoil.state.document_facts import created_at, list_name
from counterfoil.state.fold import Folded, Rows
from counterfoil.state.rows import ChangeRow, CompanyRow, DocumentRow, IntentRow, LinkRow, RecordRow, ReviewRow
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events import receipts as seen

LISTS = frozenset({"Customer", "Vendor", "Employee", "Item"})
_UNSENT = frozenset({"held", "ready", "parked", "reconnect"})


def company_approved(rows: Rows, at: Folded, event: seen.CompanyApproved) -> None:
    del event
    company = rows.get(CompanyRow) or CompanyRow(company=at.company)
    rows.put(replace(company, approved=at.position))


def record_adopted(rows: Rows, at: Folded, event: done.RecordAdopted) -> None:
    before = rows.get(LinkRow, event.record_key)
    known = rows.get(DocumentRow, event.entity, event.document_id)
    rows.put(
        LinkRow(
            company=at.company,
            record_key=event.record_key,
            entity=event.entity,
            document_id=event.document_id,
            sync_token=event.sync_token,
            content_hash="",
            image=at.position,
            latest=at.position,
            incarnation=before.incarnation + 1 if before else 1,
            doc_number=event.doc_number,
            name_key=event.name_key,
            adopted=True,
        )
    )
    rows.put(
        DocumentRow(
            company=at.company,
            entity=event.entity,
            document_id=event.document_id,
            position=at.position,
            sync_token=event.sync_token,
            status="live",
            content_hash=known.content_hash if known else "",
            record_key=event.record_key,
            name=list_name(event.document) or (known.name if known else None),
            created=created_at(event.document) or (known.created if known else None),
        )
    )
    if known is not None and known.record_key is not None and known.record_key != event.record_key:
        # Somebody who left and came back under another id: what the old record still says is not written any more.
        left = rows.get(LinkRow, known.record_key)
        if left is not None and left.document_id == event.document_id:
            rows.put(replace(left, shared_with=event.record_key))
    review = rows.get(ReviewRow, event.record_key)
    if review is not None:
        rows.put(replace(review, verdict="adopt", position=at.position))
    _decide_afresh(rows, event.record_key)


def record_reviewed(rows: Rows, at: Folded, event: done.RecordReviewed) -> None:
    before = rows.get(ReviewRow, event.record_key)
    rows.put(ReviewRow(company=at.company, record_key=event.record_key, verdict=event.verdict, position=at.position))
    if event.verdict != "create" or (before is not None and before.verdict != "create"):
        _decide_afresh(rows, event.record_key)


def record_released(rows: Rows, at: Folded, event: done.RecordReleased) -> None:
    link = rows.get(LinkRow, event.record_key)
    if link is None or (link.entity, link.document_id) != (event.entity, event.document_id):
        raise ValueError(f"{event.entity} {event.document_id} does not stand for the record")
    rows.put(replace(link, status="released", content_hash="", doc_number=None, name_key=None, adopted=False))
    document = rows.get(DocumentRow, event.entity, event.document_id)
    if document is not None and document.record_key == event.record_key:
        rows.put(replace(document, record_key=None))
    # Else it would be made anew at once, beside what is there.
    rows.put(ReviewRow(company=at.company, record_key=event.record_key, verdict="ask", position=at.position))
    _decide_afresh(rows, event.record_key)


def in_step(rows: Rows, event: done.ChangeUnchanged) -> None:
    """An adopted entry of a list holds what its source wants: from here on it is like one that we wrote.

    A transaction stays as it was found: whose line is whose is not known, so that it is never written over.
    """
    link = rows.get(LinkRow, event.record_key)
    if link is not None and link.adopted and link.entity in LISTS:
        rows.put(replace(link, adopted=False, content_hash=event.proof))


def _decide_afresh(rows: Rows, record_key: str) -> None:
    """What was planned for the record and has not gone out is withdrawn; its change waits for a decision again."""
    record = rows.get(RecordRow, record_key)
    change = rows.get(ChangeRow, str(record.position)) if record is not None else None
    if change is None:
        return
    intents = dict(change.intents)
    for intent_id in change.intents:
        intent = rows.get(IntentRow, intent_id)
        if intent is None or intent.state not in _UNSENT or intent.operation == "note":
            continue
        rows.put(replace(intent, state="withdrawn", code="onboarding", reason="A person said what stands for it."))
        intents[intent_id] = "withdrawn"
    if any(state != "withdrawn" for state in intents.values()):
        return
    rows.put(replace(change, state="waiting", code="decision", reason="", fix="", decided=None, intents=intents))
