"""Folds of decisions and their effects: the outbox, the links and the calls."""

from collections.abc import Iterable

from msgspec.structs import replace

from counterfoil.state.changes import set_intent
from counterfoil.state.document_facts import account_type, created_at, list_name
from counterfoil.state.fold import Folded, Rows
from counterfoil.state.onboarding import in_step
from counterfoil.state.rollbacks import bring_back, take_back
from counterfoil.state.rows import (
    IN_FLIGHT,
    CallRow,
    ChangeRow,
    DocumentRow,
    DocumentStatus,
    IntentRow,
    IntentState,
    LinkRow,
    RecordRow,
    RequestRow,
)
from counterfoil_schema.events import decisions as done

_AFTER_REJECTION: dict[str, IntentState] = {
    "retry": "ready",
    "refetch": "refetch",
    "adopt": "adopt",
    "park": "parked",
    "reconnect": "reconnect",
}


def intent_planned(rows: Rows, at: Folded, event: done.IntentPlanned) -> None:
    before = rows.get(IntentRow, event.intent_id)
    change = rows.get(ChangeRow, str(event.change))
    if change is not None:
        _mark_told(rows, at, event, change)
    if change is not None and event.operation != "note":
        rows.put(replace(change, decided=at.position))
    if before is not None and before.state != "withdrawn":
        set_intent(rows, before)  # planned twice, by two holders one after the other: it is one intent all the same
        return
    set_intent(
        rows,
        IntentRow(
            company=at.company,
            intent_id=event.intent_id,
            change=event.change,
            record_key=event.record_key,
            target=event.target,
            entity=event.entity,
            operation=event.operation,
            state="held" if event.review else "ready",
            lane=event.lane,
            needs=event.needs,
            content_hash=event.content_hash,
            planned=at.position,
            doc_number=event.doc_number,
            name_key=event.name_key,
            amount=event.amount,
            currency=event.currency,
            # A change decided afresh after a refusal must not go out under an id that was refused.
            generation=before.generation + 1 if before else 0,
            run=event.run,
            undoes=event.undoes,
            waits_for=event.waits_for,
        ),
    )


def _mark_told(rows: Rows, at: Folded, event: done.IntentPlanned, change: ChangeRow) -> None:
    if event.operation != "note" and (event.operation != "write_back" or change.side != "books"):
        return  # it says nothing of what is parked
    record = rows.get(RecordRow, event.record_key)
    if record is not None:
        rows.put(replace(record, told=at.position if event.problem else None))


def change_unchanged(rows: Rows, at: Folded, event: done.ChangeUnchanged) -> None:
    _decide(rows, at, event.change, "unchanged", "unchanged", event.reason)
    in_step(rows, event)


def change_skipped(rows: Rows, at: Folded, event: done.ChangeSkipped) -> None:
    _decide(rows, at, event.change, "skipped", event.code, event.reason)


def change_parked(rows: Rows, at: Folded, event: done.ChangeParked) -> None:
    _decide(rows, at, event.change, "parked", event.code, event.reason, event.fix)


def change_reopened(rows: Rows, at: Folded, event: done.ChangeReopened) -> None:
    change = _change(rows, event.change)
    intents = bring_back(rows, change) if event.again else dict(change.intents)
    for intent_id, state in change.intents.items():
        if state == "parked":
            rows.put(replace(_intent(rows, intent_id), state="withdrawn"))
            intents[intent_id] = "withdrawn"
    waiting = replace(change, state="waiting", code="decision", reason="", fix="", decided=None, intents=intents)
    rows.put(replace(waiting, repair=event.repair))


def _decide(rows: Rows, at: Folded, change: int, state: str, code: str, reason: str, fix: str = "") -> None:
    row = _change(rows, change)
    match state:
        case "unchanged" | "skipped" | "parked":
            rows.put(replace(row, state=state, code=code, reason=reason, fix=fix, decided=at.position))
        case _:
            raise ValueError(f"{state} is no decision")


