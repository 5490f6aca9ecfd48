"""A whole engine between a source and the QuickBooks emulator: what goes wrong on the way changes no figure."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.dispatch.session import Session
from counterfoil.log import Append, Appended, Guard, NewEvent
from counterfoil.postgres import Pool
from counterfoil.state.rows import ChangeRow
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import IntentPlanned
from support.audit import assert_books_hold
from support.postgres import Database
from support.quickbooks_emulator import emulator_process
from support.running import Shop, company_settings, open_shop
from support.sales import Sales
from support.shelf import Shelf

CENTS = Decimal("0.01")


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        opened.sales.open(customers=3, products=2, orders=6)
        yield opened


FAULTS: dict[str, list[dict[str, Any]]] = {
    "answers lost after the effect": [
        {"kind": "lost_answer", "entity": "Customer", "operation": "create", "count": 2},
        {"kind": "lost_answer", "batch": True, "count": 1},
    ],
    "an effect after our time-out": [{"kind": "late_effect", "batch": True, "seconds": Decimal("0.5"), "count": 1}],
    "errors of the server": [
        {"kind": "server_error", "entity": "Item", "operation": "create", "count": 2},
        {"kind": "server_error", "batch": True, "effect": True, "count": 1},
    ],
    "a gateway's page": [{"kind": "html_error", "batch": True, "count": 1}],
    "an answer slower than our patience": [{"kind": "slow", "batch": True, "seconds": Decimal("2.5"), "count": 1}],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_faults_change_no_figure(shop: Shop, faults: list[dict[str, Any]]) -> None:
    await shop.control("/faults", faults)
    async with shop.engine():
        await shop.until_done()
    fired = (await shop.control("/faults"))["faults"]
    assert [rule["fired"] for rule in fired] == [fault["count"] for fault in faults]
    await shop.check()


async def test_what_is_overtaken_between_plan_and_append_is_not_decided(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer state of the record that comes in that moment refuses the decision; nothing is planned of the older."""
    overtaken: list[int] = []
    decide_each = Session.decide_each

    async def late(
        session: Session, events: Sequence[tuple[Event, str | None]], *, guard: Guard | None = None
    ) -> Appended:
        plan = next((one for one, _ in events if isinstance(one, IntentPlanned) and one.entity == "Invoice"), None)
        if plan is not None and not overtaken:
            overtaken.append(plan.change)
            observed = await (await engine.reader.get_many(1, [plan.change]))[0].event()
            newer = observed.model_copy(update={"content_hash": "another"})
            await session.receive([NewEvent(event=newer, record_key=plan.record_key)])
        return await decide_each(session, events, guard=guard)

    monkeypatch.setattr(Session, "decide_each", late)
    async with shop.engine() as engine:
        await shop.until_done()
    (position,) = overtaken
    change = await shop.store.one(ChangeRow, 1, str(position))
    assert change is not None
    assert (change.state, change.code, dict(change.intents)) == ("skipped", "superseded", {})
    await shop.check()


async def test_a_stale_object_is_read_afresh(shop: Shop) -> None:
    async with shop.engine():
        await shop.until_done()
        await shop.control("/faults", {"kind": "stale", "entity": "Invoice", "operation": "update"})
        shop.sales.edit_order("1001")
        shop.sales.edit_order("1001")
        await shop.until_done()
    await shop.check()


async def test_a_second_sync_writes_nothing(shop: Shop) -> None:
    async with shop.engine():
        await shop.until_done()
    before = (await shop.control("/journal"))["total"]
    async with shop.engine():
        await shop.until_done()
    assert (await shop.control("/journal"))["total"] == before


async def test_money_in_the_books_reaches_the_source(shop: Shop) -> None:
    """Partial, full, too much, one payment on three invoices, and a payment that is deleted again."""
    sales = shop.sales
    numbers = [sales.add_order("c1") for _ in range(6)]
    total = {number: sales.orders[number].total for number in numbers}
    partial, full, over, *three = numbers
    async with shop.engine():
        await shop.until_done()
        await shop.pay({partial: Decimal("0.75")})
        await shop.pay({full: total[full]})
        await shop.pay({over: total[over]}, total=total[over] + 30)
        together = await shop.pay({number: total[number] - CENTS for number in three})
        await shop.until_done()
        assert [(await shop.values(number))["state"] for number in numbers] == [
            "partial",
            "paid",
            "overpaid",
            *["partial"] * 3,
        ]
        assert [(await shop.values(number))["paid"] for number in (partial, full)] == ["0.75", f"{total[full]:.2f}"]
        assert (await shop.values(over))["over"] == "30.00"
        assert [(await shop.values(number))["open"] for number in three] == ["0.01"] * 3
        await shop.control("/books/Payment", {"operation": "delete", "id": together})
        await shop.until_done()
    for number in three:
        values = await shop.values(number)
        assert (values["state"], values["paid"], values["open"]) == ("open", "0.00", f"{total[number]:.2f}")
    await shop.check()


