"""A small company's sales for tests that run the whole engine, and what the books must show for them.

All figures are worked out here, from what was ordered and paid, without any code of ours.
"""

import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from support.shelf import Shelf

CENT = Decimal("0.01")
ZONE_DATE = "2026-03-14"


@dataclass
class Order:
    """One order: its lines as (product, quantity, unit price), and what was paid on it."""

    customer: str
    lines: list[tuple[str, Decimal, Decimal]]
    states: int = 1
    paid: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        amounts = [(quantity * price).quantize(CENT, ROUND_HALF_UP) for _, quantity, price in self.lines]
        return sum(amounts, Decimal(0))


@dataclass
class Sales:
    """Puts records on the shelf and keeps account of them."""

    shelf: Shelf
    seed: int = 1
    customers: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def open(self, customers: int = 8, products: int = 5, orders: int = 40) -> None:
        """The company's first day."""
        for _ in range(customers):
            self.add_customer()
        for _ in range(products):
            self.add_product()
        for _ in range(orders):
            self.add_order()

    def add_customer(self) -> str:
        source_id = f"c{len(self.customers) + 1}"
        self.customers.append(source_id)
        self.shelf.put("customer", source_id, {"kind": "customer", "name": f"Customer {source_id}", "currency": "USD"})
        return source_id

    def add_product(self) -> str:
        source_id = f"p{len(self.products) + 1}"
        self.products.append(source_id)
        record = {"kind": "product", "name": f"Product {source_id}", "unit_price": "10.00", "currency": "USD"}
        self.shelf.put("product", source_id, record)
        return source_id

    def add_order(self, customer: str | None = None) -> str:
        source_id = str(1000 + len(self.orders) + 1)
        self.orders[source_id] = Order(customer or self._random.choice(self.customers), [self._line(), self._line()])
        self._put(source_id)
        return source_id

    def edit_order(self, source_id: str) -> None:
        """One more line."""
        order = self.orders[source_id]
        order.lines.append(self._line())
        order.states += 1
        self._put(source_id)

    def take_back(self, source_id: str) -> None:
        """The last edit undone: one line less."""
        order = self.orders[source_id]
        order.lines.pop()
        order.states += 1
        self._put(source_id)

    def _line(self) -> tuple[str, Decimal, Decimal]:
        quantity = Decimal(self._random.randint(1, 9))
        return self._random.choice(self.products), quantity, Decimal(self._random.randint(100, 99_999)) * CENT

    def _put(self, source_id: str) -> None:
        order = self.orders[source_id]
        record = {
            "kind": "invoice",
            "customer": f"shelf:customer:{order.customer}",
            "number": source_id,
            "status": "won",
            "won": True,
            "dated": ZONE_DATE,
            "currency": "USD",
            "stated_total": str(order.total),
            "lines": [
                {
                    "line_id": str(number),
                    "product": f"shelf:product:{product}",
                    "quantity": str(quantity),
                    "unit_price": str(price),
                }
                for number, (product, quantity, price) in enumerate(order.lines, start=1)
            ],
        }
        self.shelf.put("order", source_id, record)

    @property
    def total(self) -> Decimal:
        """What all invoices must come to."""
        return sum((order.total for order in self.orders.values()), Decimal(0))

    def expected_values(self) -> dict[str, dict[str, str]]:
        """What must have been written back of each order: number, state, paid, open."""
        values: dict[str, dict[str, str]] = {}
        for source_id, order in self.orders.items():
            left = order.total - order.paid
            state = "open" if not order.paid else "paid" if not left else "partial"
            values[source_id] = {
                "number": source_id,
                "state": state,
                "paid": f"{order.paid:.2f}",
                "open": f"{left:.2f}",
            }
        return values