def request_taken(rows: Rows, at: Folded, event: done.RequestTaken) -> None:
    request = rows.get(RequestRow, str(event.request))
    if request is not None:
        rows.put(replace(request, taken=at.position))


def intent_approved(rows: Rows, at: Folded, event: done.IntentApproved) -> None:
    intent = _intent(rows, event.intent_id)
    if intent.state == "held":
        set_intent(rows, replace(intent, state="ready"))


def intent_withdrawn(rows: Rows, at: Folded, event: done.IntentWithdrawn) -> None:
    intent = _intent(rows, event.intent_id)
    if intent.state in IN_FLIGHT or intent.state == "accepted":
        raise ValueError(f"intent {event.intent_id} is {intent.state} and cannot be withdrawn")
    set_intent(rows, replace(intent, state="withdrawn", code=event.code, reason=event.reason, settled=at.position))
    link = rows.get(LinkRow, event.record_key) if event.held is not None else None
    if link is not None:
        # The document holds what the source wants now: should the source go back, that is a change again.
        rows.put(
            replace(
                link,
                content_hash=intent.content_hash,
                sent=at.position,
                kept=_kept(link, event.kept),
                doc_number=intent.doc_number or link.doc_number,
                name_key=intent.name_key or link.name_key,
                adopted=False,
            )
        )


def call_sent(rows: Rows, at: Folded, event: done.CallSent) -> None:
    rows.put(
        CallRow(
            company=at.company,
            request_id=event.request_id,
            target=event.target,
            sent=at.position,
            attempts=event.attempt,
            body_hash=event.body_hash,
            open_items=tuple(item.intent_id for item in event.items),
        )
    )
    for item in event.items:
        intent = _intent(rows, item.intent_id)
        set_intent(
            rows,
            replace(
                intent,
                state="sent",
                request_id=event.request_id,
                sent=at.position,
                attempts=intent.attempts + 1,
            ),
        )


def intent_accepted(rows: Rows, at: Folded, event: done.IntentAccepted) -> None:
    intent = _intent(rows, event.intent_id)
    set_intent(rows, replace(intent, state="accepted", settled=at.position, code="", reason="", fix=""))
    _close(rows, event)
    if intent.operation not in {"write_back", "note"}:
        _link(rows, at, intent, event)
    if intent.undoes:
        take_back(rows, intent)


def _link(rows: Rows, at: Folded, intent: IntentRow, event: done.IntentAccepted) -> None:
    """The document of an accepted intent stands for its record from here on."""
    before = rows.get(LinkRow, event.record_key)
    incarnation = before.incarnation if before else 1
    if before is not None and before.document_id != event.document_id:
        incarnation += 1
    known = rows.get(DocumentRow, event.entity, event.document_id)
    if known is not None and known.merged_into is not None:
        return  # the answer was under way when the document was merged: its link leads to the other one
    latest, token, status = at.position, event.sync_token, _status_after(intent.operation)
    if known is not None and _is_newer(known.sync_token, event.sync_token):
        # It was read after somebody else's change, before our own answer was recorded: the reading is the newer one.
        latest, token, status = known.position, known.sync_token, known.status
    elif known is not None and event.how != "answered" and known.sync_token == event.sync_token:
        status = known.status  # what was found instead of being made may have been voided
    rows.put(
        LinkRow(
            company=at.company,
            record_key=event.record_key,
            entity=event.entity,
            document_id=event.document_id,
            sync_token=token,
            # What is adopted was not written by us: what it holds is not known to be what the source wants.
            content_hash=intent.content_hash if event.how != "adopted" else "",
            image=at.position,
            latest=latest,
            sent=intent.sent if event.how != "adopted" else None,
            incarnation=incarnation,
            status=status,
            doc_number=intent.doc_number or (before.doc_number if before else None),
            name_key=intent.name_key or (before.name_key if before else None),
            lines={line.line_key: line.line_id for line in event.lines},
            shared_with=before.shared_with if before and before.document_id == event.document_id else None,
            kept=_kept(before, event.kept) if before and before.document_id == event.document_id else {},
        )
    )
    rows.put(
        DocumentRow(
            company=at.company,
            entity=event.entity,
            document_id=event.document_id,
            position=latest,
            sync_token=token,
            status=status,
            content_hash=known.content_hash if known else "",
            record_key=event.record_key,
            name=list_name(event.document) or (known.name if known else None),
            created=created_at(event.document) or (known.created if known else None),
            account_type=account_type(event.document) or (known.account_type if known else None),
        )
    )


