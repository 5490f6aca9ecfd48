"""What the books allow may change while we work: it is known before anything else is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from counterfoil.postgres import Pool
from counterfoil.state.rows import ChangeRow, CompanyRow
from support.postgres import Database
from support.running import GIVE_UP_SECONDS, Shop, open_shop

CLOSED = {"AccountingInfoPrefs": {"BookCloseDate": "2026-12-31"}}


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        opened.sales.open(customers=1, products=1, orders=1)
        yield opened


async def knows_of_the_closing(shop: Shop) -> None:
    """Until the engine has read that the period is closed."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while True:
            row = await shop.store.one(CompanyRow, 1)
            if row is not None and row.closed_until == "2026-12-31":
                return
            await asyncio.sleep(0.1)


async def codes(shop: Shop) -> dict[str, str]:
    rows = await shop.store.some(ChangeRow, "changes_in", 1, "parked", 0, 100)
    return {row.record_key.rpartition(":")[2]: row.code for row in rows}


async def attempts(shop: Shop) -> int:
    """Writing calls that the emulator saw, refused ones too."""
    calls = (await shop.control("/calls?limit=10000"))["calls"]
    return sum(call["kind"] in {"create", "update", "batch"} for call in calls)


async def test_a_closed_period_is_learnt_from_quickbooks_notification(shop: Shop) -> None:
    async with shop.engine():
        await shop.until_done()
        before = await attempts(shop)
        await shop.control("/books/Preferences", {"operation": "update", "id": "1", "body": CLOSED})
        await knows_of_the_closing(shop)
        late = shop.sales.add_order()
        await shop.until_done()
    assert await codes(shop) == {late: "period_closed"}
    assert await attempts(shop) == before


async def test_a_closed_period_is_learnt_from_a_refusal(shop: Shop) -> None:
    async with shop.engine(webhooks=False):
        await shop.until_done()
        await shop.control("/preferences", CLOSED)
        first = shop.sales.add_order()
        await shop.until_done()
        await knows_of_the_closing(shop)
        before = await attempts(shop)
        second = shop.sales.add_order()
        await shop.until_done()
    assert await codes(shop) == {first: "6210", second: "period_closed"}
    assert await attempts(shop) == before
