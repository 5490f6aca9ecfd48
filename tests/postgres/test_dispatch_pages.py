"""What may go out is asked for side by side: a source that takes its time keeps nothing from the books."""

import pytest

from counterfoil.postgres import Pool
from counterfoil.state.rows import IntentRow
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.stories import observed, planned


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


async def test_each_side_has_a_page_of_its_own(dispatcher: Dispatcher) -> None:
    for number in range(5):
        change = await dispatcher.write(observed(f"told {number}"))
        record = f"shop:order:told {number}"
        await dispatcher.write(
            planned(change, record, f"back {number}", target="shop", entity="order", operation="write_back")
        )
    change = await dispatcher.write(observed("new"))
    await dispatcher.write(planned(change, "shop:order:new", "ours", lane="backfill"))

    async def page(books: bool | None, limit: int) -> list[str]:
        rows = await dispatcher.store.some(IntentRow, "ready_for", COMPANY, books, limit)
        return [row.intent_id for row in rows]

    assert await page(True, 1) == ["ours"]
    assert await page(False, 3) == ["back 0", "back 1", "back 2"]
    assert len(await page(False, 100)) == 5
    assert len(await page(None, 100)) == 6
