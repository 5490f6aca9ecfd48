"""Customers that somebody merges in QuickBooks: what the source sends later belongs to the one that stays."""

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


async def merge(shop: Shop, gone: str, kept: str) -> None:
    await shop.control("/books/Customer", {"operation": "merge", "id": gone, "into": kept})


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
