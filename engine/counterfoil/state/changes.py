"""The state of a change follows from its decision and from its intents: the worst of theirs counts."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from counterfoil.state.fold import Rows
from counterfoil.state.rows import IN_FLIGHT, ChangeRow, ChangeState, IntentRow, IntentState

_WAITING: tuple[tuple[IntentState, str], ...] = (
    ("uncertain", "uncertain"),
    ("reconnect", "reconnection"),
    ("held", "approval"),
    ("refetch", "in flight"),
    ("adopt", "in flight"),
    ("sent", "in flight"),
    ("ready", "queued"),
)
"""Worst first: what a change waits for when several of its intents wait."""

UNDONE: Final = "undone"
"""The part of a change whose effect was taken back."""

PAST: Final = "past"
"""A part that says nothing of how a change stands: what took back another, or what a person asked for anew since."""


def worst(intents: Mapping[str, str]) -> tuple[ChangeState, str]:
    """State and code of a change whose intents are in these states."""
    states = set(intents.values())
    if "parked" in states:
        return "parked", "parked"
    for state, code in _WAITING:
        if state in states:
            return "waiting", code
    if "accepted" in states:
        return "applied", "rolled_back_in_part" if UNDONE in states else ""
    return ("skipped", "rolled_back") if UNDONE in states else ("skipped", "withdrawn")


def part_of(intent: IntentRow) -> str:
    """What an intent is to its change: its state, unless its effect is taken back, or it only took back another's."""
    if intent.undone_by is not None and not intent.undoes:
        return UNDONE
    return PAST if intent.undoes and intent.state == "accepted" else intent.state


def set_intent(rows: Rows, intent: IntentRow) -> None:
    """Put an intent and let its change follow."""
    rows.put(intent)
    change = rows.get(ChangeRow, str(intent.change))
    if change is None:
        raise LookupError(f"intent {intent.intent_id} belongs to change {intent.change}, which was never observed")
    if intent.operation == "note":
        return  # to tell the source of a park must not turn it into something applied
    intents = {**change.intents, intent.intent_id: part_of(intent)}
    if change.decided is None:  # reopened: what is left of the earlier plan does not decide it
        rows.put(replace(change, intents=intents))
        return
    state, code = worst(intents)
    decisive = intent.state in ("parked", "withdrawn")
    reason = intent.reason if decisive else change.reason if state == "parked" else ""
    fix = intent.fix if intent.state == "parked" else change.fix if state == "parked" else ""
    if code == "rolled_back":
        reason = change.reason if change.code == code else ""
    elif state in ("parked", "skipped"):
        code = intent.code if decisive else change.code
    rows.put(replace(change, intents=intents, state=state, code=code, reason=reason, fix=fix))


def supersede(rows: Rows, position: int, *, by: int) -> None:
    """A newer observation of the same record overtakes what is parked of the older one.

    What still waits is left to the planner, which knows whether anything of it is in flight.
    """
    change = rows.get(ChangeRow, str(position))
    if change is None or change.state != "parked":
        return
    parts = [rows.get(IntentRow, intent_id) for intent_id in change.intents]
    if any(part is None or part.state in IN_FLIGHT or (part.undoes and part.state == "parked") for part in parts):
        return
    intents = dict(change.intents)
    for part in parts:
        if part is not None and part.state == "parked":
            rows.put(replace(part, state="withdrawn"))
            intents[part.intent_id] = "withdrawn"
    rows.put(
        replace(
            change,
            state="skipped",
            code="superseded",
            reason=f"A newer change of the same record, {by}, overtook it.",
            fix="",
            intents=intents,
        )
    )
