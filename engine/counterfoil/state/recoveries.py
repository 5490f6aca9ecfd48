"""Folds of a recovery: a log that was restored from an older backup, and what the books hold of ours beyond it."""

from msgspec.structs import replace

from counterfoil.state.fold import Folded, Rows
from counterfoil.state.rows import ChangeRow, CompanyRow, LinkRow, RecordRow, RecoveredRow
from counterfoil_schema.events import recoveries as regained

_KNOWN = "record:"


def recovery_begun(rows: Rows, at: Folded, event: regained.RecoveryBegun) -> None:
    company = rows.get(CompanyRow) or CompanyRow(company=at.company)
    rows.put(replace(company, recovery=event.recovery, recovering=at.position))


def recovery_found(rows: Rows, at: Folded, event: regained.RecoveryFound) -> None:
    for sign in event.signs:
        if sign.startswith(_KNOWN):
            _decide_afresh(rows, sign.removeprefix(_KNOWN))
        before = rows.get(RecoveredRow, event.entity, sign)
        documents = dict.fromkeys((*(before.documents if before else ()), event.document_id))
        rows.put(
            RecoveredRow(
                company=at.company,
                entity=event.entity,
                sign=sign,
                documents=tuple(documents),
                observed=event.observed,
            )
        )


def recovery_ended(rows: Rows, at: Folded, event: regained.RecoveryEnded) -> None:
    company = rows.get(CompanyRow) or CompanyRow(company=at.company)
    if company.recovery == event.recovery:
        rows.put(replace(company, recovering=None))


def known_sign(record_key: str) -> str:
    """The sign of a document that the log knows, and that had changed when the log was recovered."""
    return f"{_KNOWN}{record_key}"


def _decide_afresh(rows: Rows, record_key: str) -> None:
    """What the record wants is held against its document once more: neither need be what the log takes it for."""
    link, record = rows.get(LinkRow, record_key), rows.get(RecordRow, record_key)
    change = rows.get(ChangeRow, str(record.position)) if record is not None and not record.removed else None
    if link is None or change is None or change.state not in ("applied", "unchanged"):
        return
    rows.put(replace(link, content_hash=""))
    rows.put(replace(change, state="waiting", code="decision", reason="", fix="", decided=None))
