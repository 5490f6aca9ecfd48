"""A company's books made anew in an empty company of QuickBooks: the books' own report of both is the judge."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.restore import Wish, restore
from counterfoil.errors import ConfigurationError
from counterfoil.postgres import Pool
from counterfoil.state.rows import IntentRow
from support.postgres import Database
from support.quickbooks_emulator import emulator_process
from support.rebuilt import synchronise
from support.rollbacks import trial_balance
from support.running import Shop, company_settings, open_shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
REALM = "9341453908059999"
OLD, NEW = 1, 2


def wish(into: str) -> Wish:
    return Wish(into=into, source=OLD, reason="damaged", author="Ann", yes=True, as_json=True)


def fill(shop: Shop) -> None:
    """Four orders, and payments that the source tells of; one order is edited, one customer has no order."""
    shop.sales.open(customers=3, products=2, orders=4)
    shop.sales.edit_order("1002")
    for number in ("1001", "1003"):
        order = shop.sales.orders[number]
        amount = str((order.total / 2).quantize(Decimal("0.01")))
        payment = {
            "kind": "payment",
            "customer": f"shelf:customer:{order.customer}",
            "status": "paid",
            "received": True,
            "dated": "2026-03-20",
            "currency": "USD",
            "amount": amount,
            "applied": [{"invoice": f"shelf:order:{number}", "amount": amount}],
        }
        shop.sales.shelf.put("payment", f"p{number}", payment)


async def test_totals_of_both_are_equal(
    database: Database,
    pool: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def said() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        with emulator_process("--limits", "off", "--realm", REALM) as empty:
            old = company_settings(shop.emulator, shop.folder)
            new = company_settings(empty, shop.folder, company=NEW)

            fill(shop)
            await synchronise(shop.settings(old))
            posted, blank = trial_balance(shop.emulator), trial_balance(empty)
            assert posted != blank
            assert posted["Accounts Receivable (A/R)"] > 0

            with pytest.raises(ConfigurationError, match="is connected to"):
                await restore(shop.settings(old, new), wish("123/2"))
            assert await restore(shop.settings(old, new), wish(f"{REALM}/{NEW}")) == 0
            # 3 customers, 2 products, 4 orders, 2 payments
            assert said()["copied"] == {"fresh": 11, "before": 0}
            await synchronise(shop.settings(new))
            assert trial_balance(empty) == posted
            assert [row async for row in _kinds(shop, NEW)] == ["Customer", "Invoice", "Item", "Payment"]

            # Tried once more, nothing is handed over twice; what people enter in the old books is named.
            await shop.pay({"1004": Decimal("1.00")})
            await synchronise(shop.settings(old))
            assert await restore(shop.settings(old, new), wish(str(NEW))) == 1
            again = said()
            assert again["copied"] == {"fresh": 0, "before": 11}
            assert again["strangers"] == {"Payment": 1}
            await synchronise(shop.settings(new))
            assert trial_balance(empty) == posted


async def _kinds(shop: Shop, company: int) -> Any:
    rows = await shop.store.some(IntentRow, "intents_in", company, ["accepted"], 100)
    for entity in sorted({row.entity for row in rows if row.target == "quickbooks"}):
        yield entity


async def test_books_that_hold_anything_are_refused(
    database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        with emulator_process("--limits", "off", "--realm", REALM) as other:
            fill(shop)
            old = company_settings(shop.emulator, shop.folder)
            new = company_settings(other, shop.folder, company=NEW)
            await synchronise(shop.settings(old))
            other.control("/books/Customer", {"body": {"DisplayName": "Somebody"}})
            with pytest.raises(ConfigurationError, match="not empty: they hold 1 of Customer"):
                await restore(shop.settings(old, new), wish(str(NEW)))
            with pytest.raises(ConfigurationError, match="Company 7 is not configured"):
                await restore(shop.settings(old, new), wish("7"))
