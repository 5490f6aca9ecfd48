"""From answers to outcomes: pure functions that decide what a reply proves."""

from decimal import Decimal

from counterfoil.quickbooks.online.answers import Faulty, Good, Unreadable
from counterfoil.quickbooks.online.batch import BatchItem, item_outcomes
from counterfoil.quickbooks.online.calls import CallResult, Reply
from counterfoil.quickbooks.online.cdc import UnreadableChangesError, change_set
from counterfoil.quickbooks.online.faults import FaultKind
from counterfoil.quickbooks.online.instants import parse_instant
from counterfoil.quickbooks.online.outcomes import (
    Accepted,
    BatchAnswered,
    BatchOutcome,
    ChangeOutcome,
    ChangeSet,
    Found,
    NotFound,
    NotSent,
    NotSentKind,
    QueryOutcome,
    QueryPage,
    ReadFailed,
    ReadOutcome,
    Rejected,
    Uncertain,
    WriteOutcome,
)
from counterfoil_schema.exact_json import JsonObject

_SERVER_ERROR_MIN = 500
_REQUEST_TIMEOUT = 408
_NOT_FOUND_CODE = "610"
# A throttled or resting realm is not asked again at once: the gate is closed for a minute or more.
_PASSING = frozenset({FaultKind.RETRY})


def rejection(reply: Reply) -> Rejected | Uncertain | None:
    """What a reply to a write says if it is not a success; None if it is one.

    A server error proves nothing, even with a fault in its body: the effect may have come before the error.
    """
    answer, got = reply.answer, reply.exchange
    if isinstance(answer, Unreadable):
        return Uncertain(answer.reason, got.intuit_tid)
    if isinstance(answer, Good):
        return None
    if got.status >= _SERVER_ERROR_MIN or got.status == _REQUEST_TIMEOUT:
        text = answer.fault.message or answer.fault.plain
        return Uncertain(f"HTTP {got.status} ({text})", got.intuit_tid)
    return Rejected(answer.fault, got.body, got.intuit_tid, got.status)


def write_outcome(result: CallResult, entity: str) -> WriteOutcome:
    """What became of a write."""
    if not isinstance(result, Reply):
        return result
    refused = rejection(result)
    if refused is not None:
        return refused
    record = _record(document_of(result), entity)
    got = result.exchange
    if record is None:
        return Uncertain(f"HTTP {got.status} without the {entity} in it", got.intuit_tid)
    return Accepted(record, got.body, got.intuit_tid, got.status)


def tax_service_outcome(result: CallResult) -> WriteOutcome:
    """What became of a call of the tax service, whose answer names a code and is no record."""
    if not isinstance(result, Reply):
        return result
    refused = rejection(result)
    if refused is not None:
        return refused
    got, document = result.exchange, document_of(result)
    if not isinstance(document.get("TaxCodeId"), str):
        return Uncertain(f"HTTP {got.status} without the TaxCodeId in it", got.intuit_tid)
    return Accepted(document, got.body, got.intuit_tid, got.status)


def batch_outcome(result: CallResult, items: tuple[BatchItem, ...]) -> BatchOutcome:
    """What became of a batch: as a whole, or of each item by its `bId`."""
    if not isinstance(result, Reply):
        return result
    refused = rejection(result)
    if refused is not None:
        return refused
    got = result.exchange
    outcomes = item_outcomes(items, document_of(result), http_status=got.status, intuit_tid=got.intuit_tid)
    if outcomes is None:
        return Uncertain(f"HTTP {got.status} without the items of the batch", got.intuit_tid)
    return BatchAnswered(outcomes, got.body, got.intuit_tid, got.status)


