"""The source of a simulation: a desk with customers, products and orders, and its adapter.

What stands on the desk is the truth that the books must come to; every state of a record that was ever shown is kept.
"""

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from pydantic import TypeAdapter

from counterfoil.sources import (
    BadSignatureError,
    Delivery,
    Page,
    Seen,
    SourceChange,
    SourceError,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)
from counterfoil.testing.simulation.weather import Weather
from counterfoil_schema.events.receipts import Hint
from counterfoil_schema.records import Record

NAME: Final = "desk"
KINDS: Final = ("customer", "product", "order")
MAPPING: Final = """
[connection]
source = "desk"
zone = "America/New_York"
currency = "USD"

[product]
income_account = "Sales of Product Income"

[write_back]
invoice_number = "number"
status = "state"
amount_paid = "paid"
balance = "open"
"""
SIGNATURE: Final = "x-desk-signature"
PAGE_ENTRIES: Final = 10
CENT: Final = Decimal("0.01")
RECORD: Final[TypeAdapter[Record]] = TypeAdapter(Record)


@dataclass(slots=True)
class Order:
    """One order; its lines as (product, quantity, unit price). `closed` ones are changed no more."""

    customer: str
    lines: list[tuple[str, Decimal, Decimal]]
    states: int = 1
    closed: bool = False

    @property
    def total(self) -> Decimal:
        """The sum of its lines, each rounded to the cent."""
        amounts = [(quantity * price).quantize(CENT, ROUND_HALF_UP) for _, quantity, price in self.lines]
        return sum(amounts, Decimal(0))


@dataclass(slots=True)
class Desk:
    """The source itself, outside every process.

    Attributes:
        feed: every state of every record, in order: kind, id, record.
        latest: each record as it is now, by kind and id.
        shown: by order, what was written back.
        told: what reached it of write-backs: the loop's time, and the request id.
        secret: signs its webhooks.
    """

    secret: bytes
    feed: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    latest: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    shown: dict[str, dict[str, str]] = field(default_factory=dict)
    told: list[tuple[float, str]] = field(default_factory=list)
    news: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)

    def add_customer(self) -> str:
        """A new customer."""
        source_id = f"c{len(self.customers) + 1}"
        self._name(self.customers, "customer", source_id, f"Customer {source_id}", {"currency": "USD"})
        return source_id

    def add_product(self) -> str:
        """A new product."""
        source_id = f"p{len(self.products) + 1}"
        extra = {"unit_price": "10.00", "currency": "USD"}
        self._name(self.products, "product", source_id, f"Product {source_id}", extra)
        return source_id

    def rename_customer(self, source_id: str) -> None:
        """The same customer under another name."""
        number = len(self.customers[source_id].split("/"))
        self._name(self.customers, "customer", source_id, f"{self.customers[source_id]}/{number}", {"currency": "USD"})

    def _name(self, names: dict[str, str], kind: str, source_id: str, name: str, extra: Mapping[str, str]) -> None:
        names[source_id] = name
        self._show(kind, source_id, {"kind": kind, "name": name, **extra})

    def add_order(self, chance: random.Random) -> str:
        """A new order of some customer."""
        source_id = str(1000 + len(self.orders) + 1)
        lines = [self._line(chance) for _ in range(chance.randint(1, 4))]
        self.orders[source_id] = Order(chance.choice(list(self.customers)), lines)
        self._show_order(source_id)
        return source_id

    def edit_order(self, source_id: str, chance: random.Random) -> None:
        """One more line, one less, or another quantity."""
        order = self.orders[source_id]
        way = chance.random()
        if way < 0.4 or len(order.lines) == 1:
            order.lines.append(self._line(chance))
        elif way < 0.6:
            order.lines.pop(chance.randrange(len(order.lines)))
        else:
            place = chance.randrange(len(order.lines))
            product, quantity, price = order.lines[place]
            order.lines[place] = (product, quantity + chance.randint(1, 5), price)
        order.states += 1
        self._show_order(source_id)

    def _line(self, chance: random.Random) -> tuple[str, Decimal, Decimal]:
        price = Decimal(chance.randint(100, 99_999)) * CENT
        # Eighths of a unit: amounts that fall on half a cent are no rarity.
        return chance.choice(list(self.products)), Decimal(chance.randint(1, 72)) / 8, price

    def _show_order(self, source_id: str) -> None:
        order = self.orders[source_id]
        lines = [
            {
                "line_id": str(number),
                "product": f"{NAME}:product:{product}",
                "quantity": str(quantity),
                "unit_price": str(price),
            }
            for number, (product, quantity, price) in enumerate(order.lines, start=1)
        ]
        record = {
            "kind": "invoice",
            "customer": f"{NAME}:customer:{order.customer}",
            "number": source_id,
            "status": "won",
            "won": True,
            "dated": "2026-11-02",
            "currency": "USD",
            "stated_total": str(order.total),
            "lines": lines,
        }
        self._show("order", source_id, record)

    def _show(self, kind: str, source_id: str, record: Mapping[str, Any]) -> None:
        self.feed[kind].append((source_id, record))
        self.latest[kind, source_id] = record
        self.news.put_nowait((kind, source_id))

    def sign(self, body: bytes) -> str:
        """The signature of a webhook's body."""
        return hmac.new(self.secret, body, hashlib.sha256).hexdigest()


