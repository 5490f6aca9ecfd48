"""Records that somebody merges in QuickBooks: what the source sends later belongs to the one that stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.explain import explain
from counterfoil.postgres import Pool
from counterfoil.state.rows import ChangeRow, DocumentRow, LinkRow
from support.postgres import Database
from support.running import Shop, company_settings, open_shop
from support.shelf import MAPPING

pytestmark = pytest.mark.slow


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        shelf = opened.sales.shelf
        shelf.put("customer", "c1", {"kind": "customer", "name": "Ann"})
        shelf.put("customer", "c2", {"kind": "customer", "name": "Bo"})
        shelf.put("product", "p1", {"kind": "product", "name": "Hours"})
        yield opened


def order(shop: Shop, number: str, customer: str, price: str = "50.00") -> None:
    """A won order of one hour."""
    line = {"line_id": "1", "product": "shelf:product:p1", "quantity": "1", "unit_price": price}
    shop.sales.shelf.put(
        "order",
        number,
        {
            "kind": "invoice",
            "customer": f"shelf:customer:{customer}",
            "number": number,
            "status": "won",
            "won": True,
            "dated": "2026-03-14",
            "currency": "USD",
            "lines": [line],
        },
    )


async def link(shop: Shop, key: str) -> LinkRow:
    found = await shop.store.one(LinkRow, 1, key)
    assert found is not None
    return found


async def billed(shop: Shop) -> dict[str, str]:
    """Whose each invoice is, in the books."""
    rows: list[dict[str, Any]] = (await shop.control("/state?entity=Invoice"))["Invoice"]
    return {str(one["DocNumber"]): str(one["CustomerRef"]["value"]) for one in rows}


async def names(shop: Shop) -> dict[str, str]:
    rows: list[dict[str, Any]] = (await shop.control("/state?entity=Customer"))["Customer"]
    return {str(one["Id"]): str(one["DisplayName"]) for one in rows}


async def merge(shop: Shop, gone: str, kept: str, entity: str = "Customer") -> None:
    await shop.control(f"/books/{entity}", {"operation": "merge", "id": gone, "into": kept})


@pytest.mark.parametrize("webhooks", [True, False], ids=["told by a webhook", "told by nobody"])
async def test_what_comes_later_goes_to_the_one_that_stays(shop: Shop, webhooks: bool) -> None:
    order(shop, "2001", "c1")
    async with shop.engine(webhooks=webhooks):
        await shop.until_done()
        ann = (await link(shop, "shelf:customer:c1")).document_id
        kept = str((await shop.enter("Customer", {"DisplayName": "Ann & Daughters"}))["Id"])
        await shop.until_done()
        await merge(shop, ann, kept)
        await shop.until_done()
        moved = await link(shop, "shelf:customer:c1")
        assert (moved.document_id, moved.status, moved.shared_with) == (kept, "live", None)
        # The order that is there already is changed, a new one comes, and the customer itself changes at the source.
        order(shop, "2001", "c1", "60.00")
        order(shop, "2002", "c1")
        await shop.until_done()
        assert await names(shop) == {kept: "Ann & Daughters", (await link(shop, "shelf:customer:c2")).document_id: "Bo"}
        shop.sales.shelf.put("customer", "c1", {"kind": "customer", "name": "Ann Lee"})
        await shop.until_done()
    assert await billed(shop) == {"2001": kept, "2002": kept}
    assert (await names(shop))[kept] == "Ann Lee"
    gone = await shop.store.one(DocumentRow, 1, "Customer", ann)
    assert gone is not None
    assert (gone.status, gone.merged_into) == ("deleted", kept)
    invoice = (await link(shop, "shelf:order:2001")).document_id
    said = await shop.store.some(ChangeRow, "changes_of_record", 1, f"quickbooks:Invoice:{invoice}")
    assert not [row.reason for row in said if row.code == "edited-in-books"]
    await shop.check_state()


async def test_two_records_of_one_document_do_not_overwrite_each_other(shop: Shop) -> None:
    order(shop, "2001", "c1")
    async with shop.engine():
        await shop.until_done()
        ann = (await link(shop, "shelf:customer:c1")).document_id
        bo = (await link(shop, "shelf:customer:c2")).document_id
        await merge(shop, ann, bo)
        await shop.until_done()
        assert (await link(shop, "shelf:customer:c1")).shared_with == "shelf:customer:c2"
        shop.sales.shelf.put("customer", "c1", {"kind": "customer", "name": "Ann Lee"})
        order(shop, "2002", "c1")
        await shop.until_done()
        # A second merge takes both along.
        last = str((await shop.enter("Customer", {"DisplayName": "Cy"}))["Id"])
        await shop.until_done()
        await merge(shop, bo, last)
        order(shop, "2003", "c2")
        await shop.until_done()
        order(shop, "2004", "c1")
        await shop.until_done()
    assert await names(shop) == {last: "Cy"}
    assert await billed(shop) == {"2001": last, "2002": last, "2003": last, "2004": last}
    changes = await shop.store.some(ChangeRow, "changes_of_record", 1, "shelf:customer:c1")
    assert (changes[-1].state, changes[-1].code) == ("skipped", "merged")
    assert "Customer id" in changes[-1].reason
    await shop.check_state()


async def until_each_is(shop: Shop, state: str, *keys: str) -> None:
    """Wait for the latest change of each of these records to be in a state."""
    seen: dict[str, tuple[str, str]] = {}
    for _ in range(600):
        for key in keys:
            changes = await shop.store.some(ChangeRow, "changes_of_record", 1, key)
            last = changes[-1] if changes else None
            seen[key] = (last.state, f"{last.code} {last.reason}") if last is not None else ("unknown", "")
        if {one for one, _ in seen.values()} == {state}:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"not {state}: {seen}")


async def test_what_was_refused_before_the_merge_was_known_is_tried_again(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    order(shop, "2001", "c1")
    unwatched = shop.settings(company_settings(shop.emulator, shop.folder, sweep_seconds=3600))
    async with shop.engine(unwatched, webhooks=False):
        await until_each_is(shop, "applied", "shelf:order:2001")
        ann = (await link(shop, "shelf:customer:c1")).document_id
        kept = str((await shop.enter("Customer", {"DisplayName": "Ann & Daughters"}))["Id"])
        await merge(shop, ann, kept)
        order(shop, "2003", "c1")
        await until_each_is(shop, "parked", "shelf:order:2003")
    assert await billed(shop) == {"2001": kept}

    async with shop.engine(webhooks=False):
        await until_each_is(shop, "applied", "shelf:order:2003")
        await shop.until_done()
    assert await billed(shop) == {"2001": kept, "2003": kept}
    # Nobody asked for it, and both records say why.
    for key, words in (
        ("shelf:order:2003", f"Customer {ann}, which it names, was merged in QuickBooks into Customer {kept}."),
        ("shelf:customer:c1", f"Customer {ann} was merged into Customer {kept} in QuickBooks"),
    ):
        capsys.readouterr()
        assert await explain(shop.settings(), key, personal=False, as_json=False) == 0
        assert words in " ".join(capsys.readouterr().out.split())
    await shop.check_state()


async def sold(shop: Shop) -> dict[str, set[str]]:
    """Which items each invoice sells, in the books."""
    rows: list[dict[str, Any]] = (await shop.control("/state?entity=Invoice"))["Invoice"]
    details = {str(one["DocNumber"]): [line.get("SalesItemLineDetail") for line in one["Line"]] for one in rows}
    return {number: {str(one["ItemRef"]["value"]) for one in found if one} for number, found in details.items()}


async def said_of(shop: Shop, entity: str, document_id: str) -> set[str]:
    rows = await shop.store.some(ChangeRow, "changes_of_record", 1, f"quickbooks:{entity}:{document_id}")
    return {row.code for row in rows}


@pytest.mark.parametrize("webhooks", [True, False], ids=["told by a webhook", "told by nobody"])
async def test_an_item_that_was_merged_is_sold_as_the_one_that_stays(shop: Shop, webhooks: bool) -> None:
    order(shop, "2001", "c1")
    async with shop.engine(webhooks=webhooks):
        await shop.until_done()
        hours = (await link(shop, "shelf:product:p1")).document_id
        kept = str(
            (await shop.enter("Item", {"Name": "Advice", "Type": "Service", "IncomeAccountRef": {"value": "1"}}))["Id"]
        )
        await shop.until_done()
        await merge(shop, hours, kept, "Item")
        await shop.until_done()
        moved = await link(shop, "shelf:product:p1")
        assert (moved.document_id, moved.status, moved.shared_with) == (kept, "live", None)
        order(shop, "2001", "c1", "60.00")
        order(shop, "2002", "c1")
        shop.sales.shelf.put("product", "p1", {"kind": "product", "name": "Hours of advice"})
        await shop.until_done()
    assert await sold(shop) == {"2001": {kept}, "2002": {kept}}
    items: list[dict[str, Any]] = (await shop.control("/state?entity=Item"))["Item"]
    named = {str(one["Id"]): one["Name"] for one in items}
    assert (named[kept], hours in named) == ("Hours of advice", False)
    assert "edited-in-books" not in await said_of(shop, "Invoice", (await link(shop, "shelf:order:2001")).document_id)
    await shop.check_state()


CLASSES = """
[employee]
create = true