def read_outcome(result: CallResult, entity: str) -> ReadOutcome:
    """What a read of one record found. Only fault 610 says that there is none."""
    reply = _readable(result)
    if isinstance(reply, ReadFailed):
        if isinstance(result, Reply) and reply.fault is not None and reply.fault.code == _NOT_FOUND_CODE:
            return NotFound(reply.fault, result.exchange.body, reply.intuit_tid)
        return reply
    record = _record(document_of(reply), entity)
    got = reply.exchange
    if record is None:
        return ReadFailed(f"HTTP {got.status} without the {entity} in it", transient=True, intuit_tid=got.intuit_tid)
    return Found(record, got.body, got.intuit_tid, got.status)


def query_page(result: CallResult, entity: str) -> QueryOutcome:
    """The rows of a query's answer."""
    reply = _readable(result)
    if isinstance(reply, ReadFailed):
        return reply
    document, tid = document_of(reply), reply.exchange.intuit_tid
    response = document.get("QueryResponse")
    rows = response.get(entity, []) if isinstance(response, dict) else None
    if not isinstance(response, dict) or not isinstance(rows, list):
        return ReadFailed("a query's answer without rows that can be read", transient=True, intuit_tid=tid)
    records = tuple(row for row in rows if isinstance(row, dict))
    if len(records) != len(rows):
        return ReadFailed("a query's answer with a row that is no record", transient=True, intuit_tid=tid)
    # A rate is the one record without an Id: currency and day name it.
    if entity != "ExchangeRate" and not all(isinstance(row.get("Id"), str) and row["Id"] for row in records):
        return ReadFailed("a query's answer with a row without an Id", transient=True, intuit_tid=tid)
    start, total = response.get("startPosition"), response.get("totalCount")
    return QueryPage(
        rows=records,
        start_position=start if isinstance(start, int) else 1,
        total_count=total if isinstance(total, int) else None,
        time=parse_instant(document.get("time")),
        intuit_tid=tid,
    )


def changes(result: CallResult) -> ChangeOutcome:
    """What a CDC answer reports."""
    reply = _readable(result)
    if isinstance(reply, ReadFailed):
        return reply
    tid = reply.exchange.intuit_tid
    try:
        found = change_set(document_of(reply), tid)
    except UnreadableChangesError as unreadable:
        return ReadFailed(str(unreadable), transient=True, intuit_tid=tid)
    if isinstance(found, ChangeSet):
        return found
    return ReadFailed(str(found), fault=found, transient=found.kind in _PASSING, intuit_tid=tid)


def document_of(reply: Reply) -> JsonObject:
    """The document of a good answer; an empty one of any other."""
    return reply.answer.document if isinstance(reply.answer, Good) else {}


def read_failure(result: CallResult) -> ReadFailed | None:
    """Why a read taught nothing; None where its answer is good."""
    reply = _readable(result)
    return reply if isinstance(reply, ReadFailed) else None


def _readable(result: CallResult) -> Reply | ReadFailed:
    """A reply with a usable document, or why a read taught nothing."""
    if isinstance(result, NotSent):
        passing = result.kind is NotSentKind.UNREACHABLE
        return ReadFailed(result.reason, retry_after_seconds=result.retry_after_seconds, transient=passing)
    if isinstance(result, Uncertain):
        return ReadFailed(result.reason, transient=True, intuit_tid=result.intuit_tid)
    tid = result.exchange.intuit_tid
    if isinstance(result.answer, Unreadable):
        return ReadFailed(result.answer.reason, transient=True, intuit_tid=tid)
    if isinstance(result.answer, Faulty):
        fault = result.answer.fault
        return ReadFailed(str(fault), fault=fault, transient=fault.kind in _PASSING, intuit_tid=tid)
    return result


def _record(document: JsonObject, entity: str) -> JsonObject | None:
    record = document.get(entity)
    if not isinstance(record, dict):
        return None
    if entity == "ExchangeRate":  # the one record without an Id: currency and day name it
        return record if isinstance(record.get("Rate"), int | Decimal) else None
    return record if isinstance(record.get("Id"), str) and record["Id"] else None
