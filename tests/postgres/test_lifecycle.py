"""One company through the life of its records: edited, left, reopened, gone and back again, on either side."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.deadletters import show_letter
from counterfoil.cli.tasks.resolve import Answer, resolve
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


async def test_a_document_edited_by_a_person_line_by_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    settings = shop.settings(company_settings(shop.emulator, shop.folder, mapping=MAPPING + SHARED))
    order(shop, "2001", "50.00", "20.00")
    async with shop.engine(settings):
        await shop.until_done()
        # A person moves the date, gives a discount on the first line, and adds one of their own.
        held = await shop.invoice("2001")
        extra = {**repriced(held, 0, "45.00")[1], "Id": None, "Amount": 7, "Description": "Parking"}
        extra["SalesItemLineDetail"] = {**extra["SalesItemLineDetail"], "UnitPrice": 7, "Qty": 1}
        lines = [*repriced(held, 0, "45.00"), {name: value for name, value in extra.items() if name != "Id"}]
        await edit(shop, "2001", TxnDate="2026-03-31", Line=lines)
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
    await shop.check_state()
