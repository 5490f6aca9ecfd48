"""One company in the chaos: its books as a process, its source on a shelf, and people who keep both busy."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.chaos.proxy import TcpProxy, Weather
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.sales import Sales
from support.shelf import Shelf

EMULATOR_LATENCY_SECONDS = 0.03
EDITED_SHARE, PAID_SHARE, CUSTOMER_SHARE = 0.3, 0.2, 0.15


@dataclass
class Trade:
    """A company's source and books. `people` act by its own seed.

    Attributes:
        company: its number.
        proxy: on the way from the engines to its books.
        entered: payments that people entered into the books.
    """

    company: int
    folder: Path
    emulator: EmulatorProcess
    proxy: TcpProxy
    sales: Sales
    dice: random.Random
    entered: list[Decimal] = field(default_factory=list)

    async def control(self, path: str, body: object = None) -> dict[str, Any]:
        """Ask the emulator's control address, past every proxy."""
        return await asyncio.to_thread(self.emulator.control, path, body)

    def open(self) -> None:
        """The first day."""
        self.sales.open(customers=4, products=4, orders=8)

    async def work(self, pause_seconds: float) -> None:
        """Make, edit and pay orders until cancelled."""
        while True:
            await asyncio.sleep(self.dice.uniform(0.3, 1.7) * pause_seconds)
            way = self.dice.random()
            if way < EDITED_SHARE:
                self._edit()
            elif way < EDITED_SHARE + PAID_SHARE:
                await self._pay()
            elif way < EDITED_SHARE + PAID_SHARE + CUSTOMER_SHARE:
                self.sales.add_order(self.sales.add_customer())
            else:
                self.sales.add_order()

    def _edit(self) -> None:
        free = [number for number, order in self.sales.orders.items() if not order.paid and order.states < 3]
        if free:
            self.sales.edit_order(self.dice.choice(free[-20:]))

    async def _pay(self) -> None:
        """A person enters a payment on an invoice that is there."""
        held = (await self.control("/state?entity=Invoice"))["Invoice"]
        owed = [one for one in held if not self.sales.orders[str(one["DocNumber"])].paid]
        if not owed:
            return
        invoice, amount = self.dice.choice(owed[-20:]), Decimal("0.50")
        # Counted first: from now on nobody at the source changes this order.
        self.sales.orders[str(invoice["DocNumber"])].paid += amount
        self.entered.append(amount)
        linked = [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
        payment = {
            "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
            "TotalAmt": amount,
            "Line": [{"Amount": amount, "LinkedTxn": linked}],
        }
        await self.control("/books/Payment", {"body": payment})


@asynccontextmanager
async def open_trade(company: int, folder: Path, weather: Weather, seed: int) -> AsyncIterator[Trade]:
    """A company for the length of a block."""
    folder.mkdir()
    arguments = ("--realm", str(9_341_450_000 + company), "--latency", str(EMULATOR_LATENCY_SECONDS))
    process = emulator_process(*arguments)
    emulator = await asyncio.to_thread(process.__enter__)
    try:
        port = int(str(emulator["base_url"]).rpartition(":")[2])
        async with TcpProxy(lambda: ("127.0.0.1", port), weather) as proxy:
            sales = Sales(Shelf(folder), seed=seed)
            yield Trade(company, folder, emulator, proxy, sales, random.Random(f"people {seed}"))
    finally:
        await asyncio.to_thread(process.__exit__, None, None, None)
