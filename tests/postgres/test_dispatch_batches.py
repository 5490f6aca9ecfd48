"""A company that takes ten items in a batch: nothing parks, nothing doubles, and it is learned once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.clock import SystemClock
from counterfoil.dispatch.batch_size import BatchSize
from counterfoil.postgres import Pool
from counterfoil.state.store import PostgresStateStore
from support.postgres import Database
from support.running import Shop, open_shop


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch, "--batch-items", "10") as opened:
        opened.sales.open(customers=2, products=2, orders=45)
        yield opened


async def batches(shop: Shop) -> list[tuple[int, int]]:
    """Items and status of each batch so far."""
    calls: list[dict[str, Any]] = (await shop.control("/calls"))["calls"]
    return [(call["items"], call["status"]) for call in calls if call["kind"] == "batch"]


async def test_a_company_that_takes_ten_items_is_sent_tens(shop: Shop) -> None:
    async with shop.engine():
        await shop.until_done()
    await shop.check()
    first = await batches(shop)
    refused = [items for items, status in first if status == 400]
    assert refused
    assert all(items > 10 for items in refused)
    # How many are ready together varies; the next smaller size would have been five.
    assert 5 < max(items for items, status in first if status == 200) <= 10

    # Another life of the engine, with as much to do, knows from the beginning.
    for _ in range(25):
        shop.sales.add_order()
    async with shop.engine():
        await shop.until_done()
    await shop.check()
    later = (await batches(shop))[len(first) :]
    assert later
    assert {status for _, status in later} == {200}


async def test_what_is_learned_shrinks_step_by_step_and_lasts(database: Database, pool: Pool) -> None:
    def opened() -> BatchSize:
        return BatchSize(company=1, store=PostgresStateStore(pool, database.names), clock=SystemClock())

    size = opened()
    assert await size.items_max() == 30
    for refused, expected in ((30, 10), (17, 10), (10, 5), (5, 2), (2, 1), (1, 1), (30, 1)):
        await size.refused(refused)
        assert await size.items_max() == expected
        assert await opened().items_max() == expected
