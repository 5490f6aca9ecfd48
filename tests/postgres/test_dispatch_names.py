"""Names that a mapping uses: an account entered late, an item of our own, a name that another party bears."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from counterfoil.dispatch.books import Item, Wanted
from counterfoil.engine import Engine
from counterfoil.log import Append, NewEvent
from counterfoil.postgres import Pool
from counterfoil.settings import Settings
from counterfoil_schema.events.receipts import OperatorRequested
from counterfoil_schema.exact_json import JsonObject
from support.postgres import Database
from support.running import Shop, company_settings, open_shop
from support.shelf import MAPPING

CATCH_ALL = '[invoice]\nno_lines = "one_line"\ncatch_all = "Consulting"\n'


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        yield opened


def mapped(shop: Shop, mapping: str) -> Settings:
    """Settings with another mapping."""
    company = company_settings(shop.emulator, shop.folder)
    source = company.sources["shelf"].model_copy(update={"mapping": mapping})
    return shop.settings(company.model_copy(update={"sources": {"shelf": source}}))


async def parked(shop: Shop) -> dict[str, str]:
    """Parked changes: record and reason."""
    rows = await shop.pool.fetch(
        "select record_key, code, reason from counterfoil_state.changes where company = 1 and state = 'parked'"
    )
    return {row["record_key"]: f"{row['code']}: {row['reason']}" for row in rows}


async def retry(engine: Engine, record_key: str) -> None:
    asked = OperatorRequested(action="retry", record_key=record_key, author="Ann")
    await engine.log.append(Append(1, [NewEvent(event=asked, record_key=record_key)]))


async def test_an_account_that_is_entered_late_is_found_by_the_retry(shop: Shop) -> None:
    """Names are known since the start: whoever enters one because a record was parked need not restart anything."""
    shop.sales.add_product()
    settings = mapped(shop, MAPPING.replace("Sales of Product Income", "Lectures"))
    async with shop.engine(settings) as engine:
        await shop.until_done()
        assert "Lectures" in (await parked(shop))["shelf:product:p1"]
        await shop.enter("Account", {"Name": "Lectures", "AccountType": "Income"})
        await retry(engine, "shelf:product:p1")
        await shop.until_done()
    assert await parked(shop) == {}
    (item,) = [one for one in (await shop.control("/state?entity=Item"))["Item"] if one["Name"] == "Product p1"]
    assert item["IncomeAccountRef"]["value"]


def order_without_lines(shop: Shop, source_id: str) -> None:
    """An order of one sum, which goes to the item that the mapping names."""
    record = {
        "kind": "invoice",
        "customer": "shelf:customer:c1",
        "number": source_id,
        "status": "won",
        "won": True,
        "dated": "2026-03-14",
        "currency": "USD",
        "stated_total": "12.50",
        "lines": [],
    }
    shop.sales.shelf.put("order", source_id, record)


async def invoices(shop: Shop) -> list[str]:
    return sorted(one["DocNumber"] for one in (await shop.control("/state?entity=Invoice")).get("Invoice", []))


async def item(shop: Shop, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = (await shop.control("/state?entity=Item"))["Item"]
    return next(one for one in found if one["Name"] == name)


async def test_an_item_of_our_own_that_was_made_inactive_parks_until_it_is_back(shop: Shop) -> None:
    shop.sales.add_customer()
    order_without_lines(shop, "9001")
    async with shop.engine(mapped(shop, MAPPING + CATCH_ALL)) as engine:
        await shop.until_done()
        assert await invoices(shop) == ["9001"]
        consulting = (await item(shop, "Consulting"))["Id"]
        await shop.control("/books/Item", {"operation": "update", "id": consulting, "body": {"Active": False}})
        await shop.until_done()
    async with shop.engine(mapped(shop, MAPPING + CATCH_ALL)) as engine:
        order_without_lines(shop, "9002")
        await shop.until_done()
        assert "Consulting" in (await parked(shop))["shelf:order:9002"]
        await shop.control("/books/Item", {"operation": "update", "id": consulting, "body": {"Active": True}})
        await retry(engine, "shelf:order:9002")
        await shop.until_done()
    assert await parked(shop) == {}
    assert await invoices(shop) == ["9001", "9002"]


async def test_an_item_of_our_own_that_was_refused_is_made_by_the_retry(shop: Shop) -> None:
    shop.sales.add_customer()
    order_without_lines(shop, "9001")
    mapping = (MAPPING + CATCH_ALL).replace("Sales of Product Income", "Lectures")
    async with shop.engine(mapped(shop, mapping)) as engine:
        async with asyncio.timeout(60):
            while "Lectures" not in (await parked(shop)).get("shelf:order:9001", ""):
                await asyncio.sleep(0.1)
        await shop.enter("Account", {"Name": "Lectures", "AccountType": "Income"})
        await retry(engine, "shelf:order:9001")
        await shop.until_done()
    assert await parked(shop) == {}
    assert await invoices(shop) == ["9001"]


async def test_what_goes_there_and_back_again_arrives(shop: Shop) -> None:
    """A person enters the same change as the source: nothing is sent. When the source goes back, the books follow."""
    shop.sales.open(customers=1, products=1, orders=0)
    first = {"kind": "customer", "name": "Customer c1", "currency": "USD"}
    async with shop.engine():
        await shop.until_done()
        (customer,) = [
            one
            for one in (await shop.control("/state?entity=Customer"))["Customer"]
            if one["DisplayName"] == "Customer c1"
        ]
        change = {"operation": "update", "id": customer["Id"], "body": {"DisplayName": "Customer One"}}
        await shop.control("/books/Customer", change)
        await shop.until_done()
        before = (await shop.control("/journal"))["total"]
        shop.sales.shelf.put("customer", "c1", {**first, "name": "Customer One"})
        await shop.until_done()
        assert (await shop.control("/journal"))["total"] == before
        shop.sales.shelf.put("customer", "c1", first)
        await shop.until_done()
    (named,) = [
        one for one in (await shop.control("/state?entity=Customer"))["Customer"] if one["Id"] == customer["Id"]
    ]
    assert named["DisplayName"] == "Customer c1"
    await shop.check_state()


async def test_a_customer_that_is_there_already_is_adopted_and_completed(shop: Shop) -> None:
    await shop.enter("Customer", {"DisplayName": "Ann & Sons"})
    record = {"kind": "customer", "name": "Ann & Sons", "currency": "USD", "email": "ann@example.com"}
    shop.sales.shelf.put("customer", "c1", record)
    async with shop.engine(mapped(shop, MAPPING + '[customer]\nsame_name = "adopt"\n')):
        await shop.until_done()
    (held,) = [
        one for one in (await shop.control("/state?entity=Customer"))["Customer"] if one["DisplayName"] == "Ann & Sons"
    ]
    assert held["PrimaryEmailAddr"]["Address"] == "ann@example.com"
    assert await parked(shop) == {}
    await shop.check_state()


async def test_a_vendor_is_never_adopted_for_a_customer(shop: Shop) -> None:
    """Customers, vendors and employees share one list of names; adopting is for one's own kind."""
    await shop.enter("Vendor", {"DisplayName": "Ann & Sons"})
    shop.sales.shelf.put("customer", "c1", {"kind": "customer", "name": "Ann & Sons", "currency": "USD"})
    lost = {"kind": "lost_answer", "entity": "Customer", "operation": "create", "count": 1}
    await shop.control("/faults", lost)
    async with shop.engine(mapped(shop, MAPPING + '[customer]\nsame_name = "adopt"\n')):
        await shop.until_done()
    assert "Vendor" in (await parked(shop))["shelf:customer:c1"]
    await shop.check_state()


