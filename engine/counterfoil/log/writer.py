"""Appending with group commit: what came in while one transaction ran goes into the next, together."""

import asyncio
from collections.abc import Sequence
from operator import attrgetter
from types import TracebackType
from typing import Self

import asyncpg
import backoff

from counterfoil.log.codec import EventCodec
from counterfoil.log.errors import (
    LogClosedError,
    LogError,
    LogUnavailableError,
)
from counterfoil.log.group import (
    DEFAULT_LIMITS,
    LogLimits,
    Request,
    Verdict,
    Waiting,
    appended_from,
    check_append,
    prepared_from,
)
from counterfoil.log.session import LOST, UNDONE, AppendSession
from counterfoil.log.types import Append, Appended, PreparedAppend
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names

_PAUSE_SECONDS_MAX = 2.0
_DRAIN_POLL_SECONDS = 0.01


class PostgresLog:
    """The log's writer. Use it as an async context manager; any number of tasks may append at once.

    One transaction runs at a time, over all companies that have something to append, and takes up everything
    that queued meanwhile. There is no timer: an append that finds the writer idle goes at once.

    Args:
        pool: connections of the engine's role; one of them is kept. Not through a pooler that shares
            connections between clients, because after a lost answer the backend is ended by its number.
        names: schemas and roles.
        codec: encodes and seals.
        limits: bounds.
    """

    def __init__(self, pool: Pool, names: Names, codec: EventCodec, *, limits: LogLimits = DEFAULT_LIMITS) -> None:
        self._codec = codec
        self._limits = limits
        self._session = AppendSession(pool, names, answer_seconds_max=limits.answer_seconds_max)
        self._waiting = Waiting(limits)
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._in_flight: Sequence[Request] = ()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work(), name="counterfoil log writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what was accepted, then stop."""
        self._closing = True
        task, self._task = self._task, None
        if task is None:
            return
        try:
            while (len(self._waiting) or self._in_flight) and not task.done():
                await asyncio.wait({task}, timeout=_DRAIN_POLL_SECONDS)
        finally:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.result()

    async def append(self, append: Append) -> Appended:
        """See `LogWriter.append`.

        A caller that is cancelled while it waits harms no other; its events may or may not be recorded.

        Raises:
            LogClosedError: the writer is not running.
        """
        return await self.record(await self.prepare(append))

    async def prepare(self, append: Append) -> PreparedAppend:
        """The first half of `append`: check, seal and digest, without the database (but for a new key).

        Raises:
            as `append`, for everything that is wrong with the events themselves.
        """
        check_append(append, self._limits)
        return prepared_from(append, await self._codec.encode_all(append), self._limits)

    async def record(self, prepared: PreparedAppend) -> Appended:
        """The second half of `append`: record what was prepared. A prepared append is recorded once.

        Raises:
            as `append`, for everything else.
        """
        self._refuse_closed()
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        await self._waiting.put(Request(prepared, verdict))
        # It may have stopped while this one waited to be let in.
        self._refuse_closed()
        try:
            status, position = await verdict
        finally:
            # Whoever no longer waits is passed over, if it was not sent yet.
            verdict.cancel()
        return appended_from(prepared, status, position, self._codec)

    def _refuse_closed(self) -> None:
        if self._closing or self._task is None or self._task.done():
            raise LogClosedError("The log's writer is not running.", remedy="Append inside `async with`.")

    async def _work(self) -> None:
        try:
            while True:
                group = await self._waiting.take()
                # The server takes the heads in ascending order, so that no two groups wait for each other.
                group.sort(key=attrgetter("company"))
                self._in_flight = group
                await self._commit(group)
                self._in_flight = ()
        finally:
            for request in (*self._in_flight, *self._waiting.drain()):
                _fail(request, LogClosedError("The log's writer stopped before this was confirmed."))
            self._in_flight = ()
            self._session.abandon()
            await asyncio.shield(self._session.close())

    async def _commit(self, group: Sequence[Request]) -> None:
        try:
            verdicts = await self._send(group)
        except ValueError as error:
            # The driver's refusal to send something; some of its errors are of both kinds.
            await self._commit_apart(group, error)
        except (*LOST, *UNDONE) as error:
            for request in group:
                _fail(request, _unavailable(request, error))
        except asyncpg.PostgresError as error:
            await self._commit_apart(group, error)
        else:
            for request, verdict in zip(group, verdicts, strict=True):
                if not request.verdict.done():
                    request.verdict.set_result(verdict)

    async def _commit_apart(self, group: Sequence[Request], error: Exception) -> None:
        """The server refused the whole group for the sake of one: find it, by halves, and spare the others."""
        if len(group) == 1:
            refusal = LogError(
                f"Postgres refuses the append for company {group[0].company} ({type(error).__name__}: {error})."
            )
            refusal.__cause__ = error
            _fail(group[0], refusal)
            return
        middle = len(group) // 2
        await self._commit(group[:middle])
        await self._commit(group[middle:])

    async def _send(self, group: Sequence[Request]) -> list[Verdict]:
        lost = False

        @backoff.on_exception(
            backoff.expo,
            (*LOST, *UNDONE),
            max_time=self._limits.unavailable_seconds_max,
            giveup=_never_sent,
            jitter=backoff.full_jitter,
            logger=None,
            base=2,
            factor=0.02,
            max_value=_PAUSE_SECONDS_MAX,
        )
        async def attempt() -> list[Verdict]:
            nonlocal lost
            try:
                if lost:
                    await self._session.settle(group)
                    lost = False
                return await self._session.append(group)
            except LOST as error:
                lost = not isinstance(error, ValueError)
                raise

        return await attempt()


def _never_sent(error: Exception) -> bool:
    return isinstance(error, ValueError)


def _fail(request: Request, error: LogError) -> None:
    if not request.verdict.done():
        request.verdict.set_exception(error)
        # Its caller may be gone; then nobody fetches it, and that is no fault.
        request.verdict.exception()


def _unavailable(request: Request, error: BaseException) -> LogUnavailableError:
    unavailable = LogUnavailableError(
        f"Postgres did not confirm an append for company {request.company} in time "
        f"({type(error).__name__}); it may or may not be recorded.",
        remedy="Check that Postgres runs and can be reached; what is recorded shows when it is read again.",
    )
    unavailable.__cause__ = error
    return unavailable
