"""What a run leaves behind for the judge: plain data, gathered from outside the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from counterfoil.log import RecordedEvent
from counterfoil_schema.exact_json import JsonObject


@dataclass(frozen=True, slots=True)
class OrderTruth:
    """An order as it lies on the desk; lines as (product's name, quantity, unit price)."""

    customer: str
    lines: Sequence[tuple[str, Decimal, Decimal]]
    total: Decimal
    states: int
    paid: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a call, as the log has it."""

    intent_id: str
    body: bytes
    batch_id: str | None
    record_key: str
    change: int
    entity: str
    operation: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the log says was about to leave; `at` is the world's time when that became durable."""

    position: int
    at: datetime
    request_id: str
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Absence:
    """An intent of which the log says that a call of it had no effect."""

    at: datetime
    intent_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stood while the run went on: the state of each change, and those with an intent that was open."""

    states: Mapping[int, str]
    open: frozenset[int]


@dataclass(slots=True)
class Evidence:
    """Everything.

    Attributes:
        customers, products: what they are called on the desk, and how often each was shown.
        orders: by number.
        shown: by order, what the desk was told.
        own: amounts of the bookkeeper's own invoices.
        effects: the books' journal.
        books: the documents as they stand, by entity.
        requests: what reached the books, in order: instant and kind; throttled: refused for being too many, by limit.
        rate: which of Intuit's two statements on a second's limit these books keep.
        events: the log.
        calls: its calls to the books; tellings: those to the desk, whose items are of no matter.
        refused: intents that were refused, by the position at which the log says so.
        absences: effects that were called absent, and the world's time when that became durable.
        server_seconds: how long the books may be at work on a call.
        told: what reached the desk, in order: instant and request id.
        moments: now and then, how changes stood, and which of them had intents that had not ended.
        received: bodies of webhooks that the log holds; acknowledged: those that the engine said it has.
        kept_rows, folded_rows: the projections, as the engine kept them and as a fresh fold gives them.
        changes: position and state of each change.
        secrets: texts that must be nowhere in the clear; personal: names that may be in the books alone.
        said: what the engine said to its operator.
    """

    company: int
    customers: Mapping[str, Sequence[str]]
    products: Mapping[str, Sequence[str]]
    orders: Mapping[str, OrderTruth]
    shown: Mapping[str, Mapping[str, str]]
    own: Sequence[Decimal]
    effects: Sequence[JsonObject]
    books: Mapping[str, Sequence[Mapping[str, Any]]]
    requests: Sequence[tuple[datetime, str]]
    throttled: Mapping[str, int]
    rate: str
    events: Sequence[RecordedEvent]
    calls: Sequence[Call]
    tellings: Sequence[Call]
    refused: Mapping[int, str]
    absences: Sequence[Absence]
    server_seconds: float
    told: Sequence[tuple[datetime, str]]
    moments: Sequence[Moment]
    received: frozenset[bytes]
    acknowledged: Sequence[bytes]
    kept_rows: Mapping[Any, Any]
    folded_rows: Mapping[Any, Any]
    changes: Sequence[tuple[int, str, str]]
    secrets: Sequence[str]
    personal: Sequence[str]
    said: Sequence[str] = ()