async def test_the_completion_of_an_adopted_customer_that_was_refused_is_tried_again(shop: Shop) -> None:
    """The customer stands for the record already: what the retry plans is another intent than the adoption."""
    await shop.enter("Customer", {"DisplayName": "Ann & Sons"})
    record = {"kind": "customer", "name": "Ann & Sons", "currency": "USD", "email": "ann@example.com"}
    shop.sales.shelf.put("customer", "c1", record)
    refusal = {"kind": "fault", "entity": "Customer", "operation": "update", "code": "5020", "count": 1}
    await shop.control("/faults", refusal)
    async with shop.engine(mapped(shop, MAPPING + '[customer]\nsame_name = "adopt"\n')) as engine:
        await shop.until_done()
        assert "5020" in (await parked(shop))["shelf:customer:c1"]
        await retry(engine, "shelf:customer:c1")
        await shop.until_done()
    assert await parked(shop) == {}
    customers = (await shop.control("/state?entity=Customer"))["Customer"]
    (held,) = [one for one in customers if one["DisplayName"] == "Ann & Sons"]
    assert held["PrimaryEmailAddr"]["Address"] == "ann@example.com"
    await shop.check_state()


async def test_a_lost_invoice_is_found_whatever_a_person_made_of_it(shop: Shop) -> None:
    """Before its create is called absent, everything made since is looked through for its mark."""
    began = datetime.now(UTC)
    shop.sales.open(customers=1, products=1, orders=1)
    async with shop.engine() as engine:
        await shop.until_done()
        invoice = await shop.invoice("1001")
        changed = {"DocNumber": "X-7", "TxnDate": "2026-01-02"}
        await shop.control("/books/Invoice", {"operation": "update", "id": invoice["Id"], "body": changed})
        books = engine.runners[1].connected.books
        body: JsonObject = {"DocNumber": "1001", "CustomerRef": invoice["CustomerRef"], "TxnDate": invoice["TxnDate"]}
        item = Item(intent_id="i", batch_id=None, entity="Invoice", operation="create", body=body)
        mark = next(word for word in invoice["PrivateNote"].split() if word.startswith("cf-"))
        wanted = [Wanted(item=item, marker=mark)]
        assert await books.find(wanted, sent_at=began) == {}
        found = await books.find(wanted, sent_at=began, thorough=True)
    assert found["i"].document_id == invoice["Id"]


async def test_a_lost_name_is_found_although_the_senders_clock_was_wrong(shop: Shop) -> None:
    """What is older than its call by a clock that was ahead is ours if it holds all that was sent."""
    shop.sales.open(customers=1, products=1, orders=0)
    async with shop.engine() as engine:
        await shop.until_done()
        books = engine.runners[1].connected.books

        async def found(minutes_ahead: int, **sent: str) -> list[str]:
            item = Item(intent_id="i", batch_id=None, entity="Customer", operation="create", body={**sent})
            at = datetime.now(UTC) + timedelta(minutes=minutes_ahead)
            return [one.document_id for one in (await books.find([Wanted(item=item, marker="")], sent_at=at)).values()]

        customers = (await shop.control("/state?entity=Customer"))["Customer"]
        (held,) = [one["Id"] for one in customers if one["DisplayName"] == "Customer c1"]
        assert await found(0, DisplayName="Customer c1") == [held]
        assert await found(40, DisplayName="Customer c1") == [held]
        assert await found(40, DisplayName="Customer c1", CompanyName="Another") == []
        assert await found(90, DisplayName="Customer c1") == []
