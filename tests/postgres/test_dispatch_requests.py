"""What operators ask for, taken up by whoever holds the lease."""

from typing import Literal

import pytest

from counterfoil.postgres import Pool
from counterfoil.state.rows import LinkRow
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events.receipts import OperatorRequested, SourceObserved
from counterfoil_schema.records import Product
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.stories import observed, planned, sent

ORDER = "shop:order:1"
LAMP = "shop:product:7"


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


async def ask(dispatcher: Dispatcher, action: Literal["approve", "retry", "skip"], intent_id: str | None = None) -> str:
    """A request and what was said of it."""
    await dispatcher.write(OperatorRequested(action=action, record_key=ORDER, intent_id=intent_id, author="Ann"))
    head = await dispatcher.folder.to_head()
    assert await dispatcher.requests.take(head)
    taken = await dispatcher.last()
    assert isinstance(taken, done.RequestTaken)
    await dispatcher.folder.to_head()
    assert not await dispatcher.requests.take(head)
    return taken.outcome


async def begin(dispatcher: Dispatcher, *intents: done.IntentPlanned) -> int:
    change = await dispatcher.write(observed("1"))
    await dispatcher.write(*(one.model_copy(update={"change": change}) for one in intents))
    return change


def parked(change: int) -> done.ChangeParked:
    return done.ChangeParked(change=change, record_key=ORDER, code="no-lines", reason="No lines.", fix="Add some.")


async def test_approval_lets_what_was_held_go_out(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher, planned(1, ORDER, "i1", review=True))
    assert (await dispatcher.change(change)).code == "approval"
    assert (await ask(dispatcher, "approve")).startswith("1 decision, ")
    assert (await dispatcher.intent("i1")).state == "ready"
    assert "Nothing to do" in await ask(dispatcher, "approve")


async def test_who_approves_twice_is_told_that_the_second_time_did_nothing(dispatcher: Dispatcher) -> None:
    await begin(dispatcher, planned(1, ORDER, "i1", review=True))
    request = OperatorRequested(action="approve", record_key=ORDER, author="Ann")
    await dispatcher.write(request, request)
    while await dispatcher.requests.take(await dispatcher.folder.to_head()):
        pass
    events = await dispatcher.events()
    outcomes = [event.outcome for event in events if isinstance(event, done.RequestTaken)]
    assert [outcome.partition(",")[0] for outcome in outcomes] == [
        "1 decision",
        "Nothing to do: no such record waits.",
    ]
    assert sum(isinstance(event, done.IntentApproved) for event in events) == 1


async def test_only_the_intent_named_is_approved(dispatcher: Dispatcher) -> None:
    await begin(dispatcher, planned(1, ORDER, "i1", review=True), planned(1, ORDER, "i2", review=True))
    await ask(dispatcher, "approve", "i2")
    assert [(await dispatcher.intent(one)).state for one in ("i1", "i2")] == ["held", "ready"]


async def test_a_retry_decides_a_parked_change_afresh(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher)
    await dispatcher.write(parked(change))
    await ask(dispatcher, "retry")
    row = await dispatcher.change(change)
    assert (row.state, row.code, row.decided, row.reason) == ("waiting", "decision", None, "")


async def test_a_retry_of_what_is_not_parked_does_nothing(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher, planned(1, ORDER, "i1"))
    assert "Nothing to do" in await ask(dispatcher, "retry")
    assert (await dispatcher.change(change)).state == "waiting"


async def test_only_the_newest_change_is_tried_again(dispatcher: Dispatcher) -> None:
    first = await begin(dispatcher)
    await dispatcher.write(parked(first))
    second = await begin(dispatcher)
    await dispatcher.write(parked(second))
    await ask(dispatcher, "retry")
    assert [(await dispatcher.change(one)).state for one in (first, second)] == ["skipped", "waiting"]


async def test_a_skip_withdraws_what_has_not_gone_out(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher, planned(1, ORDER, "i1"), planned(1, ORDER, "i2", review=True))
    await ask(dispatcher, "skip")
    row = await dispatcher.change(change)
    assert (row.state, row.code) == ("skipped", "operator")
    assert "Ann" in row.reason


