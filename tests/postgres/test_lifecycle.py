"""One company through the life of its records: edited, left, reopened, gone and back again, on either side."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.asking import Question, ask
from counterfoil.cli.tasks.deadletters import show_letter
from counterfoil.cli.tasks.reconcile import reconciled
from counterfoil.cli.tasks.resolve import Answer, resolve
from counterfoil.engine import Engine
from counterfoil.errors import CounterfoilError
from counterfoil.planning.reconciling.report import Scope
from counterfoil.postgres import Pool
from counterfoil.settings import Settings
from counterfoil.state.rows import ChangeRow, LinkRow
from support.postgres import Database
from support.running import Shop, company_settings, open_shop
from support.shelf import MAPPING

pytestmark = pytest.mark.slow

ORDER = "shelf:order:2001"
SHARED = """
[fields.invoice.TxnDate]
owner = "ask"

[fields.invoice.Line]
owner = "ask"

[fields.invoice.DueDate]
owner = "last_writer"
"""


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        shelf = opened.sales.shelf
        shelf.put("customer", "c1", {"kind": "customer", "name": "Ann"})
        shelf.put("product", "p1", {"kind": "product", "name": "Hours"})
        yield opened


def order(shop: Shop, number: str, *prices: str, **fields: object) -> None:
    """A won order with one line of one hour for each price."""
    lines = [
        {"line_id": str(place), "product": "shelf:product:p1", "quantity": "1", "unit_price": price}
        for place, price in enumerate(prices, start=1)
    ]
    shop.sales.shelf.put(
        "order",
        number,
        {
            "kind": "invoice",
            "customer": "shelf:customer:c1",
            "number": number,
            "status": "won",
            "won": True,
            "dated": "2026-03-14",
            "currency": "USD",
            "lines": lines,
            **fields,
        },
    )


async def edit(shop: Shop, number: str, **fields: object) -> None:
    """A person edits an invoice in QuickBooks."""
    held = await shop.invoice(number)
    body = {"Id": held["Id"], "SyncToken": held["SyncToken"], "sparse": True, **fields}
    await shop.control("/books/Invoice", {"operation": "update", "body": body})


def priced(document: dict[str, Any]) -> list[Decimal]:
    """What the lines of a document come to, without the sub-total."""
    return [Decimal(str(one["Amount"])) for one in document["Line"] if one["DetailType"] == "SalesItemLineDetail"]


def repriced(document: dict[str, Any], place: int, price: str) -> list[dict[str, Any]]:
    """The lines of a document, one of them at another price."""
    lines: list[dict[str, Any]] = [one for one in document["Line"] if one["DetailType"] == "SalesItemLineDetail"]
    changed = lines[place]
    detail = {**changed["SalesItemLineDetail"], "UnitPrice": Decimal(price), "Qty": 1}
    lines[place] = {**changed, "Amount": Decimal(price), "SalesItemLineDetail": detail}
    return lines


async def newest(shop: Shop, key: str) -> ChangeRow:
    return (await shop.store.some(ChangeRow, "changes_of_record", 1, key))[-1]


async def differences(settings: Settings) -> list[tuple[str, str]]:
    """What a reconciliation finds, while nobody works for the company: kind, and what it is about."""
    (company,) = settings.companies
    async with Engine(settings) as engine:
        report = await reconciled(engine, company, Scope(), lambda *_: None)
    assert not report.not_compared
    return [(one.kind, one.about) for one in report.drifts]


def answer(keep: str | None, *assignments: str) -> Answer:
    return Answer(
        record=ORDER,
        keep=keep,
        fields=(),
        assignments=assignments,
        author="Ann",
        reason="asked the customer",
        wait=True,
        as_json=True,
    )


async def shown(settings: Settings, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The versions that a person is shown."""
    capsys.readouterr()
    await show_letter(settings, ORDER, personal=False, as_json=True)
    versions: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["letters"][0]["letter"]["versions"]
    return versions


UNFIT: list[dict[str, Any]] = [
    {"keep": None},
    {"keep": "both"},
    {"assignments": ("dated=2026-04-02",)},
    {"fields": ("TxnDat",)},
    {"reason": " "},
    {"record": "shelf:order:9"},
    {"record": "shelf:customer:c1"},
]
"""Answers that say too little, too much, or something of what is not there."""


