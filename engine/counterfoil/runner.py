"""Holds one company: waits for its lease, works, keeps house, and begins again when it must."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Literal

from counterfoil.connections import Connected
from counterfoil.dispatch.errors import LeaseElsewhereError, LeaseLostError, ProjectionStoppedError, RealmMismatchError
from counterfoil.dispatch.lease import keep_lease
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.worker import CompanyWorker, Rooms
from counterfoil.errors import in_words
from counterfoil.housekeeping import Housekeeper
from counterfoil.log import Lease, LogDamagedError, LogForgetfulError, LogUnavailableError
from counterfoil.postgres import LOST, PostgresUnreachableError
from counterfoil.rooms import Shared, make_rooms
from counterfoil.settings import CompanySettings
from counterfoil.state.store import FoldOvertakenError
from counterfoil.token_watch import ConnectionWatch

logger = logging.getLogger("counterfoil")
CompanyState = Literal["starting", "elsewhere", "working", "recovering", "stopped", "failing", "ended"]
RETRY_SECONDS = 2.0
RETRY_SECONDS_MAX = 60.0
RECOVERING_SECONDS = 10.0
"""How often a company whose log has forgotten something is looked at again: recovering takes its lease in between."""
_POSTGRES_GONE = (*LOST, LogUnavailableError, PostgresUnreachableError)


class CompanyRunner:
    """Runs one company for as long as the engine runs.

    Attributes:
        state: what it is doing: `elsewhere` means that another process holds the company, `recovering` that its log
            does not hold what was anchored, so that nothing is sent until a person has run `counterfoil recover`.
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
        self._housekeeper = Housekeeper(
            company=settings.company,
            store=shared.store,
            gate=connected.gate,
            clock=shared.clock,
            instruments=shared.instruments,
            watch=ConnectionWatch(
                settings.company,
                access=connected.access,
                connections=shared.connections,
                clock=shared.clock,
                instruments=shared.instruments,
            ),
        )

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
            had: float | None = None
            try:
                lease = await self._shared.leases.acquire(self.company, self._shared.holder, self._shared.lease_seconds)
                if lease is None:
                    self.state = "elsewhere"
                    await self._rest(min(RETRY_SECONDS, self._shared.lease_seconds / 4))
                    continue
                had = self._shared.clock.monotonic()
                self._shared.step("lease.acquired")
                await self._hold(lease)
                wait = RETRY_SECONDS
            except* FoldOvertakenError as anew:
                # What was read of the rows before no longer holds: everything that rests on it is made anew.
                self.state, self.error = "starting", ""
                logger.info("company %d begins anew: %s", self.company, _first_of(anew))
                wait = RETRY_SECONDS
            except* LeaseLostError as lost:
                self._note("elsewhere", lost)
                wait = RETRY_SECONDS
            except* LogForgetfulError as forgetful:
                self._note("recovering", forgetful)
                wait = RECOVERING_SECONDS
            except* (ProjectionStoppedError, RealmMismatchError, LogDamagedError) as stop:
                self._note("stopped", stop)
                wait = RETRY_SECONDS_MAX
            except* Exception as trouble:
                self._note("failing", trouble)
                worked = None if had is None else self._shared.clock.monotonic() - had
                wait = rest_after(trouble, before=wait, worked=worked)
            if not self._ending.is_set():
                await self._rest(wait)
        self.state = "ended"

    def _note(self, state: CompanyState, group: BaseExceptionGroup[BaseException]) -> None:
        self.state = state
        self.error = in_words(_first_of(group))
        self._shared.instruments.recovering(self.company, yes=state == "recovering")
        logger.warning("company %d is %s: %s", self.company, state, self.error)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            pass

    async def _hold(self, lease: Lease) -> None:
        session = self._session(lease)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._shared.leases.release, lease)
            await self._shared.standing.check(self.company)
            await self._housekeeper.begin()
            stack.push_async_callback(self._housekeeper.save)
            stack.enter_context(self.connected.gate.held(lambda: session.valid_until))
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
                keeping = tasks.create_task(self._housekeeper.run(), name=f"house of company {self.company}")
                standing = self._shared.standing.watch(self.company)
                watching = tasks.create_task(standing, name=f"standing of the log of company {self.company}")
                self.worker = self._make_worker(session)
                if self._ending.is_set():
                    self.worker.drain()
                self.state, self.error = "working", ""
                self._shared.instruments.recovering(self.company, yes=False)
                await self.worker.run()
                keeper.cancel()
                keeping.cancel()
                watching.cancel()

    @asynccontextmanager
    async def aside(self, *, recovers: bool = False) -> AsyncGenerator[tuple[Session, Rooms]]:
        """The company's lease and rooms without its worker, for a person's own work; the rows are folded to the head.

        Args:
            recovers: that work is to recover a log that has forgotten something; then nothing is folded yet.

        Raises:
            LeaseElsewhereError: another process works for the company.
            LeaseLostError: it was taken over meanwhile.
            LogForgetfulError: the company's log does not hold what was anchored.
            LogDamagedError: it is not as it was written.
        """
        shared = self._shared
        lease = await shared.leases.acquire(self.company, shared.holder, shared.lease_seconds)
        if lease is None:
            raise LeaseElsewhereError(
                f"Another process works for company {self.company}, and would decide at the same time.",
                remedy=f"Stop it (`counterfoil serve`, `sync`), then try again. One that was killed lets go after "
                f"{shared.lease_seconds:.0f} seconds.",
            )
        session = self._session(lease)
        try:
            if not recovers:
                await shared.standing.check(self.company)
            rooms = self._make_rooms(session)
            await self._housekeeper.begin()
            if not recovers:
                await rooms.folder.to_head()
                await rooms.recovering.refuse_if_open()
            with self.connected.gate.held(lambda: session.valid_until):
                async with asyncio.TaskGroup() as tasks:
                    keeping = keep_lease(
                        shared.leases, lease, session, seconds=shared.lease_seconds, clock=shared.clock
                    )
                    keeper = tasks.create_task(keeping, name=f"lease of company {self.company}")
                    yield session, rooms
                    keeper.cancel()
        finally:
            await self._housekeeper.save()
            await shared.leases.release(lease)

    async def beside(self) -> Rooms:
        """Rooms for looking on while another process works for the company: they decide nothing, and send nothing.

        That process keeps house: its calls of the last minute and its metered reads are counted in, ours are not kept.
        """
        await self._housekeeper.begin()
        return self._make_rooms(self._session(None))

    def _session(self, lease: Lease | None) -> Session:
        return Session(
            company=self.company,
            epoch=lease.epoch if lease is not None else None,
            log=self._shared.log,
            clock=self._shared.clock,
            valid_until=lease.deadline if lease is not None else 0.0,
        )

    def _make_rooms(self, session: Session) -> Rooms:
        connected = self.connected
        return make_rooms(
            self.settings, self._shared, connected.books, connected.sources, session, connected.gate.budget
        )

    def _make_worker(self, session: Session) -> CompanyWorker:
        rooms = self._make_rooms(session)
        pace = replace(
            self._shared.pace, poll_seconds=self.settings.poll_seconds, sweep_seconds=self.settings.sweep_seconds
        )
        return CompanyWorker(
            session=session, rooms=rooms, clock=self._shared.clock, pace=pace, instruments=self._shared.instruments
        )


def rest_after(trouble: BaseExceptionGroup[BaseException], *, before: float, worked: float | None) -> float:
    """Seconds to rest before the company is tried again: longer and longer while nothing changes.

    Postgres that could be reached in between has changed, however often it goes away: work goes on as soon as it is
    back. Anything else may come of what the company's own events bring about each time, and has passed only if there
    was work for as long as the longest rest.

    Args:
        before: the last such rest.
        worked: seconds for which the company's lease was held since; None if it could not be had.
    """
    gone = trouble.split(_POSTGRES_GONE)[1] is None
    passed = worked is not None and (gone or worked >= RETRY_SECONDS_MAX)
    return RETRY_SECONDS if passed else min(RETRY_SECONDS_MAX, before * 2)


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
