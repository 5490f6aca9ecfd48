"""Two customers made one by a person: both sides are read, and what went is known to be gone."""

from pathlib import Path

import pytest

from counterfoil.postgres import Pool
from counterfoil.state.rows import DocumentRow
from support.postgres import Database
from support.running import open_shop


async def test_a_merged_customer_is_known_to_be_gone(
    database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=2, products=1, orders=2)
        async with shop.engine():
            await shop.until_done()
            customers = (await shop.control("/state?entity=Customer"))["Customer"]
            gone, kept = customers[0]["Id"], customers[1]["Id"]
            await shop.control("/books/Customer", {"operation": "merge", "id": gone, "into": kept})
            await shop.until_done()
        rows = {one: await shop.store.one(DocumentRow, 1, "Customer", one) for one in (gone, kept)}
        assert {one: row.status for one, row in rows.items() if row is not None} == {gone: "deleted", kept: "live"}
        await shop.check_state()
