"""Holds one company: waits for its lease, puts its rooms together, works, and begins again when it must."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from counterfoil.connections import Connected
from counterfoil.dispatch.acquaintance import Acquaintance
from counterfoil.dispatch.books import Books
from counterfoil.dispatch.decide import Decider
from counterfoil.dispatch.errors import LeaseLostError, ProjectionStoppedError, RealmMismatchError
from counterfoil.dispatch.folding import Folder
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.lease import keep_lease
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.outbox import Outbox
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.requests import RequestTaker
from counterfoil.dispatch.sender import Sender, SendingLimits, Step
from counterfoil.dispatch.sending import Sending
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.settle import Settler, SettlingLimits
from counterfoil.dispatch.sources import SourceReader
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.worker import CompanyWorker, Pace, Rooms
from counterfoil.dispatch.write_back import SourceWriter
from counterfoil.log import Keyring, Lease, Leases, LogReader, LogWriter
from counterfoil.ports import Clock, Entropy
from counterfoil.settings import CompanySettings
from counterfoil.sources import SourceAdapter
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments

logger = logging.getLogger("counterfoil")
CompanyState = Literal["starting", "elsewhere", "working", "stopped", "failing", "ended"]
RETRY_SECONDS = 2.0
RETRY_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all companies of an engine share."""

    log: LogWriter
    reader: LogReader
    leases: Leases
    keyring: Keyring
    store: StateStore
    clock: Clock
    entropy: Entropy
    instruments: Instruments
    holder: str
    lease_seconds: float
    step: Step


class CompanyRunner:
    """Runs one company for as long as the engine runs.

    Attributes:
        state: what it is doing: `elsewhere` means that another process holds the company.
        error: why it is stopped or failing, in words.
    """

    def __init__(self, *, settings: CompanySettings, shared: Shared, connected: Connected) -> None:
        self.settings = settings
        self.state: CompanyState = "starting"
        self.error = ""
        self.worker: CompanyWorker | None = None
        self._shared = shared
        self.connected = connected
        self._ending = asyncio.Event()

    @property
    def company(self) -> int:
        """The company's number."""
        return self.settings.company

    def drain(self) -> None:
        """Begin nothing new, and end."""
        self._ending.set()
        if self.worker is not None:
            self.worker.drain()

    def wake(self) -> None:
        """Something was appended to this company's log."""
        if self.worker is not None:
            self.worker.wake()

    async def run(self) -> None:
        """Hold the company whenever it can be had, until drained."""
        wait = RETRY_SECONDS
        while not self._ending.is_set():
            try:
                lease = await self._shared.leases.acquire(self.company, self._shared.holder, self._shared.lease_seconds)
                if lease is None:
                    self.state = "elsewhere"
                    await self._rest(min(RETRY_SECONDS, self._shared.lease_seconds / 4))
                    continue
                await self._hold(lease)
                wait = RETRY_SECONDS
            except* LeaseLostError as lost:
                self._note("elsewhere", lost)
            except* (ProjectionStoppedError, RealmMismatchError) as stop:
                self._note("stopped", stop)
                wait = RETRY_SECONDS_MAX
            except* Exception as trouble:
                self._note("failing", trouble)
                wait = min(RETRY_SECONDS_MAX, wait * 2)
            if not self._ending.is_set():
                await self._rest(wait)
        self.state = "ended"

    def _note(self, state: CompanyState, group: BaseExceptionGroup[BaseException]) -> None:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        self.state = state
        self.error = str(first) or type(first).__name__
        logger.warning("company %d is %s: %s", self.company, state, first)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            pass

    async def _hold(self, lease: Lease) -> None:
        session = Session(
            company=self.company,
            epoch=lease.epoch,
            log=self._shared.log,
            clock=self._shared.clock,
            valid_until=lease.deadline,
        )
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._shared.leases.release, lease)
            async with asyncio.TaskGroup() as tasks:
                keeper = tasks.create_task(
                    keep_lease(
                        self._shared.leases,
                        lease,
                        session,
                        seconds=self._shared.lease_seconds,
                        clock=self._shared.clock,
                    ),
                    name=f"lease of company {self.company}",
                )
                self.worker = self._make_worker(session)
                if self._ending.is_set():
                    self.worker.drain()
                self.state, self.error = "working", ""
                await self.worker.run()
                keeper.cancel()

    def _make_worker(self, session: Session) -> CompanyWorker:
        rooms = make_rooms(self.settings, self._shared, self.connected.books, self.connected.sources, session)
        pace = Pace(poll_seconds=self.settings.poll_seconds, sweep_seconds=self.settings.sweep_seconds)
        return CompanyWorker(
            session=session, rooms=rooms, clock=self._shared.clock, pace=pace, instruments=self._shared.instruments
        )


def make_rooms(
    settings: CompanySettings,
    shared: Shared,
    books: Books,
    adapters: Mapping[str, SourceAdapter],
    session: Session,
) -> Rooms:
    """Put together what a company's worker puts to work."""
    company, store, instruments = settings.company, shared.store, shared.instruments
    events = LogEvents(shared.reader)
    in_flight = InFlight()
    view = ViewLoader(company=company, store=store, events=events, hashes=shared.keyring)
    mappings = Mappings(company=company, store=store, events=events)
    limits = SendingLimits(timeout_seconds=settings.quickbooks.timeout_seconds)
    outbox = Outbox(company=company, store=store, events=events, view=view, books=books, mappings=mappings)
    reader = BooksReader(
        session=session,
        store=store,
        events=events,
        hashes=shared.keyring,
        books=books,
        clock=shared.clock,
        instruments=instruments,
    )
    settler = Settler(
        session=session,
        store=store,
        events=events,
        view=view,
        outbox=outbox,
        books=books,
        clock=shared.clock,
        limits=SettlingLimits(server_seconds=settings.quickbooks.server_seconds),
        mappings=mappings,
    )
    sending = Sending(
        session=session,
        store=store,
        events=events,
        outbox=outbox,
        sender=Sender(session=session, books=books, limits=limits, instruments=instruments, step=shared.step),
        settler=settler,
        writer=SourceWriter(
            session=session,
            outbox=outbox,
            adapters=adapters,
            limits=limits,
            instruments=instruments,
            step=shared.step,
        ),
        books=books,
        reader=reader,
        view=view,
        clock=shared.clock,
        entropy=shared.entropy,
        instruments=instruments,
        in_flight=in_flight,
    )
    return Rooms(
        store=store,
        events=events,
        folder=Folder(company=company, reader=shared.reader, store=store, clock=shared.clock, instruments=instruments),
        decider=Decider(company=company, store=store, view=view, mappings=mappings, in_flight=in_flight),
        sending=sending,
        settler=settler,
        sources=SourceReader(
            session=session,
            store=store,
            hashes=shared.keyring,
            adapters=adapters,
            clock=shared.clock,
            instruments=instruments,
        ),
        books=reader,
        requests=RequestTaker(session=session, store=store, in_flight=in_flight),
        acquaintance=Acquaintance(session=session, store=store, reader=reader, settings=settings),
        connections=tuple(adapters),
        in_flight=in_flight,
    )
