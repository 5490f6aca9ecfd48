"""Readings of a source side by side: the newest state is what is recorded last, in whatever order they end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider

from counterfoil.clock import SystemClock
from counterfoil.dispatch.errors import LeaseLostError
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.sources import SourceReader
from counterfoil.log import EventCodec
from counterfoil.sources import Page, PlainSource, Seen, SourceChange, SourceError
from counterfoil.state.rows import HintRow
from counterfoil.telemetry.ports import Instruments
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil.testing.memory_state import MemoryStateStore
from counterfoil_schema.events.receipts import SourceObserved
from counterfoil_schema.records import Customer
from support.seeded import SeededEntropy

COMPANY = 1


@dataclass
class Ledgerdesk(PlainSource):
    """Shows one customer as it is called now; answers of polls and reads can be held on their way back."""

    called: str = "A"
    poll_back: asyncio.Event = field(default_factory=asyncio.Event)
    read_back: asyncio.Event = field(default_factory=asyncio.Event)
    reads: int = 0
    broken_after: int = 100
    blank: bool = False

    def kinds(self) -> Sequence[str]:
        return ("customer",)

    def seen(self) -> Seen:
        return Seen(
            kind="customer",
            source_id="1",
            version=self.called,
            record=Customer(name=self.called, currency="USD"),
            raw=self.called,
        )

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        del kind, cursor
        shown = self.seen()
        await self.poll_back.wait()
        yield Page(changes=[shown], cursor="1", done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        del kind, source_id
        self.reads += 1
        if self.reads > self.broken_after:
            raise SourceError("Not now.", retry_after=1.0)
        shown = self.seen()
        await self.read_back.wait()
        return [] if self.blank else [shown]


@dataclass
class Bench:
    """A reader over a log and tables in memory."""

    desk: Ledgerdesk
    log: MemoryLog
    store: MemoryStateStore
    reader: SourceReader

    async def recorded(self) -> list[str]:
        events = [await one.event() for one in await self.log.read(COMPANY)]
        records = [event.record for event in events if isinstance(event, SourceObserved)]
        return [record.name for record in records if isinstance(record, Customer)]

    async def fold(self) -> None:
        done = (await self.store.checkpoint(COMPANY)).position
        await self.store.fold(COMPANY, await self.log.read(COMPANY, done))


@pytest.fixture
async def bench() -> Bench:
    clock, entropy = SystemClock(), SeededEntropy()
    keyring = MemoryKeyring(entropy)
    log = MemoryLog(EventCodec(keyring, clock=clock, entropy=entropy), clock=clock)
    lease = await log.acquire(COMPANY, "me", 600.0)
    assert lease is not None
    store, desk = MemoryStateStore(), Ledgerdesk()
    session = Session(company=COMPANY, epoch=lease.epoch, log=log, clock=clock, valid_until=lease.deadline)
    reader = SourceReader(
        session=session,
        store=store,
        events=LogEvents(log),
        hashes=keyring,
        adapters={"desk": desk},
        clock=clock,
        instruments=Instruments(NoOpTracerProvider().get_tracer("tests"), NoOpMeterProvider().get_meter("tests")),
    )
    return Bench(desk, log, store, reader)


HINT = HintRow(company=COMPANY, connection="desk", kind="customer", source_id="1", operation="change", received=1)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_there_and_back_before_it_is_folded_is_no_standstill(bench: Bench) -> None:
    desk = bench.desk
    desk.poll_back.set()
    desk.read_back.set()
    await bench.reader.poll("desk", "poll")
    await bench.fold()
    for name in ("B", "A"):
        desk.called = name
        await bench.reader.follow("desk", [HINT])
    assert await bench.recorded() == ["A", "B", "A"]


async def test_the_cursor_stays_before_what_could_not_be_recorded(bench: Bench) -> None:
    bench.desk.poll_back.set()
    bench.log.end_lease(COMPANY)
    await bench.log.acquire(COMPANY, "another", 600.0)
    with pytest.raises(LeaseLostError):
        await bench.reader.poll("desk", "poll")
    assert await bench.recorded() == []
    assert await bench.store.value("cursor", COMPANY, "desk", "customer") is None


async def test_what_a_reading_does_not_show_is_not_removed(bench: Bench) -> None:
    desk = bench.desk
    desk.poll_back.set()
    desk.read_back.set()
    await bench.reader.poll("desk", "poll")
    await bench.fold()
    desk.blank = True
    assert await bench.reader.follow("desk", [HINT]) == []
    kinds = [event.event_type for event in await bench.log.read(COMPANY)]
    assert kinds == ["source.observed", "hints.settled"]


async def test_an_older_reading_that_ends_later_is_made_again(bench: Bench) -> None:
    desk = bench.desk
    hinted = asyncio.create_task(bench.reader.follow("desk", [HINT]))
    await settled()
    desk.called = "B"
    desk.poll_back.set()
    await bench.reader.poll("desk", "poll")
    desk.read_back.set()
    assert await hinted == []
    assert (await bench.recorded())[-1] == "B"
    assert desk.reads == 2


async def test_an_older_page_that_comes_later_is_made_again(bench: Bench) -> None:
    desk = bench.desk
    polled = asyncio.create_task(bench.reader.poll("desk", "poll"))
    await settled()
    desk.called = "B"
    desk.read_back.set()
    await bench.reader.follow("desk", [HINT])
    desk.poll_back.set()
    await polled
    assert await bench.recorded() == ["B"]


async def test_what_cannot_be_read_again_is_not_recorded_and_stays_to_be_read(bench: Bench) -> None:
    desk = bench.desk
    hinted = asyncio.create_task(bench.reader.follow("desk", [HINT]))
    await settled()
    desk.called, desk.broken_after = "B", 1
    desk.poll_back.set()
    await bench.reader.poll("desk", "poll")
    desk.read_back.set()
    (trouble,) = await hinted
    assert trouble.hint == ("customer", "1")
    assert await bench.recorded() == ["B"]
