"""Folds of rollbacks: what is taken back stands no longer, until taking it back is itself taken back."""

from msgspec.structs import replace

from counterfoil.state.changes import PAST, UNDONE, set_intent
from counterfoil.state.fold import Folded, Rows
from counterfoil.state.rows import ChangeRow, IntentRow, LinkRow, RunRow
from counterfoil.state.runs import ROLLBACK, run_name
from counterfoil_schema.events import rollbacks as back


def rollback_requested(rows: Rows, at: Folded, event: back.RollbackRequested) -> None:
    rows.put(
        RunRow(
            company=at.company,
            run=run_name(ROLLBACK, at.position),
            kind=ROLLBACK,
            asked=at.position,
            author=event.author,
            reason=event.reason,
            later=event.policy.later,
        )
    )


def rollback_decided(rows: Rows, at: Folded, event: back.RollbackDecided) -> None:
    run = rows.get(RunRow, event.record_key)
    if run is None:
        raise LookupError(f"run {event.record_key} was never asked for")
    rows.put(replace(run, taken=at.position, planned=event.planned, refused=len(event.refused)))


def take_back(rows: Rows, intent: IntentRow) -> None:
    """The effects that an accepted intent takes back stand no longer; what those had taken back stands again."""
    for intent_id in intent.undoes:
        _turn(rows, intent_id, intent.intent_id, intent)


def _turn(rows: Rows, intent_id: str, by: str | None, cause: IntentRow) -> None:
    row = rows.get(IntentRow, intent_id)
    if row is None:
        raise LookupError(f"intent {intent_id} was never planned")
    set_intent(rows, replace(row, undone_by=by))
    for earlier in row.undoes:
        _turn(rows, earlier, None if by is not None else row.intent_id, cause)
    if not row.undoes:
        _tell(rows, row, cause, undone=by is not None)


def _tell(rows: Rows, row: IntentRow, cause: IntentRow, *, undone: bool) -> None:
    """Say on the change, and on the record's link, that what was written is taken back, or stands again."""
    run = rows.get(RunRow, cause.run)
    change = rows.get(ChangeRow, str(row.change))
    if undone and change is not None and change.code == "rolled_back":
        author, why = (run.author, run.reason) if run is not None else ("Somebody", "")
        said = f"{author} rolled it back ({cause.run}){f': {why}' if why else ''}".rstrip(".")
        rows.put(replace(change, reason=f"{said}."))
    link = rows.get(LinkRow, row.record_key)
    if link is not None:
        waits = undone and (run is None or run.later == "park")
        # Of a name list nothing ends: what was made is only made inactive.
        ended = undone and (link.status != "live" or row.operation == "create")
        rows.put(replace(link, undone=cause.run if waits else "", renew=ended))


def bring_back(rows: Rows, change: ChangeRow) -> dict[str, str]:
    """A person asks again for what was rolled back: its records may be written once more; the parts of the change."""
    parts = {intent_id: PAST if state == UNDONE else state for intent_id, state in change.intents.items()}
    keys = {change.record_key}
    for intent_id in change.intents:
        row = rows.get(IntentRow, intent_id)
        if row is not None:
            keys.add(row.record_key)
    for key in sorted(keys):
        link = rows.get(LinkRow, key)
        if link is not None and link.undone:
            rows.put(replace(link, undone=""))
    return parts