async def test_a_skip_of_a_parked_change_skips_it(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher)
    await dispatcher.write(parked(change))
    await ask(dispatcher, "skip")
    assert (await dispatcher.change(change)).state == "skipped"


async def test_what_may_have_gone_out_is_neither_skipped_nor_approved(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher, planned(1, ORDER, "i1"))
    await dispatcher.write(sent("r", (change, ORDER, "i1")))
    assert "Nothing to do" in await ask(dispatcher, "skip")
    assert (await dispatcher.intent("i1")).state == "sent"


async def test_what_is_about_to_go_out_is_left_alone(dispatcher: Dispatcher) -> None:
    """Its row still says ready, but its call is under way."""
    await begin(dispatcher, planned(1, ORDER, "i1"))
    dispatcher.in_flight.start(["i1"])
    assert "Nothing to do" in await ask(dispatcher, "skip")
    assert (await dispatcher.intent("i1")).company == COMPANY


def product_observed(number: str, product: Product) -> SourceObserved:
    return SourceObserved(
        connection="shop",
        source_kind="product",
        source_id=number,
        version="1",
        content_hash=number,
        how="sync",
        record=product,
    )


async def ask_to_map(dispatcher: Dispatcher, document: str, record_key: str = "shop:product:7") -> str:
    await dispatcher.write(OperatorRequested(action="map", record_key=record_key, document=document, author="Ann"))
    assert await dispatcher.requests.take(await dispatcher.folder.to_head())
    taken = await dispatcher.last()
    assert isinstance(taken, done.RequestTaken)
    await dispatcher.folder.to_head()
    return taken.outcome


async def test_a_document_that_stands_for_a_record_is_read_and_linked(dispatcher: Dispatcher) -> None:
    lamp = Product(name="Lamp")
    change = await dispatcher.write(product_observed("7", lamp), product_observed("8", lamp))
    await dispatcher.write(done.ChangeParked(change=change, record_key=LAMP, code="same_name", reason=".", fix="."))
    dispatcher.books.put("Item", {"Id": "45", "SyncToken": "3", "Name": "Lamp", "Active": True})
    dispatcher.books.put("Item", {"Id": "46", "SyncToken": "0", "Name": "Old", "Active": False})

    assert "no Item 44" in await ask_to_map(dispatcher, "Item:44")
    assert "inactive" in await ask_to_map(dispatcher, "Item:46")
    assert "only Item can stand for it" in await ask_to_map(dispatcher, "Customer:45")
    assert "not there at its source" in await ask_to_map(dispatcher, "Item:45", "shop:product:9")
    assert (await dispatcher.change(change)).state == "parked"
    assert (await ask_to_map(dispatcher, "Item:45")).startswith("1 decision, ")

    link = await dispatcher.store.one(LinkRow, COMPANY, LAMP)
    assert link is not None
    assert (link.entity, link.document_id, link.sync_token, link.adopted) == ("Item", "45", "3", True)
    waiting = await dispatcher.change(change)
    assert (waiting.state, waiting.code) == ("waiting", "decision")
    assert f"stands for {LAMP} already" in await ask_to_map(dispatcher, "Item:45", "shop:product:8")
    assert "stands for shop:product:7 already" in await ask_to_map(dispatcher, "Item:46")


async def test_two_who_name_one_document_at_once_do_not_both_get_it(dispatcher: Dispatcher) -> None:
    await dispatcher.write(product_observed("7", Product(name="Lamp")), product_observed("8", Product(name="Lamp")))
    dispatcher.books.put("Item", {"Id": "45", "SyncToken": "3", "Name": "Lamp", "Active": True})
    await dispatcher.write(
        *(OperatorRequested(action="map", record_key=f"shop:product:{n}", document="Item:45", author="A") for n in "78")
    )
    while await dispatcher.requests.take(await dispatcher.folder.to_head()):
        await dispatcher.folder.to_head()
    links = [await dispatcher.store.one(LinkRow, COMPANY, f"shop:product:{number}") for number in "78"]
    assert [link is not None for link in links] == [True, False]
