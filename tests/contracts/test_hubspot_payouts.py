"""What HubSpot's processor kept, and what reached the bank: from commerce payments to a deposit in the books."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.sources.port import Seen, Unreadable
from counterfoil_adapters.hubspot.normalise import Rules
from counterfoil_adapters.hubspot.payments import PaymentParts
from counterfoil_adapters.hubspot.payouts import payout_change
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Payout, PayoutPart
from support.between import at_work, documents, source_settings
from support.hubspot import Account, account, company, flat, invoice, line_item, link, pages, payment
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

MAPPING = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["company"]

[invoice]
from = ["invoice"]
catch_all = "Services"

[payment]
from = ["payment"]

[payout]
from = ["payout"]
account = "Checking"
fee_account = "Office Expenses"
"""
READ = {
    "connection": {"zone": "America/New_York"},
    "payment": {"from": ["payment"]},
    "payout": {"from": ["payout"]},
}
PAID_OUT = "2026-11-05T02:00:00Z"  # 9 in the evening of the 4th in New York
BOUND_SECONDS = 120.0


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


async def test_a_payment_that_is_paid_out_says_what_was_kept(held: Account) -> None:
    out = {"hs_payout_date": PAID_OUT}
    await held.load(
        companies=[company(1)],
        commerce_payments=[
            payment(51, "60.00", hs_fees_amount="2.04", **out),
            payment(
                52,
                "60.00",
                hs_fees_amount="2.04",
                hs_platform_fee="0.30",
                hs_refunds_amount="10.00",
                hs_net_amount="47.66",
                **out,
            ),
            payment(53, "60.00", hs_fees_amount="2.04"),
            payment(54, "60.00", hs_latest_status="disputed_lost", hs_fees_amount="2.04", **out),
            payment(55, "60.00", **out),
            payment(56, "60.00", hs_fees_amount="2.04", hs_settlement_currency_code="EUR", **out),
        ],
        associations=[link("commerce_payments", number, "companies", 1) for number in range(51, 57)],
    )
    source = held.source(mapping=READ)
    found = {one.source_id: one for one in flat(await pages(source, "payout"))}
    records = {number: one.record for number, one in found.items() if isinstance(one, Seen)}
    whole = Payout(
        dated=date(2026, 11, 4),
        currency="USD",
        amount=Decimal("57.96"),
        fee=Decimal("2.04"),
        parts=(PayoutPart(part_of="hubspot:payment:51", amount=Decimal("60.00")),),
    )
    assert records == {
        "51": whole,
        "52": whole.model_copy(
            update={
                "amount": Decimal("57.66"),
                "fee": Decimal("2.34"),
                "parts": (PayoutPart(part_of="hubspot:payment:52", amount=Decimal("60.00")),),
            }
        ),
    }
    problems = {number: one.problem for number, one in found.items() if isinstance(one, Unreadable)}
    assert problems == {
        "55": "The payment 55 has no usable hs_fees_amount.",
        "56": "The payment 56 was made in USD and paid out in EUR.",
    }
    told = [(one.kind, one.source_id) for one in await source.read("payment", "51")]
    assert told == [("company", "1"), ("payment", "51"), ("payout", "51")]


@pytest.mark.parametrize(
    ("net", "fee"),
    [("57.96", "2.04"), ("57.66", "2.34"), (None, "2.04"), ("57.00", None)],
    ids=["fee", "with the platform's", "not stated", "neither"],
)
def test_a_net_amount_that_the_fees_do_not_explain_is_not_believed(net: str | None, fee: str | None) -> None:
    properties: JsonObject = {
        "hs_initial_amount": "60.00",
        "hs_currency_code": "USD",
        "hs_payout_date": PAID_OUT,
        "hs_fees_amount": "2.04",
        "hs_platform_fee": "0.30",
        "hs_net_amount": net,
    }
    change = payout_change(Rules("hubspot"), PaymentParts({"id": "51", "properties": properties}))
    if fee is None:
        assert isinstance(change, Unreadable)
        assert change.problem == "Of the payment 51, 3.00 was kept by its net amount, but its fee is 2.04."
        return
    assert isinstance(change, Seen)
    assert isinstance(change.record, Payout)
    assert change.record.fee == Decimal(fee)
    assert change.record.amount + change.record.fee == Decimal("60.00")


async def test_a_payout_is_one_deposit_of_the_payment_less_the_fee(database: Database, tmp_path: Path) -> None:
    with emulator_process("--limits", "off") as books:
        item = {"Name": "Services", "Type": "Service", "IncomeAccountRef": {"value": "1"}}
        books.control("/books/Item", {"body": item})
        async with account() as held:
            await held.load(
                companies=[company(1)],
                invoices=[invoice(41, hs_amount_billed="60.00")],
                commerce_payments=[payment(51, "60.00", hs_fees_amount="2.04", hs_payout_date=PAID_OUT)],
                line_items=[line_item(9, "60.00")],
                associations=[
                    link("invoices", 41, "companies", 1),
                    link("invoices", 41, "line_items", 9),
                    link("commerce_payments", 51, "invoices", 41),
                ],
            )
            source = source_settings("hubspot", MAPPING, held.settings(timeout_seconds=30))
            async with at_work(database, tmp_path, books, source), asyncio.timeout(BOUND_SECONDS):
                deposits: dict[str, Any] = {}
                while not deposits:
                    await asyncio.sleep(0.2)
                    deposits = await documents(books, "Deposit")
        (deposit,) = deposits.values()
        (paid,) = (await documents(books, "Payment")).values()
        assert (deposit["TxnDate"], Decimal(str(deposit["TotalAmt"]))) == ("2026-11-04", Decimal("57.96"))
        linked, kept = deposit["Line"]
        assert [one["TxnId"] for one in linked["LinkedTxn"]] == [paid["Id"]]
        assert [Decimal(str(one["Amount"])) for one in (linked, kept)] == [Decimal("60.00"), Decimal("-2.04")]
        assert kept["DepositLineDetail"]["AccountRef"]["name"] == "Office Expenses"