def _kept(before: LinkRow, names: Iterable[str]) -> dict[str, int]:
    """Where the last agreement on each of these lies: where it lay, or in what went out, or was adopted, last."""
    last = before.sent if before.sent is not None else before.image
    return {name: before.kept.get(name, last) for name in names}


def conflict_answered(rows: Rows, at: Folded, event: done.ConflictAnswered) -> None:
    link = rows.get(LinkRow, event.record_key)
    if link is not None:
        answered = {answer.field: at.position for answer in event.answers}
        rows.put(replace(link, kept={**link.kept, **answered}))


def _is_newer(seen: str | None, answered: str | None) -> bool:
    if seen is None or answered is None or not (seen.isdecimal() and answered.isdecimal()):
        return False
    return int(seen) > int(answered)


def _status_after(operation: str) -> DocumentStatus:
    match operation:
        case "void":
            return "voided"
        case "delete":
            return "deleted"
        case _:
            return "live"


def intent_rejected(rows: Rows, at: Folded, event: done.IntentRejected) -> None:
    intent = _intent(rows, event.intent_id)
    set_intent(
        rows,
        replace(
            intent,
            state=_AFTER_REJECTION[event.then],
            generation=intent.generation + 1,
            settled=at.position,
            code=event.code,
            reason=event.reason,
            fix=event.fix,
        ),
    )
    _close(rows, event)


def intent_uncertain(rows: Rows, at: Folded, event: done.IntentUncertain) -> None:
    intent = _intent(rows, event.intent_id)
    if intent.state == "sent":
        set_intent(rows, replace(intent, state="uncertain", reason=event.reason))


def intent_absent(rows: Rows, at: Folded, event: done.IntentAbsent) -> None:
    intent = _intent(rows, event.intent_id)
    if intent.state in IN_FLIGHT:
        set_intent(rows, replace(intent, state="ready", reason="", settled=at.position))
    _close(rows, event)


def intent_resumed(rows: Rows, at: Folded, event: done.IntentResumed) -> None:
    intent = _intent(rows, event.intent_id)
    if intent.state in {"refetch", "adopt", "reconnect"}:
        set_intent(rows, replace(intent, state="ready", reason="", fix=""))
    elif intent.state == "parked" and (intent.operation == "note" or intent.undoes):
        set_intent(rows, replace(intent, state="ready", code="", reason="", fix="", attempts=0))


def intent_parked(rows: Rows, at: Folded, event: done.IntentParked) -> None:
    intent = _intent(rows, event.intent_id)
    set_intent(
        rows,
        replace(
            intent,
            state="parked",
            settled=at.position,
            code=event.code,
            reason=event.reason,
            fix=event.fix,
        ),
    )


def _close(rows: Rows, event: done.Settled) -> None:
    call = rows.get(CallRow, event.request_id)
    if call is not None:
        rest = [intent_id for intent_id in call.open_items if intent_id != event.intent_id]
        rows.put(replace(call, open_items=tuple(rest)))


def _change(rows: Rows, position: int) -> ChangeRow:
    change = rows.get(ChangeRow, str(position))
    if change is None:
        raise LookupError(f"change {position} was never observed")
    return change


def _intent(rows: Rows, intent_id: str) -> IntentRow:
    intent = rows.get(IntentRow, intent_id)
    if intent is None:
        raise LookupError(f"intent {intent_id} was never planned")
    return intent
