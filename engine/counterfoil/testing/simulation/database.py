"""The database as a simulated process sees it: the tables in memory, at the end of a way that takes time.

A process that dies on the way back leaves behind what its statement did, as with Postgres.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace

from counterfoil.log import (
    Append,
    Appended,
    EventCodec,
    Head,
    Lease,
    RecordedEvent,
)
from counterfoil.log.group import DEFAULT_LIMITS, check_append, prepared_from
from counterfoil.log.types import READ_ROWS
from counterfoil.ports import Clock
from counterfoil.testing.memory_log import MemoryLog

Way = Callable[[], Awaitable[None]]
STATEMENT_SECONDS = (0.0005, 0.003)

__all__ = ["DistantLog", "Way", "way_of"]


def way_of(chance: random.Random) -> Way:
    """Half of a round trip."""

    async def way() -> None:
        await asyncio.sleep(chance.uniform(*STATEMENT_SECONDS))

    return way


class DistantLog:
    """Writer, reader and leases of one process: its own codec and clock, everybody's log.

    Args:
        log: what all processes share.
        codec: seals with this process's clock and chance.
        clock: this process's.
        way: half of a round trip.
        instants: takes down when each position became durable.
    """

    def __init__(
        self, log: MemoryLog, codec: EventCodec, *, clock: Clock, way: Way, instants: MutableMapping[int, float]
    ) -> None:
        self._log = log
        self._codec = codec
        self._clock = clock
        self._way = way
        self._instants = instants

    async def append(self, append: Append) -> Appended:
        """See `LogWriter.append`."""
        check_append(append, DEFAULT_LIMITS)
        prepared = prepared_from(append, await self._codec.encode_all(append), DEFAULT_LIMITS)
        await self._way()
        appended = await self._log.record(prepared)
        now = asyncio.get_running_loop().time()
        self._instants.update(dict.fromkeys(range(appended.first_position, appended.last_position + 1), now))
        await self._way()
        return appended

    async def read(self, company: int, after: int = 0, limit: int = READ_ROWS) -> list[RecordedEvent]:
        """See `LogReader.read`."""
        await self._way()
        return await self._log.read(company, after, limit)

    async def stream(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.stream`."""
        while page := await self.read(company, after):
            for recorded in page:
                yield recorded
            after = page[-1].position

    def follow(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.follow`."""
        return self._log.follow(company, after)

    def follow_all(self, after: Mapping[int, int] | None = None) -> AsyncIterator[RecordedEvent]:
        """See `LogReader.follow_all`."""
        return self._log.follow_all(after)

    async def record_timeline(
        self, company: int, record_key: str, after: int = 0, limit: int = READ_ROWS
    ) -> list[RecordedEvent]:
        """See `LogReader.record_timeline`."""
        await self._way()
        return await self._log.record_timeline(company, record_key, after, limit)

    async def get(self, company: int, position: int) -> RecordedEvent | None:
        """See `LogReader.get`."""
        found = await self.get_many(company, [position])
        return found[0] if found else None

    async def get_many(self, company: int, positions: Sequence[int]) -> list[RecordedEvent]:
        """See `LogReader.get_many`."""
        await self._way()
        return await self._log.get_many(company, positions)

    async def heads(self, companies: Sequence[int] | None = None) -> dict[int, Head]:
        """See `LogReader.heads`."""
        await self._way()
        return await self._log.heads(companies)

    async def acquire(self, company: int, holder: str, seconds: float) -> Lease | None:
        """See `Leases.acquire`."""
        return await self._leased(seconds, lambda: self._log.acquire(company, holder, seconds))

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """See `Leases.renew`."""
        return await self._leased(seconds, lambda: self._log.renew(lease, seconds))

    async def _leased(self, seconds: float, ask: Callable[[], Awaitable[Lease | None]]) -> Lease | None:
        """A lease whose end is on this process's own clock, counted from before it was asked for."""
        asked = self._clock.monotonic()
        await self._way()
        lease = await ask()
        await self._way()
        return None if lease is None else replace(lease, deadline=asked + seconds)

    async def release(self, lease: Lease) -> bool:
        """See `Leases.release`."""
        await self._way()
        released = await self._log.release(lease)
        await self._way()
        return released
