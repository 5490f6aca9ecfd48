"""What a restored log finds besides what it left: copies, edits, voids, deletions, payments and hours of its own."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.recover import recover
from counterfoil.postgres import Pool
from counterfoil.state.rows import ChangeRow, LinkRow
from support.audit import effects_of
from support.backups import back_up, needs_own_programs
from support.pay_runs import run
from support.postgres import Database, Server
from support.recovering import WISH, anchored, documents, effects, put_back, run_on
from support.running import Shop, open_shop

pytestmark = pytest.mark.slow

MAPPING = """
[invoice]
removed = "void"

[employee]
create = true

[time]
no_project = "post"
"""


PAY = f"""{MAPPING}
[payroll.accounts]
wages = "Wages"
employer_tax = "Payroll Taxes"
net_pay = "Checking"
tax_payment = "Checking"
other_deduction = "Payroll Liabilities"

[post.pay_run]
post = "auto"
"""


@dataclass
class Night:
    """A shop that was backed up, and where it can be put back."""

    shop: Shop
    server: Server
    dump: Path

    def restored(self) -> Any:
        return put_back(self.shop, self.server, self.dump)


@pytest.fixture
async def night(
    postgres_server: Server, database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Night]:
    needs_own_programs()
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=2, products=2, orders=4)
        await run_on(shop, MAPPING)
        await back_up(database, tmp_path / "books.dump")
        yield Night(shop, postgres_server, tmp_path / "books.dump")


async def recovered(shop: Shop, code: int = 0) -> None:
    """Recover, and work until all is done."""
    assert await recover(anchored(shop, MAPPING), WISH) == code
    await run_on(shop, MAPPING)


async def made(shop: Shop) -> dict[str, int]:
    """How often the engine made an invoice of which number."""
    return dict(effects_of(await shop.control("/journal"), "create", "Invoice", "doc_number"))


async def stands(shop: Shop, number: str) -> tuple[str, str]:
    """State and code of the newest change of an order."""
    rows = await shop.store.some(ChangeRow, "changes_of_record", 1, f"shelf:order:{number}")
    return rows[-1].state, rows[-1].code


async def person(shop: Shop, number: str, operation: str, **body: object) -> None:
    """A person does something to an invoice."""
    held = await shop.invoice(number)
    whole = {"Id": held["Id"], "SyncToken": held["SyncToken"], "sparse": True, **body}
    done = {"operation": operation, "id": held["Id"]} if operation != "update" else {"operation": operation}
    await shop.control("/books/Invoice", {**done, **({"body": whole} if operation == "update" else {})})


async def test_payments_hours_and_removals(night: Night) -> None:
    """Made, voided and removed in the forgotten time: nothing of it is done again."""
    shop = night.shop
    sales, shelf = shop.sales, shop.sales.shelf
    number, gone = sales.add_order(), sales.add_order()
    amount = str(sales.orders[number].total)
    payment = {
        "kind": "payment",
        "customer": f"shelf:customer:{sales.orders[number].customer}",
        "status": "paid",
        "received": True,
        "dated": "2026-03-20",
        "currency": "USD",
        "amount": amount,
        "applied": [{"invoice": f"shelf:order:{number}", "amount": amount}],
    }
    shelf.put("payment", "p1", payment)
    shelf.put("employee", "e1", {"kind": "employee", "given_name": "Cy", "family_name": "Ray"})
    parts = [{"entry_id": "h1", "minutes": "60"}]
    hours = {"kind": "time_entry", "employee": "shelf:employee:e1", "dated": "2026-03-14", "parts": parts}
    shelf.put("hours", "h1", hours)
    await run_on(shop, MAPPING)
    shelf.put("order", gone, None)
    shelf.put("order", "1001", None)
    await run_on(shop, MAPPING)
    before = await effects(shop)
    totals = await shop.control("/totals")
    assert [len(await documents(shop, entity)) for entity in ("Payment", "TimeActivity", "Employee")] == [1, 1, 1]

    async with night.restored() as again:
        await recovered(again)
        assert await effects(again) == before
        assert await again.control("/totals") == totals
        states = {one.state for one in await again.store.some(ChangeRow, "all_changes", 1)}
        assert states <= {"applied", "unchanged", "skipped"}
        links = {one.record_key: one.status for one in await again.store.some(LinkRow, "all_links", 1)}
        assert links["shelf:order:1001"] == "voided"
        assert links["shelf:payment:p1"] == links["shelf:hours:h1"] == "live"
        await again.check_state()


async def test_pay_runs(night: Night) -> None:
    """Posted in the forgotten time, one of them on another day: 5,000.01 of wages and 382.50 of taxes each."""
    shop = night.shop
    shop.sales.shelf.put("payroll", "r1", run().model_dump(mode="json"))
    shop.sales.shelf.put("payroll", "r2", run(check_date="2026-11-27").model_dump(mode="json"))
    await run_on(shop, PAY)
    before, totals = await effects(shop), await shop.control("/totals")
    entries = await documents(shop, "JournalEntry")
    debits = [
        Decimal(str(line["Amount"]))
        for one in entries
        for line in one["Line"]
        if line["JournalEntryLineDetail"]["PostingType"] == "Debit"
    ]
    assert sum(debits) == 2 * Decimal("5382.51")

    async with night.restored() as again:
        assert await recover(anchored(again, PAY), WISH) == 0
        await run_on(again, PAY)
        assert (await effects(again), await again.control("/totals")) == (before, totals)
        links = {one.record_key: one for one in await again.store.some(LinkRow, "all_links", 1)}
        assert {links[f"shelf:payroll:{one}"].document_id for one in ("r1", "r2")} == {one["Id"] for one in entries}
        assert {one.state for one in await again.store.some(ChangeRow, "all_changes", 1)} <= {
            "applied",
            "unchanged",
            "skipped",
        }
        await again.check_state()


async def test_what_people_did_to_documents_that_the_log_has_forgotten(night: Night) -> None:
    shop = night.shop
    noted, added, voided, copied = (shop.sales.add_order() for _ in range(4))
    await run_on(shop, MAPPING)
    await person(shop, noted, "update", CustomerMemo={"value": "Thank you"})
    line = {
        "Amount": Decimal(5),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
    }
    held = await shop.invoice(added)
    await shop.control("/books/Invoice", {"operation": "update", "id": held["Id"], "add_lines": [line]})
    await person(shop, voided, "void")
    kept = await shop.invoice(copied)
    copy = {name: kept[name] for name in ("CustomerRef", "Line", "PrivateNote", "TxnDate")}
    await shop.enter("Invoice", {**copy, "DocNumber": "copy"})
    once = await made(shop)
    before = await effects(shop)

    async with night.restored() as again:
        await recovered(again, 1)  # a mark is borne twice
        assert await made(again) == once
        assert await effects(again) == before
        assert await stands(again, noted) == ("applied", "")
        assert (await again.invoice(noted))["CustomerMemo"] == {"value": "Thank you"}
        assert await stands(again, added) == ("parked", "recovered-lines")
        assert await stands(again, voided) == ("parked", "recovered-voided")
        assert await stands(again, copied) == ("parked", "recovered-twice")
        await again.check_state()

        # The copy goes, and the person's line: asked for again, both are what they are.
        await person(again, "copy", "delete")
        await again.control(
            "/books/Invoice", {"operation": "update", "body": {**held, "sparse": False, "SyncToken": "1"}}
        )
        await retried(again, copied, added)
        assert [(await stands(again, one))[0] for one in (copied, added)] == ["applied", "applied"]
        assert await made(again) == once


async def retried(shop: Shop, *numbers: str) -> None:
    """A person asks for these again, once the books were looked at."""
    from counterfoil.log import Append, NewEvent
    from counterfoil_schema.events.receipts import OperatorRequested

    async with shop.engine(anchored(shop, MAPPING)) as engine:
        await shop.until_done()
        asked = [
            OperatorRequested(action="retry", record_key=f"shelf:order:{number}", author="Ann") for number in numbers
        ]
        await engine.log.append(Append(1, [NewEvent(event=one, record_key=one.record_key) for one in asked]))
        await shop.until_done()


async def test_a_forgotten_call_is_not_taken_for_a_new_one(night: Night) -> None:
    """A person deleted what was made in the forgotten time. QuickBooks remembers the request id, but not this one."""
    shop = night.shop
    number = shop.sales.add_order()
    await run_on(shop, MAPPING)
    await person(shop, number, "delete")

    async with night.restored() as again:
        await recovered(again)
        # The source wants it, and nothing in the books tells that it was ever there: made again, and really there.
        assert (await made(again))[number] == 2
        assert Decimal(str((await again.invoice(number))["TotalAmt"])) == again.sales.orders[number].total
        assert await stands(again, number) == ("applied", "")


async def test_documents_that_changed_and_records_that_did_not(night: Night) -> None:
    """One record went back to what the log last saw; of another a person changed the date. A person decides on both."""
    shop = night.shop
    before = await shop.invoice("1001")
    shop.sales.edit_order("1001")
    await run_on(shop, MAPPING)
    shop.sales.take_back("1001")
    await person(shop, "1002", "update", TxnDate="2026-03-20")
    await person(shop, "1003", "update", CustomerMemo={"value": "Thank you"})
    once, written = await made(shop), await effects(shop)

    async with night.restored() as again:
        await recovered(again)
        assert await effects(again) == written
        assert await stands(again, "1001") == ("parked", "recovered-lines")
        assert await stands(again, "1002") == ("parked", "recovered-changed")
        # What no source owns is nobody's business.
        assert await stands(again, "1003") == ("applied", "")

        held = await again.invoice("1001")
        whole = {**held, "Line": [one for one in held["Line"] if one.get("Id") != "3"], "sparse": False}
        await again.control("/books/Invoice", {"operation": "update", "body": whole})
        await retried(again, "1001", "1002")
        assert [await stands(again, one) for one in ("1001", "1002")] == [("applied", ""), ("applied", "")]
        assert (await again.invoice("1001"))["TotalAmt"] == before["TotalAmt"]
        assert (await again.invoice("1002"))["TxnDate"] == "2026-03-14"
        assert await made(again) == once
        await again.check_state()


async def test_tokens_that_were_replaced_since(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody is told to connect QuickBooks again; nothing is half done."""
    from counterfoil.dispatch.books import BooksUnreadableError

    shop = night.shop
    shop.sales.add_order()
    await run_on(shop, MAPPING)
    await shop.control("/oauth", {"expire_access": True, "revoke": True})

    async with night.restored() as again:
        with pytest.raises(BaseExceptionGroup) as raised:
            await recover(anchored(again, MAPPING), WISH)
        (trouble,) = leaves(raised.value)
        assert isinstance(trouble, BooksUnreadableError)
        assert "connect quickbooks --company 1" in str(trouble)
        assert json.loads((shop.folder / "anchor.json").read_bytes())["heads"][0][1] > 0


def leaves(error: BaseException) -> list[BaseException]:
    """What is in a group of errors."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in leaves(one)]
    return [error]
