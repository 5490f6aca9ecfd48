"""Money that moves, from a folder of CSV files into the ledger: payments, a refund, and the payout of it all.

What each account must hold is worked out here, by hand.
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.clock import SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import MasterKey
from counterfoil.postgres import Pool
from support.audit import assert_state_adds_up
from support.between import at_work, documents, source_settings
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

FILES = {
    "clients.csv": "id,name\n1,Zoë & Söhne\n2,Acme\n",
    "sales.csv": "id,client,day,amount\nS-1,1,2026-03-01,100.00\nS-2,2,2026-03-02,50.00\n",
    "charges.csv": "id,client,day,amount,sale\nch_1,1,2026-03-03,100.00,S-1\nch_2,2,2026-03-04,50.00,S-2\n",
    "refunds.csv": "id,client,day,amount\nre_1,2,2026-03-05,20.00\n",
    "payouts.csv": "id,day,net,fee\npo_1,2026-03-06,125.35,4.65\npo_2,2026-03-07,10.00,0\n",
    "balance.csv": "payout,charge,refund,gross\npo_1,ch_1,,100.00\npo_1,ch_2,,50.00\npo_1,,re_1,-20.00\n"
    "po_2,ch_9,,10.00\n",
}
MAPPING = """
[connection]
source = "csv"
zone = "America/New_York"
currency = "USD"

[csv.client]
file = "clients.csv"
record = "customer"
id = "id"
columns = { name = "name" }

[csv.sale]
file = "sales.csv"
record = "invoice"
id = "id"
columns = { customer = "client", dated = "day" }
constants = { status = "sold", won = true }
charges = [{ column = "amount", role = "goods", description = "As agreed" }]

[csv.charge]
file = "charges.csv"
record = "payment"
id = "id"
columns = { customer = "client", dated = "day", amount = "amount" }
applied = { invoice = { kind = "sale", column = "sale" } }

[csv.refund]
file = "refunds.csv"
record = "refund"
id = "id"
columns = { customer = "client", dated = "day" }
charges = [{ column = "amount", role = "goods", description = "Returned" }]

[csv.payout]
file = "payouts.csv"
record = "payout"
id = "id"
columns = { dated = "day", amount = "net", fee = "fee" }

[csv.payout.lines]
file = "balance.csv"
key = "payout"
columns = { payment = "charge", refund = "refund", amount = "gross" }

[invoice]
catch_all = "Services"

[refund]
catch_all = "Services"
"""
UNDEPOSITED = """account = "Undeposited Funds"

[payout]
account = "Checking"
fee_account = "Office Expenses"
"""
CLEARING = """account = "Processor"

[payment]
deposit_account = "Processor"

[payout]
account = "Checking"
fee_account = "Office Expenses"
"""
HELD = {
    "Accounts Receivable (A/R)": Decimal(0),
    "Checking": Decimal("125.35"),
    "Office Expenses": Decimal("4.65"),
    "Services": Decimal("130.00"),
}
BOUND_SECONDS = 90.0


def created(journal: Any, entity: str) -> Decimal:
    """What all documents of a kind come to, as they were created."""
    made = [one for one in journal["effects"] if (one["entity"], one["operation"]) == (entity, "create")]
    return sum((Decimal(str(one["amount"])) for one in made), Decimal(0))


@pytest.mark.parametrize(
    ("rules", "between"), [(UNDEPOSITED, "Undeposited Funds"), (CLEARING, "Processor")], ids=["undeposited", "clearing"]
)
async def test_a_payout_leaves_every_account_at_what_it_must_hold(
    database: Database, pool: Pool, tmp_path: Path, rules: str, between: str
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with emulator_process("--limits", "off") as books:
        books.control("/books/Account", {"body": {"Name": "Processor", "AccountType": "Other Current Asset"}})
        books.control(
            "/books/Item", {"body": {"Name": "Services", "Type": "Service", "IncomeAccountRef": {"value": "1"}}}
        )
        source = source_settings("csv", MAPPING + rules, {"folder": str(folder)})
        async with at_work(database, tmp_path, books, source) as engine, asyncio.timeout(BOUND_SECONDS):
            deposits: dict[str, Any] = {}
            while not deposits:
                deposits = await documents(books, "Deposit")
                await asyncio.sleep(0.1)
            parked: list[str] = []
            while not any("po_2" in reason for reason in parked):
                parked = [
                    str(one.light()["reason"])
                    async for one in engine.reader.stream(1)
                    if one.event_type == "change.parked"
                ]
                await asyncio.sleep(0.1)
        accounts = {one["Name"]: one for one in (await documents(books, "Account")).values()}
        effects: Any = books.control("/journal")
    assert parked == ["payout po_2 (csv) passes on charge ch_9 (csv), which the source does not show."]
    assert len(deposits) == 1
    (deposit,) = deposits.values()
    assert Decimal(str(deposit["TotalAmt"])) == HELD["Checking"]
    held = {name: Decimal(str(accounts[name]["CurrentBalance"])) for name in (*HELD, between) if name in accounts}
    fees = [-Decimal(str(one["Amount"])) for one in deposit["Line"] if Decimal(str(one["Amount"])) == Decimal("-4.65")]
    assert fees == [HELD["Office Expenses"]]
    refunds = created(effects, "RefundReceipt")
    assert created(effects, "Invoice") - refunds == HELD["Services"]
    assert held[between] == 0
    entropy = SystemEntropy()
    await assert_state_adds_up(pool, database.names, MasterKey(master_key(None, tmp_path, entropy), entropy))
    assert held["Checking"] == HELD["Checking"]
    assert held["Accounts Receivable (A/R)"] == 0