class DeskSource:
    """The adapter, as one process opens it.

    Args:
        desk: the source.
        weather: what goes wrong on the way to it.
    """

    def __init__(self, desk: Desk, weather: Weather) -> None:
        self._desk = desk
        self._weather = weather

    def kinds(self) -> Sequence[str]:
        return KINDS

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        start = int(cursor or 0)
        while True:
            trouble = await self._on_the_way()
            entries = self._desk.feed[kind]
            page = [] if trouble else entries[start : start + PAGE_ENTRIES]
            start += len(page)
            done = bool(trouble) or start >= len(entries)
            # As it is now, not as it was when it changed: a later change of it comes again.
            shown = {source_id: self._desk.latest[kind, source_id] for source_id, _ in page}
            changes = [_seen(kind, source_id, record) for source_id, record in shown.items()]
            await self._back()
            yield Page(changes=changes, cursor=str(start), done=done)
            if done:
                return

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        if await self._on_the_way():
            return []
        record = self._desk.latest[kind, source_id]
        await self._back()
        return [_seen(kind, source_id, record)]

    async def _on_the_way(self) -> bool:
        """Whether the source shows nothing, although there is something."""
        trouble = self._weather.of_source("source fails", "source hangs", "source shows nothing")
        await self._back()
        if trouble == "source hangs":
            await asyncio.sleep(30.0)
        if trouble in {"source fails", "source hangs"}:
            raise SourceError("The desk does not answer.", retry_after=self._weather.seconds(1.0, 30.0))
        return trouble is not None

    async def _back(self) -> None:
        """One way to the desk, or back: what was read may be old when it arrives."""
        await asyncio.sleep(self._weather.seconds(0.01, 0.3))

    def receive(self, request: WebhookRequest) -> Delivery:
        if not hmac.compare_digest(self._desk.sign(request.body), request.headers.get(SIGNATURE, "")):
            raise BadSignatureError("The desk did not sign this.")
        told = json.loads(request.body)
        hint = Hint(kind=told["kind"], source_id=told["id"], operation="change")
        return Delivery(delivery_id=str(told["delivery"]), hints=[hint])

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        trouble = self._weather.of_source("write-back lost", "write-back unanswered")
        await asyncio.sleep(self._weather.seconds(0.02, 0.3))
        if trouble != "write-back lost":
            self._desk.told.append((asyncio.get_running_loop().time(), request.request_id))
            self._desk.shown.setdefault(request.source_id, {}).update(request.values)
        if trouble is not None:
            await asyncio.sleep(self._weather.seconds(0.0, 60.0))
            return WriteBackResult(outcome="uncertain", reason="The desk did not answer.")
        return WriteBackResult(outcome="accepted")

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        return bool(kind) and all(f'"{name}": "{value}"' in raw for name, value in values.items())


def _seen(kind: str, source_id: str, record: Mapping[str, Any]) -> Seen:
    raw = json.dumps(record)
    return Seen(kind=kind, source_id=source_id, version=raw, record=RECORD.validate_python(record), raw=raw)
