"""What the books show of our own doing is told from what people did, with a whole engine at work."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.engine import Engine
from counterfoil.postgres import Pool
from support.audit import outcomes_of
from support.postgres import Database
from support.running import Shop, company_settings, open_shop
from support.sales import ZONE_DATE

ORDER = "1001"


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        opened.sales.open(customers=1, products=1, orders=1)
        yield opened


async def codes(shop: Shop) -> set[str]:
    """Why changes are as they are."""
    return {code for _, code in await outcomes_of(shop.pool, shop.database.names)}


async def events(engine: Engine, kind: str) -> list[tuple[int, dict[str, Any]]]:
    """Positions and bodies of one type of event."""
    return [(one.position, dict(one.light())) async for one in engine.reader.stream(1) if one.event_type == kind]


async def test_our_own_payment_bumps_the_invoice_s_token_and_is_nobody_s_edit(shop: Shop) -> None:
    amount, customer = shop.sales.orders[ORDER].total, shop.sales.orders[ORDER].customer
    payment = {
        "kind": "payment",
        "customer": f"shelf:customer:{customer}",
        "dated": ZONE_DATE,
        "currency": "USD",
        "amount": str(amount),
        "applied": [{"invoice": f"shelf:order:{ORDER}", "amount": str(amount)}],
    }
    async with shop.engine():
        await shop.until_done()
        created = await shop.invoice(ORDER)
        shop.sales.shelf.put("payment", "m1", payment)
        await shop.until_done()
        paid = await shop.invoice(ORDER)
        assert int(paid["SyncToken"]) > int(created["SyncToken"])
        assert (await shop.values(ORDER))["state"] == "paid"
        assert "edited-in-books" not in await codes(shop)
        # What the source then changes builds on the token that our payment left.
        shop.sales.edit_order(ORDER)
        await shop.until_done()
    shown = await shop.values(ORDER)
    left = shop.sales.orders[ORDER].total - amount
    assert (shown["state"], shown["paid"], shown["open"]) == ("partial", f"{amount:.2f}", f"{left:.2f}")
    assert {"edited-in-books", "not-ours"}.isdisjoint(await codes(shop))
    await shop.check()


async def test_a_webhook_before_our_own_answer_is_no_stranger_s_invoice(shop: Shop) -> None:
    """The books create the invoice and tell of it, while the answer to our call is still awaited."""
    async with shop.engine() as engine:
        await shop.until_done()
        fault = {"kind": "lost_answer", "entity": "Invoice", "operation": "create", "hold_seconds": Decimal("1.5")}
        await shop.control("/faults", fault)
        number = shop.sales.add_order()
        await shop.until_done()
        invoice = (await shop.invoice(number))["Id"]
        seen = [at for at, body in await events(engine, "books.observed") if body["document_id"] == invoice]
        accepted = [at for at, body in await events(engine, "intent.accepted") if body["document_id"] == invoice]
    assert seen[0] < accepted[0], "it was seen before its answer was known"
    assert {"edited-in-books", "not-ours"}.isdisjoint(await codes(shop))
    await shop.check()


async def test_an_edit_is_seen_although_the_same_reading_shows_our_own_write(shop: Shop) -> None:
    """The first engine writes and reads nothing afterwards; what the second one reads first is both."""
    blind = shop.settings(company_settings(shop.emulator, shop.folder, sweep_seconds=3_600))
    async with shop.engine(blind, webhooks=False) as engine:
        while not await about_the_order(engine, "intent.accepted"):
            await engine.clock.sleep(0.2)
    invoice = await shop.invoice(ORDER)
    moved = {"operation": "update", "id": invoice["Id"], "body": {"TxnDate": "2026-03-31"}}
    await shop.control("/books/Invoice", moved)
    async with shop.engine() as engine:
        await shop.until_done()
        (seen,) = await about_the_order(engine, "books.observed", f"quickbooks:Invoice:{invoice['Id']}")
        assert seen["sync_token"] == "1"
        *_, told = await about_the_order(engine, "intent.planned")
        assert (told["operation"], told["remark"]) == (
            "write_back",
            "Edited in QuickBooks (TxnDate); the edit is kept.",
        )
    assert (await shop.values(ORDER))["state"] == "open", "our own write was told to the source"
    assert (await shop.invoice(ORDER))["TxnDate"] == "2026-03-31"


async def about_the_order(engine: Engine, kind: str, key: str = f"shelf:order:{ORDER}") -> list[dict[str, Any]]:
    """Bodies of one type of event about the order or its invoice."""
    found = [one async for one in engine.reader.stream(1) if (one.event_type, one.record_key) == (kind, key)]
    return [dict(one.light()) for one in found]
