"""A deal that was read before the company that it names is decided again once the company has come."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.dispatch.decide import Decider
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.reopening import Reopener, references
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.write_back_plans import WriteBackPlans
from counterfoil.postgres import Pool
from counterfoil_schema.events.decisions import ChangeParked, ChangeReopened
from counterfoil_schema.events.receipts import SourceObserved, SourceUnreadable
from counterfoil_schema.records import (
    Application,
    Customer,
    Employee,
    Invoice,
    InvoiceLine,
    Payment,
    Product,
    Record,
    record_key,
)
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database

ANN = "shop:customer:ann"
LAMP = "shop:product:lamp"


def sale(customer: str, *products: str) -> Invoice:
    lines = tuple(
        InvoiceLine(line_id=str(place), product=product, unit_price=Decimal(1))
        for place, product in enumerate(products)
    )
    return Invoice(customer=customer, status="won", won=True, dated=date(2026, 3, 1), currency="USD", lines=lines)


def seen(source_kind: str, source_id: str, record: Record) -> SourceObserved:
    return SourceObserved(
        connection="shop",
        source_kind=source_kind,
        source_id=source_id,
        version="1",
        content_hash=source_id,
        how="webhook",
        record=record,
    )


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


async def park(dispatcher: Dispatcher, source_id: str, record: Record, code: str) -> int:
    position = await dispatcher.write(seen("deal", source_id, record))
    key = record_key("shop", "deal", source_id)
    parked = ChangeParked(change=position, record_key=key, code=code, reason="Why.", fix="What to do.")
    await dispatcher.write(parked)
    return position


async def reopened(dispatcher: Dispatcher, source_kind: str, source_id: str, record: Record) -> list[int]:
    event = seen(source_kind, source_id, record)
    position = await dispatcher.write(event)
    reopener = Reopener(company=COMPANY, store=dispatcher.store, events=LogEvents(dispatcher.log))
    found = await reopener.waiting_for(await dispatcher.change(position), event)
    await dispatcher.write(*found)
    return [one.change for one in found]


async def test_only_what_names_the_newcomer_is_reopened(dispatcher: Dispatcher) -> None:
    hers = await park(dispatcher, "1", sale(ANN, LAMP), "unknown_customer")
    another = await park(dispatcher, "2", sale("shop:customer:bob"), "unknown_customer")
    wrong = await park(dispatcher, "3", sale(ANN), "total_mismatch")
    assert await reopened(dispatcher, "customer", "ann", Customer(name="Ann")) == [hers]
    assert ((row := await dispatcher.change(hers)).state, row.code) == ("waiting", "decision")
    assert {"parked"} == {(await dispatcher.change(position)).state for position in (another, wrong)}


async def test_a_product_that_comes_late_reopens_too(dispatcher: Dispatcher) -> None:
    with_lamp = await park(dispatcher, "1", sale(ANN, "shop:product:desk", LAMP), "unknown_product")
    await park(dispatcher, "2", sale(ANN, "shop:product:desk"), "unknown_product")
    assert await reopened(dispatcher, "product", "lamp", Product(name="Lamp")) == [with_lamp]


async def test_a_person_reopens_nothing(dispatcher: Dispatcher) -> None:
    await park(dispatcher, "1", sale(ANN), "unknown_customer")
    assert await reopened(dispatcher, "person", "ann", Employee(given_name="Ann", family_name="B")) == []


def test_what_a_record_names() -> None:
    paid = Payment(
        customer=ANN,
        dated=date(2026, 3, 1),
        currency="USD",
        amount=Decimal(5),
        applied=(Application(invoice="shop:deal:1", amount=Decimal(5)),),
    )
    assert {ANN, LAMP} == references(sale(ANN, LAMP, LAMP))
    assert {ANN, "shop:deal:1"} == references(paid)
    assert frozenset() == references(Product(name="Lamp"))


async def test_what_cannot_be_read_stays_parked_when_it_is_tried_again(dispatcher: Dispatcher) -> None:
    """Only another reading helps; asking for another try must not stop the company."""
    broken = SourceUnreadable(
        connection="shop",
        source_kind="deal",
        source_id="7",
        content_hash="h",
        place="deals.csv line 7",
        problem="'ten' in column 'amount' is not a number.",
        fix="Correct the cell.",
        raw="7,ten",
    )
    position = await dispatcher.write(broken)
    key = record_key("shop", "deal", "7")
    await dispatcher.write(ChangeReopened(change=position, record_key=key, reason="Ann asked for another try."))
    events = LogEvents(dispatcher.log)
    view = ViewLoader(company=COMPANY, store=dispatcher.store, events=events, hashes=dispatcher.keyring)
    mappings = Mappings(company=COMPANY, store=dispatcher.store, events=events)
    plans = WriteBackPlans(
        company=COMPANY,
        store=dispatcher.store,
        events=events,
        view=view,
        mappings=mappings,
        in_flight=dispatcher.in_flight,
    )
    decider = Decider(
        company=COMPANY,
        store=dispatcher.store,
        events=events,
        view=view,
        mappings=mappings,
        plans=plans,
        in_flight=dispatcher.in_flight,
    )
    decided = await decider.decide(await dispatcher.change(position), broken)
    assert decided is not None
    await dispatcher.write(*decided.events)
    row = await dispatcher.change(position)
    assert (row.state, row.code, row.fix) == ("parked", "unreadable", "Correct the cell.")
    assert row.reason.startswith("deals.csv line 7")
