"""Appending with group commit: what came in while one transaction ran goes into the next, together."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from counterfoil.log.codec import EventCodec
from counterfoil.log.errors import EventTooLargeError, LogClosedError
from counterfoil.log.group import (
    DEFAULT_LIMITS,
    LogLimits,
    Request,
    Verdict,
    appended_from,
    check_append,
    prepared_from,
)
from counterfoil.log.heads import Heads
from counterfoil.log.lane import Lane
from counterfoil.log.types import Append, Appended, PreparedAppend
from counterfoil.log.waiting import Waiting
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names

_DRAIN_POLL_SECONDS = 0.01
_RELIEF_SECONDS = 0.05
"""So long a lane but the first leaves what waits to those that are at work, which mostly come back sooner."""


class PostgresLog:
    """The log's writer. Use it as an async context manager; any number of tasks may append at once.

    A transaction takes up what queued while the one before it ran, over many companies: an append that finds the first
    lane idle goes at once. The others help out when that one is long at work, with a backfill or a connection that is
    silent. No two lanes carry the same company at a time, so that its appends keep the order they were given in.

    Args:
        pool: connections of the engine's role; one is kept for each lane. Not through a pooler that shares
            connections between clients, because after a lost answer the backend is ended by its number.
        names: schemas and roles.
        codec: encodes and seals.
        limits: bounds.
    """

    def __init__(self, pool: Pool, names: Names, codec: EventCodec, *, limits: LogLimits = DEFAULT_LIMITS) -> None:
        self._codec = codec
        self._limits = limits
        self._waiting = Waiting(limits, self._encode)
        heads = Heads()
        self._lanes = [
            Lane(pool, names, limits, self._waiting, heads, patience=_RELIEF_SECONDS if number else 0.0)
            for number in range(limits.lanes)
        ]
        self._work: asyncio.Task[None] | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self._work_all(), name="counterfoil log writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _work_all(self) -> None:
        """All lanes; what breaks one of them stops the writer, and fails what waits."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in self._lanes:
                    tasks.create_task(lane.work())
        finally:
            for request in self._waiting.drain():
                request.fail(LogClosedError("The log's writer stopped before this was confirmed."))

    async def close(self) -> None:
        """Finish what was accepted, then stop."""
        self._closing = True
        work, self._work = self._work, None
        if work is None:
            return
        try:
            while (len(self._waiting) or not all(lane.idle for lane in self._lanes)) and not work.done():
                await asyncio.wait({work}, timeout=_DRAIN_POLL_SECONDS)
        finally:
            work.cancel()
            await asyncio.wait({work})
        if not work.cancelled():
            work.result()

    async def append(self, append: Append) -> Appended:
        """See `LogWriter.append`.

        A caller that is cancelled while it waits harms no other; its events may or may not be recorded.

        Raises:
            LogClosedError: the writer is not running.
        """
        if not self._codec.is_clear(append):
            return await self.record(await self.prepare(append))
        check_append(append, self._limits)
        return await self._send(Request(append, self._verdict()))

    def _encode(self, requests: Sequence[Request]) -> None:
        """Give requests that came as they were their events, all at one instant."""
        encoded = self._codec.encode_clear([request.append for request in requests])
        for request, events in zip(requests, encoded, strict=True):
            if isinstance(events, Exception):
                request.fail(events)
                continue
            try:
                request.take_over(prepared_from(request.append, events, self._limits))
            except (EventTooLargeError, ValueError) as error:
                request.fail(error)

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
        request = Request(prepared.append, self._verdict())
        request.take_over(prepared)
        return await self._send(request)

    async def _send(self, request: Request) -> Appended:
        self._refuse_closed()
        try:
            await self._waiting.put(request)
            # It may have stopped while this one waited to be let in.
            self._refuse_closed()
            status, position, _ = await request.verdict
        finally:
            # Whoever no longer waits is passed over, if it was not sent yet.
            request.verdict.cancel()
        return appended_from(request.append, request.events, status, position, self._codec)

    def _refuse_closed(self) -> None:
        if self._closing or self._work is None or self._work.done():
            raise LogClosedError("The log's writer is not running.", remedy="Append inside `async with`.")

    @staticmethod
    def _verdict() -> asyncio.Future[Verdict]:
        return asyncio.get_running_loop().create_future()
