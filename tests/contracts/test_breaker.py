"""A source that suddenly reports 40 % of its orders removed: the breaker holds the voids until a person approves."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.cli.opening import open_state
from counterfoil.cli.tasks.figures import held, with_remarks
from counterfoil.cli.tasks.status import status_of
from counterfoil.log import Append, NewEvent
from counterfoil.postgres import Pool
from counterfoil.settings import BreakerSettings
from counterfoil_schema.events.receipts import OperatorRequested
from support.postgres import Database
from support.running import Shop, company_settings, open_shop
from support.shelf import MAPPING
from support.waiting import until

pytestmark = pytest.mark.slow
VOIDING = MAPPING + '\n[invoice]\nremoved = "void"\n'
ORDERS = 40
REMOVED = 16


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        opened.sales.open(customers=3, products=2, orders=ORDERS)
        yield opened


async def voided(shop: Shop) -> int:
    found = (await shop.control("/state?entity=Invoice"))["Invoice"]
    return sum("Voided" in str(one.get("PrivateNote")) for one in found)


async def test_two_in_five_removed_wait_for_a_person_and_go_once_approved(shop: Shop) -> None:
    company = company_settings(shop.emulator, shop.folder, mapping=VOIDING)
    assert company.breaker == BreakerSettings(), "as it is where nobody configured it"
    settings = shop.settings(company)
    gone = [*shop.sales.orders][:REMOVED]
    async with shop.engine(settings) as engine:
        await shop.until_done()
        for order in gone:
            shop.sales.shelf.put("order", order, None)

        async def all_are_decided() -> bool:
            return len(await held(shop.store, 1)) + await voided(shop) == REMOVED

        await until(all_are_decided)
        assert await voided(shop) <= 5
        async with open_state(settings) as opened:
            waiting = await with_remarks(opened.reader, 1, await held(opened.store, 1))
            status = await status_of(opened, company)
        assert {(one.operation, one.entity, one.breaker) for one in waiting} == {("void", "Invoice", True)}
        assert all("of 40 Invoice documents of ours" in one.remark for one in waiting)
        assert status.held_by_breaker == len(waiting) == status.for_review

        asked = [OperatorRequested(action="approve", record_key=one.record_key, author="Ann") for one in waiting]
        await engine.log.append(Append(1, [NewEvent(one, record_key=one.record_key) for one in asked]))

        async def all_are_voided() -> bool:
            return await voided(shop) == REMOVED

        await until(all_are_voided)
        # Those count no more: a few others go as they would have gone before.
        more = [*shop.sales.orders][REMOVED : REMOVED + 2]
        for order in more:
            shop.sales.shelf.put("order", order, None)

        async def the_others_too() -> bool:
            return await voided(shop) == REMOVED + 2

        await until(the_others_too)
        await shop.until_done()
    await shop.check_state()


async def test_a_share_that_is_configured_holds_one_of_forty(shop: Shop) -> None:
    company = company_settings(shop.emulator, shop.folder, mapping=VOIDING).model_copy(
        update={"breaker": BreakerSettings(share=Decimal(0), documents=0)}
    )
    async with shop.engine(shop.settings(company)):
        await shop.until_done()
        shop.sales.shelf.put("order", next(iter(shop.sales.orders)), None)

        async def it_waits() -> bool:
            return len(await held(shop.store, 1)) == 1

        await until(it_waits)
        assert await voided(shop) == 0
