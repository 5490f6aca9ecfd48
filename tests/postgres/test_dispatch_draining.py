"""Draining: what waits for its slot is let go, what is under way ends and is recorded, a restart sends the rest."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
import requests

from counterfoil.dispatch.approval import Approval
from counterfoil.dispatch.books import Call, Slot
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sender import SendingLimits
from counterfoil.dispatch.sending import Sending
from counterfoil.dispatch.steps import no_step
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.write_back import SourceWriter
from counterfoil.postgres import Pool
from counterfoil.sources import Page, PlainSource, SourceAdapter, SourceChange, WriteBack, WriteBackResult
from counterfoil.state.rows import IN_FLIGHT, IntentRow
from counterfoil.testing.memory_books import MemoryBooks
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import CallSent, IntentAccepted
from support.dispatching import COMPANY, TIMEOUT_SECONDS, Dispatcher
from support.postgres import Database
from support.running import company_settings, open_shop
from support.seeded import SeededEntropy
from support.stories import observed, planned

GIVE_UP_SECONDS = 60.0
E = TypeVar("E", CallSent, IntentAccepted)


@dataclass
class NarrowBooks(MemoryBooks):
    """One slot; whoever has it keeps it until it is answered."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    under_way: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0

    def __post_init__(self) -> None:
        self.before_send = self._before

    async def _before(self, call: Call) -> None:
        del call
        self.under_way.set()
        await self.answer.wait()

    def slot(self, call: Call) -> AbstractAsyncContextManager[Slot]:
        return self._one(call)

    @asynccontextmanager
    async def _one(self, call: Call) -> AsyncIterator[Slot]:
        self.waiting += 1
        async with self.slots:
            self.waiting -= 1
            async with super().slot(call) as slot:
                yield slot


