"""Gaps that change data capture cannot bridge: over thirty days, and over a thousand changes."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.dispatch.books import Shown, Swept
from counterfoil.dispatch.limiter import ReadBudget
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sweeping import SWEEP, Sweeper
from counterfoil.dispatch.watched import BOOKS
from counterfoil.postgres import Pool
from counterfoil.state.rows import DocumentRow
from counterfoil.testing.memory_books import MemoryBooks
from counterfoil_schema.events.decisions import Lane
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.running import Shop, open_shop


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch, "--old-changes", "refused") as opened:
        opened.sales.open(customers=2, products=2, orders=5)
        yield opened


async def test_after_forty_days_everything_is_seen(shop: Shop) -> None:
    async with shop.engine():
        await shop.until_done()
    total = Decimal(str((await shop.invoice("1002"))["TotalAmt"]))
    await shop.pay({"1002": total})
    gone = await shop.invoice("1003")
    await shop.control("/books/Invoice", {"operation": "delete", "id": gone["Id"]})
    now = datetime.now(UTC)
    await shop.store.execute("save_cursor", 1, BOOKS, SWEEP, (now - timedelta(days=40)).isoformat(), now)

    async with shop.engine(webhooks=False):
        await shop.until_done()

    row = await shop.store.one(DocumentRow, 1, "Invoice", gone["Id"])
    assert row is not None
    assert row.status == "deleted"
    assert Decimal((await shop.values("1002"))["paid"]) == total
    kept = await shop.store.value("cursor", 1, BOOKS, SWEEP)
    assert datetime.fromisoformat(kept) >= now
    await shop.check_state()


class CutOff(MemoryBooks):
    """Change data capture cut off at a thousand: what was deleted came last, and is not in it."""

    async def sweep(self, entities: Sequence[str], since: datetime, lane: Lane) -> Swept:
        del lane
        living = [one for one in self.documents.values() if one.entity in entities and one.status == "live"]
        return Swept(shown=living, until=since, truncated=bool(living))

    async def changed_since(self, entity: str, since: datetime, lane: Lane) -> AsyncIterator[Sequence[Shown]]:
        shown = (await self.sweep([entity], since, lane)).shown
        yield [one for one in shown if one.document_id != "2"]

    async def count(
        self,
        entity: str,
        lane: Lane,
        *,
        changed_since: datetime | None = None,
        created: tuple[datetime, datetime] | None = None,
        dated: tuple[date, date] | None = None,
    ) -> int:
        del lane, changed_since, created, dated
        return sum(one.entity == entity and one.document_id != "2" for one in self.documents.values())


async def test_a_deletion_behind_a_thousand_changes_is_found(database: Database, pool: Pool) -> None:
    dispatcher = Dispatcher(pool, database.names)
    await dispatcher.open()
    books = CutOff()
    for number in ("1", "2", "3"):
        books.put("Invoice", {"Id": number, "SyncToken": "0", "TotalAmt": 10})
    reader = BooksReader(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        hashes=dispatcher.keyring,
        books=books,
        echoes=dispatcher.echoes,
        clock=dispatcher.clock,
        instruments=dispatcher.instruments,
    )
    await reader.record(list(books.documents.values()), "sweep")
    await dispatcher.folder.to_head()
    del books.documents["Invoice", "3"]

    sweeper = Sweeper(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        books=books,
        reader=reader,
        clock=dispatcher.clock,
        budget=ReadBudget(dispatcher.clock),
    )
    await sweeper.sweep()
    await dispatcher.folder.to_head()

    found = {
        number: (await dispatcher.store.one(DocumentRow, COMPANY, "Invoice", number)) for number in ("1", "2", "3")
    }
    assert {number: row.status for number, row in found.items() if row is not None} == {
        "1": "live",
        "2": "live",
        "3": "deleted",
    }
