"""Folds of a recovery: a log that was restored from an older backup, and what the books hold of ours beyond it."""

from counterfoil.state.fold import Folded, Rows
from counterfoil.state.rows import CompanyRow, RecoveredRow, evolve
from counterfoil_schema.events import recoveries as regained


def recovery_begun(rows: Rows, at: Folded, event: regained.RecoveryBegun) -> None:
    company = rows.get(CompanyRow) or CompanyRow(company=at.company)
    rows.put(evolve(company, recovery=event.recovery, recovering=at.position))


def recovery_found(rows: Rows, at: Folded, event: regained.RecoveryFound) -> None:
    for sign in event.signs:
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
        rows.put(evolve(company, recovering=None))


def known_sign(record_key: str) -> str:
    """The sign of a document that the log knows, and that had changed when the log was recovered."""
    return f"record:{record_key}"