class Scene:
    """A company with orders that are ready, and books with one slot."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.books = NarrowBooks()
        dispatcher.books = self.books
        self.adapters: dict[str, SourceAdapter] = {}

    async def open(self) -> None:
        """Take the lease: at first, or after a restart."""
        dispatcher = self.dispatcher
        await dispatcher.open()
        await dispatcher.folder.to_head()
        events = LogEvents(dispatcher.log)
        view = ViewLoader(company=COMPANY, store=dispatcher.store, events=events, hashes=dispatcher.keyring)
        reader = BooksReader(
            session=dispatcher.session,
            store=dispatcher.store,
            events=events,
            hashes=dispatcher.keyring,
            books=self.books,
            echoes=dispatcher.echoes,
            clock=dispatcher.clock,
            instruments=dispatcher.instruments,
        )
        self.writer = SourceWriter(
            session=dispatcher.session,
            outbox=dispatcher.outbox,
            adapters=self.adapters,
            limits=SendingLimits(timeout_seconds=TIMEOUT_SECONDS),
            clock=dispatcher.clock,
            instruments=dispatcher.instruments,
            step=no_step,
        )
        self.sending = Sending(
            session=dispatcher.session,
            store=dispatcher.store,
            events=events,
            outbox=dispatcher.outbox,
            sender=dispatcher.sender,
            settler=dispatcher.settler,
            writer=self.writer,
            books=self.books,
            reader=reader,
            view=view,
            clock=dispatcher.clock,
            entropy=SeededEntropy(),
            instruments=dispatcher.instruments,
            in_flight=dispatcher.in_flight,
            approval=Approval(needed=False, view=view),
        )

    async def restart(self) -> None:
        """The lease is given back, and taken again by a process that remembers nothing."""
        assert await self.dispatcher.log.release(self.dispatcher.lease)
        assert len(self.dispatcher.in_flight) == 0
        self.dispatcher.in_flight = InFlight()
        await self.open()

    async def dispatch(self, tasks: asyncio.TaskGroup) -> bool:
        """Start what may go out."""
        return await self.sending.dispatch(tasks, more=False, landed=lambda: None, is_stale=lambda: False)

    async def events(self, kind: type[E]) -> list[E]:
        return [one for one in await self.dispatcher.events() if isinstance(one, kind)]


@pytest.fixture
async def scene(database: Database, pool: Pool) -> Scene:
    made = Scene(Dispatcher(pool, database.names))
    await made.open()
    for number in range(4):
        change = await made.dispatcher.write(observed(str(number)))
        plan = planned(change, f"shop:order:{number}", f"i{number}", entity="Customer")
        await made.dispatcher.write(plan)
    return made


class Told(PlainSource):
    """Looks into the log when it is told something."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.heads: list[int] = []

    def kinds(self) -> Sequence[str]:
        return ("order",)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        del kind, cursor
        yield Page(changes=[], cursor="0", done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        del kind, source_id
        return []

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        del request
        self.heads.append((await self._dispatcher.log.heads([COMPANY]))[COMPANY].position)
        return WriteBackResult(outcome="accepted")


async def test_what_a_source_is_told_is_recorded_before_it_leaves_and_its_end_after(scene: Scene) -> None:
    dispatcher, told = scene.dispatcher, Told(scene.dispatcher)
    scene.adapters["shop"] = told
    change = await dispatcher.write(observed("9"))
    body = Document.of("order", {"state": "paid"})
    await dispatcher.write(
        planned(change, "shop:order:9", "back", target="shop", entity="order", operation="write_back", body=body)
    )
    async with asyncio.timeout(GIVE_UP_SECONDS):
        await scene.writer.write(await dispatcher.intent("back"), trace=None)
    (at_call,) = told.heads
    kinds = [event.event_type for event in await dispatcher.events()]
    assert kinds[at_call - 1 :] == ["call.sent", "intent.accepted"]


async def test_what_waits_for_its_slot_is_let_go_and_what_is_under_way_is_recorded(scene: Scene) -> None:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        async with asyncio.TaskGroup() as tasks:
            await scene.dispatch(tasks)
            await scene.books.under_way.wait()
            while scene.books.waiting < 3:
                await asyncio.sleep(0.01)
            scene.sending.drain()
            await asyncio.sleep(0.01)
            assert len(scene.dispatcher.in_flight) == 1
            assert not await scene.dispatch(tasks)
            scene.books.answer.set()
    (sent,) = await scene.events(CallSent)
    (accepted,) = await scene.events(IntentAccepted)
    assert sent.request_id == accepted.request_id
    assert len(scene.books.sent) == 1
    assert len(scene.dispatcher.in_flight) == 0
    await scene.restart()
    async with asyncio.timeout(GIVE_UP_SECONDS), asyncio.TaskGroup() as tasks:
        await scene.dispatch(tasks)
    assert {f"i{number}" for number in range(4)} == {one.intent_id for one in await scene.events(IntentAccepted)}
    assert len(await scene.events(CallSent)) == len(scene.books.sent) == len(scene.books.documents) == 4


async def test_draining_before_a_call_has_begun_lets_go_of_it(scene: Scene) -> None:
    async with asyncio.timeout(GIVE_UP_SECONDS), asyncio.TaskGroup() as tasks:
        assert await scene.dispatch(tasks)
        assert len(scene.dispatcher.in_flight) == 4
        scene.sending.drain()  # none of the tasks has run yet
    assert len(scene.dispatcher.in_flight) == 0
    assert await scene.events(CallSent) == []
    scene.books.answer.set()
    await scene.restart()
    async with asyncio.timeout(GIVE_UP_SECONDS), asyncio.TaskGroup() as tasks:
        await scene.dispatch(tasks)
    assert len(await scene.events(CallSent)) == len(scene.books.documents) == 4


async def test_an_engine_that_stops_in_the_middle_leaves_nothing_in_doubt(
    database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow books, and Intuit's limits: some calls are under way, others wait for their slot."""
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=60, products=1, orders=0)
        usual = company_settings(shop.emulator, shop.folder)
        limited = usual.model_copy(update={"quickbooks": usual.quickbooks.model_copy(update={"unlimited": False})})
        await shop.control("/faults", {"kind": "slow", "seconds": 1, "operation": "create", "count": None})
        async with asyncio.timeout(GIVE_UP_SECONDS), shop.engine(shop.settings(limited)) as engine:
            gate = engine.connected(1).gate
            while not sum(gate.snapshot().waiting.values()):
                await asyncio.sleep(0.05)
            await engine.stop()
        assert await shop.store.some(IntentRow, "intents_in", 1, sorted(IN_FLIGHT), 10) == []
        assert await shop.store.some(IntentRow, "intents_in", 1, ["ready"], 10) != []
        accepted = len(await shop.store.some(IntentRow, "intents_in", 1, ["accepted"], 100))
        assert (await shop.control("/journal"))["total"] == accepted
        await asyncio.to_thread(requests.delete, f"{shop.emulator['control_url']}/faults", timeout=10)
        async with shop.engine():
            await shop.until_done()
        await shop.check()
