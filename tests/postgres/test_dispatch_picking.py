"""What goes out next: names and live work past a backlog that waits, transactions one by one where that is quicker."""

import pytest

from counterfoil.dispatch.batch_size import BatchSize
from counterfoil.dispatch.picking import AHEAD_SECONDS, Picker
from counterfoil.dispatch.places import BATCHES_MAX, SINGLE_CALLS_MAX, Places
from counterfoil.postgres import Pool
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.stories import observed, planned


class Company:
    """A dispatcher whose outbox is filled by hand, and the picker that looks into it."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.places = Places()
        size = BatchSize(company=COMPANY, store=dispatcher.store, clock=dispatcher.clock)
        self.picker = Picker(
            company=COMPANY,
            store=dispatcher.store,
            books=dispatcher.books,
            places=self.places,
            batch_size=size,
            clock=dispatcher.clock,
        )

    async def plan(self, entity: str, lane: str, count: int) -> None:
        """Let so many creates of an entity be ready; each is called after entity, lane and number."""
        for number in range(count):
            name = f"{entity} {lane} {number}"
            change = await self.dispatcher.write(observed(name))
            await self.dispatcher.write(planned(change, f"shop:order:{name}", name, entity=entity, lane=lane))

    async def calls(self, *, more: bool = False) -> list[list[str]]:
        """What the free places are filled with, call by call; each takes its place."""
        made: list[list[str]] = []
        for chunks in await self.picker.chunks(await self.picker.page([]), more=more):
            for rows, size in chunks:
                for start in range(0, len(rows), size):
                    call = rows[start : start + size]
                    self.places.take(call[0].lane, batch=len(call) > 1)
                    made.append([row.intent_id for row in call])
        return made


@pytest.fixture
async def company(database: Database, pool: Pool) -> Company:
    dispatcher = Dispatcher(pool, database.names)
    await dispatcher.open()
    return Company(dispatcher)


async def test_a_backlog_that_waits_for_batches_keeps_neither_names_nor_live_work_out(company: Company) -> None:
    await company.plan("Invoice", "backfill", 3)
    await company.plan("Customer", "backfill", 2)
    await company.plan("Invoice", "live", 2)
    for _ in range(BATCHES_MAX):
        company.places.take("backfill", batch=True)
    assert await company.calls() == [
        ["Invoice live 0", "Invoice live 1"],
        ["Customer backfill 0"],
        ["Customer backfill 1"],
    ]


async def test_single_calls_that_wait_keep_no_batch_out(company: Company) -> None:
    await company.plan("Customer", "backfill", 2)
    await company.plan("Invoice", "backfill", 2)
    for _ in range(SINGLE_CALLS_MAX):
        company.places.take("backfill", batch=False)
    assert await company.calls() == [["Invoice backfill 0", "Invoice backfill 1"]]


async def test_transactions_go_one_by_one_where_a_batch_would_wait_long(company: Company) -> None:
    await company.plan("Invoice", "backfill", 14)
    company.dispatcher.books.waits = (0.0, 40.0)
    # The other four are left for single calls too: in a batch they would wait for the next minute.
    assert await company.calls() == [[f"Invoice backfill {number}"] for number in range(SINGLE_CALLS_MAX)]


async def test_nothing_is_put_together_long_before_it_can_go(company: Company) -> None:
    await company.plan("Invoice", "backfill", 14)
    company.dispatcher.books.waits = (40.0, 40.0)
    assert await company.calls() == []


async def test_transactions_stay_together_where_single_calls_would_wait_as_long(company: Company) -> None:
    await company.plan("Invoice", "backfill", 14)
    company.dispatcher.books.waits = (AHEAD_SECONDS, AHEAD_SECONDS)
    assert await company.calls() == [[f"Invoice backfill {number}" for number in range(14)]]


async def test_no_more_batches_are_put_together_than_can_go_soon(company: Company) -> None:
    await company.plan("Invoice", "live", 65)
    company.dispatcher.books.seconds_per_batch = AHEAD_SECONDS * 0.6
    assert [len(call) for call in await company.calls()] == [30, 30]


async def test_a_batch_of_a_backlog_waits_until_it_is_full_while_more_is_to_come(company: Company) -> None:
    await company.plan("Invoice", "backfill", 31)
    await company.plan("Payment", "live", 2)
    assert [len(call) for call in await company.calls(more=True)] == [2, 30]
    for lane, batch in (("live", True), ("backfill", True)):
        company.places.give_back(lane, batch=batch)
    assert [len(call) for call in await company.calls(more=False)] == [2, 30, 1]


async def test_what_is_under_way_is_not_picked_again(company: Company) -> None:
    await company.plan("Customer", "backfill", 3)
    rows = await company.picker.page(["Customer backfill 0", "Customer backfill 2"])
    assert [row.intent_id for row in rows] == ["Customer backfill 1"]
