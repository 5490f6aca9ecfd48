"""Requests to append that wait for the next transaction, and which of them a lane takes."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from counterfoil.log.group import LogLimits, Request


class Waiting:
    """One queue for all lanes, bounded in number and bytes; of each company first in, first out.

    Requests without events are encoded together: as soon as the loop comes to it, so that transactions run meanwhile,
    or when a lane takes them, if that is sooner.

    A lane takes whole companies, and no other lane takes of those before they are given back: so each company's
    appends keep the order they came in, whichever lanes carry them.

    Args:
        limits: bounds.
        encode: gives each of these requests its events, or fails it.
    """

    def __init__(self, limits: LogLimits, encode: Callable[[Sequence[Request]], None]) -> None:
        self._limits = limits
        self._encode = encode
        self._arrived: list[Request] = []
        # In the order in which each company's oldest request came in.
        self._companies: dict[int, deque[Request]] = {}
        self._taken: set[int] = set()
        self._queued = 0
        self._bytes = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._arrived) + self._queued

    async def put(self, request: Request) -> None:
        """Queue a request; waits while the queue is full."""
        while self._full(request):
            self._room.clear()
            await self._room.wait()
        if not self._arrived:
            # It finds nothing if a lane is sooner.
            asyncio.get_running_loop().call_soon(self._take_in)
        self._arrived.append(request)
        self._bytes += request.size

    def _take_in(self) -> None:
        if not self._arrived:
            return
        arrived, self._arrived = self._arrived, []
        bare = [request for request in arrived if not request.events and not request.verdict.done()]
        if bare:
            try:
                self._encode(bare)
            except Exception as error:
                for request in bare:
                    request.fail(error)
            self._bytes += sum([request.size for request in bare])
        # One that failed, or whose caller is gone, is passed over when its turn comes.
        for request in arrived:
            self._companies.setdefault(request.company, deque()).append(request)
        self._queued += len(arrived)
        self._news.set()

    async def take(self, patience: float = 0.0) -> list[Request]:
        """All that may be taken, in ascending order of company, up to the limits of a transaction.

        Waits until there is something, and then for so many seconds more. `give_back` it afterwards.
        """
        while True:
            self._take_in()
            await self._news.wait()
            if patience:
                await asyncio.sleep(patience)
            group = self._take()
            if group:
                return group

    def _take(self) -> list[Request]:
        group: list[Request] = []
        events = size = 0
        for company in [company for company in self._companies if company not in self._taken]:
            requests = self._companies[company]
            while requests:
                request = requests[0]
                if not request.verdict.done():
                    events += len(request.events)
                    size += request.size
                    if group and (events > self._limits.group_events_max or size > self._limits.group_bytes_max):
                        break
                    group.append(request)
                requests.popleft()
                self._queued -= 1
                self._bytes -= request.size
            if requests:
                break
            del self._companies[company]
        self._taken.update([request.company for request in group])
        if all(company in self._taken for company in self._companies):
            self._news.clear()
        self._room.set()
        # The server takes the heads in ascending order, so that no two groups wait for each other.
        group.sort(key=attrgetter("company"))
        return group

    def give_back(self, group: Iterable[Request]) -> None:
        """A group was carried, or failed: its companies are free again."""
        self._taken.difference_update([request.company for request in group])
        if self._companies:
            self._news.set()

    def drain(self) -> Sequence[Request]:
        """Everything that still waits, which is taken out."""
        rest = [*(request for requests in self._companies.values() for request in requests), *self._arrived]
        self._companies.clear()
        self._arrived.clear()
        self._queued = 0
        self._bytes = 0
        self._news.clear()
        self._room.set()
        return rest

    def _full(self, request: Request) -> bool:
        # A request larger than the whole queue goes in alone, or it never would.
        return len(self) >= self._limits.queue_requests_max or (
            len(self) > 0 and self._bytes + request.size > self._limits.queue_bytes_max
        )
