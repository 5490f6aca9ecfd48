"""A run's sales taken back in the books, as far as they can be; and the rollback taken back itself.

What accounts must come to is the books' own report; what must stay is worked out here.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.log import Append, NewEvent
from counterfoil.planning.rollback.messages import message_for
from counterfoil.postgres import Pool
from counterfoil.state.rows import ChangeRow
from counterfoil_schema.events.receipts import OperatorRequested
from counterfoil_schema.events.rollbacks import RollbackScope
from support.postgres import Database
from support.rollbacks import Rollbacks, difference, moved, send_invoice, told, trial_balance
from support.running import Shop, open_shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        yield opened


async def state_of(shop: Shop, key: str) -> tuple[str, str]:
    changes = await shop.store.some(ChangeRow, "changes_of_record", 1, key)
    return changes[-1].state, changes[-1].code


async def active(shop: Shop) -> dict[str, bool]:
    held = (await shop.control("/state?entity=Customer"))["Customer"]
    return {one["DisplayName"]: one["Active"] for one in held if one["DisplayName"].startswith("Customer c")}


async def test_all_of_it_comes_back_with_the_lists_first(shop: Shop) -> None:
    """Taken back whole, and that taken back by another process, which has read the names of active entries anew."""
    sales = shop.sales
    sales.add_customer()
    sales.add_product()
    number = sales.add_order("c1")
    scope = RollbackScope(source="shelf")
    async with shop.engine() as engine:
        await shop.until_done()
        before = trial_balance(shop.emulator)
        rollbacks = Rollbacks(engine)
        run = await rollbacks.apply(scope, *await rollbacks.preview(scope))
        await shop.until_done()
        assert await active(shop) == {"Customer c1": False}

    async with shop.engine() as engine:
        await shop.until_done()
        rollbacks = Rollbacks(engine)
        preview, policy = await rollbacks.preview(RollbackScope(run=run))
        total = sales.orders[number].total
        assert {one.action: one.amount for one in preview.plan.steps} == {"recreate": total, "restore": None}
        intents = await rollbacks.ended(await rollbacks.apply(RollbackScope(run=run), preview, policy))
        assert {one.state for one in intents} == {"accepted"}, [one for one in intents if one.state != "accepted"]
        await shop.until_done()
        assert (await shop.invoice(f"{number}-2"))["TotalAmt"] == total
        assert await active(shop) == {"Customer c1": True}
        assert trial_balance(shop.emulator) == before


async def test_a_run_is_taken_back_and_the_rollback_too(shop: Shop) -> None:
    sales = shop.sales
    sales.add_customer()
    sales.add_customer()
    sales.add_product()
    paid, edited = sales.add_order("c1"), sales.add_order("c1")
    sent, plain = sales.add_order("c2"), sales.add_order("c2")
    async with shop.engine() as engine:
        await shop.until_done()
        rollbacks = Rollbacks(engine)
        await shop.pay({paid: Decimal(10)})
        dated = {"operation": "update", "id": (await shop.invoice(edited))["Id"], "body": {"DueDate": "2026-05-01"}}
        await shop.control("/books/Invoice", dated)
        await asyncio.to_thread(send_invoice, shop.emulator, (await shop.invoice(sent))["Id"])
        await shop.until_done()
        before = trial_balance(shop.emulator)

        scope = RollbackScope(source="shelf")
        preview, policy = await rollbacks.preview(scope)
        assert told(preview) == {
            f"shelf:order:{paid}": "payment_applied",
            f"shelf:order:{edited}": "edited",
            f"shelf:order:{sent}": "void",
            f"shelf:order:{plain}": "void",
            "shelf:customer:c1": "used_by_others",
            "shelf:customer:c2": "inactivate",
            "shelf:product:p1": "used_by_others",
        }
        assert [one.label for one in preview.plan.steps if message_for(one)] == [f"Invoice {sent}"]
        run = await rollbacks.apply(scope, preview, policy)
        await shop.until_done()
        assert difference(trial_balance(shop.emulator), before) == moved(preview)
        assert await active(shop) == {"Customer c1": True, "Customer c2": False}
        assert await state_of(shop, f"shelf:order:{plain}") == ("skipped", "rolled_back")
        assert await state_of(shop, f"shelf:order:{paid}") == ("applied", "")

        # The same record with other content waits for a person, who may bring it back.
        sales.edit_order(sent)
        await shop.until_done()
        assert await state_of(shop, f"shelf:order:{sent}") == ("parked", "rolled_back")
        for key in ("shelf:customer:c2", f"shelf:order:{sent}"):
            request = OperatorRequested(action="retry", record_key=key, author="Ann")
            await engine.log.append(Append(1, [NewEvent(request, record_key=key)]))
            await shop.until_done()
        assert await state_of(shop, f"shelf:order:{sent}") == ("applied", "")
        assert (await shop.invoice(f"{sent}-2"))["TotalAmt"] == sales.orders[sent].total
        assert await active(shop) == {"Customer c1": True, "Customer c2": True}

        again, policy = await rollbacks.preview(RollbackScope(run=run))
        await rollbacks.apply(RollbackScope(run=run), again, policy)
        await shop.until_done()
        assert (await shop.invoice(f"{plain}-2"))["TotalAmt"] == sales.orders[plain].total
        assert await state_of(shop, f"shelf:order:{plain}") == ("applied", "")
        assert await active(shop) == {"Customer c1": True, "Customer c2": True}
        await shop.check_state()
