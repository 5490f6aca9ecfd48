"""Folds of receipts: what came in becomes records, changes to decide, hints to follow, documents and payments."""

from decimal import Decimal

from msgspec.structs import replace

from counterfoil.planning.inbound import payment_effect
from counterfoil.state.changes import supersede
from counterfoil.state.document_facts import account_type, created_at, list_name
from counterfoil.state.fold import Folded, Rows
from counterfoil.state.rows import (
    ChangeRow,
    CompanyRow,
    DocumentRow,
    DriftRow,
    ErasureRow,
    HintRow,
    LinkRow,
    MappingRow,
    PaymentRow,
    RecordRow,
    RequestRow,
    SettlementRow,
    SourceRow,
)
from counterfoil_schema.events import receipts as seen
from counterfoil_schema.records import record_key

NOTHING = Decimal(0)
WITHHELD = "erased"
"""The kind of a record whose person was erased, and the code of its change."""


def company_registered(rows: Rows, at: Folded, event: seen.CompanyRegistered) -> None:
    rows.put(CompanyRow(company=at.company, name=event.name, zone=event.zone, home_currency=event.home_currency))


def realm_pinned(rows: Rows, at: Folded, event: seen.RealmPinned) -> None:
    company = rows.get(CompanyRow) or CompanyRow(company=at.company)
    rows.put(replace(company, realm_id=event.realm_id, environment=event.environment, fingerprint=event.fingerprint))


def preferences_observed(rows: Rows, at: Folded, event: seen.PreferencesObserved) -> None:
    company = rows.get(CompanyRow) or CompanyRow(company=at.company)
    rows.put(
        replace(
            company,
            home_currency=event.home_currency,
            multi_currency=event.multi_currency,
            custom_numbers=event.custom_numbers,
            preferences_hash=event.content_hash,
            closed_until=event.closed_until.isoformat() if event.closed_until else None,
            tax_mode=event.tax_mode,
            class_tracking=event.class_tracking,
            department_tracking=event.department_tracking,
        )
    )


def mapping_recorded(rows: Rows, at: Folded, event: seen.MappingRecorded) -> None:
    rows.put(MappingRow(company=at.company, connection=event.connection, position=at.position, digest=event.digest))


def webhook_received(rows: Rows, at: Folded, event: seen.WebhookReceived) -> None:
    for hint in event.hints:
        rows.put(
            HintRow(
                company=at.company,
                connection=event.connection,
                kind=hint.kind,
                source_id=hint.source_id,
                operation=hint.operation,
                received=at.position,
            )
        )


def hints_settled(rows: Rows, at: Folded, event: seen.HintsSettled) -> None:
    for kind, source_id in event.settled:
        hint = rows.get(HintRow, event.connection, kind, source_id)
        if hint is not None and hint.received <= event.through:
            rows.put(replace(hint, settled=at.position))


def source_observed(rows: Rows, at: Folded, event: seen.SourceObserved) -> None:
    key = record_key(event.connection, event.source_kind, event.source_id)
    _observe(rows, at, key, event.record.kind, event.version, event.content_hash)


def source_edited(rows: Rows, at: Folded, event: seen.SourceEdited) -> None:
    key = record_key(event.connection, event.source_kind, event.source_id)
    known = rows.get(RecordRow, key)
    if known is None or known.position != event.corrects:
        rows.put(
            ChangeRow(
                company=at.company,
                position=at.position,
                record_key=key,
                side="source",
                state="skipped",
                code="overtaken",
                reason="The record had changed since it was looked at for this correction.",
                decided=at.position,
            )
        )
        return
    # The source's own hash stays: what it shows unchanged is not news, and leaves the correction as it is.
    _observe(rows, at, key, event.record.kind, event.version, event.observed_hash)


def source_removed(rows: Rows, at: Folded, event: seen.SourceRemoved) -> None:
    key = record_key(event.connection, event.source_kind, event.source_id)
    known = rows.get(RecordRow, key)
    kind = known.kind if known else event.source_kind
    _observe(rows, at, key, kind, "", "", removed=True)


def source_unreadable(rows: Rows, at: Folded, event: seen.SourceUnreadable) -> None:
    key = record_key(event.connection, event.source_kind, event.source_id)
    _observe(rows, at, key, "unreadable", "", event.content_hash)
    rows.put(
        ChangeRow(
            company=at.company,
            position=at.position,
            record_key=key,
            side="source",
            state="parked",
            code="unreadable",
            reason=f"{event.place}: {event.problem}",
            fix=event.fix,
            decided=at.position,
        )
    )


