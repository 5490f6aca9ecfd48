"""The whole way: won opportunities of an org become invoices to the cent, and what is paid comes back to them.

Salesforce and QuickBooks are emulators. The amounts expected are worked out here.
"""

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.between import at_work, documents, pay, source_settings
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.salesforce import Org, account, line, opportunity, org, price, product, record_id

BOUND_SECONDS = 90.0
FIELDS = "QBO_Status__c:picklist QBO_Balance__c:currency QBO_Paid__c:currency QBO_Number__c:string(21)"
MAPPING = """
[connection]
source = "salesforce"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["account"]

[invoice]
from = ["opportunity"]

[write_back]
invoice_number = "QBO_Number__c"
status = "QBO_Status__c"
balance = "QBO_Balance__c"
amount_paid = "QBO_Paid__c"
"""
# Quantity, price and discount in percent of each line; below, what the invoice must come to.
DEALS: dict[int, list[tuple[str, str, str]]] = {
    1: [("3", "19.99", "0"), ("1", "0.01", "0")],
    2: [("2.5", "100.10", "15"), ("7", "3.33", "0")],
    3: [("1", "1234567.89", "0")],
}
TOTALS = {
    1: Decimal("59.98"),  # 59.97 + 0.01
    2: Decimal("236.02"),  # 212.71 (212.7125) + 23.31
    3: Decimal("1234567.89"),
}


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


async def until(look: Callable[[], Any], fits: Callable[[Any], bool]) -> Any:
    """What a look shows once it fits."""
    seen: Any = None
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            while not fits(seen := await look()):
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not within {BOUND_SECONDS} s; last seen: {seen}") from None
    return seen


async def test_won_deals_become_invoices_to_the_cent_and_payments_come_back(
    database: Database, tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with org() as held:
        await held.control("POST", "/setup", {"fields": {"Opportunity": FIELDS}})
        lines = [
            line(deal * 10 + place, deal, 11, quantity, UnitPrice=unit, Discount=discount, SortOrder=place)
            for deal, parts in DEALS.items()
            for place, (quantity, unit, discount) in enumerate(parts)
        ]
        await held.load(
            Account=[account(1, "Zoë & Söhne"), account(2, "Acme")],
            Product2=[product(11, ProductCode="P-11")],
            PricebookEntry=[price(held, 11, "1.00")],
            Opportunity=[opportunity(deal, 1 + deal % 2) for deal in DEALS]
            + [opportunity(9, 1, StageName="Prospecting")],
            OpportunityLineItem=lines,
        )

        async def deals() -> dict[str, dict[str, Any]]:
            shown: Any = await held.control("GET", "/objects/Opportunity")
            return {row["Id"]: row for row in shown["records"]}

        def is_told(rows: dict[str, dict[str, Any]]) -> bool:
            return all(rows[record_id("006", deal)]["QBO_Status__c"] for deal in DEALS)

        source = source_settings("salesforce", MAPPING, held.settings(timeout_seconds=30))
        async with at_work(database, tmp_path, emulator, source):
            rows = await until(deals, is_told)
            books = {one["DocNumber"]: one for one in (await documents(emulator)).values()}
            numbers = {deal: str(rows[record_id("006", deal)]["QBO_Number__c"]) for deal in DEALS}
            assert {deal: Decimal(str(books[number]["TotalAmt"])) for deal, number in numbers.items()} == TOTALS
            assert len(books) == len(DEALS)
            assert rows[record_id("006", 9)]["QBO_Status__c"] is None
            assert all(str(rows[record_id("006", d)]["Amount"]) == str(total) for d, total in TOTALS.items())
            await pay(emulator, books[numbers[2]]["Id"], 100)
            second = record_id("006", 2)
            row = (await until(deals, lambda seen: seen[second]["QBO_Status__c"] == "partial"))[second]
            assert (Decimal(str(row["QBO_Paid__c"])), Decimal(str(row["QBO_Balance__c"]))) == (
                Decimal(100),
                Decimal("136.02"),
            )
            # What we wrote does not come round again: while a further deal is won and told, the others rest.
            others = {record_id("006", deal) for deal in (1, 3)}
            before = [entry for entry in await written(held) if entry["id"] in others]
            await held.control("PATCH", f"/people/Opportunity/{record_id('006', 9)}", {"StageName": "Closed Won"})
            await held.control("POST", "/people/OpportunityLineItem", without_id(line(90, 9, 11, "4")))
            await until(deals, lambda seen: seen[record_id("006", 9)]["QBO_Status__c"] == "open")
            assert before == [entry for entry in await written(held) if entry["id"] in others]
            assert sorted(map(str, [*TOTALS.values(), Decimal("4.00")])) == sorted(
                f"{Decimal(str(one['TotalAmt'])):.2f}" for one in (await documents(emulator)).values()
            )


async def written(held: Org) -> list[dict[str, Any]]:
    """What programs wrote into the org."""
    entries: Any = (await held.control("GET", "/journal?by=api"))["entries"]
    found: list[dict[str, Any]] = entries
    return found


def without_id(entry: dict[str, object]) -> dict[str, object]:
    """A record that a person creates gets its id from the org."""
    return {name: value for name, value in entry.items() if name != "Id"}
