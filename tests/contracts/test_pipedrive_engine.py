"""Won deals become invoices to the cent, and their payments come back to the deals: an engine between two emulators."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from counterfoil import Engine
from counterfoil_schema.events.receipts import SourceRemoved
from support.between import at_work, documents, pay, source_settings
from support.pipedrive import Account, account, deal, line, organization, person, product
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

BOUND_SECONDS = 120.0
MAPPING = """
[connection]
source = "pipedrive"
zone = "America/New_York"
currency = "USD"

[source]
number_field = "Our number"

[customer]
from = ["organization", "person"]

[invoice]
from = ["deal", "installment"]
catch_all = "Services"
no_lines = "one_line"

[write_back]
invoice_number = "QuickBooks invoice"
status = "QuickBooks status"
balance = "QuickBooks balance"
amount_paid = "QuickBooks paid"
last_payment_date = "QuickBooks last payment"
problem = "QuickBooks problem"
document_link = "QuickBooks link"
"""


def connection(held: Account) -> dict[str, object]:
    company = str(held.emulator.identity.company_id)
    return held.settings(company_id=company, calls_per_2_seconds=1_000, timeout_seconds=30)


async def listen(held: Account, url: str) -> None:
    """Have Pipedrive's webhooks sent there."""
    await held.control("POST", "/webhooks", {"url": url})


async def until(found: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Wait until something is as wanted; what it was last is told otherwise."""
    last: Any = None
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            while (last := await found()) != wanted:
                await asyncio.sleep(0.1)
    except TimeoutError:
        assert wanted == last


async def invoices(books: EmulatorProcess) -> dict[str, Any]:
    """The invoices in the books, by number."""
    return {one["DocNumber"]: one for one in (await documents(books)).values()}


async def totals(books: EmulatorProcess) -> dict[str, Decimal]:
    return {number: one["TotalAmt"] for number, one in (await invoices(books)).items()}


async def told(held: Account, deal_id: int) -> dict[str, Any]:
    """What the deal's fields say."""
    shown: Any = await held.control("GET", "/objects/deals")
    custom = next(row["custom_fields"] for row in shown["rows"] if row["id"] == deal_id)
    return {name: value for name, value in custom.items() if value is not None}


async def paid(books: EmulatorProcess, number: str, amount: str) -> None:
    """A bookkeeper enters a payment."""
    await pay(books, (await invoices(books))[number]["Id"], Decimal(amount))


async def load(held: Account) -> None:
    parts = [
        {"id": 71, "amount": Decimal("33.34"), "billing_date": "2026-11-01", "description": "Begun"},
        {"id": 72, "amount": Decimal("66.66"), "billing_date": "2026-12-01", "description": "Done"},
    ]
    lines = [
        line(901, "100.10", "2.5", product_id=31, discount=15),
        line(902, "19.99", 3, product_id=32, discount=Decimal("0.01"), discount_type="amount"),
    ]
    await held.load(
        fields={"deal": [{"field_name": "Our number", "field_type": "varchar"}]},
        organizations=[organization(4, "Söhne & Co"), organization(5, "Soehne")],
        persons=[person(21, "Ada Lovelace")],
        products=[product(31, "100.10"), product(32, "19.99")],
        deals=[
            deal(101, org_id=4, products=lines, custom_fields={"Our number": "PD-1"}),
            deal(102, person_id=21, products=[line(903, 100, product_id=31)], installments=parts),
            deal(103, org_id=5, status="open", won_time=None, value=Decimal("1234.56")),
        ],
    )


async def test_won_deals_are_invoiced_to_the_cent_and_payments_come_back(database: Database, tmp_path: Path) -> None:
    with emulator_process("--limits", "off") as books:
        async with account(limits=True, burst=10_000) as held:
            await load(held)
            source = source_settings("pipedrive", MAPPING, connection(held))
            async with at_work(database, tmp_path, books, source, listen=partial(listen, held)) as engine:
                first = {"PD-1": Decimal("272.67"), "102-71": Decimal("33.34"), "102-72": Decimal("66.66")}
                await until(lambda: totals(books), first)
                opened = {"QuickBooks status": "open", "QuickBooks invoice": "PD-1", "Our number": "PD-1"}
                link = f"https://app.qbo.intuit.com/app/invoice?txnId={(await invoices(books))['PD-1']['Id']}"
                money: dict[str, Any] = {"QuickBooks link": link}
                money |= {"QuickBooks balance": Decimal("272.67"), "QuickBooks paid": Decimal(0)}
                await until(lambda: told(held, 101), {**opened, **money})

                await paid(books, "PD-1", "72.67")
                await until(lambda: _of(told(held, 101), "QuickBooks balance"), Decimal(200))
                assert _fields(await told(held, 101)) == ("partial", Decimal("72.67"))
                await paid(books, "102-71", "33.34")
                await until(lambda: _of(told(held, 102), "QuickBooks status"), "#71 paid\n#72 open")

                await held.control("POST", "/people/organizations/merge", {"primary": 4, "merged": 5})
                await held.control("PATCH", "/people/deals/103", {"status": "won"})
                await until(lambda: totals(books), {**first, "103": Decimal("1234.56")})
                both = {(await invoices(books))[number]["CustomerRef"]["value"] for number in ("PD-1", "103")}
                assert len(both) == 1
                await until(lambda: merged(engine), [("5", "4")])
            spent = held.emulator.limits.spent
            assert held.emulator.limits.refused == 0
    assert spent < 3_000


async def _of(fields: Awaitable[dict[str, Any]], name: str) -> Any:
    return (await fields).get(name)


def _fields(fields: dict[str, Any]) -> tuple[Any, Any]:
    return fields["QuickBooks status"], fields["QuickBooks paid"]


async def merged(engine: Engine) -> list[tuple[str, str | None]]:
    """What the log says was merged into what."""
    recorded = [one async for one in engine.reader.stream(1) if one.event_type == SourceRemoved.event_type]
    return [(str(one.light()["source_id"]), str(one.light()["merged_into"])) for one in recorded]
