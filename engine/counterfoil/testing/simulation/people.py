"""Whoever works at the desk and in the books meanwhile, and connects QuickBooks again when asked to."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import SecretStr

from counterfoil.log import Append, NewEvent
from counterfoil.quickbooks.emulator import QuickBooksEmulator
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.person import act, action_from
from counterfoil.quickbooks.emulator.values import as_list, as_object
from counterfoil.quickbooks.online.access import first_generation
from counterfoil.secrets.tokens import TokenSet
from counterfoil.testing.simulation.desk import Desk
from counterfoil.testing.simulation.durable import Durable
from counterfoil.testing.simulation.tally import ALWAYS, PEOPLE, Tally
from counterfoil_schema.events.receipts import OperatorRequested
from counterfoil_schema.exact_json import JsonObject

CUSTOMERS, PRODUCTS, ORDERS = 3, 3, 6
REDIRECT: Final = "http://engine.test/connected"
CENT: Final = Decimal("0.01")


@dataclass(slots=True)
class Salespeople:
    """They fill the desk and change what lies on it."""

    desk: Desk
    chance: random.Random
    pause_seconds: float

    def open(self) -> None:
        """The first day."""
        for _ in range(CUSTOMERS):
            self.desk.add_customer()
        for _ in range(PRODUCTS):
            self.desk.add_product()
        for _ in range(ORDERS):
            self.desk.add_order(self.chance)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await asyncio.sleep(self.chance.expovariate(1.0 / self.pause_seconds))
            self._do_something()

    def _do_something(self) -> None:
        desk, chance, way = self.desk, self.chance, self.chance.random()
        if way < 0.35:
            desk.add_order(chance)
        elif way < 0.8:
            open_orders = [number for number, order in desk.orders.items() if not order.closed]
            if open_orders:
                desk.edit_order(chance.choice(open_orders), chance)
        elif way < 0.9:
            desk.add_customer()
        elif way < 0.95:
            desk.rename_customer(chance.choice(list(desk.customers)))
        else:
            desk.add_product()


@dataclass(slots=True)
class Bookkeeper:
    """A person in QuickBooks' own pages.

    Attributes:
        paid: what was paid on which order, by invoice number.
        own: invoices that are nobody's business but the bookkeeper's: how many, and what they come to.
    """

    emulator: QuickBooksEmulator
    desk: Desk
    tally: Tally
    chance: random.Random
    pause_seconds: float
    paid: dict[str, Decimal] = field(default_factory=dict)
    own: list[Decimal] = field(default_factory=list)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await asyncio.sleep(self.chance.expovariate(1.0 / self.pause_seconds))
            invoices = [*self._invoices()]
            if not invoices:
                continue
            invoice = self.chance.choice(invoices)
            try:
                self._edit(invoice)
            except QuickBooksFaultError:
                continue
            self.tally.add(PEOPLE, ALWAYS)

    def _invoices(self) -> Iterator[JsonObject]:
        """The engine's own invoices, as they stand."""
        books = self.emulator.books
        for row in books.tables.table("Invoice").rows.values():
            shown = books.show("Invoice", row)
            if shown.get("DocNumber") in self.desk.orders:
                yield shown

    def _edit(self, invoice: JsonObject) -> None:
        way = self.chance.random()
        if way < 0.35:
            memo: JsonObject = {"CustomerMemo": {"value": f"Thank you {self.chance.randrange(1000)}"}}
            self._act("Invoice", {"operation": "update", "id": invoice["Id"], "body": memo})
        elif way < 0.55:
            self.emulator.books.bump("Invoice", str(invoice["Id"]))
        elif way < 0.7:
            self._invoice_of_their_own(invoice)
        else:
            self._pay(invoice)

    def _act(self, entity: str, action: JsonObject) -> JsonObject:
        return act(self.emulator.books, action_from(action, entity))

    def _invoice_of_their_own(self, like: JsonObject) -> None:
        sold = [as_object(as_object(line).get("SalesItemLineDetail")) for line in as_list(like.get("Line"))]
        item = next(one["ItemRef"] for one in sold if one)
        amount = Decimal(self.chance.randint(100, 9_999)) * CENT
        line: JsonObject = {
            "Amount": amount,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": item},
        }
        body: JsonObject = {"CustomerRef": like["CustomerRef"], "Line": [line], "DocNumber": f"own-{len(self.own)}"}
        self._act("Invoice", {"body": body})
        self.own.append(amount)

    def _pay(self, invoice: JsonObject) -> None:
        number, balance = str(invoice["DocNumber"]), Decimal(str(invoice["Balance"]))
        order = self.desk.orders[number]
        if balance != order.total - self.paid.get(number, Decimal(0)) or balance <= CENT:
            return
        # What has been paid on is changed no more at the desk: whether that may still be billed is a person's to say.
        order.closed = True
        amount = balance if self.chance.random() < 0.5 else (balance / 2).quantize(CENT)
        linked: JsonObject = {"Amount": amount, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        body: JsonObject = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": amount, "Line": [linked]}
        self._act("Payment", {"body": body})
        self.paid[number] = self.paid.get(number, Decimal(0)) + amount


@dataclass(slots=True)
class Administrator:
    """Connects QuickBooks again where the engine says that it must, and has parked changes tried again."""

    emulator: QuickBooksEmulator
    durable: Durable
    company: int
    chance: random.Random
    issued: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            await asyncio.sleep(60.0)
            kept = await self.durable.connections.get(self.company)
            if kept is not None and kept.state == "reconnect":
                await asyncio.sleep(self.chance.uniform(10.0, 600.0))
                await self.connect()

    async def connect(self) -> None:
        """Give consent, as `counterfoil connect quickbooks` asks for it."""
        office = self.emulator.office
        code = office.new_code(REDIRECT, "com.intuit.quickbooks.accounting")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        granted = office.grant(form, hard_expiry=False)
        now: datetime = self.emulator.clock.now()
        stored = await self.durable.tokens.get(self.company)
        tokens = TokenSet(
            SecretStr(str(granted["access_token"])),
            SecretStr(str(granted["refresh_token"])),
            now + timedelta(hours=1),
            now + timedelta(days=100),
            1,
            realm_id=self.emulator.realm_id,
        )
        fresh = first_generation(tokens, stored)
        await self.durable.tokens.compare_and_set(self.company, stored.generation if stored else 0, fresh)

    async def retry_parked(self, record_keys: list[str]) -> None:
        """Ask for another try of each."""
        events = [
            NewEvent(OperatorRequested(action="retry", record_key=key, author="Ann", reason="The trouble is over."))
            for key in record_keys
        ]
        if events:
            await self.durable.log.append(Append(self.company, events))
