"""What contractors are paid, from Gusto into the ledger: as bills with their payments, and as cheques.

What each account must hold is worked out here, by hand:

    p1  Ana      12.5 hours at 85.00 and a bonus of 100.00   1,162.50   laid out 43.21
    p2  Bright   fixed                                       2,000.00
    p3  Bright   paid elsewhere long ago (historical)          500.00   left out
    p4  Ana      fixed                                         300.00   cancelled after it was posted
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.clock import SystemEntropy
from counterfoil.engine import Engine
from counterfoil.keys import master_key
from counterfoil.log import MasterKey
from counterfoil.postgres import Pool
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.audit import assert_state_adds_up
from support.between import at_work, documents, source_settings
from support.gusto import Company, gusto
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

CONTRACTORS: list[JsonValue] = [
    {"uuid": "c1", "first_name": "Ana", "last_name": "Suárez", "email": "ana@example.test", "department": "Design"},
    {"uuid": "c2", "business_name": "Bright Pixels LLC"},
]
PAYMENTS: list[JsonObject] = [
    {"uuid": "p1", "contractor_uuid": "c1", "hours": "12.5", "hourly_rate": "85.00", "bonus": "100.00"},
    {"uuid": "p2", "contractor_uuid": "c2", "wage": "2000.00", "payment_method": "Check"},
    {"uuid": "p3", "contractor_uuid": "c2", "wage": "500.00", "payment_method": "Historical Payment"},
    {"uuid": "p4", "contractor_uuid": "c1", "wage": "300.00"},
]
MAPPING = """
[connection]
source = "gusto"
zone = "America/New_York"

[contractor_payment]
document = "DOCUMENT"
bank_account = "Checking"
track = "class"
removed = "delete"

[contractor_payment.accounts]
wages = "Advertising"
reimbursement = "Office Expenses"
"""
SPENT = {"Advertising": Decimal("3162.50"), "Office Expenses": Decimal("43.21")}
BANK = Decimal("-3205.71")
TOTALS = {"Ana Suárez": Decimal("1205.71"), "Bright Pixels LLC": Decimal("2000.00")}
DOCUMENTS = {"bill": ("Bill", "BillPayment"), "cheque": ("Purchase",)}
BOUND_SECONDS = 90.0


async def until(books: EmulatorProcess, entity: str, count: int) -> dict[str, dict[str, Any]]:
    found = await documents(books, entity)
    while len(found) != count:
        await asyncio.sleep(0.1)
        found = await documents(books, entity)
    return found


def settings_of(company: Company) -> dict[str, Any]:
    ready = company.emulator.ready()
    names = ("base_url", "company_uuid", "access_token", "refresh_token", "client_id", "client_secret")
    return {**{name: ready[name] for name in names}, "requests_per_minute": 60000}


def spent_by(one: dict[str, Any], accounts: dict[str, str]) -> dict[str, Decimal]:
    """What the lines of a document come to, by account."""
    found: dict[str, Decimal] = {}
    for line in one["Line"]:
        name = accounts[line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"]]
        found[name] = found.get(name, Decimal(0)) + Decimal(str(line["Amount"]))
    return found


async def outcomes(engine: Engine) -> list[str]:
    """Codes of what was skipped or parked; of two readings of one document, on a busy machine, the newer one counts."""
    found = [
        str(one.light()["code"])
        async for one in engine.reader.stream(1)
        if one.event_type in {"change.skipped", "change.parked"}
    ]
    return [code for code in found if code != "superseded"]


@pytest.mark.parametrize("document", ["bill", "cheque"])
async def test_contractors_are_paid_to_the_cent(database: Database, pool: Pool, tmp_path: Path, document: str) -> None:
    async with gusto() as company:
        day = company.clock.now().date().isoformat()
        payments: list[JsonValue] = [{"date": day, **one} for one in PAYMENTS]
        payments[0] = {"date": day, **PAYMENTS[0], "reimbursement": "43.21"}
        await company.control("/load", {"contractors": CONTRACTORS, "contractor_payments": payments})
        with emulator_process("--limits", "off") as books:
            books.control("/books/Class", {"body": {"Name": "Design"}})
            mapping = MAPPING.replace("DOCUMENT", document)
            source = source_settings("gusto", mapping, settings_of(company))
            async with at_work(database, tmp_path, books, source) as engine, asyncio.timeout(BOUND_SECONDS):
                for entity in DOCUMENTS[document]:
                    await until(books, entity, 3)
                await company.control("/people/contractor_payments/p4/cancel")
                held = {entity: await until(books, entity, 2) for entity in DOCUMENTS[document]}
                codes = await outcomes(engine)
            accounts = await documents(books, "Account")
            vendors = {one["Id"]: one["DisplayName"] for one in (await documents(books, "Vendor")).values()}
            classes = {one["Id"]: one["Name"] for one in (await documents(books, "Class")).values()}
    names = {one["Id"]: one["Name"] for one in accounts.values()}
    balances = {one["Name"]: Decimal(str(one["CurrentBalance"])) for one in accounts.values()}
    main = list(held[DOCUMENTS[document][0]].values())
    spent: dict[str, Decimal] = {}
    for one in main:
        for name, amount in spent_by(one, names).items():
            spent[name] = spent.get(name, Decimal(0)) + amount
    payees = {
        vendors[(one.get("VendorRef") or one["EntityRef"])["value"]]: Decimal(str(one["TotalAmt"])) for one in main
    }
    tracked = [
        classes[line["AccountBasedExpenseLineDetail"]["ClassRef"]["value"]]
        for one in main
        for line in one["Line"]
        if "ClassRef" in line["AccountBasedExpenseLineDetail"]
    ]

    assert (spent, payees, tracked) == (SPENT, TOTALS, ["Design", "Design"])
    assert (balances["Checking"], balances["Accounts Payable (A/P)"]) == (BANK, Decimal(0))
    assert codes == ["method_left_out"]
    if document == "bill":
        assert [Decimal(str(one["Balance"])) for one in main] == [Decimal(0), Decimal(0)]
    entropy = SystemEntropy()
    await assert_state_adds_up(pool, database.names, MasterKey(master_key(None, tmp_path, entropy), entropy))
