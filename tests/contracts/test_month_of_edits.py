"""Both sides edit the same deal for a month, and nothing comes round again. People's is `test_month_of_people.py`.

Each day a seller changes a quantity and a bookkeeper enters a payment of 1.00. What must be shown in the evening, and
how often which side may have been written, is worked out here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from counterfoil import Engine
from counterfoil.clock import SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import MasterKey
from counterfoil.postgres import Pool
from support import hubspot, pipedrive, salesforce
from support.audit import assert_state_adds_up
from support.between import at_work, documents, pay, source_settings
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

DAYS = 30
PRICE = Decimal("19.99")
BOUND_SECONDS = 90.0
STILL_SECONDS = 2.0
HUBSPOT = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["company"]

[invoice]
from = ["deal"]

[write_back]
balance = "qbo_balance"
amount_paid = "qbo_amount_paid"
"""
PIPEDRIVE = """
[connection]
source = "pipedrive"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["organization"]

[invoice]
from = ["deal"]

[write_back]
balance = "QuickBooks balance"
amount_paid = "QuickBooks paid"
"""
SALESFORCE = """
[connection]
source = "salesforce"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["account"]

[invoice]
from = ["opportunity"]

[write_back]
balance = "QBO_Balance__c"
amount_paid = "QBO_Paid__c"
"""


@dataclass
class Deal:
    """One deal at its source: a seller's hand on it, what it shows of the books, how often a program wrote to it."""

    engine: Engine
    key: str
    sell: Callable[[int], Awaitable[object]]
    shown: Callable[[], Awaitable[tuple[Decimal, Decimal]]]
    journal: Callable[[], Awaitable[Any]]

    async def until(self, balance: Decimal, paid: Decimal) -> None:
        """Wait for what the deal must show."""
        last: object = None
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                while (last := await self.shown()) != (balance, paid):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{(balance, paid)} wanted, {last} shown") from None

    async def until_still(self) -> None:
        """Wait until nothing was recorded for several polls and sweeps."""
        async with asyncio.timeout(BOUND_SECONDS):
            before, count = -1, 0
            while count != before:
                before = count
                await asyncio.sleep(STILL_SECONDS)
                count = len([one async for one in self.engine.reader.stream(1)])


def _money(value: object) -> Decimal:
    return Decimal(str(value or 0))


@asynccontextmanager
async def at_hubspot(database: Database, home: Path, books: EmulatorProcess) -> AsyncIterator[Deal]:
    async with hubspot.account() as held:
        await held.load(
            companies=[hubspot.company(7, "Käthe & Daughters")],
            products=[hubspot.product(3, str(PRICE))],
            deals=[hubspot.deal(512, amount=str(100 * PRICE))],
            line_items=[hubspot.line_item(9, str(PRICE), quantity="100", hs_product_id="3")],
            associations=[
                hubspot.link("deals", 512, "companies", 7),
                hubspot.link("deals", 512, "line_items", 9),
            ],
        )

        async def sell(quantity: int) -> None:
            await held.control("PATCH", "/people/line_items/9", {"properties": {"quantity": str(quantity)}})
            await held.control("PATCH", "/people/deals/512", {"properties": {"amount": str(quantity * PRICE)}})

        async def shown() -> tuple[Decimal, Decimal]:
            deal = held.emulator.portal.tables["deals"].rows[512].properties
            return _money(deal.get("qbo_balance")), _money(deal.get("qbo_amount_paid"))

        async def listen(url: str) -> None:
            await held.control("POST", "/webhooks", {"url": url})

        source = source_settings("hubspot", HUBSPOT, held.settings(timeout_seconds=30))
        async with at_work(database, home, books, source, listen=listen) as engine:
            journal = partial(held.control, "GET", "/journal?by=api")
            yield Deal(engine, "hubspot:deal:512", sell, shown, journal)


