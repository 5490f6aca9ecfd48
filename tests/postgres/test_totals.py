"""`totals` over invoices, payments, credit memos and pay runs in two currencies: every figure is worked out here."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.opening import open_state
from counterfoil.cli.tasks.totals import Sums, totals_of
from counterfoil.postgres import Pool
from counterfoil.settings import Settings
from support.postgres import Database
from support.running import Shop, company_settings, open_shop
from support.shelf import MAPPING

pytestmark = pytest.mark.slow
DAY = "2026-03-14"
RULES = """
[customer]
other_currencies = ["EUR"]
[invoice]
removed = "void"
[exchange]
rate = "books"
[payroll.accounts]
wages = "Wages"
employer_tax = "Payroll Taxes"
net_pay = "Checking"
tax_payment = "Checking"
[post.pay_run]
post = "auto"
"""
BOOKS_RATE = "1.1012"

# What the source has: kind, id, currency, amounts of its lines, rate (None: that of the books, or home money).
Put = tuple[str, str, str, tuple[str, ...], str | None]
DOCUMENTS: tuple[Put, ...] = (
    ("invoice", "1001", "USD", ("33.33", "66.66"), None),
    ("invoice", "1002", "USD", ("12.50",), None),
    ("invoice", "1003", "EUR", ("33.33", "33.33", "33.33"), "1.0835"),
    ("invoice", "1004", "EUR", ("10.10",), None),
    ("invoice", "1005", "EUR", ("0.45",), "1.1"),
    ("payment", "1001", "USD", ("40.00",), None),
    ("payment", "1003", "EUR", ("50.00",), "1.09"),
    ("payment", "1004", "EUR", ("3.33",), "1.0835"),
    ("credit_memo", "3001", "USD", ("20.00",), None),
    ("credit_memo", "3002", "EUR", ("5.55", "2.22"), "1.0835"),
    ("pay_run", "4001", "USD", ("1000.00", "76.50"), None),
)
ENTITIES = {
    "invoice": "Invoice", "payment": "Payment", "credit_memo": "CreditMemo", "pay_run": "JournalEntry",
}  # fmt: skip


def worth(amounts: tuple[str, ...], currency: str, rate: str | None) -> tuple[Decimal, Decimal]:
    """A document's total, and at home, rounded for itself."""
    total = sum((Decimal(amount) for amount in amounts), Decimal(0))
    at = Decimal(1) if currency == "USD" else Decimal(rate or BOOKS_RATE)
    return total, (total * at).quantize(Decimal("0.01"), ROUND_HALF_UP)


def expected(documents: tuple[Put, ...]) -> dict[tuple[str, str], dict[str, Decimal | int]]:
    """By currency and entity: where nothing is off, source, log and books are the same."""
    found: dict[tuple[str, str], dict[str, Decimal | int]] = {}
    for kind, _, currency, amounts, rate in documents:
        total, home = worth(amounts, currency, rate)
        row = found.setdefault((currency, ENTITIES[kind]), {})
        figures = dict.fromkeys(("source", "log", "books"), total) | {"home_source": home, "home_books": home}
        for name, figure in figures.items():
            row[name] = row.get(name, Decimal(0)) + figure
        row["documents"] = row.get("documents", 0) + 1
        row["off"] = 0
    return found


def record(put: Put) -> tuple[str, dict[str, Any]]:
    """A record of the shelf, and its id there."""
    kind, number, currency, amounts, rate = put
    shared: dict[str, Any] = {"kind": kind, "currency": currency, "customer": "shelf:customer:c1", "dated": DAY}
    if rate is not None:
        shared["exchange_rate"] = rate
    lines = [
        {"line_id": str(place), "product": "shelf:product:p1", "quantity": "1", "unit_price": amount}
        for place, amount in enumerate(amounts)
    ]
    match kind:
        case "invoice":
            return number, {**shared, "number": number, "status": "won", "won": True, "lines": lines}
        case "credit_memo":
            return number, {**shared, "number": number, "lines": lines}
        case "payment":
            applied = [{"invoice": f"shelf:order:{number}", "amount": amounts[0]}]
            return f"p-{number}", {**shared, "amount": amounts[0], "applied": applied}
        case _:
            wages, taxes = amounts
            paid = {"wages": wages, "employer_tax": taxes, "net_pay": wages, "tax_payment": taxes}
            return number, {
                "kind": kind,
                "currency": currency,
                "status": "processed",
                "processed": True,
                "check_date": DAY,
                "period_start": "2026-03-01",
                "period_end": DAY,
                "lines": [{"department": "", "part": part, "amount": paid[part], "people": 9} for part in paid],
            }


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        await opened.control("/preferences", {"CurrencyPrefs": {"MultiCurrencyEnabled": True}})
        rate = {"SourceCurrencyCode": "EUR", "Rate": Decimal(BOOKS_RATE), "AsOfDate": DAY}
        await opened.enter("ExchangeRate", rate)
        shelf = opened.sales.shelf
        shelf.put("customer", "c1", {"kind": "customer", "name": "Zoé & Co", "currency": "USD"})
        shelf.put("product", "p1", {"kind": "product", "name": "Hours"})
        for put in DOCUMENTS:
            shelf.put("order", *record(put))
        yield opened


def rows(sums: list[Sums]) -> dict[tuple[str, str], dict[str, Any]]:
    shown = [asdict(one) for one in sums]
    return {(row.pop("currency"), row.pop("entity")): row for row in shown}


async def told(settings: Settings) -> dict[tuple[str, str], dict[str, Any]]:
    async with open_state(settings) as opened:
        return rows(await totals_of(opened, 1))


async def test_every_kind_of_document_in_each_currency(shop: Shop) -> None:
    settings = shop.settings(company_settings(shop.emulator, shop.folder, mapping=MAPPING + RULES))
    async with shop.engine(settings):
        await shop.until_done()
        wanted = expected(DOCUMENTS)
        assert await told(settings) == wanted

        # A person changes a foreign credit memo and deletes the pay run's entry; the source withdraws 1005.
        memos = {one["DocNumber"]: one for one in (await shop.control("/state?entity=CreditMemo"))["CreditMemo"]}
        item = memos["3002"]["Line"][0]["SalesItemLineDetail"]["ItemRef"]
        line = {
            "Amount": Decimal("1.11"),
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": item},
        }
        added = {"operation": "update", "id": memos["3002"]["Id"], "add_lines": [line]}
        await shop.control("/books/CreditMemo", added)
        (entry,) = (await shop.control("/state?entity=JournalEntry"))["JournalEntry"]
        await shop.control("/books/JournalEntry", {"operation": "delete", "id": entry["Id"]})
        shop.sales.shelf.put("order", "1005", None)
        await shop.until_done()
    wanted = expected(tuple(put for put in DOCUMENTS if put[:2] != ("invoice", "1005")))
    # 7.77 and 1.11 are 8.88, at 1.0835 9.62148.
    wanted["EUR", "CreditMemo"] |= {"books": Decimal("8.88"), "home_books": Decimal("9.62"), "off": 1}
    wanted["USD", "JournalEntry"] |= {"books": Decimal(0), "home_books": Decimal(0), "off": 1}
    assert await told(settings) == wanted
    await shop.check_state()
