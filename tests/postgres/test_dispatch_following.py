"""Following what webhooks hint at: each kind by itself, nothing held up by another, as few metered calls as can be."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import pytest

from counterfoil.dispatch.books import BooksUnreadableError, Listing, Shown, Swept
from counterfoil.dispatch.limiter import ReadBudget
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sweeping import Sweeper
from counterfoil.dispatch.watched import BOOKS, EVERYTHING
from counterfoil.postgres import Pool
from counterfoil.state.rows import DocumentRow, HintRow
from counterfoil.testing.memory_books import MemoryBooks
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import (
    BooksObserved,
    CompanyRegistered,
    DirectoryObserved,
    Hint,
    PreferencesObserved,
    WebhookReceived,
)
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database


class Books(MemoryBooks):
    """Counts its metered calls, and refuses some on purpose."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.spoilt: set[str] = set()
        self.shut: set[str] = set()

    async def read(self, entity: str, document_ids: Sequence[str], lane: Lane) -> Sequence[Shown]:
        self.calls.append(f"read {entity} {len(document_ids)}")
        if entity in self.shut:
            raise BooksUnreadableError(f"You may not see {entity}.")
        if self.spoilt.intersection(document_ids):
            raise BooksUnreadableError("The query cannot be processed.", divisible=True)
        return await super().read(entity, document_ids, lane)

    async def sweep(self, entities: Sequence[str], since: datetime, lane: Lane) -> Swept:
        del since, lane
        self.calls.append(f"sweep {len(entities)}")
        shown = [one for one in self.documents.values() if one.entity in entities and one.status == "live"]
        return Swept(shown=shown, until=None)

    async def names(self, entity: str, lane: Lane) -> Sequence[Listing]:
        self.calls.append(f"names {entity}")
        return await super().names(entity, lane)


