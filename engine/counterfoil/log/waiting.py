"""Requests to append that wait for the next transaction, and how many of them it takes."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from counterfoil.log.group import LogLimits, Request


class Waiting:
    """First in, first out, bounded in number and bytes.

    Requests without events are encoded together, once a turn of the loop: in the time in which a transaction runs,
    and with what such a turn costs paid once.

    Args:
        limits: bounds.
        encode: gives each of these requests its events, or fails it.
    """

    def __init__(self, limits: LogLimits, encode: Callable[[Sequence[Request]], None]) -> None:
        self._limits = limits
        self._encode = encode
        self._arrived: list[Request] = []
        self._requests: deque[Request] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._arrived) + len(self._requests)

    async def put(self, request: Request) -> None:
        """Queue a request; waits while the queue is full."""
        while self._full(request):
            self._room.clear()
            await self._room.wait()
        if not self._arrived:
            asyncio.get_running_loop().call_soon(self._take_in)
        self._arrived.append(request)
        self._bytes += request.size

    def _take_in(self) -> None:
        arrived, self._arrived = self._arrived, []
        bare = [request for request in arrived if not request.events and not request.verdict.done()]
        try:
            if bare:
                self._encode(bare)
        except Exception as error:
            for request in bare:
                request.fail(error)
            raise
        finally:
            self._bytes += sum([request.size for request in bare])
            # One that failed, or whose caller is gone, is passed over when its turn comes.
            self._requests.extend(arrived)
            self._news.set()

    async def take(self) -> list[Request]:
        """The next group: all that waits, up to the limits of a transaction; waits until there is one."""
        while True:
            await self._news.wait()
            group = self._take()
            if group:
                return group

    def _take(self) -> list[Request]:
        group: list[Request] = []
        events = size = 0
        while self._requests:
            request = self._requests[0]
            if not request.verdict.done():
                events += len(request.events)
                size += request.size
                if group and (events > self._limits.group_events_max or size > self._limits.group_bytes_max):
                    break
                group.append(request)
            self._requests.popleft()
            self._bytes -= request.size
        if not self._requests:
            self._news.clear()
        self._room.set()
        return group

    def drain(self) -> Sequence[Request]:
        """Everything that still waits, which is taken out."""
        rest = [*self._requests, *self._arrived]
        self._requests.clear()
        self._arrived.clear()
        self._bytes = 0
        self._news.clear()
        self._room.set()
        return rest

    def _full(self, request: Request) -> bool:
        # A request larger than the whole queue goes in alone, or it never would.
        return len(self) >= self._limits.queue_requests_max or (
            len(self) > 0 and self._bytes + request.size > self._limits.queue_bytes_max
        )