def discounted(held: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines with a discount on the first, and one of a person's own."""
    lines = repriced(held, 0, "45.00")
    detail = {**lines[1]["SalesItemLineDetail"], "UnitPrice": 7, "Qty": 1}
    extra = {**lines[1], "Amount": 7, "Description": "Parking", "SalesItemLineDetail": detail}
    return [*lines, {name: value for name, value in extra.items() if name != "Id"}]


async def assert_only_fit_answers_count(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A person is shown all versions, and told of each answer that cannot be meant."""
    await show_letter(settings, ORDER, personal=False, as_json=False)
    told = capsys.readouterr().out
    assert all(words in told for words in ("written last", "the source now", "QuickBooks now", "2026-04-01"))
    for wrong in UNFIT:
        with pytest.raises(CounterfoilError):
            await resolve(settings, replace(answer("books"), **wrong))


async def test_a_document_edited_by_a_person_line_by_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    settings = shop.settings(company_settings(shop.emulator, shop.folder, mapping=MAPPING + SHARED))
    order(shop, "2001", "50.00", "20.00")
    async with shop.engine(settings):
        await shop.until_done()
        # A person moves the date, gives a discount on the first line, and adds one of their own.
        await edit(shop, "2001", TxnDate="2026-03-31", Line=discounted(await shop.invoice("2001")))
        await shop.until_done()
        # The source changes the other line, and once more: what only the person changed stays.
        for price in ("22.00", "23.00"):
            order(shop, "2001", "50.00", price)
            await shop.until_done()
            held = await shop.invoice("2001")
            assert (held["TxnDate"], priced(held)) == ("2026-03-31", [Decimal(45), Decimal(price), Decimal(7)])
        assert (await newest(shop, ORDER)).state == "applied"

        # Both sides changed the date: a person sees three versions, and keeps the books'.
        order(shop, "2001", "50.00", "23.00", dated="2026-04-01")
        await shop.until_done()
        parked = await newest(shop, ORDER)
        assert (parked.state, parked.code) == ("parked", "conflict")
        (version,) = await shown(settings, capsys)
        assert [version[name] for name in ("field", "base", "source", "books")] == [
            "TxnDate",
            "2026-03-14",
            "2026-04-01",
            "2026-03-31",
        ]
        # QuickBooks tells no parts of a second.
        written, edited, seen = (datetime.fromisoformat(version[f"{one}_at"]) for one in ("base", "books", "source"))
        assert written.replace(microsecond=0) <= edited <= seen
        assert "it was 2026-03-14, the source says 2026-04-01, QuickBooks says 2026-03-31" in parked.reason
        await assert_only_fit_answers_count(settings, capsys)
        assert await resolve(settings, answer("books")) == 0
        await shop.until_done()
        assert (await newest(shop, ORDER)).state in ("unchanged", "applied")
        order(shop, "2001", "50.00", "24.00", dated="2026-04-01")
        await shop.until_done()
        held = await shop.invoice("2001")
        assert (held["TxnDate"], priced(held)[1]) == ("2026-03-31", Decimal(24))

        # Now the first line as well: the person's answer is a third version.
        order(shop, "2001", "55.00", "24.00", dated="2026-04-01")
        await shop.until_done()
        (version,) = await shown(settings, capsys)
        assert version["field"] == "Line[1]"
        assert ['"Amount":50' in version["base"], '"Amount":55' in version["source"]] == [True, True]
        assert '"Amount":45' in version["books"]
        assert await resolve(settings, answer(None, "lines.0.unit_price=48.00")) == 0
        await shop.until_done()
        held = await shop.invoice("2001")
        assert (held["TxnDate"], priced(held)) == ("2026-03-31", [Decimal(48), Decimal(24), Decimal(7)])

        # Of the due date the later change counts.
        await edit(shop, "2001", DueDate="2026-05-01")
        await shop.until_done()
        order(shop, "2001", "55.00", "24.00", dated="2026-04-01", due="2026-05-31")
        await shop.until_done()
        assert (await shop.invoice("2001"))["DueDate"] == "2026-05-31"
        row = await shop.store.one(LinkRow, 1, ORDER)
        assert row is not None
        assert set(row.kept) == {"TxnDate"}
    assert await differences(settings) == []
    await shop.check_state()


RULES = """
[customer]
removed = "deactivate"

[employee]
create = true
inactive = "deactivate"

[invoice]
reopened = "void"
reopened_paid = "credit"
removed = "void"
restored = "anew"
gone = "anew"
"""


def person(shop: Shop, identity: str, *, active: bool = True) -> None:
    record = {"kind": "employee", "given_name": "Bo", "family_name": "Lee", "active": active}
    shop.sales.shelf.put("employee", identity, record)


async def state(shop: Shop, entity: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await shop.control(f"/state?entity={entity}"))[entity]
    return found


async def totals(shop: Shop, entity: str) -> dict[str, Decimal]:
    """By number, what the documents of an entity come to."""
    return {one["DocNumber"]: Decimal(str(one["TotalAmt"])) for one in await state(shop, entity)}


async def codes(shop: Shop, *keys: str) -> list[str]:
    return [f"{row.state} {row.code}".strip() for row in [await newest(shop, key) for key in keys]]


async def test_people_sales_and_customers_that_end_and_come_back(shop: Shop) -> None:
    settings = shop.settings(company_settings(shop.emulator, shop.folder, mapping=MAPPING + RULES))
    shelf = shop.sales.shelf
    shelf.put("customer", "c2", {"kind": "customer", "name": "Cy"})
    person(shop, "e1")
    for number in ("2001", "2002", "2003", "2004"):
        order(shop, number, "50.00")
    async with shop.engine(settings):
        await shop.until_done()
        await shop.pay({"2001": Decimal("50.00")})
        await shop.control("/books/Invoice", {"operation": "delete", "id": (await shop.invoice("2003"))["Id"]})
        await shop.until_done()

        # Two deals are reopened, one of them paid; one is deleted; a customer is deleted; an employee leaves.
        for number in ("2001", "2002"):
            order(shop, number, "50.00", status="open", won=False)
        shelf.put("order", "2004", None)
        shelf.put("customer", "c2", None)
        person(shop, "e1", active=False)
        await shop.until_done()
        assert await totals(shop, "CreditMemo") == {"2001-CR": Decimal(50)}
        assert await totals(shop, "Invoice") == {"2001": Decimal(50), "2002": Decimal(0), "2004": Decimal(0)}
        (employee,) = await state(shop, "Employee")
        assert employee["Active"] is False
        assert sorted(one["Active"] for one in await state(shop, "Customer")) == [False, True]

        # All of it comes back; the employee under another id.
        order(shop, "2001", "50.00")
        order(shop, "2002", "50.00")
        order(shop, "2003", "60.00")
        order(shop, "2004", "50.00")
        shelf.put("customer", "c2", {"kind": "customer", "name": "Cy"})
        person(shop, "e2")
        await shop.until_done()
        assert await codes(shop, "shelf:order:2001", "shelf:employee:e2") == ["parked credited", "parked rehired"]
        books = {"2001": 50, "2002": 0, "2002-2": 50, "2003": 60, "2004": 0, "2004-2": 50}
        assert await totals(shop, "Invoice") == {number: Decimal(total) for number, total in books.items()}
        assert [one["Active"] for one in await state(shop, "Customer")] == [True, True]

        # A person says that it is the same, and approves what differs: one employee, active again.
        said = Question("map", ("shelf:employee:e2",), False, "Ann", wait=True, document=f"Employee {employee['Id']}")
        assert await ask(settings, replace(said, letters=True)) == 0
        while (await newest(shop, "shelf:employee:e2")).code != "approval":
            await asyncio.sleep(0.2)
        assert await ask(settings, Question("approve", ("shelf:employee:e2",), False, "Ann", wait=True)) == 0
        await shop.until_done()
        (employee,) = await state(shop, "Employee")
        assert (employee["Active"], employee["DisplayName"]) == (True, "Bo Lee")
        # What the old record says is not written any more; what the new one says is.
        person(shop, "e1")
        person(shop, "e2", active=False)
        await shop.until_done()
        assert (await codes(shop, "shelf:employee:e1"))[0] == "skipped merged"
        (employee,) = await state(shop, "Employee")
        assert employee["Active"] is False
        # The sales that were invoiced anew go on under their own numbers.
        order(shop, "2002", "55.00")
        await shop.until_done()
        assert (await totals(shop, "Invoice"))["2002-2"] == Decimal(55)
    assert await differences(settings) == []
    await shop.check_state()


async def test_customers_that_become_one_at_the_source_wait_for_the_books(shop: Shop) -> None:
    shop.sales.shelf.put("customer", "c2", {"kind": "customer", "name": "Cy"})
    order(shop, "2001", "50.00")
    async with shop.engine():
        await shop.until_done()
        shop.sales.shelf.merge("customer", "c1", "c2")
        await shop.until_done()
        assert await codes(shop, "shelf:customer:c1") == ["parked merged_at_source"]
        ids = {one["DisplayName"]: one["Id"] for one in await state(shop, "Customer")}
        # Whichever of the two a person keeps in QuickBooks, its details are those of the one that the source kept.
        await shop.control("/books/Customer", {"operation": "merge", "id": ids["Cy"], "into": ids["Ann"]})
        await shop.until_done()
        assert await codes(shop, "shelf:customer:c1") == ["skipped merged"]
        shop.sales.shelf.put("customer", "c2", {"kind": "customer", "name": "Cy & Ann"})
        order(shop, "2002", "60.00", customer="shelf:customer:c2")
        await shop.until_done()
    assert {one["DisplayName"] for one in await state(shop, "Customer")} == {"Cy & Ann"}
    assert {one["CustomerRef"]["value"] for one in await state(shop, "Invoice")} == {ids["Ann"]}
    await shop.check_state()
