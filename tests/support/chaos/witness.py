"""Gathers what a round leaves behind: from the emulators' own journals, the shelves, and the log as it lies there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import EventCodec, MasterKey, PostgresKeyring, PostgresLogReader, RecordedEvent
from counterfoil.postgres import Names, Pool
from counterfoil.state.rows import ROW_TYPES, ChangeRow, Key, Row, key_of
from counterfoil.state.store import PostgresStateStore
from counterfoil.testing.memory_state import fold_afresh
from counterfoil.testing.simulation.evidence import Absence, Call, Evidence, Item, OrderTruth
from counterfoil_schema.events.decisions import CallItem, CallSent, IntentAbsent, IntentRejected
from counterfoil_schema.events.receipts import WebhookReceived
from counterfoil_schema.exact_json import JsonObject, dumps
from support.chaos.scene import SERVER_SECONDS
from support.chaos.trade import Trade

SHOWN = ("Customer", "Item", "Invoice", "Payment")


@dataclass(frozen=True, slots=True)
class Sent:
    """A call to the books as its event has it: when it was recorded, in which epoch, and how long it had."""

    at: datetime
    epoch: int
    request_id: str
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Witness:
    """Of one company: what the oracle wants, and what the figures are made of.

    Attributes:
        writes: instant and request id of every request to the books that carried one.
    """

    evidence: Evidence
    sent: Sequence[Sent]
    writes: Sequence[tuple[datetime, str]]


def reader_of(pool: Pool, names: Names, home: Path) -> PostgresLogReader:
    """Reads the log."""
    clock, entropy = SystemClock(), SystemEntropy()
    master = MasterKey(master_key(None, home, entropy), entropy)
    keyring = PostgresKeyring(pool, names, master, clock=clock, entropy=entropy)
    return PostgresLogReader(pool, names, EventCodec(keyring, clock=clock, entropy=entropy), clock=clock)


async def testify(trade: Trade, pool: Pool, names: Names, home: Path, said: Sequence[str]) -> Witness:
    """What is left of one company's round."""
    reader, store, company = reader_of(pool, names, home), PostgresStateStore(pool, names), trade.company
    events = [event async for event in reader.stream(company)]
    told = await _told_by(events)
    kept: dict[tuple[str, Key], Row] = {}
    for kind in ROW_TYPES:
        kept.update({(row.table, key_of(row)): row for row in await store.some(kind, f"all_{kind.table}", company)})
    changes = await store.some(ChangeRow, "all_changes", company)
    sales, requests = trade.sales, (await trade.control("/calls"))["calls"]
    stats, state = await trade.control("/stats"), await trade.control("/state")
    customers = {one: [f"Customer {one}"] for one in sales.customers}
    evidence = Evidence(
        company=company,
        customers=customers,
        products={one: [f"Product {one}"] for one in sales.products},
        orders=_orders(trade),
        shown=sales.shelf.shown(),
        own=(),
        effects=(await trade.control("/journal"))["effects"],
        books={entity: state[entity] for entity in SHOWN},
        requests=[(datetime.fromisoformat(one["time"]), one["kind"]) for one in requests if one["method"]],
        throttled=stats["throttled_by"],
        rate="both",
        events=events,
        calls=told.calls,
        tellings=told.tellings,
        refused=told.refused,
        absences=told.absences,
        server_seconds=SERVER_SECONDS,
        told=(),  # the shelf keeps no journal of it,
        moments=(),  # and nobody looks at the tables meanwhile
        received=frozenset(told.received),
        acknowledged=(),
        kept_rows=kept,
        folded_rows=dict((await fold_afresh(reader, company)).rows(company)),
        changes=[(row.position, row.state, row.code) for row in changes],
        secrets=[trade.emulator[name] for name in ("client_secret", "verifier_token", "refresh_token")],
        personal=[name for names_ in customers.values() for name in names_],
        said=said,
    )
    writes = [(datetime.fromisoformat(one["time"]), one["request_id"]) for one in requests if one["request_id"]]
    return Witness(evidence, told.sent, writes)


@dataclass(slots=True)
class _Told:
    """What the log says of calls, of their ends, and of deliveries."""

    calls: list[Call] = field(default_factory=list)
    tellings: list[Call] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    absences: list[Absence] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)


async def _told_by(events: Sequence[RecordedEvent]) -> _Told:
    told = _Told()
    for recorded in events:
        if recorded.event_type not in {"call.sent", "intent.rejected", "intent.absent", "webhook.received"}:
            continue
        event = await recorded.event()
        at = recorded.recorded_at
        if isinstance(event, CallSent):
            call = Call(recorded.position, at, event.request_id, [_item(one) for one in event.items])
            if event.target != "quickbooks":
                told.tellings.append(call)
                continue
            told.calls.append(call)
            told.sent.append(Sent(at, recorded.epoch or 0, event.request_id, float(event.deadline_seconds)))
        elif isinstance(event, IntentRejected):
            told.refused[recorded.position] = event.intent_id
        elif isinstance(event, IntentAbsent):
            told.absences.append(Absence(at, event.intent_id, event.request_id))
        elif isinstance(event, WebhookReceived):
            told.received.append((event.raw or "").encode())
    return told


def _item(item: CallItem) -> Item:
    body = dumps(item.body.fields())
    return Item(item.intent_id, body, item.batch_id, item.record_key, item.change, item.entity, item.operation)


def _orders(trade: Trade) -> Mapping[str, OrderTruth]:
    return {
        number: OrderTruth(
            f"Customer {order.customer}",
            [(f"Product {product}", quantity, price) for product, quantity, price in order.lines],
            order.total,
            order.states,
            order.paid,
        )
        for number, order in trade.sales.orders.items()
    }


def effects_of(witness: Witness) -> Sequence[tuple[datetime, JsonObject]]:
    """The engine's own effects on the books, in order."""
    ours = [one for one in witness.evidence.effects if one["app"] == "api" and one["caused_by"] is None]
    return [(datetime.fromisoformat(str(one["time"])), one) for one in ours]
