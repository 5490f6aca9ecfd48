"""Appending with group commit: what came in while one transaction ran goes into the next, together."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from counterfoil.log.codec import EventCodec
from counterfoil.log.errors import EventTooLargeError
from counterfoil.log.group import (
    DEFAULT_LIMITS,
    LogLimits,
    Request,
    Verdict,
    appended_from,
    check_append,
    prepared_from,
)
from counterfoil.log.lane import Lane
from counterfoil.log.types import Append, Appended, PreparedAppend
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names


class PostgresLog:
    """The log's writer. Use it as an async context manager; any number of tasks may append at once.

    A transaction takes up everything that queued while the one before it ran, over all companies of its lane. There
    is no timer: an append that finds its lane idle goes at once. A company always has the same lane, so that its
    appends keep the order they were given in.

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
        self._lanes = [Lane(pool, names, limits, self._encode) for _ in range(limits.lanes)]

    async def __aenter__(self) -> Self:
        for lane in self._lanes:
            lane.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what was accepted, then stop."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(lane.close())

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
        await self._lanes[lane_of(request.company, len(self._lanes))].put(request)
        try:
            status, position, _ = await request.verdict
        finally:
            # Whoever no longer waits is passed over, if it was not sent yet.
            request.verdict.cancel()
        return appended_from(request.append, request.events, status, position, self._codec)

    @staticmethod
    def _verdict() -> asyncio.Future[Verdict]:
        return asyncio.get_running_loop().create_future()


def lane_of(company: int, lanes: int) -> int:
    """Which of so many lanes carries a company.

    Scattered, not by turns: callers that go from one company to the next would otherwise all change lanes at once, and
    a lane would stand still until the other's transaction ends; and companies whose numbers are all even would share
    one. It is Fibonacci hashing, with 2³² divided by the golden ratio.
    """
    return ((company * 0x9E3779B1 & 0xFFFFFFFF) >> 16) % lanes
