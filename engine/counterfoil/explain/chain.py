"""From recorded events to the steps of a chain, in words. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from counterfoil.explain import words
from counterfoil_schema.exact_json import JsonObject

Stage = Literal["source", "decision", "operator", "call", "answer", "link", "books", "hold-up", "write-back"]
QUICKBOOKS = "quickbooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A recorded event as far as a chain needs it; `body` may lack what is sealed."""

    position: int
    at: datetime
    event_type: str
    record_key: str | None
    cause: int | None
    trace: str | None
    body: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a chain.

    Attributes:
        title: what happened, in one sentence.
        details: the rest by name; hashes, ids, amounts.
        cause: position of the change that it follows from.
    """

    position: int
    at: datetime
    stage: Stage
    title: str
    details: Mapping[str, object] = field(default_factory=dict)
    record_key: str | None = None
    cause: int | None = None
    trace: str | None = None


Told = tuple[Stage, str, Mapping[str, object]]
Teller = Callable[[JsonObject], Iterable[Told]]


def steps_of(events: Iterable[Happened], intents: Collection[str]) -> list[Step]:
    """The steps that these events are, in the order in which they were recorded.

    Args:
        events: of the records and documents concerned; each position counts once.
        intents: the intents of the chain: of a call that carried many, only their parts are told.
    """
    by_position = {event.position: event for event in events}
    write_backs = {
        str(event.body.get("intent_id"))
        for event in by_position.values()
        if event.event_type == "intent.planned" and event.body.get("operation") in {"write_back", "note"}
    }
    steps: list[Step] = []
    for position in sorted(by_position):
        event = by_position[position]
        for stage, title, details in _tell(event, intents):
            back = event.body.get("intent_id") in write_backs or event.body.get("target") not in {None, QUICKBOOKS}
            steps.append(
                Step(
                    position=position,
                    at=event.at,
                    stage="write-back" if back and stage in {"decision", "call", "answer"} else stage,
                    title=title,
                    details={name: value for name, value in details.items() if value not in (None, "", [], {}, ())},
                    record_key=event.record_key,
                    cause=event.cause,
                    trace=event.trace,
                )
            )
    return steps


def _tell(event: Happened, intents: Collection[str]) -> Iterable[Told]:
    if event.event_type == "call.sent":
        return _call_sent(event.body, intents)
    teller = _TELLERS.get(event.event_type)
    if teller is None:
        return [("books", event.event_type, {})]
    return teller(event.body)


def _source_observed(body: JsonObject) -> Iterable[Told]:
    what = f"{body['connection']} showed {body['source_kind']} {body['source_id']}"
    record = words.part(body, "record")
    yield (
        "source",
        f"{what}, {words.how(body.get('how'))}.",
        {"content_hash": body.get("content_hash"), "version": body.get("version"), "record": record},
    )


def _source_edited(body: JsonObject) -> Iterable[Told]:
    fields = body.get("fields")
    what = ", ".join(map(str, fields)) if isinstance(fields, list) else ""
    title = f"{body.get('author')} corrected {body['source_kind']} {body['source_id']}: {what}."
    details = {
        "reason": body.get("reason"),
        "content_hash": body.get("content_hash"),
        "corrects": body.get("corrects"),
        "record": words.part(body, "record"),
    }
    yield "operator", title, details


def _source_removed(body: JsonObject) -> Iterable[Told]:
    what = f"{body['connection']} says that {body['source_kind']} {body['source_id']} is gone"
    merged = body.get("merged_into")
    into = f", merged into {merged}" if merged else ""
    yield "source", f"{what}{into}: {body.get('evidence')}.", {}


def _source_unreadable(body: JsonObject) -> Iterable[Told]:
    title = f"{body['connection']} brought something that cannot be read, at {body['place']}: {body['problem']}"
    yield "hold-up", title, {"fix": body.get("fix")}


def _drifted(body: JsonObject) -> Iterable[Told]:
    kind = str(body.get("kind", "")).replace("_", " ")
    amount = words.amount(body.get("amount"), body.get("currency"))
    of = f", by {amount}" if amount else ""
    fields = body.get("fields")
    named = [str(one.get("field")) for one in fields if isinstance(one, dict)] if isinstance(fields, list) else []
    where = f" ({', '.join(named)})" if named else ""
    yield "hold-up", f"A reconciliation found it {kind}{of}{where}.", {"fix": body.get("what_to_do"), "fields": fields}


def _in_step_again(body: JsonObject) -> Iterable[Told]:
    kind = str(body.get("kind", "")).replace("_", " ")
    yield "decision", f"A reconciliation found it {kind} no more.", {}


def _planned(body: JsonObject) -> Iterable[Told]:
    document = words.document(body.get("body"))
    if body.get("operation") in {"write_back", "note"}:
        remark = f" {body['remark']}" if body.get("remark") else ""
        title = f"Planned to write back to {body['target']}: {words.values(document).rstrip('.')}.{remark}"
        yield "decision", title, {"intent_id": body.get("intent_id"), "inputs": body.get("inputs")}
        return
    amount = words.amount(body.get("amount"), body.get("currency"))
    number = f" number {body['doc_number']}" if body.get("doc_number") else ""
    review = "; it waits for approval" if body.get("review") else ""
    of = f", {amount}" if amount else ""
    remark = f" {body['remark']}" if body.get("remark") else ""
    # Of a session the run says nothing; what takes something back does so in a run that somebody asked for.
    within = f" in {body['run']}" if body.get("undoes") else ""
    yield (
        "decision",
        f"Planned{within}: {body['operation']} {body['entity']}{number}{of}{review}.{remark}",
        {
            "intent_id": body.get("intent_id"),
            "undoes": body.get("undoes"),
            "inputs": body.get("inputs"),
            "content_hash": body.get("content_hash"),
            "needs": body.get("needs"),
            "document": document,
        },
    )


def _unchanged(body: JsonObject) -> Iterable[Told]:
    yield "decision", f"Nothing to do: {body.get('reason')}", {"proof": body.get("proof")}


def _skipped(body: JsonObject) -> Iterable[Told]:
    yield "decision", f"Not carried over ({body.get('code')}): {body.get('reason')}", {}


def _change_parked(body: JsonObject) -> Iterable[Told]:
    yield "hold-up", f"Parked ({body.get('code')}): {body.get('reason')}", {"fix": body.get("fix")}


def _reopened(body: JsonObject) -> Iterable[Told]:
    yield "operator", f"To be decided afresh: {body.get('reason')}", {}


def _requested(body: JsonObject) -> Iterable[Told]:
    to = f" to {body['document']}" if body.get("document") else ""
    yield "operator", f"{body.get('author')} asked to {body.get('action')} it{to}.", {"reason": body.get("reason")}


def _taken(body: JsonObject) -> Iterable[Told]:
    yield "operator", f"The request at {body.get('request')} was taken up: {words.sentence(body.get('outcome'))}", {}


def _answered(body: JsonObject) -> Iterable[Told]:
    answers = words.parts(body, "answers")
    said = ", ".join(f"{one.get('field')}: {one.get('keep')}" for one in answers)
    title = f"{body.get('author')} chose what counts of what both sides changed ({said})."
    yield "operator", title, {"reason": body.get("reason"), "parked": body.get("parked")}


def _approved(body: JsonObject) -> Iterable[Told]:
    yield "operator", f"Approved by {body.get('author')}.", {"intent_id": body.get("intent_id")}


def _withdrawn(body: JsonObject) -> Iterable[Told]:
    title = f"Withdrawn ({body.get('code')}): {body.get('reason')}{_left(body)}"
    yield "decision", title, {"intent_id": body.get("intent_id")}


def _left(body: JsonObject) -> str:
    """What was left as the books have it, because it was changed there."""
    kept = body.get("kept")
    return f" Left as the books have it: {', '.join(map(str, kept))}." if isinstance(kept, list) and kept else ""


def _call_sent(body: JsonObject, intents: Collection[str]) -> Iterable[Told]:
    items = [item for item in words.parts(body, "items") if item.get("intent_id") in intents]
    together = len(words.parts(body, "items"))
    for item in items:
        batch = f", as item {item['batch_id']} of a batch of {together}" if item.get("batch_id") else ""
        token = f" against SyncToken {item['sync_token']}" if item.get("sync_token") is not None else ""
        what = f"{item['operation']} {item['entity']}"
        yield (
            "call",
            f"Sent to {body['target']}: {what}{token}, attempt {body['attempt']}{batch}.{_left(item)}",
            {
                "request_id": body.get("request_id"),
                "intent_id": item.get("intent_id"),
                "body_hash": body.get("body_hash"),
                "document": words.document(item.get("body")),
            },
        )


def _accepted(body: JsonObject) -> Iterable[Told]:
    document = words.document(body.get("document"))
    how = {"found": "Found in the books", "adopted": "Adopted"}.get(str(body.get("how")), "Accepted")
    token = f", SyncToken {body['sync_token']}" if body.get("sync_token") is not None else ""
    tied = words.tied(words.part(body, "tie_out"))
    yield (
        "answer",
        f"{how}: {body['entity']} {body['document_id']}{token}{words.totals(document)}.{tied}",
        {
            "request_id": body.get("request_id"),
            "intuit_tid": body.get("intuit_tid"),
            "intent_id": body.get("intent_id"),
            "document": document,
            "tie_out": body.get("tie_out"),
        },
    )
    lines = words.parts(body, "lines")
    if lines:
        joined = {str(line["line_key"]): str(line["line_id"]) for line in lines}
        title = f"{len(joined)} source lines are joined to the lines of {body['entity']} {body['document_id']}."
        yield "link", title, {"lines": joined}


def _rejected(body: JsonObject) -> Iterable[Told]:
    then = {
        "retry": "it is sent again",
        "refetch": "it is read afresh and merged",
        "adopt": "it is looked up",
        "park": "it is parked",
        "reconnect": "it waits for QuickBooks to be connected again",
    }
    yield (
        "answer",
        f"Refused ({body.get('code')}): {words.sentence(body.get('reason'))} Then {then.get(str(body.get('then')))}.",
        {
            "request_id": body.get("request_id"),
            "intuit_tid": body.get("intuit_tid"),
            "intent_id": body.get("intent_id"),
            "fix": body.get("fix"),
        },
    )


def _uncertain(body: JsonObject) -> Iterable[Told]:
    title = f"The answer was lost: {words.sentence(body.get('reason'))} Evidence will settle it."
    yield "answer", title, {"request_id": body.get("request_id"), "intent_id": body.get("intent_id")}


def _absent(body: JsonObject) -> Iterable[Told]:
    title = f"Proved to have had no effect: {words.sentence(body.get('evidence'))} It may go out again."
    yield "answer", title, {"request_id": body.get("request_id"), "intent_id": body.get("intent_id")}


def _resumed(body: JsonObject) -> Iterable[Told]:
    yield "decision", f"It may go on: {body.get('reason')}", {"intent_id": body.get("intent_id")}


def _intent_parked(body: JsonObject) -> Iterable[Told]:
    title = f"Parked ({body.get('code')}): {body.get('reason')}"
    yield "hold-up", title, {"fix": body.get("fix"), "intent_id": body.get("intent_id")}


def _books_observed(body: JsonObject) -> Iterable[Told]:
    document = words.document(body.get("document"))
    state = "" if body.get("status") == "live" else f" {body.get('status')}"
    token = f", SyncToken {body['sync_token']}" if body.get("sync_token") is not None else ""
    what = f"{body['entity']} {body['document_id']}{state}{token}{words.totals(document)}"
    title = f"QuickBooks showed {what}, {words.how(body.get('how'))}."
    yield "books", title, {"content_hash": body.get("content_hash"), "document": document}


def _books_merged(body: JsonObject) -> Iterable[Told]:
    by = "Intuit's webhook says so" if body.get("evidence") == "webhook" else "a document of ours names it now"
    entity, gone, kept = body["entity"], body["gone_id"], body["document_id"]
    title = (
        f"{entity} {gone} was merged into {entity} {kept} in QuickBooks ({by}); what stood for it stands for {kept}."
    )
    yield "link", title, {"records": body.get("records"), "sync_token": body.get("sync_token")}


def _adopted(body: JsonObject) -> Iterable[Told]:
    document = words.document(body.get("document"))
    token = f", SyncToken {body['sync_token']}" if body.get("sync_token") is not None else ""
    what = f"{body['entity']} {body['document_id']}{token}{words.totals(document)}"
    yield (
        "link",
        f"{body.get('author')} adopted {what}, which was in the books before, for it; nothing was written.",
        {"why": body.get("why"), "score": body.get("score"), "document": document},
    )


def _rollback_requested(body: JsonObject) -> Iterable[Told]:
    steps = body.get("steps")
    many = len(steps) if isinstance(steps, list) else 0
    title = f"{body.get('author')} asked to take back {many} documents, as previewed at {body.get('previewed')}."
    yield "operator", title, {"reason": body.get("reason"), "scope": body.get("scope"), "policy": body.get("policy")}


def _rollback_decided(body: JsonObject) -> Iterable[Told]:
    yield "operator", f"The rollback was taken up: {body.get('outcome')}.", {"refused": body.get("refused")}


def _redrive_requested(body: JsonObject) -> Iterable[Told]:
    steps = body.get("steps")
    many = len(steps) if isinstance(steps, list) else 0
    title = f"{body.get('author')} asked to plan {many} records once more, as previewed at {body.get('previewed')}."
    yield "operator", title, {"reason": body.get("reason"), "mapping": body.get("mapping")}


def _redrive_decided(body: JsonObject) -> Iterable[Told]:
    yield "operator", f"The redrive was taken up: {body.get('outcome')}.", {"refused": body.get("refused")}


def _reviewed(body: JsonObject) -> Iterable[Told]:
    said = {"skip": "is left out of the books", "ask": "has still to be decided on"}
    what = said.get(str(body.get("verdict")), "is new to the books")
    yield "operator", f"{body.get('author')} said on the first day that it {what}.", {}


def _released(body: JsonObject) -> Iterable[Told]:
    what = f"{body['entity']} {body['document_id']}"
    title = f"{body.get('author')} took its adoption back: {what} stands for it no longer, and it is undecided."
    yield "link", title, {"adopted": body.get("adopted")}


def _source_withheld(body: JsonObject) -> Iterable[Told]:
    what = f"{body['connection']} still shows {body['source_kind']} {body['source_id']}"
    yield "hold-up", f"{what}, erased on {body.get('erased_on')}: nothing of it was recorded.", {}


def _person_erased(body: JsonObject) -> Iterable[Told]:
    title = f"{body.get('author')} had this person erased: {words.sentence(body.get('reason'))}"
    yield "operator", title, {"subjects": body.get("subjects"), "payload_keys": body.get("payload_keys")}


_TELLERS: Mapping[str, Teller] = {
    "person.erased": _person_erased,
    "source.withheld": _source_withheld,
    "source.observed": _source_observed,
    "source.edited": _source_edited,
    "source.removed": _source_removed,
    "source.unreadable": _source_unreadable,
    "drift.found": _drifted,
    "drift.cleared": _in_step_again,
    "intent.planned": _planned,
    "change.unchanged": _unchanged,
    "change.skipped": _skipped,
    "change.parked": _change_parked,
    "change.reopened": _reopened,
    "operator.requested": _requested,
    "request.taken": _taken,
    "conflict.answered": _answered,
    "intent.approved": _approved,
    "intent.withdrawn": _withdrawn,
    "intent.accepted": _accepted,
    "intent.rejected": _rejected,
    "intent.uncertain": _uncertain,
    "intent.absent": _absent,
    "intent.resumed": _resumed,
    "intent.parked": _intent_parked,
    "books.observed": _books_observed,
    "books.merged": _books_merged,
    "record.adopted": _adopted,
    "record.reviewed": _reviewed,
    "record.released": _released,
    "rollback.requested": _rollback_requested,
    "rollback.decided": _rollback_decided,
    "redrive.requested": _redrive_requested,
    "redrive.decided": _redrive_decided,
}
