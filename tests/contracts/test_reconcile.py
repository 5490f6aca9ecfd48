"""Reconciliation of a whole company with drift that is brought about on purpose: exactly that is told, and mended."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.tasks.reconcile import code_of, reconciled
from counterfoil.cli.tasks.reconcile_repairs import ask_for_repairs
from counterfoil.cli.tasks.reconcile_show import Shown
from counterfoil.dispatch.books import Shown as Seen
from counterfoil.dispatch.books import Span
from counterfoil.engine import Engine
from counterfoil.planning.reconciling.drifts import Drift
from counterfoil.planning.reconciling.report import Report, Scope
from counterfoil.postgres import Pool
from counterfoil.quickbooks.online.books import OnlineBooks
from counterfoil.state.rows import DriftRow
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import BooksReconciled, DriftCleared, DriftFound
from support.postgres import Database
from support.running import Shop, open_shop

pytestmark = pytest.mark.slow
ORDERS = 24
MONTH = "2026-03"


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        opened.sales.open(customers=3, products=2, orders=ORDERS)
        async with opened.engine(opened.settings()):
            await opened.until_done()
        yield opened


async def reconcile(shop: Shop, scope: Scope | None = None, *, repair: bool = False) -> Report:
    """A run as the command makes it, while nobody works for the company."""
    settings = shop.settings()
    (company,) = settings.companies
    async with Engine(settings) as engine:
        report = await reconciled(engine, company, scope or Scope(), lambda *_: None)
        if repair:
            await ask_for_repairs(engine, [Shown(company=company, report=report, accounts={})], "Ann")
    return report


async def events(shop: Shop, kind: type[Any]) -> list[Any]:
    async with Engine(shop.settings()) as engine:
        return [await one.event() async for one in engine.reader.stream(1, 0) if one.event_type == kind.event_type]


def by_kind(drifts: Sequence[Drift]) -> dict[str, list[Drift]]:
    found: dict[str, list[Drift]] = {}
    for one in drifts:
        found.setdefault(one.kind, []).append(one)
    return found


async def assert_ties_out(shop: Shop) -> None:
    """Every sum by every dimension, and each metered read."""
    metered = (await shop.control("/stats"))["metered_reads"]
    report = await reconcile(shop)
    assert report.ties_out, (report.drifts, report.not_compared)
    # Company information and preferences are read before: are these the pinned books?
    assert (await shop.control("/stats"))["metered_reads"] - metered == report.metered + 2
    (invoices,) = [one for one in report.totals.cells("type") if one.place.entity == "Invoice"]
    assert invoices.source.total == invoices.log.total == invoices.books.total == shop.sales.total
    assert invoices.books.documents == ORDERS
    (march,) = [one for one in report.totals.cells("month") if one.place.entity == "Invoice"]
    assert (march.place.value, march.books.total) == (MONTH, shop.sales.total)
    parties = [one for one in report.totals.cells("party") if one.place.entity == "Invoice"]
    assert sum(one.books.total for one in parties) == shop.sales.total
    accounts = [one for one in report.totals.cells("account") if one.place.entity == "Invoice"]
    assert sum(one.books.net for one in accounts) == shop.sales.total
    assert {one.place.value for one in accounts} == {"79"}, "Sales of Product Income"
    assert report.source_records == ORDERS + 3 + 2
    assert {(one.entity, one.ours, one.shown, one.counted) for one in report.reads} == {
        ("Customer", 3, 3, 3),
        ("Invoice", ORDERS, ORDERS, ORDERS),
        ("Item", 2, 2, 2),
    }


async def test_books_that_agree_tie_out_and_a_failed_reading_says_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assert_ties_out(shop)
    # The count is answered, the page is not.
    fault = {"kind": "fault", "code": "4002", "entity": "Invoice", "operation": "query", "after": 1, "count": None}
    await shop.control("/faults", fault)
    failed = await reconcile(shop)
    assert [one.what for one in failed.not_compared] == ["Invoice"]
    assert failed.drifts == ()
    assert not failed.ties_out
    assert code_of([failed]) == ExitCode.UNREACHABLE
    assert {one.entity for one in failed.reads} == {"Customer", "Item"}
    (rule,) = (await shop.control("/faults"))["faults"]
    assert rule["fired"] >= 1

    # An answer that leaves a document out does not fit the count.
    real = OnlineBooks.within

    async def cut_off(self: OnlineBooks, entity: str, lane: Lane, span: Span) -> AsyncIterator[Sequence[Seen]]:
        async for page in real(self, entity, lane, span):
            yield page[:-1] if entity == "Customer" else page

    with monkeypatch.context() as patched:
        patched.setattr(OnlineBooks, "within", cut_off)
        cut = await reconcile(shop, Scope(entities=frozenset({"Customer"})))
    assert [(one.what, "counts 3 documents of Customer, but shows 2" in one.reason) for one in cut.not_compared] == [
        ("Customer", True)
    ]
    assert cut.drifts == ()


async def drift_away(shop: Shop) -> dict[str, str]:
    """What people do behind our back; the Ids of what they made, and of what they did it to."""
    numbers = [*shop.sales.orders]
    shown = {number: await shop.invoice(number) for number in numbers[:6]}
    ids = {number: str(one["Id"]) for number, one in shown.items()}
    deleted, edited, noted, copied, voided, moved = numbers[:6]
    await shop.control("/books/Invoice", {"operation": "delete", "id": ids[deleted]})
    lines = [line for line in shown[edited]["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    lines[0]["SalesItemLineDetail"]["UnitPrice"] = Decimal("1.11")
    lines[0]["Amount"] = Decimal("1.11") * Decimal(str(lines[0]["SalesItemLineDetail"]["Qty"]))
    await shop.control("/books/Invoice", {"operation": "update", "id": ids[edited], "body": {"Line": lines}})
    note = {"PrivateNote": f"Called twice. {shown[noted]['PrivateNote']}"}
    await shop.control("/books/Invoice", {"operation": "update", "id": ids[noted], "body": note})
    await shop.control("/books/Invoice", {"operation": "void", "id": ids[voided]})
    await shop.control("/books/Invoice", {"operation": "update", "id": ids[moved], "body": {"TxnDate": "2026-04-01"}})
    item = lines[0]["SalesItemLineDetail"]["ItemRef"]
    sold = [{"Amount": 7, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": item}}]
    own = {"CustomerRef": shown[copied]["CustomerRef"], "TxnDate": "2026-03-20", "Line": sold}
    twice = await shop.enter("Invoice", own | {"DocNumber": "H1", "PrivateNote": shown[copied]["PrivateNote"]})
    extra = await shop.enter("Invoice", own | {"DocNumber": "H2", "PrivateNote": f"cf-{'0' * 20}"})
    await shop.enter("Invoice", own | {"DocNumber": "H3", "PrivateNote": "by hand"})
    return {
        "deleted": deleted,
        "edited": edited,
        "noted": noted,
        "copied": copied,
        "voided": voided,
        "moved": moved,
        "twice": str(twice["Id"]),
        "extra": str(extra["Id"]),
    }


def assert_told(shop: Shop, report: Report, done: dict[str, str]) -> tuple[Drift, Drift, Drift, Drift]:
    """What is told of the books, in amounts worked out from the orders: what is missing, edited, moved, voided."""
    told = by_kind(report.drifts)
    (missing,) = told["missing_in_books"]
    assert missing.record_key == f"shelf:order:{done['deleted']}"
    assert missing.amount == -shop.sales.orders[done["deleted"]].total
    edits = {one.record_key: one for one in told["changed_in_books"]}
    edited, moved = (edits[f"shelf:order:{done[name]}"] for name in ("edited", "moved"))
    quantity, price = shop.sales.orders[done["edited"]].lines[0][1:]
    assert edited.amount == quantity * (Decimal("1.11") - price)
    assert {one.field.partition(".")[2] for one in edited.fields} >= {"Amount"}
    assert [(one.field, one.ours, one.books) for one in moved.fields] == [("TxnDate", "2026-03-14", "2026-04-01")]
    assert moved.amount == 0
    (voided,) = told["voided_in_books"]
    assert (voided.record_key, voided.repair) == (f"shelf:order:{done['voided']}", None)
    assert voided.amount == -shop.sales.orders[done["voided"]].total
    (doubled,) = told["doubled_in_books"]
    assert (doubled.document_id, doubled.amount) == (done["twice"], Decimal(7))
    assert f"shelf:order:{done['copied']}" in doubled.fields[0].ours
    assert [one.document_id for one in told["extra_in_books"]] == [done["extra"]]
    assert [(key, fields) for key, fields in report.apart if key.endswith(done["noted"])] == [
        (f"shelf:order:{done['noted']}", ("PrivateNote",))
    ]
    return missing, edited, moved, voided


async def assert_recorded_once(shop: Shop, report: Report) -> None:
    """A second look adds its sum alone, and a narrow one clears nothing of what it did not look at."""
    first = await events(shop, DriftFound)
    assert Counter(one.kind for one in first) == Counter(report.counts())
    again = await reconcile(shop)
    assert again.counts() == report.counts()
    await reconcile(shop, Scope(month="2026-01", sources=False))
    assert len(await events(shop, DriftFound)) == len(first)
    assert await events(shop, DriftCleared) == []
    assert [(one.month, one.new) for one in await events(shop, BooksReconciled)] == [
        (None, len(first)),
        (None, 0),
        ("2026-01", 0),
    ]


async def test_exactly_the_drift_is_told_and_repaired_to_the_cent(shop: Shop) -> None:
    done = await drift_away(shop)
    never_seen = shop.sales.add_order()
    changed = [*shop.sales.orders][10]
    before = shop.sales.orders[changed].total
    shop.sales.edit_order(changed)

    report = await reconcile(shop)

    told = by_kind(report.drifts)
    assert {kind: len(drifts) for kind, drifts in told.items()} == {
        "missing_in_books": 1,
        "changed_in_books": 2,
        "voided_in_books": 1,
        "doubled_in_books": 1,
        "extra_in_books": 1,
        "missing_in_log": 1,
        "changed_at_source": 1,
    }
    assert report.not_compared == ()
    missing, edited, moved, voided = assert_told(shop, report, done)
    assert [one.record_key for one in told["missing_in_log"]] == [f"shelf:order:{never_seen}"]
    assert told["missing_in_log"][0].amount == shop.sales.orders[never_seen].total
    assert [one.record_key for one in told["changed_at_source"]] == [f"shelf:order:{changed}"]
    await assert_recorded_once(shop, report)
    march = await reconcile(shop, Scope(month=MONTH, sources=False))
    assert {one.record_key for one in march.drifts} >= {missing.record_key, moved.record_key}, "though moved to April"

    # The log's sums are those of before: the source has grown by what was never seen, and by the edit.
    (invoices,) = [one for one in report.totals.cells("type") if one.place.entity == "Invoice"]
    known = shop.sales.total - shop.sales.orders[never_seen].total - shop.sales.orders[changed].total + before
    assert invoices.source.total == invoices.log.total == known
    assert invoices.difference == sum(
        (one.amount for one in (missing, edited, voided) if one.amount is not None), Decimal(0)
    )

    await reconcile(shop, repair=True)
    async with shop.engine(shop.settings()):
        await shop.until_done()
    held = (await shop.control("/state?entity=Invoice"))["Invoice"]
    totals = {str(one.get("DocNumber")): Decimal(str(one["TotalAmt"])) for one in held if one.get("DocNumber")}
    wanted = {number: order.total for number, order in shop.sales.orders.items()}
    wanted[done["voided"]] = Decimal(0)
    assert {number: total for number, total in totals.items() if number in wanted} == wanted
    dates = {str(one.get("DocNumber")): one["TxnDate"] for one in held}
    assert dates[done["moved"]] == "2026-03-14"
    (noted,) = [one for one in held if str(one.get("DocNumber")) == done["noted"]]
    assert "Called twice." in noted["PrivateNote"], "the books' own, which nobody restores"

    left = await reconcile(shop)
    assert left.counts() == {"voided_in_books": 1, "doubled_in_books": 1, "extra_in_books": 1}
    cleared = await events(shop, DriftCleared)
    assert Counter(one.kind for one in cleared) == Counter(report.counts()) - Counter(left.counts())
    rows = await shop.store.some(DriftRow, "open_drifts", 1, "", "", 100)
    assert {row.kind for row in rows} == set(left.counts())
    await shop.check_state()