def source_withheld(rows: Rows, at: Folded, event: seen.SourceWithheld) -> None:
    key = record_key(event.connection, event.source_kind, event.source_id)
    _observe(rows, at, key, WITHHELD, "", WITHHELD)
    reason, fix = withheld_words(event)
    rows.put(
        ChangeRow(
            company=at.company,
            position=at.position,
            record_key=key,
            side="source",
            state="parked" if event.then == "park" else "skipped",
            code=WITHHELD,
            reason=reason,
            fix=fix if event.then == "park" else "",
            decided=at.position,
        )
    )


def withheld_words(event: seen.SourceWithheld) -> tuple[str, str]:
    """Why what a source shows of an erased person is not taken in, and what to do about it."""
    day, source = f"{event.erased_on:%Y-%m-%d}", event.connection
    reason = f"{event.person} was erased on {day}, and {source} still shows it; nothing of what it shows was recorded."
    return reason, f"Ask whoever answers for {source} to erase the person there as well; this ends by itself then."


def person_erased(rows: Rows, at: Folded, event: seen.PersonErased) -> None:
    for subject in event.subjects:
        known = rows.get(ErasureRow, subject)
        if known is not None and known.is_person:
            continue  # asked for twice, it counts from the first time
        rows.put(
            ErasureRow(
                company=at.company,
                subject=subject,
                position=at.position,
                erased_on=event.erased_on.isoformat(),
                is_person=subject in event.people,
            )
        )


def source_refused(rows: Rows, at: Folded, event: seen.SourceRefused) -> None:
    rows.put(
        SourceRow(company=at.company, connection=event.connection, refused=at.position, digest=event.digest),
    )


def source_answered(rows: Rows, at: Folded, event: seen.SourceAnswered) -> None:
    rows.put(SourceRow(company=at.company, connection=event.connection, refused=None, digest=""))


def _observe(
    rows: Rows, at: Folded, key: str, kind: str, version: str, content_hash: str, *, removed: bool = False
) -> None:
    before = rows.get(RecordRow, key)
    if before is not None:
        supersede(rows, before.position, by=at.position)
    rows.put(
        RecordRow(
            company=at.company,
            record_key=key,
            kind=kind,
            position=at.position,
            version=version,
            content_hash=content_hash,
            removed=removed,
            told=before.told if before else None,
        )
    )
    rows.put(
        ChangeRow(
            company=at.company,
            position=at.position,
            record_key=key,
            side="source",
            state="waiting",
            code="decision",
        )
    )


def books_observed(rows: Rows, at: Folded, event: seen.BooksObserved) -> None:
    before = rows.get(DocumentRow, event.entity, event.document_id)
    if before is not None and is_older_reading(before, event.sync_token, event.status):
        _note_older(rows, at, event)
        return
    owner = before.record_key if before else None
    rows.put(
        DocumentRow(
            company=at.company,
            entity=event.entity,
            document_id=event.document_id,
            position=at.position,
            sync_token=event.sync_token if event.sync_token is not None else before.sync_token if before else None,
            status=event.status,
            content_hash=event.content_hash,
            record_key=owner,
            name=list_name(event.document) or (before.name if before else None),
            created=created_at(event.document) or (before.created if before else None),
            merged_into=before.merged_into if before else None,
            account_type=account_type(event.document) or (before.account_type if before else None),
        )
    )
    link = rows.get(LinkRow, owner) if owner else None
    # What was merged into another is read once more at times; its link leads elsewhere by then.
    if link is not None and link.document_id == event.document_id:
        token = event.sync_token if event.sync_token is not None else link.sync_token
        rows.put(replace(link, latest=at.position, sync_token=token, status=event.status))
    if event.entity == "Payment":
        _fold_payment(rows, at, event)
    if before is not None:
        supersede(rows, before.position, by=at.position)
    rows.put(
        ChangeRow(
            company=at.company,
            position=at.position,
            record_key=f"quickbooks:{event.entity}:{event.document_id}",
            side="books",
            state="waiting",
            code="decision",
        )
    )


def books_merged(rows: Rows, at: Folded, event: seen.BooksMerged) -> None:
    gone = rows.get(DocumentRow, event.entity, event.gone_id)
    if gone is None:
        return
    kept = rows.get(DocumentRow, event.entity, event.document_id)
    owner = kept.record_key if kept is not None and kept.record_key is not None else gone.record_key
    rows.put(replace(gone, status="deleted", merged_into=event.document_id))
    rows.put(
        DocumentRow(
            company=at.company,
            entity=event.entity,
            document_id=event.document_id,
            position=at.position,
            sync_token=event.sync_token,
            status="live",
            content_hash=kept.content_hash if kept else "",
            record_key=owner,
            name=list_name(event.document) or (kept.name if kept else None),
            created=created_at(event.document) or (kept.created if kept else None),
            account_type=account_type(event.document) or (kept.account_type if kept else None),
        )
    )
    for key in event.records:
        link = rows.get(LinkRow, key)
        if link is not None and link.document_id == event.gone_id and link.status != "released":
            rows.put(_moved(link, at, event, owner))