async def test_a_balance_settled_by_a_credit_memo_is_not_paid(shop: Shop) -> None:
    async with shop.engine():
        await shop.until_done()
        invoice = await shop.invoice("1001")
        amount, customer = shop.sales.orders["1001"].total, invoice["CustomerRef"]["value"]
        line = {
            "Amount": amount,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
        }
        memo = await shop.enter("CreditMemo", {"CustomerRef": {"value": customer}, "Line": [line]})
        ties = [(invoice["Id"], "Invoice"), (memo["Id"], "CreditMemo")]
        lines = [{"Amount": amount, "LinkedTxn": [{"TxnId": one, "TxnType": kind}]} for one, kind in ties]
        payment = {"CustomerRef": {"value": customer}, "TotalAmt": 0, "Line": lines}
        await shop.enter("Payment", payment)
        await shop.until_done()
    values = await shop.values("1001")
    assert (values["state"], values["paid"], values["open"]) == ("credited", "0.00", "0.00")


async def test_an_edit_and_an_echo_in_one_reading(shop: Shop) -> None:
    """A bookkeeper adds a line; the source then changes the order: both stand in the books."""
    async with shop.engine():
        await shop.until_done()
        invoice = await shop.invoice("1001")
        line = {"Amount": 7, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
        await shop.control("/books/Invoice", {"operation": "update", "id": invoice["Id"], "add_lines": [line]})
        shop.sales.edit_order("1001")
        await shop.until_done()
    kept = (await shop.invoice("1001"))["TotalAmt"]
    assert Decimal(str(kept)) == shop.sales.orders["1001"].total + 7


@pytest.mark.parametrize("kind", ["drop_webhook", "double_webhook"])
async def test_webhooks_lost_or_doubled(shop: Shop, kind: str) -> None:
    await shop.control("/faults", {"kind": kind, "count": None})
    async with shop.engine():
        await shop.until_done()
        await shop.pay({"1001": Decimal("0.50")})
        await shop.until_done()
    assert (await shop.values("1001"))["paid"] == "0.50"
    assert [line for number, line in shop.sales.shelf.written() if number == "1001"][-1]["state"] == "partial"
    await shop.check()


async def test_other_books_than_before_are_not_written_into(shop: Shop) -> None:
    async with shop.engine():
        await shop.until_done()
    before = (await shop.control("/journal"))["total"]
    company = company_settings(shop.emulator, shop.folder)
    other = company.model_copy(
        update={"quickbooks": company.quickbooks.model_copy(update={"realm_id": "9130000000000000"})}
    )
    shop.sales.add_order()
    async with shop.engine(shop.settings(other)) as engine:
        runner = engine.runners[1]
        async with asyncio.timeout(30):
            while runner.state != "stopped":
                await asyncio.sleep(0.1)
        assert "pinned to QuickBooks realm" in runner.error
    assert (await shop.control("/journal"))["total"] == before
    async with shop.engine():
        await shop.until_done()
    await shop.check()


class MoonLanded(Event):
    """An event that no release can fold."""

    event_type = "moon.landed"
    when = "Never."


async def test_a_poisoned_event_stops_one_company_and_no_other(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    second = Sales(Shelf(folder), seed=2)
    with emulator_process("--limits", "off") as emulator:
        companies = company_settings(shop.emulator, shop.folder), company_settings(emulator, folder, company=2)
        async with shop.engine(shop.settings(*companies), webhooks=False) as engine:
            await shop.until_done()
            await engine.log.append(Append(1, [NewEvent(event=MoonLanded())]))
            async with asyncio.timeout(30):
                while engine.runners[1].state != "stopped":
                    await asyncio.sleep(0.1)
            assert "moon.landed" in engine.runners[1].error
            second.open(customers=1, products=1, orders=2)
            await shop.until_done(company=2, shelf=second.shelf)
            health = await engine.health()
            assert [one["projection"] for one in health["companies"]] == ["stopped", "running"]
            assert not health["ready"]
        assert_books_hold(second, emulator.control("/journal"), emulator.control("/totals"))
