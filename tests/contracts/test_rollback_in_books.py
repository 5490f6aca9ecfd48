"""Pay runs reversed, closed periods left alone, updates given their earlier content, and what people did respected.

The engine stands between a shelf of records and the QuickBooks emulator; figures are the books' own report.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.dispatch.rollback.preview import Preview
from counterfoil.engine import Engine
from counterfoil.log import Append, NewEvent
from counterfoil.postgres import Pool
from counterfoil.state.rows import ChangeRow
from counterfoil_schema.events.receipts import OperatorRequested
from counterfoil_schema.events.rollbacks import RollbackScope
from support.postgres import Database
from support.rollbacks import BOUND_SECONDS, Rollbacks, difference, moved, told, trial_balance
from support.running import Shop, company_settings, open_shop
from support.shelf import MAPPING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PAYROLL = """
[payroll.accounts]
wages = "Wages"
employer_tax = "Payroll Taxes"
net_pay = "Checking"
tax_payment = "Checking"
"""
REVIEWED = '\n[post.pay_run]\npost = "auto"\n'
RUN = "shelf:hours:p1"


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        yield opened


def pay_run(day: str) -> dict[str, Any]:
    parts = {"wages": "5000.00", "employer_tax": "382.50", "net_pay": "4300.00", "tax_payment": "1082.50"}
    lines = [{"department": "Sales", "part": name, "amount": amount, "people": 5} for name, amount in parts.items()]
    return {
        "kind": "pay_run",
        "status": "processed",
        "processed": True,
        "check_date": day,
        "period_start": "2026-03-01",
        "period_end": "2026-03-14",
        "currency": "USD",
        "lines": lines,
    }


async def close_books(shop: Shop, day: str) -> None:
    await shop.control("/preferences", {"AccountingInfoPrefs": {"BookCloseDate": day}})


async def entries(shop: Shop) -> dict[str, dict[str, Any]]:
    held = (await shop.control("/state?entity=JournalEntry"))["JournalEntry"]
    return {one["DocNumber"]: one for one in held}


async def ask(engine: Engine, action: str, key: str) -> None:
    request = OperatorRequested.model_validate({"action": action, "record_key": key, "author": "Ann"})
    await engine.log.append(Append(1, [NewEvent(request, record_key=key)]))


async def state_of(shop: Shop, key: str) -> tuple[str, str]:
    changes = await shop.store.some(ChangeRow, "changes_of_record", 1, key)
    return changes[-1].state, changes[-1].code


def labels(preview: Preview) -> list[tuple[str, str, str | None]]:
    return [(one.action, one.label, one.dated) for one in preview.plan.steps]


async def test_a_pay_run_is_reversed_in_an_open_period_and_stays_in_a_closed_one(shop: Shop) -> None:
    settings = shop.settings(company_settings(shop.emulator, shop.folder, mapping=MAPPING + PAYROLL + REVIEWED))
    shop.sales.shelf.put("hours", "p1", pay_run("2026-03-20"))
    scope = RollbackScope(records=(RUN,))
    async with shop.engine(settings, webhooks=False) as engine:
        rollbacks = Rollbacks(engine)
        await shop.until_done()
        posted = trial_balance(shop.emulator)
        await close_books(shop, "2026-03-31")
        preview, _ = await rollbacks.preview(scope)
        assert told(preview) == {RUN: "reverse"}

        # The books were closed since and nobody here knows: QuickBooks refuses, nothing is dated elsewhere in silence.
        run = await rollbacks.apply(scope, *(await rollbacks.preview(scope)))
        (refused,) = await rollbacks.ended(run)
        assert (refused.state, refused.code) == ("parked", "6210")
        async with asyncio.timeout(BOUND_SECONDS):  # the refusal makes the engine look at the books' settings
            while told((await rollbacks.preview(scope))[0]) != {RUN: "period_closed"}:
                await asyncio.sleep(0.2)
        assert difference(trial_balance(shop.emulator), posted) == {}

        preview, policy = await rollbacks.preview(scope, dated=date(2026, 4, 1))
        ((_, number, dated),) = labels(preview)
        assert dated == "2026-04-01"
        run = await rollbacks.apply(scope, preview, policy)
        await shop.until_done()
        held = await entries(shop)
        reversal = next(one for name, one in held.items() if name.endswith("-RV"))
        assert reversal["TxnDate"] == "2026-04-01"
        assert reversal["PrivateNote"].startswith(f"Reversal of {number} of 2026-03-20.")
        assert difference(trial_balance(shop.emulator), posted) == moved_whole(preview)
        assert await state_of(shop, RUN) == ("skipped", "rolled_back")

        # Rolled back itself, the reversal is a rollback's own document: it is deleted.
        scope = RollbackScope(run=run)
        preview, policy = await rollbacks.preview(scope)
        assert [one.action for one in preview.plan.steps] == ["delete"]
        await rollbacks.apply(scope, preview, policy)
        await shop.until_done()
        assert difference(trial_balance(shop.emulator), posted) == {}
        assert await state_of(shop, RUN) == ("applied", "")
        await shop.check_state()


def moved_whole(preview: Preview) -> dict[str, Decimal]:
    found = moved(preview)
    assert found["Wages"] == Decimal("-5000.00")
    assert found["Checking"] == Decimal("5382.50")
    return found


async def test_updates_get_their_earlier_content_and_people_keep_theirs(shop: Shop) -> None:
    sales = shop.sales
    sales.open(customers=1, products=1, orders=3)
    first, second, third = sales.orders
    async with shop.engine() as engine:
        rollbacks = Rollbacks(engine)
        await shop.until_done()
        created = trial_balance(shop.emulator)
        since = engine.clock.now()
        for order in (first, second, third):
            sales.edit_order(order)
        await shop.until_done()
        before = trial_balance(shop.emulator)
        # A person adds a line to one, and changes our own line of another.
        touched = await shop.invoice(first)
        added = {**touched["Line"][0], "Amount": Decimal("1.00")}
        added.pop("Id")
        added["SalesItemLineDetail"] = {"ItemRef": added["SalesItemLineDetail"]["ItemRef"]}
        await shop.control("/books/Invoice", {"operation": "update", "id": touched["Id"], "add_lines": [added]})
        other = await shop.invoice(second)
        lines = [one for one in other["Line"] if one["DetailType"] == "SalesItemLineDetail"]
        lines[-1] = {**lines[-1], "Description": "agreed by phone"}
        change = {"operation": "update", "id": other["Id"], "body": {"Line": lines}}
        await shop.control("/books/Invoice", change)
        await shop.until_done()
        edited = trial_balance(shop.emulator)

        scope = RollbackScope(since=since)
        preview, policy = await rollbacks.preview(scope)
        keys = [f"shelf:order:{number}" for number in (first, second, third)]
        assert told(preview) == dict(zip(keys, ("restore", "edited", "restore"), strict=True))
        (kept,) = preview.plan.refusals
        assert "agreed by phone" in kept.reason
        await rollbacks.apply(scope, preview, policy)
        await shop.until_done()
        assert (await shop.invoice(third))["TotalAmt"] == _without_last(shop, third)
        assert (await shop.invoice(first))["TotalAmt"] == _without_last(shop, first) + Decimal("1.00")
        assert (await shop.invoice(second))["TotalAmt"] == other["TotalAmt"]
        assert difference(trial_balance(shop.emulator), edited) == moved(preview)
        assert created != before
        assert await state_of(shop, keys[2]) == ("skipped", "rolled_back")
        # What comes to be known of a record afterwards does not write it again.
        await ask(engine, "retry", keys[2])
        await shop.until_done()
        assert (await shop.invoice(third))["TotalAmt"] == sales.orders[third].total
        await shop.check_state()


def _without_last(shop: Shop, order: str) -> Decimal:
    """What an order came to before its last line was added."""
    lines = shop.sales.orders[order].lines[:-1]
    return sum(((quantity * price).quantize(Decimal("0.01")) for _, quantity, price in lines), Decimal(0))
