"""What to record of an update whose document holds all of it already: nothing is sent, and that is remembered."""

from counterfoil.dispatch.outbox import Needless
from counterfoil.state.rows import ChangeRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import ChangeUnchanged, Decision, IntentWithdrawn

REASON = "QuickBooks already holds all of it."


async def needless(company: int, one: Needless, store: StateStore) -> list[Decision]:
    """The intent's end; its change is unchanged, unless other intents of it say more."""
    row = one.row
    withdrawn = IntentWithdrawn(
        change=row.change,
        record_key=row.record_key,
        person=one.person,
        intent_id=row.intent_id,
        code="no-difference",
        reason=REASON,
        held=one.body,
        kept=one.kept,
    )
    change = await store.one(ChangeRow, company, str(row.change))
    others = change.intents.items() if change is not None else ()
    if any(state != "withdrawn" for intent_id, state in others if intent_id != row.intent_id):
        return [withdrawn]
    unchanged = ChangeUnchanged(change=row.change, record_key=row.record_key, proof=one.proof, reason=REASON)
    return [withdrawn, unchanged]
