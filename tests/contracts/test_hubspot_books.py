"""HubSpot's invoices, signed quotes, payments and refunds in QuickBooks, to the cent; and back to where they came from.

Every figure is worked out here, by hand.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from counterfoil import Engine
from counterfoil.clock import SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import MasterKey
from counterfoil.postgres import Pool
from support import hubspot
from support.audit import assert_state_adds_up
from support.between import at_work, documents, source_settings
from support.hubspot import Account, link
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

BOUND_SECONDS = 120.0
MAPPING = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["company", "contact"]
removed = "deactivate"

[invoice]
from = ["quote", "invoice"]
number = "{number}"

[payment]
from = ["payment"]
removed = "void"

[refund]
account = "Checking"
catch_all = "Services"

[write_back]
invoice_number = "qbo_number"
status = "qbo_status"
balance = "qbo_balance"
amount_paid = "qbo_paid"
problem = "qbo_problem"
"""

INVOICES = {"INV-41": "272.67", "INV-42": "45.00", "20261001-1": "19.99"}
"""INV-41: 3 x 19.985 = 59.955, which is 59.96 half up, and 2.5 x 100.10 less 15 % = 212.7125, which is 212.71.
INV-42: 45.00. The quote: 19.99, once it is signed. INV-43 is a draft.
"""

PAYMENTS = {"272.67": "INV-41", "20.00": "INV-42"}
"""Those that succeeded; the one of 25.00 is under way."""

REFUNDS = ["10.00", "5.50"]
"""Of the payment on INV-41: its refunds grew to 10.00, and then to 15.50."""

BALANCES = {"INV-41": "0.00", "INV-42": "25.00", "20261001-1": "19.99"}
RECEIVABLE = Decimal("44.99")
"""272.67 + 45.00 + 19.99 billed, less 272.67 + 20.00 paid."""


ESTIMATES = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[invoice]
from = ["invoice"]

[estimate]
from = ["quote"]
"""


async def filled(account: Account) -> None:
    await account.load(
        companies=[hubspot.company(1, "Acme & Söhne"), hubspot.company(2, "Beta")],
        contacts=[hubspot.contact(3), hubspot.contact(4)],
        products=[hubspot.product(11, "100.10")],
        invoices=[
            hubspot.invoice(41, hs_amount_billed="272.67"),
            hubspot.invoice(42, hs_amount_billed="45.00"),
            hubspot.invoice(43, hs_amount_billed="9.99", hs_invoice_status="draft"),
        ],
        quotes=[hubspot.quote(31, hs_quote_amount="19.99", hs_quote_number="20261001-1")],
        commerce_payments=[
            hubspot.payment(51, "272.67"),
            hubspot.payment(52, "20.00"),
            hubspot.payment(53, "25.00", hs_latest_status="processing"),
        ],
        line_items=[
            hubspot.line_item(900, "19.99", quantity="3", discount="0.005", hs_product_id="11"),
            hubspot.line_item(901, "100.10", quantity="2.5", hs_discount_percentage="15", hs_product_id="11"),
            hubspot.line_item(902, "45.00", hs_product_id="11"),
            hubspot.line_item(903, "9.99", hs_product_id="11"),
            hubspot.line_item(904, "19.99", hs_product_id="11"),
        ],
        associations=[
            link("invoices", 41, "companies", 1),
            link("invoices", 41, "line_items", 900, 901),
            link("invoices", 42, "contacts", 3),
            link("invoices", 42, "line_items", 902),
            link("invoices", 43, "companies", 2),
            link("invoices", 43, "line_items", 903),
            link("quotes", 31, "companies", 2),
            link("quotes", 31, "line_items", 904),
            link("commerce_payments", 51, "invoices", 41),
            link("commerce_payments", 52, "invoices", 42),
            link("commerce_payments", 53, "invoices", 42),
        ],
    )


async def until(books: EmulatorProcess, entity: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the books hold of an entity once it holds."""
    while not holds(found := await documents(books, entity)):
        await asyncio.sleep(0.1)
    return found


async def until_told(account: Account, kind: str, object_id: int, **values: str) -> None:
    """Once a HubSpot record bears these values."""
    row = account.emulator.portal.tables[kind].rows[object_id]
    while any(row.properties.get(name) != value for name, value in values.items()):
        await asyncio.sleep(0.1)


async def skips(engine: Engine) -> list[str]:
    return [str(one.light()["reason"]) async for one in engine.reader.stream(1) if one.event_type == "change.skipped"]


