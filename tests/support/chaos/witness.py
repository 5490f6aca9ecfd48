"""Gathers what a round leaves behind: from the emulators' own journals, the shelves, and the log as it lies there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import EventCodec, MasterKey, PostgresKeyring, PostgresLogReader, RecordedEvent
from counterfoil.postgres import Names, Pool
from counterfoil.state.rows import ROW_TYPES, ChangeRow, Key, Row, key_of
from counterfoil.state.store import PostgresStateStore
from counterfoil.testing.memory_state import fold_afresh
from counterfoil.testing.simulation.evidence import Call, Evidence, Item, OrderTruth
from counterfoil_schema.events.decisions import CallSent
from counterfoil_schema.events.receipts import WebhookReceived
from counterfoil_schema.exact_json import JsonObject
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
    calls, sent, received = await _told_by(events)
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
        calls=calls,
        received=received,
        acknowledged=(),
        kept_rows=kept,
        folded_rows=dict((await fold_afresh(reader, company)).rows(company)),
        changes=[(row.position, row.state, row.code) for row in changes],
        secrets=[trade.emulator[name] for name in ("client_secret", "verifier_token", "refresh_token")],
        personal=[name for names_ in customers.values() for name in names_],
        said=said,
    )
    writes = [(datetime.fromisoformat(one["time"]), one["request_id"]) for one in requests if one["request_id"]]
    return Witness(evidence, sent, writes)


async def _told_by(events: Sequence[RecordedEvent]) -> tuple[list[Call], list[Sent], frozenset[bytes]]:
    calls: list[Call] = []
    sent: list[Sent] = []
    received: list[bytes] = []
    for recorded in events:
        if recorded.event_type not in {"call.sent", "webhook.received"}:
            continue
        event = await recorded.event()
        if isinstance(event, CallSent) and event.target == "quickbooks":
            items = [Item(i.batch_id, i.record_key, i.change, i.entity, i.operation) for i in event.items]
            calls.append(Call(recorded.position, recorded.recorded_at, event.request_id, items))
            deadline = float(event.deadline_seconds)
            sent.append(Sent(recorded.recorded_at, recorded.epoch or 0, event.request_id, deadline))
        elif isinstance(event, WebhookReceived):
            received.append((event.raw or "").encode())
    return calls, sent, frozenset(received)


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