@asynccontextmanager
async def at_pipedrive(database: Database, home: Path, books: EmulatorProcess) -> AsyncIterator[Deal]:
    async with pipedrive.account() as held:
        await held.load(
            organizations=[pipedrive.organization(4, "Söhne & Co")],
            products=[pipedrive.product(31, str(PRICE))],
            deals=[pipedrive.deal(101, org_id=4, products=[pipedrive.line(901, str(PRICE), 100, product_id=31)])],
        )

        async def sell(quantity: int) -> None:
            await held.control("PATCH", "/people/deals/101/products/901", {"quantity": quantity})

        async def shown() -> tuple[Decimal, Decimal]:
            rows: Any = (await held.control("GET", "/objects/deals"))["rows"]
            fields = rows[0]["custom_fields"]
            return _money(fields.get("QuickBooks balance")), _money(fields.get("QuickBooks paid"))

        async def listen(url: str) -> None:
            await held.control("POST", "/webhooks", {"url": url})

        company = str(held.emulator.identity.company_id)
        source = source_settings("pipedrive", PIPEDRIVE, held.settings(company_id=company, timeout_seconds=30))
        async with at_work(database, home, books, source, listen=listen) as engine:
            journal = partial(held.control, "GET", "/journal?by=api")
            yield Deal(engine, "pipedrive:deal:101", sell, shown, journal)


@asynccontextmanager
async def at_salesforce(database: Database, home: Path, books: EmulatorProcess) -> AsyncIterator[Deal]:
    opportunity = salesforce.record_id("006", 1)
    async with salesforce.org() as held:
        fields = {"Opportunity": "QBO_Balance__c:currency QBO_Paid__c:currency"}
        await held.control("POST", "/setup", {"fields": fields})
        await held.load(
            Account=[salesforce.account(1, "Zoë & Söhne")],
            Product2=[salesforce.product(11)],
            PricebookEntry=[salesforce.price(held, 11, str(PRICE))],
            Opportunity=[salesforce.opportunity(1, 1)],
            OpportunityLineItem=[salesforce.line(10, 1, 11, "100", UnitPrice=str(PRICE))],
        )

        async def sell(quantity: int) -> None:
            path = f"/people/OpportunityLineItem/{salesforce.record_id('00k', 10)}"
            await held.control("PATCH", path, {"Quantity": quantity})

        async def shown() -> tuple[Decimal, Decimal]:
            rows: Any = (await held.control("GET", "/objects/Opportunity"))["records"]
            return _money(rows[0]["QBO_Balance__c"]), _money(rows[0]["QBO_Paid__c"])

        source = source_settings("salesforce", SALESFORCE, held.settings(timeout_seconds=30))
        async with at_work(database, home, books, source) as engine:
            journal = partial(held.control, "GET", "/journal?by=api")
            yield Deal(engine, f"salesforce:opportunity:{opportunity}", sell, shown, journal)


def adds_up(record: Any) -> bool:
    """Whether a deal's amount is that of its lines."""
    return _money(record["stated_total"]) == sum(_money(line["amount"]) for line in record["lines"])


@pytest.mark.parametrize("at_source", [at_hubspot, at_pipedrive, at_salesforce])
async def test_a_month_of_both_sides_editing_makes_no_loop(
    at_source: Callable[..., Any], database: Database, pool: Pool, tmp_path: Path
) -> None:
    with emulator_process("--limits", "off") as books:
        async with at_source(database, tmp_path, books) as deal:
            await deal.until(100 * PRICE, Decimal(0))
            (invoice,) = await documents(books)
            for day in range(1, DAYS + 1):
                await asyncio.gather(deal.sell(100 + day), pay(books, invoice, 1))
                await deal.until((100 + day) * PRICE - day, Decimal(day))
            await deal.until_still()
            told = (await deal.journal())["entries"]
            events = [one async for one in deal.engine.reader.stream(1)]
        effects: Any = (await asyncio.to_thread(books.control, "/journal"))["effects"]
    ours = [one["operation"] for one in effects if one["app"] == "api" and one["entity"] == "Invoice"]
    assert ours == ["create", *["update"] * DAYS]
    # Each evening's two figures may reach the deal apart; once more for the invoice as it was made.
    assert DAYS < len(told) <= 1 + 2 * DAYS
    of_the_deal = [one for one in events if (one.event_type, one.record_key) == ("source.observed", deal.key)]
    # A deal may be read before an edit and its lines after it: such a state adds up to nothing, and parks until the
    # next reading, at once. What we write ourselves makes no state.
    bodies = [one.light() for one in of_the_deal]
    whole = {str(body["content_hash"]) for body in bodies if adds_up(body["record"])}
    assert len(whole) == 1 + DAYS
    assert adds_up(bodies[-1]["record"])
    entropy = SystemEntropy()
    await assert_state_adds_up(pool, database.names, MasterKey(master_key(None, tmp_path, entropy), entropy))
