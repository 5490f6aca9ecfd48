"""A source in memory with records of every kind, installed like anybody's plug-in: what a mixed backlog is made of."""

import random
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from counterfoil.sources import (
    Delivery,
    MalformedDeliveryError,
    Page,
    Seen,
    SourceChange,
    SourceContext,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)
from counterfoil_schema.records import (
    Application,
    CreditMemo,
    Customer,
    Employee,
    Invoice,
    InvoiceLine,
    Payment,
    PayRun,
    PayRunLine,
    Product,
    Record,
    Vendor,
    record_key,
)

CONNECTION = "mixed"
PAGE_RECORDS = 500
SHARES: Mapping[str, int] = {
    "product": 100,
    "customer": 600,
    "vendor": 100,
    "employee": 100,
    "pay_run": 400,
    "invoice": 6_000,
    "credit_memo": 500,
    "payment": 2_200,
}
"""Records of each kind among 10,000, in the order in which they are read."""

NAMES = ("product", "customer", "vendor", "employee")
ENTITIES: Mapping[str, str] = {
    "product": "Item",
    "customer": "Customer",
    "vendor": "Vendor",
    "employee": "Employee",
    "pay_run": "JournalEntry",
    "invoice": "Invoice",
    "credit_memo": "CreditMemo",
    "payment": "Payment",
}
MAPPING = """
[connection]
source = "mixed"
zone = "UTC"
currency = "USD"

[product]
income_account = "Sales of Product Income"
type = "NonInventory"

[employee]
create = true

[invoice]
tax_code = "NON"

[credit_memo]
tax_code = "NON"

[payroll.accounts]
wages = "Wages"
net_pay = "Payroll Clearing"
tax_payment = "Payroll Liabilities"

[post.pay_run]
post = "auto"
"""
FIRST_DAY = date(2026, 1, 1)


