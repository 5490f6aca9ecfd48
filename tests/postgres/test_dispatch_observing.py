"""Reading the books: what webhooks hint at in as few calls as can be, and sweeps of any size."""

from collections.abc import Sequence

import pytest

from counterfoil.dispatch.books import Shown
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.watched import BOOKS
from counterfoil.postgres import Pool
from counterfoil.state.rows import HintRow
from counterfoil.testing.memory_books import MemoryBooks
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import BooksObserved, HintsSettled
from counterfoil_schema.exact_json import JsonValue
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.stories import accepted, observed, planned, sent


class CountedBooks(MemoryBooks):
    """Remembers what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.readings: list[tuple[str, list[str]]] = []

    async def read(self, entity: str, document_ids: Sequence[str], lane: Lane) -> Sequence[Shown]:
        self.readings.append((entity, list(document_ids)))
        return await super().read(entity, document_ids, lane)


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


def reader(dispatcher: Dispatcher, books: MemoryBooks) -> BooksReader:
    return BooksReader(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        hashes=dispatcher.keyring,
        books=books,
        echoes=dispatcher.echoes,
        clock=dispatcher.clock,
        instruments=dispatcher.instruments,
    )


def hint(kind: str, document_id: str, received: int) -> HintRow:
    return HintRow(
        company=COMPANY, connection=BOOKS, kind=kind, source_id=document_id, operation="update", received=received
    )


async def test_a_payment_and_its_invoices_are_read_in_two_calls(dispatcher: Dispatcher) -> None:
    books = CountedBooks()
    for number in ("5", "6", "7"):
        books.put("Invoice", {"Id": number, "SyncToken": "1", "TotalAmt": 10})
    paid: list[JsonValue] = [
        {"Amount": 10, "LinkedTxn": [{"TxnId": number, "TxnType": "Invoice"}]} for number in ("5", "6")
    ]
    books.put("Payment", {"Id": "9", "SyncToken": "0", "TotalAmt": 20, "Line": paid})
    # Intuit tells of the invoices as well, in whichever order.
    hints = [hint("Invoice", "5", 1), hint("Payment", "9", 1), hint("Invoice", "7", 2)]
    assert await reader(dispatcher, books).follow(hints) == 3
    assert books.readings == [("Payment", ["9"]), ("Invoice", ["5", "7", "6"])]
    *observed, settled = await dispatcher.events()
    assert isinstance(settled, HintsSettled)
    assert settled.through == 2
    assert set(settled.settled) == {("Invoice", "5"), ("Payment", "9"), ("Invoice", "7")}
    shown = [(one.entity, one.document_id) for one in observed if isinstance(one, BooksObserved)]
    assert shown == [("Invoice", "5"), ("Invoice", "7"), ("Invoice", "6"), ("Payment", "9")]


async def test_a_sweep_that_shows_more_than_an_append_may_hold_is_recorded_whole(dispatcher: Dispatcher) -> None:
    books = CountedBooks()
    for number in range(1, 2_402):
        books.put("Invoice", {"Id": str(number), "SyncToken": "0", "TotalAmt": 10})
    recorded = await reader(dispatcher, books).record(
        [*(await books.sweep(["Invoice"], dispatcher.clock.now(), "reconcile")).shown], "sweep"
    )
    assert recorded == 2_401
    shown = [one.document_id for one in await dispatcher.events() if isinstance(one, BooksObserved)]
    assert shown == [str(number) for number in range(1, 2_402)]


async def test_what_a_person_entered_is_read_although_we_create_all_day(dispatcher: Dispatcher) -> None:
    """A create that was sent after the notification came cannot be what it tells of; one sent before it may."""
    books = CountedBooks()
    books.put("Invoice", {"Id": "70", "SyncToken": "0", "TotalAmt": 10})
    change = await dispatcher.write(observed("1"))
    await dispatcher.write(planned(change, "shop:order:1", "i1"))
    call = await dispatcher.write(sent("r", (change, "shop:order:1", "i1")))
    looking = reader(dispatcher, books)
    assert await looking.follow([hint("Invoice", "70", call + 1)]) == 0
    assert books.readings == []
    assert await looking.follow([hint("Invoice", "70", call - 1)]) == 1
    assert books.readings == [("Invoice", ["70"])]


TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


async def in_flight(dispatcher: Dispatcher, *, entity: str = "Invoice", name_key: str | None = None) -> None:
    """A create that was sent and has no answer yet; its plan belongs to a trace."""
    change = await dispatcher.write(observed("1"))
    plan = planned(change, "shop:order:1", "i1", entity=entity, name_key=name_key)
    await dispatcher.session.decide([plan], trace=TRACE)
    await dispatcher.folder.to_head()
    await dispatcher.write(sent("r", (change, "shop:order:1", "i1")))


async def trace_of_last(dispatcher: Dispatcher) -> str | None:
    """The trace of the newest event."""
    return (await dispatcher.log.read(COMPANY, limit=10_000))[-1].trace


async def test_our_own_invoice_seen_before_its_answer_continues_the_trace_that_led_to_it(
    dispatcher: Dispatcher,
) -> None:
    await in_flight(dispatcher)
    mark = await dispatcher.outbox.marker_of(await dispatcher.intent("i1"))
    shown = dispatcher.books.put("Invoice", {"Id": "5", "SyncToken": "0", "PrivateNote": f"Order i1 {mark}"})
    assert await reader(dispatcher, dispatcher.books).record([shown], "sweep") == 1
    assert await trace_of_last(dispatcher) == TRACE
    other = dispatcher.books.put("Invoice", {"Id": "6", "SyncToken": "0", "PrivateNote": f"cf-{'0' * 20}"})
    assert await reader(dispatcher, dispatcher.books).record([other], "sweep") == 1
    assert await trace_of_last(dispatcher) is None


async def test_what_was_sent_and_is_not_folded_yet_is_known_as_well(dispatcher: Dispatcher) -> None:
    change = await dispatcher.write(observed("1"))
    await dispatcher.session.decide([planned(change, "shop:order:1", "i1")], trace=TRACE)
    mark = await dispatcher.outbox.marker_of(await dispatcher.intent("i1"))
    dispatcher.in_flight.start(["i1"])
    await dispatcher.session.decide([sent("r", (change, "shop:order:1", "i1"))])
    shown = dispatcher.books.put("Invoice", {"Id": "5", "SyncToken": "0", "PrivateNote": mark})
    assert await reader(dispatcher, dispatcher.books).record([shown], "sweep") == 1
    assert await trace_of_last(dispatcher) == TRACE


async def test_our_own_customer_seen_before_its_answer_is_known_by_its_name(dispatcher: Dispatcher) -> None:
    view = ViewLoader(
        company=COMPANY, store=dispatcher.store, events=LogEvents(dispatcher.log), hashes=dispatcher.keyring
    )
    await in_flight(dispatcher, entity="Customer", name_key=await view.name_key("Ana Trujillo"))
    shown = dispatcher.books.put("Customer", {"Id": "5", "SyncToken": "0", "DisplayName": "ana trujillo"})
    assert await reader(dispatcher, dispatcher.books).record([shown], "sweep") == 1
    assert await trace_of_last(dispatcher) == TRACE


async def test_an_answer_recorded_while_a_reading_is_judged_gives_it_its_trace(dispatcher: Dispatcher) -> None:
    await in_flight(dispatcher)
    shown = dispatcher.books.put("Invoice", {"Id": "5", "SyncToken": "1"})
    looking = reader(dispatcher, dispatcher.books)
    news = await looking.news([shown])
    row = await dispatcher.intent("i1")
    answer = accepted(row.change, row.record_key, "i1", "r", {"Id": "5", "SyncToken": "0"})
    await dispatcher.session.decide([answer], trace=TRACE)
    await dispatcher.folder.to_head()
    assert await looking.append(news, "sweep") == 1
    assert await trace_of_last(dispatcher) == TRACE
