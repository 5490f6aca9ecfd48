"""Which rows an event is likely to need: loaded for a whole page at once. A wrong guess costs time, nothing else."""

from collections.abc import Iterable

from counterfoil.state.rows import (
    CallRow,
    ChangeRow,
    DocumentRow,
    ErasureRow,
    HintRow,
    IntentRow,
    Key,
    LinkRow,
    RecordRow,
    RecoveredRow,
    ReviewRow,
)
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events import receipts as seen
from counterfoil_schema.events import recoveries as regained
from counterfoil_schema.events.base import Event
from counterfoil_schema.records import record_key


def likely_keys(event: Event) -> Iterable[tuple[str, Key]]:
    """Table and key of the rows that folding this event will probably ask for."""
    match event:
        case done.RecordAdopted() | done.RecordReviewed() | done.RecordReleased() | done.ChangeUnchanged():
            return _of_first_day(event)
        case seen.PersonErased():
            return [(ErasureRow.table, (subject,)) for subject in event.subjects]
        case regained.RecoveryFound():
            return [(RecoveredRow.table, (event.entity, sign)) for sign in event.signs]
        case _:
            return _of_decision(event) if event.decision else _of_receipt(event)


def _of_first_day(
    event: done.RecordAdopted | done.RecordReviewed | done.RecordReleased | done.ChangeUnchanged,
) -> Iterable[tuple[str, Key]]:
    yield LinkRow.table, (event.record_key,)
    match event:
        case done.ChangeUnchanged():
            yield ChangeRow.table, (str(event.change),)
        case done.RecordAdopted() | done.RecordReleased():
            yield RecordRow.table, (event.record_key,)
            yield ReviewRow.table, (event.record_key,)
            yield DocumentRow.table, (event.entity, event.document_id)
        case done.RecordReviewed():
            yield RecordRow.table, (event.record_key,)
            yield ReviewRow.table, (event.record_key,)


def _of_receipt(event: Event) -> Iterable[tuple[str, Key]]:
    match event:
        case seen.SourceObserved() | seen.SourceRemoved() | seen.SourceUnreadable() | seen.SourceWithheld():
            yield RecordRow.table, (record_key(event.connection, event.source_kind, event.source_id),)
        case seen.BooksObserved():
            yield DocumentRow.table, (event.entity, event.document_id)
        case seen.BooksMerged():
            for key in event.records:
                yield LinkRow.table, (key,)
            yield DocumentRow.table, (event.entity, event.gone_id)
            yield DocumentRow.table, (event.entity, event.document_id)
        case seen.DirectoryObserved():
            for entry in event.entries:
                yield DocumentRow.table, (event.entity, entry.document_id)
        case seen.HintsSettled():
            for kind, source_id in event.settled:
                yield HintRow.table, (event.connection, kind, source_id)
        case _:
            return


def _of_decision(event: Event) -> Iterable[tuple[str, Key]]:
    if isinstance(event, done.CallSent):
        for item in event.items:
            yield IntentRow.table, (item.intent_id,)
            yield ChangeRow.table, (str(item.change),)
    if isinstance(event, done.Decision):
        yield ChangeRow.table, (str(event.change),)
        intent_id = getattr(event, "intent_id", None)
        if isinstance(intent_id, str):
            yield IntentRow.table, (intent_id,)
    if isinstance(event, done.IntentPlanned) and event.operation in {"write_back", "note"}:
        yield RecordRow.table, (event.record_key,)
    if isinstance(event, done.Settled):
        yield CallRow.table, (event.request_id,)
    if isinstance(event, done.IntentAccepted):
        yield LinkRow.table, (event.record_key,)
        yield DocumentRow.table, (event.entity, event.document_id)