[time]
no_project = "post"
track = "class"
names = { Sales = "Selling" }
"""


async def test_accounts_and_classes_that_were_merged_are_named_as_those_that_stay(shop: Shop) -> None:
    """The mapping goes on naming the ones that went; a webhook told of both."""
    await shop.control("/books/Class", {"body": {"Name": "Selling"}})
    shop.sales.shelf.put("employee", "e1", {"kind": "employee", "given_name": "Cy", "family_name": "Ray"})

    def work(number: str) -> None:
        entry = {"entry_id": number, "minutes": "60"}
        record = {"kind": "time_entry", "employee": "shelf:employee:e1", "dated": "2026-03-14", "department": "Sales"}
        shop.sales.shelf.put("hours", number, {**record, "parts": [entry]})

    async def held(entity: str, reference: str) -> list[str]:
        rows: list[dict[str, Any]] = (await shop.control(f"/state?entity={entity}"))[entity]
        return [str(one[reference]["value"]) for one in rows]

    async with shop.engine(shop.settings(company_settings(shop.emulator, shop.folder, mapping=MAPPING + CLASSES))):
        work("h1")
        await shop.until_done()
        classes: list[dict[str, Any]] = (await shop.control("/state?entity=Class"))["Class"]
        selling = next(str(one["Id"]) for one in classes if one["Name"] == "Selling")
        commerce = str((await shop.enter("Class", {"Name": "Commerce"}))["Id"])
        goods = str((await shop.enter("Account", {"Name": "Goods sold", "AccountType": "Income"}))["Id"])
        await shop.until_done()
        await merge(shop, selling, commerce, "Class")
        await merge(shop, "79", goods, "Account")
        await shop.until_done()
        work("h2")
        shop.sales.shelf.put("product", "p2", {"kind": "product", "name": "Days"})
        await until_each_is(shop, "applied", "shelf:hours:h2", "shelf:product:p2")
        await shop.until_done()
    assert await held("TimeActivity", "ClassRef") == [commerce, commerce]
    assert await held("Item", "IncomeAccountRef") == [goods, goods]
    await shop.check_state()


async def test_an_account_that_went_unseen_is_named_no_more_until_it_is_told_of(shop: Shop) -> None:
    """What names it waits for a person, and says so; once a webhook gets through, it is tried again by itself."""
    async with shop.engine(webhooks=False):
        await shop.until_done()
        await shop.control("/webhooks", {"url": "http://127.0.0.1:9/nobody"})
        goods = str((await shop.enter("Account", {"Name": "Goods sold", "AccountType": "Income"}))["Id"])
        await merge(shop, "79", goods, "Account")
        await shop.until_done()
        shop.sales.shelf.put("product", "p2", {"kind": "product", "name": "Days"})
        await until_each_is(shop, "parked", "shelf:product:p2")
        (change,) = await shop.store.some(ChangeRow, "changes_of_record", 1, "shelf:product:p2")
        assert (change.code, "no active Account “Sales of Product Income”" in change.reason) == ("unknown-name", True)
    async with shop.engine():
        await until_each_is(shop, "applied", "shelf:product:p2")
        await shop.until_done()
    items: list[dict[str, Any]] = (await shop.control("/state?entity=Item"))["Item"]
    assert {one["IncomeAccountRef"]["value"] for one in items} == {goods}
    await shop.check_state()


@pytest.mark.parametrize("orders", [1, 2], ids=["one document", "two documents"])
async def test_one_that_a_merge_leaves_inactive_is_followed_where_documents_agree(shop: Shop, orders: int) -> None:
    """Nobody tells of it, and the record is still there: two invoices that moved to the same customer show it."""
    numbers = [str(2001 + place) for place in range(orders)]
    for number in numbers:
        order(shop, number, "c1")
    async with shop.engine(webhooks=False):
        await shop.until_done()
        ann = (await link(shop, "shelf:customer:c1")).document_id
        kept = str((await shop.enter("Customer", {"DisplayName": "Ann & Daughters"}))["Id"])
        await shop.until_done()
        for number in numbers:
            invoice = (await link(shop, f"shelf:order:{number}")).document_id
            moved = {"operation": "update", "id": invoice, "body": {"CustomerRef": {"value": kept}}}
            await shop.control("/books/Invoice", moved)
        await shop.control("/books/Customer", {"operation": "update", "id": ann, "body": {"Active": False}})
        await shop.until_done()
        expected = kept if orders > 1 else ann
        assert (await link(shop, "shelf:customer:c1")).document_id == expected
        order(shop, "2009", "c1")
        await until_each_is(shop, "applied" if orders > 1 else "parked", "shelf:order:2009")
    assert (await billed(shop)).get("2009") == (kept if orders > 1 else None)
    await shop.check_state()


TIME = """
[employee]
create = true