class Scene:
    """A company whose webhooks are recorded and followed."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.books = Books()
        events = LogEvents(dispatcher.log)
        self.reader = BooksReader(
            session=dispatcher.session,
            store=dispatcher.store,
            events=events,
            hashes=dispatcher.keyring,
            books=self.books,
            echoes=dispatcher.echoes,
            clock=dispatcher.clock,
            instruments=dispatcher.instruments,
        )
        self.sweeper = Sweeper(
            session=dispatcher.session,
            store=dispatcher.store,
            events=events,
            books=self.books,
            reader=self.reader,
            clock=dispatcher.clock,
            budget=ReadBudget(dispatcher.clock),
        )
        self._deliveries = 0

    async def told(self, *hints: tuple[str, str]) -> None:
        """A delivery names these."""
        self._deliveries += 1
        made = tuple(Hint(kind=kind, source_id=source_id, operation="updated") for kind, source_id in hints)
        await self.dispatcher.write(
            WebhookReceived(connection=BOOKS, delivery_id=str(self._deliveries), hints=made, raw="")
        )

    async def open_hints(self) -> list[HintRow]:
        await self.dispatcher.folder.to_head()
        return await self.dispatcher.store.some(HintRow, "open_hints", COMPANY, 1_000)

    async def follow(self) -> int:
        """As the worker does."""
        followed = await self.sweeper.follow(await self.open_hints())
        await self.dispatcher.folder.to_head()
        return followed

    async def left(self) -> set[tuple[str, str]]:
        return {(hint.kind, hint.source_id) for hint in await self.open_hints()}

    async def observed(self) -> list[tuple[str, str]]:
        events = await self.dispatcher.events()
        return [(one.entity, one.document_id) for one in events if isinstance(one, BooksObserved)]


@pytest.fixture
async def scene(database: Database, pool: Pool) -> Scene:
    dispatcher = Dispatcher(pool, database.names)
    await dispatcher.open()
    await dispatcher.write(CompanyRegistered(name="Shelf", zone="UTC", home_currency="USD"))
    return Scene(dispatcher)


async def test_what_nobody_reads_is_settled_unread(scene: Scene) -> None:
    await scene.told(("Budget", "1"), ("CompanyCurrency", "2"), ("newkind", "3"))
    assert await scene.follow() == 3
    assert await scene.left() == set()
    assert scene.books.calls == []


async def test_settings_and_names_are_read_as_such(scene: Scene) -> None:
    scene.books.put("Account", {"Id": "33", "Name": "Accounts Payable"})
    scene.books.put("TaxCode", {"Id": "5", "Name": "California"})
    await scene.told(("Preferences", "1"), ("Account", "33"), ("Account", "34"))
    await scene.follow()
    assert await scene.left() == set()
    assert scene.books.calls == ["names Account"]
    events = await scene.dispatcher.events()
    assert [one.home_currency for one in events if isinstance(one, PreferencesObserved)] == ["USD"]
    (names,) = [one for one in events if isinstance(one, DirectoryObserved)]
    assert [(one.document_id, one.name) for one in names.entries] == [("33", "Accounts Payable")]


async def test_a_renamed_item_is_known_by_its_new_name(scene: Scene) -> None:
    for token, name in (("0", "Hours"), ("1", "Days")):
        scene.books.put("Item", {"Id": "7", "SyncToken": token, "Name": name})
        await scene.told(("Item", "7"))
        await scene.follow()
        row = await scene.dispatcher.store.one(DocumentRow, COMPANY, "Item", "7")
        assert row is not None
        assert row.name == name


async def test_a_kind_that_may_not_be_read_holds_up_no_other_and_is_asked_for_ever_less_often(scene: Scene) -> None:
    scene.books.shut = {"Employee"}
    scene.books.put("Vendor", {"Id": "8", "SyncToken": "0"})
    await scene.told(("Employee", "55"), ("Vendor", "8"))
    with pytest.raises(BooksUnreadableError, match="may not see"):
        await scene.follow()
    assert await scene.left() == {("Employee", "55")}
    assert await scene.observed() == [("Vendor", "8")]
    for _ in range(60):
        scene.dispatcher.clock.seconds += 1
        with suppress(BooksUnreadableError):
            await scene.reader.follow(await scene.open_hints())
    # After 0, 5, 15 and 35 seconds.
    assert scene.books.calls.count("read Employee 1") == 4
    scene.books.shut = set()
    scene.books.put("Employee", {"Id": "55", "SyncToken": "0"})
    scene.dispatcher.clock.seconds += 3_600
    assert await scene.follow() == 1
    assert await scene.left() == set()


async def test_one_record_that_spoils_a_query_is_found_by_halves_and_the_others_are_read(scene: Scene) -> None:
    for number in range(1, 101):
        scene.books.put("Invoice", {"Id": str(number), "SyncToken": "0", "TotalAmt": 10})
    scene.books.spoilt = {"37"}
    await scene.told(*(("Invoice", str(number)) for number in range(1, 101)))
    with pytest.raises(BooksUnreadableError, match="cannot be processed"):
        await scene.follow()
    assert len(await scene.observed()) == 99
    assert await scene.left() == {("Invoice", "37")}
    # Each halving costs two readings: 100, 50, 25, 13, 7, 4, 2, 1.
    assert len(scene.books.calls) <= 15
    before = len(scene.books.calls)
    assert await scene.follow() == 0
    assert len(scene.books.calls) == before


async def test_many_kinds_are_followed_by_one_sweep(scene: Scene) -> None:
    kinds = ("Customer", "Vendor", "Invoice", "Bill", "JournalEntry")
    for entity in kinds:
        for number in range(8):
            scene.books.put(entity, {"Id": str(number), "SyncToken": "0", "TotalAmt": 10})
    await scene.told(*((entity, str(number)) for entity in kinds for number in range(8)))
    assert await scene.follow() == 40
    assert await scene.left() == set()
    assert scene.books.calls == ["sweep 23"]
    assert len(await scene.observed()) == 40


async def test_what_a_sweep_does_not_show_is_read_by_id(scene: Scene) -> None:
    for entity in ("Customer", "Vendor", "Invoice"):
        scene.books.put(entity, {"Id": "1", "SyncToken": "0", "TotalAmt": 10})
    await scene.told(("Customer", "1"), ("Vendor", "1"), ("Invoice", "1"), ("Invoice", "2"), ("Invoice", "3"))
    assert await scene.follow() == 5
    assert scene.books.calls == ["sweep 23", "read Invoice 2"]
    assert await scene.left() == set()


async def test_a_hint_at_everything_is_settled_by_a_sweep(scene: Scene) -> None:
    scene.books.put("Deposit", {"Id": "4", "SyncToken": "0", "TotalAmt": 10})
    await scene.told((EVERYTHING.kind, EVERYTHING.source_id))
    await scene.sweeper.find_everything(await scene.open_hints())
    assert await scene.left() == set()
    assert await scene.observed() == [("Deposit", "4")]