def _moved(link: LinkRow, at: Folded, event: seen.BooksMerged, owner: str | None) -> LinkRow:
    return replace(
        link,
        document_id=event.document_id,
        sync_token=event.sync_token,
        # As after an adoption: what the one that stays holds was not written by us.
        content_hash="",
        image=at.position,
        latest=at.position,
        sent=None,
        kept={},
        incarnation=link.incarnation + 1,
        status="live",
        shared_with=owner if owner != link.record_key else None,
    )


def restore_begun(rows: Rows, at: Folded, event: seen.RestoreBegun) -> None:
    """Told for people; what is restored follows."""
    del rows, at, event


def coverage_checked(rows: Rows, at: Folded, event: seen.CoverageChecked) -> None:
    """Told for people; no row rests on it."""
    del rows, at, event


def drift_found(rows: Rows, at: Folded, event: seen.DriftFound) -> None:
    rows.put(
        DriftRow(
            company=at.company,
            about=event.about,
            kind=event.kind,
            entity=event.entity,
            digest=event.digest,
            found=at.position,
            document_id=event.document_id,
            amount=event.amount,
            currency=event.currency,
        )
    )


def drift_cleared(rows: Rows, at: Folded, event: seen.DriftCleared) -> None:
    row = rows.get(DriftRow, event.about, event.kind)
    if row is not None:
        rows.put(replace(row, cleared=at.position))


def books_reconciled(rows: Rows, at: Folded, event: seen.BooksReconciled) -> None:
    """Told for people; no row rests on it."""
    del rows, at, event


def is_older_reading(known: DocumentRow, sync_token: str | None, status: str) -> bool:
    """Whether a reading shows a document as it was before what is known of it.

    Readings by webhook, sweep and query overtake one another. SyncToken counts up with every write (Intuit: entity
    pages), and what was deleted does not come back.
    """
    if sync_token is None or known.sync_token is None or not (sync_token.isdecimal() and known.sync_token.isdecimal()):
        return False
    revived = known.status == "deleted" and status != "deleted"
    return int(sync_token) < int(known.sync_token) or (revived and int(sync_token) <= int(known.sync_token))


def _note_older(rows: Rows, at: Folded, event: seen.BooksObserved) -> None:
    rows.put(
        ChangeRow(
            company=at.company,
            position=at.position,
            record_key=f"quickbooks:{event.entity}:{event.document_id}",
            side="books",
            state="skipped",
            code="older",
            reason="The reading shows the document as it was before what is known of it already.",
            decided=at.position,
        )
    )


def _fold_payment(rows: Rows, at: Folded, event: seen.BooksObserved) -> None:
    effect = payment_effect(event.document.fields(), event.status)
    before = rows.get(PaymentRow, event.document_id)
    touched = dict.fromkeys((*(before.invoices if before else ()), *effect.invoices))
    for invoice_id in touched:
        part = effect.invoices.get(invoice_id)
        rows.put(
            SettlementRow(
                company=at.company,
                invoice_id=invoice_id,
                payment_id=event.document_id,
                cash=part.cash if part else NOTHING,
                credited=part.credited if part else NOTHING,
                unapplied=part.unapplied if part else NOTHING,
                dated=effect.dated if part else None,
            )
        )
    rows.put(
        PaymentRow(
            company=at.company,
            payment_id=event.document_id,
            position=at.position,
            status=event.status,
            invoices=tuple(touched),
            unapplied=effect.unapplied,
        )
    )


def directory_observed(rows: Rows, at: Folded, event: seen.DirectoryObserved) -> None:
    for entry in event.entries:
        before = rows.get(DocumentRow, event.entity, entry.document_id)
        rows.put(
            DocumentRow(
                company=at.company,
                entity=event.entity,
                document_id=entry.document_id,
                position=before.position if before else at.position,
                sync_token=before.sync_token if before else None,
                status="live" if entry.active else "deleted",
                content_hash=before.content_hash if before else "",
                record_key=before.record_key if before else None,
                name=entry.name,
                created=before.created if before else None,
                merged_into=before.merged_into if before else None,
                account_type=entry.account_type,
            )
        )


def operator_requested(rows: Rows, at: Folded, event: seen.OperatorRequested) -> None:
    rows.put(
        RequestRow(
            company=at.company,
            position=at.position,
            action=event.action,
            record_key=event.record_key,
            intent_id=event.intent_id,
            author=event.author,
            document=event.document,
        )
    )