[time]
unknown_project = "post"

[time.projects."Site A"]
customer = "{customer}"
"""


def worked(shop: Shop, number: str, minutes: str = "60") -> None:
    """An hour of one person at a site that the mapping bills to a customer by its Id."""
    entry = {"entry_id": number, "minutes": minutes}
    record = {"kind": "time_entry", "employee": "shelf:employee:e1", "dated": "2026-03-14", "project": "Site A"}
    shop.sales.shelf.put("hours", number, {**record, "parts": [entry]})


async def whose(shop: Shop) -> set[tuple[str, str, int]]:
    """Employee, customer and hours of each time activity in the books."""
    rows: list[dict[str, Any]] = (await shop.control("/state?entity=TimeActivity"))["TimeActivity"]
    return {(str(one["EmployeeRef"]["value"]), str(one["CustomerRef"]["value"]), int(one["Hours"])) for one in rows}


async def test_hours_follow_an_employee_and_a_customer_that_were_merged(shop: Shop) -> None:
    """The employee is ours and nobody tells of the merge; the customer stands in the mapping by an Id that went."""
    site = str((await shop.enter("Customer", {"DisplayName": "Site A"}))["Id"])
    company = company_settings(shop.emulator, shop.folder, mapping=MAPPING + TIME.format(customer=site))
    shop.sales.shelf.put("employee", "e1", {"kind": "employee", "given_name": "Cy", "family_name": "Ray"})
    worked(shop, "h1")
    async with shop.engine(shop.settings(company), webhooks=False):
        await shop.until_done()
        cy = (await link(shop, "shelf:employee:e1")).document_id
        assert await whose(shop) == {(cy, site, 1)}
        kept = str((await shop.enter("Employee", {"GivenName": "Cyrus", "FamilyName": "Ray"}))["Id"])
        await shop.until_done()
        await merge(shop, cy, kept, "Employee")
        await shop.until_done()
        assert (await link(shop, "shelf:employee:e1")).document_id == kept
    async with shop.engine(shop.settings(company)):
        larger = str((await shop.enter("Customer", {"DisplayName": "Sites A and B"}))["Id"])
        await shop.until_done()
        await merge(shop, site, larger)
        await shop.until_done()
        worked(shop, "h1", "120")
        worked(shop, "h2", "180")
        await shop.until_done()
    assert await whose(shop) == {(kept, larger, 2), (kept, larger, 3)}
    await shop.check_state()


async def test_where_documents_disagree_nothing_is_guessed(shop: Shop) -> None:
    """Somebody had given an invoice to another customer before the one it was made for was merged away unseen."""
    order(shop, "2001", "c1")
    order(shop, "2002", "c1")
    unwatched = shop.settings(company_settings(shop.emulator, shop.folder, sweep_seconds=3600))
    async with shop.engine(unwatched, webhooks=False):
        await until_each_is(shop, "applied", "shelf:order:2001", "shelf:order:2002")
        ann = (await link(shop, "shelf:customer:c1")).document_id
        bo = (await link(shop, "shelf:customer:c2")).document_id
        invoice = (await link(shop, "shelf:order:2001")).document_id
        await shop.control(
            "/books/Invoice", {"operation": "update", "id": invoice, "body": {"CustomerRef": {"value": bo}}}
        )
        kept = str((await shop.enter("Customer", {"DisplayName": "Ann & Daughters"}))["Id"])
        await merge(shop, ann, kept)
    async with shop.engine(webhooks=False):
        await shop.until_done()
    gone = await shop.store.one(DocumentRow, 1, "Customer", ann)
    assert gone is not None
    assert (gone.status, gone.merged_into) == ("deleted", None)
    assert (await link(shop, "shelf:customer:c1")).document_id == ann
    await shop.check_state()