async def test_invoices_quotes_payments_and_refunds_to_the_cent_and_back(
    database: Database, pool: Pool, tmp_path: Path
) -> None:
    with emulator_process("--limits", "off") as books:
        item = {"Name": "Services", "Type": "Service", "IncomeAccountRef": {"value": "1"}}
        books.control("/books/Item", {"body": item})
        async with hubspot.account() as account:
            await filled(account)
            source = source_settings("hubspot", MAPPING, account.settings(timeout_seconds=30))

            async def listen(url: str) -> None:
                await account.control("POST", "/webhooks", {"url": url})

            async with (
                at_work(database, tmp_path, books, source, listen=listen) as engine,
                asyncio.timeout(BOUND_SECONDS),
            ):
                await until(books, "Invoice", lambda found: len(found) == 2)
                # Somebody signs the quote: HubSpot alone sets that.
                quotes = account.emulator.portal.tables["quotes"]
                quotes.rows[31].properties["hs_esign_date"] = "2026-11-03T04:00:00Z"
                await account.control("PATCH", "/people/quotes/31", {"properties": {"hs_terms": "signed"}})
                await until(books, "Payment", lambda found: len(found) == 2)
                for total in ("10.00", "15.50"):
                    values = {"hs_refunds_amount": total, "hs_latest_status": "partially_refunded"}
                    await account.control("PATCH", "/people/commerce_payments/51", {"properties": values})
                refunds = await until(books, "RefundReceipt", lambda found: len(found) == 2)
                invoices = await until(books, "Invoice", lambda found: len(found) == 3)
                await until_told(account, "invoices", 41, qbo_number="INV-41", qbo_status="paid", qbo_paid="272.67")
                await until_told(account, "invoices", 42, qbo_status="partial", qbo_balance="25.00")
                await until_told(account, "quotes", 31, qbo_number="20261001-1", qbo_status="open")
                invoices = await documents(books)
                payments = await documents(books, "Payment")
                customers = await documents(books, "Customer")
                accounts = {one["Name"]: one for one in (await documents(books, "Account")).values()}
                assert {
                    one["DocNumber"]: f"{Decimal(str(one['TotalAmt'])):.2f}" for one in invoices.values()
                } == INVOICES
                assert {
                    one["DocNumber"]: f"{Decimal(str(one['Balance'])):.2f}" for one in invoices.values()
                } == BALANCES
                dates = {one["DocNumber"]: one["TxnDate"] for one in invoices.values()}
                assert (dates["INV-41"], dates["20261001-1"]) == ("2026-10-31", "2026-11-02")
                names = {one["Id"]: one["DocNumber"] for one in invoices.values()}
                paid = {
                    f"{Decimal(str(one['TotalAmt'])):.2f}": names[one["Line"][0]["LinkedTxn"][0]["TxnId"]]
                    for one in payments.values()
                }
                assert paid == PAYMENTS
                assert sorted(f"{Decimal(str(one['TotalAmt'])):.2f}" for one in refunds.values()) == sorted(REFUNDS)
                assert Decimal(str(accounts["Accounts Receivable (A/R)"]["CurrentBalance"])) == RECEIVABLE
                assert any(
                    "payment 53 (hubspot) is no money received (status processing)" in one
                    for one in await skips(engine)
                )
                # A contact asks to be forgotten: gone for good at HubSpot, which says so in a webhook alone.
                await account.control("POST", "/people/contacts/4/erase")
                await until(books, "Customer", lambda found: sum(one["Active"] is False for one in found.values()) == 1)
                # The bank takes the smaller payment back.
                lost = {"hs_latest_status": "disputed_lost"}
                await account.control("PATCH", "/people/commerce_payments/52", {"properties": lost})
                await until_told(account, "invoices", 42, qbo_status="open", qbo_balance="45.00", qbo_paid="0.00")
    assert {one["DisplayName"] for one in customers.values()} >= {
        "Acme & Söhne",
        "Ada Contact 3",
        "Ada Contact 4",
        "Beta",
    }
    entropy = SystemEntropy()
    await assert_state_adds_up(pool, database.names, MasterKey(master_key(None, tmp_path, entropy), entropy))


async def test_a_published_quote_is_an_estimate_and_a_signed_one_is_accepted(
    database: Database, tmp_path: Path
) -> None:
    with emulator_process("--limits", "off") as books:
        async with hubspot.account() as account:
            await filled(account)
            offered = {"hs_status": "DRAFT", "hs_expiration_date": "2026-12-31"}
            await account.control("PATCH", "/people/quotes/31", {"properties": offered})
            source = source_settings("hubspot", ESTIMATES, account.settings(timeout_seconds=30))
            async with at_work(database, tmp_path, books, source) as engine, asyncio.timeout(BOUND_SECONDS):
                await until(
                    books, "Invoice", lambda found: len(found) == 1
                )  # the other is a contact's, who is none here
                while not any("quote 31 (hubspot) is not offered (status DRAFT)" in one for one in await skips(engine)):
                    await asyncio.sleep(0.1)
                await account.control("PATCH", "/people/quotes/31", {"properties": {"hs_status": "APPROVED"}})
                (made,) = (await until(books, "Estimate", lambda found: len(found) == 1)).values()
                told = (made["DocNumber"], str(made["TotalAmt"]), made["ExpirationDate"], made["TxnStatus"])
                assert told == ("20261001-1", "19.99", "2026-12-31", "Pending")
                account.emulator.portal.tables["quotes"].rows[31].properties["hs_payment_status"] = "PAID"
                await account.control("PATCH", "/people/quotes/31", {"properties": {"hs_terms": "paid at once"}})
                await until(
                    books, "Estimate", lambda found: [one["TxnStatus"] for one in found.values()] == ["Accepted"]
                )
                accounts = {one["Name"]: one for one in (await documents(books, "Account")).values()}
                owed = Decimal(str(accounts["Accounts Receivable (A/R)"]["CurrentBalance"]))
                assert owed == Decimal("272.67"), "an estimate is owed by nobody"
