"""Reading the answer to a batch: by `bId`, never by position; an outer 200 says nothing about the items."""

from collections.abc import Mapping
from dataclasses import dataclass

from counterfoil.quickbooks.online.answers import fault_in
from counterfoil.quickbooks.online.outcomes import Accepted, ItemOutcome, Rejected, Uncertain
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads_object

ITEMS_MAX = 30
_NOT_ENTITIES = frozenset({"bId", "operation", "optionsData", "include"})


@dataclass(frozen=True, slots=True)
class BatchItem:
    """What an item of the request was about."""

    batch_id: str
    entity: str


def batch_items(body: bytes) -> tuple[BatchItem, ...]:
    """The items of a batch request, in its order.

    Raises:
        ValueError: not a batch of 1 to 30 items with distinct `bId`, one entity each: a fault of the caller.
    """
    listed = loads_object(body).get("BatchItemRequest")
    if not isinstance(listed, list) or not 1 <= len(listed) <= ITEMS_MAX:
        raise ValueError(f"a batch holds 1 to {ITEMS_MAX} items")
    items = tuple(_request_item(item) for item in listed)
    if len({item.batch_id for item in items}) != len(items):
        raise ValueError("a bId occurs twice in one batch")
    return items


def _request_item(item: JsonValue) -> BatchItem:
    fields = item if isinstance(item, dict) else {}
    batch_id = fields.get("bId")
    entities = [key for key in fields if key not in _NOT_ENTITIES]
    if isinstance(batch_id, str) and len(entities) == 1:
        return BatchItem(batch_id, entities[0])
    raise ValueError("a batch item must hold a bId and exactly one entity or query")


def item_outcomes(
    items: tuple[BatchItem, ...], document: Mapping[str, JsonValue], *, http_status: int, intuit_tid: str | None
) -> dict[str, ItemOutcome] | None:
    """One outcome for every item that was sent; None if the answer is not a batch's.

    An item that the answer lacks, names twice, or answers without a record, is uncertain.
    """
    listed = document.get("BatchItemResponse")
    if not isinstance(listed, list):
        return None
    answers: dict[str, list[JsonObject]] = {}
    for answer in listed:
        if isinstance(answer, dict):
            answers.setdefault(str(answer.get("bId")), []).append(answer)
    outcomes: dict[str, ItemOutcome] = {}
    for item in items:
        found = answers.get(item.batch_id, [])
        if len(found) == 1:
            outcomes[item.batch_id] = _item_outcome(item, found[0], http_status=http_status, intuit_tid=intuit_tid)
        else:
            outcomes[item.batch_id] = Uncertain(f"the batch's answer names this item {len(found)} times", intuit_tid)
    return outcomes


def _item_outcome(item: BatchItem, answer: JsonObject, *, http_status: int, intuit_tid: str | None) -> ItemOutcome:
    fault = fault_in(answer, http_status)
    if fault is not None:
        return Rejected(fault, dumps(answer), intuit_tid, http_status)
    record = answer.get("QueryResponse" if item.entity == "Query" else item.entity)
    if isinstance(record, dict) and (item.entity == "Query" or "Id" in record):
        return Accepted(record, dumps(answer), intuit_tid, http_status)
    return Uncertain("the batch's answer holds neither a record nor a fault for this item", intuit_tid)
