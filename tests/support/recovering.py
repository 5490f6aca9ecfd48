"""A shop whose database is restored from an older backup, for tests of what the engine makes of that."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from counterfoil.cli.tasks.recover import Wish
from counterfoil.postgres import create_pool
from counterfoil.settings import AnchorSettings, Settings
from support.backups import restored
from support.postgres import Server
from support.running import Shop, company_settings
from support.shelf import MAPPING

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
    left_out=(),
    as_json=True,
)


def anchored(shop: Shop, mapping: str = "") -> Settings:
    """The shop's engine, which anchors its log outside."""
    anchor = AnchorSettings(file=shop.folder / "anchor.json", key=KEY)
    company = company_settings(shop.emulator, shop.folder, mapping=MAPPING + mapping)
    return shop.settings(company).model_copy(update={"anchor": anchor})


async def run_on(shop: Shop, mapping: str = "") -> None:
    """Work until all is done; anchored at shutdown."""
    async with shop.engine(anchored(shop, mapping)):
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
    """How often the books were changed, by whomever."""
    return int((await shop.control("/journal"))["total"])


async def documents(shop: Shop, entity: str) -> list[dict[str, Any]]:
    """All of an entity that the books hold."""
    held: list[dict[str, Any]] = (await shop.control(f"/state?entity={entity}"))[entity]
    return held