def counts(records: int) -> Mapping[str, int]:
    """How many records of each kind so many are; at least one of each."""
    whole = {kind: max(1, share * records // 10_000) for kind, share in SHARES.items()}
    whole["invoice"] += records - sum(whole.values())
    return whole


@dataclass(slots=True)
class Backlog:
    """The records, and what the books must hold afterwards: per entity, documents and the sum of their amounts."""

    records: dict[str, list[Seen]] = field(default_factory=dict)
    expected: dict[str, tuple[int, Decimal]] = field(default_factory=dict)


HELD: dict[str, Backlog] = {}
"""What the source shows, by the name that its settings give."""


class Maker:
    """Makes a backlog of so many records."""

    def __init__(self, records: int, chance: random.Random) -> None:
        self.made = Backlog()
        self._many = counts(records)
        self._chance = chance
        self._prices = [Decimal(chance.randrange(100, 50_000)) / 100 for _ in range(self._many["product"])]
        self._billed: list[tuple[int, Decimal]] = []

    def make(self) -> Backlog:
        """All of it."""
        self._names()
        for number in range(self._many["pay_run"]):
            run = _pay_run(self._chance)
            self._add("pay_run", number, run, sum(line.amount for line in run.lines if line.part == "wages"))
        for number in range(self._many["invoice"]):
            self._invoice(number)
        for number in range(self._many["credit_memo"]):
            self._credit_memo(number)
        for number, paid in enumerate(self._chance.sample(range(len(self._billed)), self._many["payment"])):
            self._payment(number, paid)
        return self.made

    def _add(self, kind: str, number: int, record: Record, amount: Decimal | int = 0) -> None:
        seen = Seen(kind=kind, source_id=str(number), version="1", record=record, raw="{}")
        self.made.records.setdefault(kind, []).append(seen)
        documents, total = self.made.expected.get(ENTITIES[kind], (0, Decimal(0)))
        self.made.expected[ENTITIES[kind]] = (documents + 1, total + amount)

    def _names(self) -> None:
        for number, price in enumerate(self._prices):
            self._add("product", number, Product(name=f"Product {number}", unit_price=price))
        for number in range(self._many["customer"]):
            self._add("customer", number, Customer(name=f"Customer {number}"))
        for number in range(self._many["vendor"]):
            self._add("vendor", number, Vendor(name=f"Vendor {number}"))
        for number in range(self._many["employee"]):
            self._add("employee", number, Employee(given_name="Person", family_name=f"Number {number}"))

    def _lines(self) -> tuple[InvoiceLine, ...]:
        some = self._chance.sample(range(len(self._prices)), min(len(self._prices), self._chance.randint(1, 4)))
        return tuple(
            InvoiceLine(
                line_id=str(place),
                product=_key("product", number),
                quantity=Decimal(self._chance.randint(1, 20)),
                unit_price=self._prices[number],
            )
            for place, number in enumerate(some, start=1)
        )

    def _invoice(self, number: int) -> None:
        customer, lines = self._chance.randrange(self._many["customer"]), self._lines()
        self._billed.append((customer, _total(lines)))
        invoice = Invoice(
            customer=_key("customer", customer),
            number=f"I{number:06}",
            status="ordered",
            won=True,
            dated=_day(self._chance),
            currency="USD",
            lines=lines,
        )
        self._add("invoice", number, invoice, _total(lines))

    def _credit_memo(self, number: int) -> None:
        lines = self._lines()
        memo = CreditMemo(
            customer=_key("customer", self._chance.randrange(self._many["customer"])),
            number=f"C{number:06}",
            dated=_day(self._chance),
            currency="USD",
            lines=lines,
        )
        self._add("credit_memo", number, memo, _total(lines))

    def _payment(self, number: int, paid: int) -> None:
        customer, total = self._billed[paid]
        part = (total / self._chance.randint(1, 3)).quantize(Decimal("0.01"))
        payment = Payment(
            customer=_key("customer", customer),
            dated=_day(self._chance),
            currency="USD",
            amount=part,
            applied=(Application(invoice=_key("invoice", paid), amount=part),),
        )
        self._add("payment", number, payment, part)


def _total(lines: Sequence[InvoiceLine]) -> Decimal:
    return sum((line.quantity * line.unit_price for line in lines), Decimal(0))


def _pay_run(chance: random.Random) -> PayRun:
    day = _day(chance)
    lines: list[PayRunLine] = []
    for department in ("Office", "Workshop"):
        wages = Decimal(chance.randrange(200_000, 900_000)) / 100
        tax = (wages * Decimal("0.22")).quantize(Decimal("0.01"))
        lines += [
            PayRunLine(department=department, part="wages", amount=wages, people=7),
            PayRunLine(department=department, part="tax_payment", amount=tax, people=7),
            PayRunLine(department=department, part="net_pay", amount=wages - tax, people=7),
        ]
    return PayRun(
        status="processed",
        processed=True,
        check_date=day,
        period_start=day - timedelta(days=14),
        period_end=day - timedelta(days=1),
        currency="USD",
        lines=tuple(lines),
    )


def _key(kind: str, number: int) -> str:
    return record_key(CONNECTION, kind, str(number))


def _day(chance: random.Random) -> date:
    return FIRST_DAY + timedelta(days=chance.randrange(300))


class MixedSource:
    """Shows the backlog that is held under the name in its settings, kind after kind."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    def kinds(self) -> Sequence[str]:
        """See `SourceAdapter.kinds`."""
        return [kind for kind in SHARES if kind in self._backlog.records]

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """See `SourceAdapter.changes`."""
        records = self._backlog.records[kind]
        start = int(cursor or 0)
        while True:
            end = min(len(records), start + PAGE_RECORDS)
            yield Page(changes=records[start:end], cursor=str(end), done=end == len(records))
            start = end

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """See `SourceAdapter.read`."""
        return [one for one in self._backlog.records[kind] if one.source_id == source_id]

    def receive(self, request: WebhookRequest) -> Delivery:
        """See `SourceAdapter.receive`."""
        raise MalformedDeliveryError(f"This source sends no webhooks, least of all to {request.url}.")

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        """See `SourceAdapter.write_back`."""
        del request
        return WriteBackResult(outcome="accepted")

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        """See `SourceAdapter.same_values`."""
        del kind, values, raw
        return True


@asynccontextmanager
async def open_source(context: SourceContext) -> AsyncIterator[MixedSource]:
    """What the entry point names."""
    yield MixedSource(HELD[str(context.settings["backlog"])])


def install(folder: Path) -> None:
    """Let the engine find the source as it finds everybody's: by entry point."""
    info = folder / "counterfoil_mixed-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counterfoil-mixed\nVersion: 0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[counterfoil.sources]\nmixed = {__name__}:open_source\n", encoding="utf-8")
    sys.path.append(str(folder))
