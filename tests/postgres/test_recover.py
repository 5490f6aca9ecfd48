"""Back up, run on, restore, resume: nothing is sent until the log is recovered; nothing is doubled or lost."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from counterfoil.cli.tasks.recover import Wish, recover
from counterfoil.postgres import Pool, create_pool
from counterfoil.settings import AnchorSettings, Settings
from support.backups import back_up, needs_own_programs, restored
from support.postgres import Database, Server
from support.running import Shop, open_shop

KEY = SecretStr(base64.b64encode(b"the anchors' key of this one test").decode())
WISH = Wish(
    reason="disk failure",
    author="Ann",
    dry_run=False,
    anchor=None,
    key="",
    anyway=False,
    since=None,
    sources=True,
    as_json=True,
)


def anchored(shop: Shop) -> Settings:
    """The shop's engine, which anchors its log outside."""
    anchor = AnchorSettings(file=shop.folder / "anchor.json", key=KEY)
    return shop.settings().model_copy(update={"anchor": anchor})


async def run_on(shop: Shop) -> None:
    """Work until all is done; anchored at shutdown."""
    async with shop.engine(anchored(shop)):
        await shop.until_done()


@asynccontextmanager
async def put_back(shop: Shop, server: Server, dump: Path) -> AsyncIterator[Shop]:
    """The same shop on a database into which the backup was restored."""
    async with restored(server, dump) as database:
        pool = await create_pool(database.engine_dsn, database.names, application_name="restored")
        try:
            yield replace(shop, database=database, pool=pool)
        finally:
            await pool.close()


async def effects(shop: Shop) -> int:
    return int((await shop.control("/journal"))["total"])


async def refused(shop: Shop) -> str:
    """Start the engine; why it sends nothing."""
    async with shop.engine(anchored(shop)) as engine, asyncio.timeout(60):
        while engine.runners[1].state != "recovering":
            await asyncio.sleep(0.05)
        return engine.runners[1].error


@dataclass
class Told:
    """What the command printed."""

    code: int
    company: dict[str, Any]


async def test_nothing_is_doubled_or_lost_after_an_older_backup_was_restored(
    postgres_server: Server,
    database: Database,
    pool: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    needs_own_programs()
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        sales = shop.sales
        sales.open(customers=3, products=2, orders=10)
        await run_on(shop)
        await back_up(database, tmp_path / "books.dump")

        customer = sales.add_customer()
        sales.add_product()
        fresh = [sales.add_order(customer) for _ in range(5)]
        for number in ("1001", "1002"):
            sales.edit_order(number)
        await run_on(shop)
        sales.edit_order(fresh[0])
        await shop.pay({"1003": Decimal("1.00")})
        sales.orders["1003"].paid += Decimal("1.00")
        await run_on(shop)
        sent = await effects(shop)
        sales.edit_order(fresh[1])
        sales.add_order(customer)

        async with put_back(shop, postgres_server, tmp_path / "books.dump") as again:
            why = await refused(again)
            assert "counterfoil recover --company 1" in why
            assert await effects(again) == sent
            capsys.readouterr()
            assert await recover(anchored(again), replace(WISH, dry_run=True)) == 1
            assert await recover(anchored(again), WISH) == 0
            assert await effects(again) == sent
            async with again.engine(anchored(again)):
                await again.until_done()
            await again.check()
            assert await recover(anchored(again), WISH) == 0
