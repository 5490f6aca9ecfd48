"""One company's dispatcher with books in memory: real rows in Postgres, a log in memory, a clock that is moved."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider

from counterfoil.dispatch.adopting import Adopter
from counterfoil.dispatch.batch_size import DOCUMENTED
from counterfoil.dispatch.early_echoes import EarlyEchoes
from counterfoil.dispatch.folding import Folder
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.outbox import Outbox, Outgoing, Ready
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.requests import RequestTaker
from counterfoil.dispatch.sender import Sender, SendingLimits
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.settle import Settler, SettlingLimits
from counterfoil.dispatch.steps import no_step
from counterfoil.dispatch.view import ViewLoader
from counterfoil.log import EventCodec, NewEvent
from counterfoil.postgres import Names, Pool
from counterfoil.state.rows import ChangeRow, IntentRow
from counterfoil.state.store import PostgresStateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil.testing.memory_books import MemoryBooks
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import Decision
from support.seeded import SeededEntropy

COMPANY = 1
TIMEOUT_SECONDS = 30.0
SERVER_SECONDS = 120.0
LEASE_SECONDS = 3_600.0


class MovedClock:
    """Stands still until it is moved; its time of day may be ahead of what has elapsed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ahead_seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 14, 12, tzinfo=UTC) + timedelta(seconds=self.seconds + self.ahead_seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Dispatcher:
    """The rooms that send and settle, around a company of which each test writes the history."""

    def __init__(self, pool: Pool, names: Names) -> None:
        entropy = SeededEntropy()
        self.clock = MovedClock()
        self.keyring = MemoryKeyring(entropy)
        self.log = MemoryLog(EventCodec(self.keyring, clock=self.clock, entropy=entropy), clock=self.clock)
        self.books = MemoryBooks()
        self.store = PostgresStateStore(pool, names)
        self.in_flight = InFlight()
        self.instruments = Instruments(NoOpTracerProvider().get_tracer("tests"), NoOpMeterProvider().get_meter("tests"))

    async def open(self) -> None:
        """Take the lease and put the rooms together."""
        lease = await self.log.acquire(COMPANY, "me", LEASE_SECONDS)
        assert lease is not None
        self.lease = lease
        self.session = Session(
            company=COMPANY, epoch=lease.epoch, log=self.log, clock=self.clock, valid_until=lease.deadline
        )
        events = LogEvents(self.log)
        view = ViewLoader(company=COMPANY, store=self.store, events=events, hashes=self.keyring)
        mappings = Mappings(company=COMPANY, store=self.store, events=events)
        self.outbox = Outbox(
            company=COMPANY, store=self.store, events=events, view=view, books=self.books, mappings=mappings
        )
        self.echoes = EarlyEchoes(company=COMPANY, store=self.store, events=events, view=view, in_flight=self.in_flight)
        limits = SendingLimits(timeout_seconds=TIMEOUT_SECONDS)
        self.sender = Sender(
            session=self.session, books=self.books, limits=limits, instruments=self.instruments, step=no_step
        )
        self.settler = Settler(
            session=self.session,
            store=self.store,
            events=events,
            view=view,
            outbox=self.outbox,
            books=self.books,
            clock=self.clock,
            limits=SettlingLimits(server_seconds=SERVER_SECONDS),
            mappings=mappings,
        )
        self.requests = RequestTaker(
            session=self.session,
            store=self.store,
            events=events,
            in_flight=self.in_flight,
            adopter=Adopter(company=COMPANY, store=self.store, view=view, books=self.books),
        )
        self.folder = Folder(
            company=COMPANY, reader=self.log, store=self.store, clock=self.clock, instruments=self.instruments
        )

    async def take_over(self) -> None:
        """Another process takes the company over: from now on this is that one."""
        assert await self.log.release(self.lease)
        await self.open()

    async def write(self, *events: Event) -> int:
        """Append events and fold them; the position of the first."""
        keys = [event.record_key if isinstance(event, Decision) else None for event in events]
        new = [NewEvent(event=event, record_key=key) for event, key in zip(events, keys, strict=True)]
        first = 0
        for one in new:
            decides = one.event.decision
            appended = await (self.session.decide([one.event]) if decides else self.session.receive([one]))
            first = first or appended.first_position
        await self.folder.to_head()
        return first

    async def intent(self, intent_id: str) -> IntentRow:
        """The row of an intent, after everything is folded."""
        await self.folder.to_head()
        row = await self.store.one(IntentRow, COMPANY, intent_id)
        assert row is not None
        return row

    async def change(self, position: int) -> ChangeRow:
        """The row of a change, after everything is folded."""
        await self.folder.to_head()
        row = await self.store.one(ChangeRow, COMPANY, str(position))
        assert row is not None
        return row

    async def calls_for(self, *intent_ids: str) -> list[Outgoing]:
        """The calls that these intents make together."""
        prepared = [await self.outbox.prepare(await self.intent(one)) for one in intent_ids]
        return self.outbox.calls([one for one in prepared if isinstance(one, Ready)], DOCUMENTED)

    async def send(self, *intent_ids: str) -> None:
        """Make the calls of these intents."""
        for call in await self.calls_for(*intent_ids):
            await self.sender.send(call, traces={})
        await self.folder.to_head()

    async def settle(self, *intent_ids: str) -> int:
        """Look for evidence of these."""
        settled = await self.settler.settle([await self.intent(one) for one in intent_ids])
        await self.folder.to_head()
        return settled

    async def last(self) -> Event:
        """The newest event."""
        return (await self.events())[-1]

    async def events(self) -> Sequence[Event]:
        """All events."""
        return [await recorded.event() for recorded in await self.log.read(COMPANY, limit=10_000)]
