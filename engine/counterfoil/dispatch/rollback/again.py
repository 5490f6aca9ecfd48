"""`retry` about what was rolled back: it is brought back, or its compensation is tried once more."""

from collections.abc import Sequence

from counterfoil.state.rows import ChangeRow, IntentRow, RequestRow
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import ChangeReopened, IntentResumed

ROLLED_BACK = frozenset({"rolled_back", "rolled_back_in_part"})
"""Codes of changes of which what was written was taken back, or that wait because it was."""


def is_rolled_back(change: ChangeRow) -> bool:
    """Whether a person can bring back what a change wrote."""
    return change.code in ROLLED_BACK


def asked_again(request: RequestRow, changes: Sequence[ChangeRow], intents: Sequence[IntentRow]) -> list[Event]:
    """Decisions on a retry that concerns a rollback; nothing where it does not."""
    reason = f"{request.author} asked for another try."
    stuck = [row for row in intents if row.undoes and row.state == "parked"]
    if stuck:
        return [
            IntentResumed(change=row.change, record_key=row.record_key, intent_id=row.intent_id, reason=reason)
            for row in stuck
        ]
    reason = f"{request.author} asked for it again, after it was rolled back."
    return [
        ChangeReopened(change=row.position, record_key=row.record_key, reason=reason, again=True)
        for row in changes[-1:]
        if is_rolled_back(row)
    ]
