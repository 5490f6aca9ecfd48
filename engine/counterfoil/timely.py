"""A request that leaves once, and its body before a deadline, as a whole, or not at all.

aiohttp makes a GET, PUT or DELETE a second time by itself where the connection breaks without an answer: a call of
which no limit knows.

The deadline is checked in the very call that hands the body to the socket; headers wait in the same buffer. So
whatever stalled before (a slow connection, a stopped process), nothing leaves late.
"""

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ServerDisconnectedError
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from counterfoil.ports import Clock


class SentOnce:
    """A middleware for one request, which lets it leave once."""

    def __init__(self) -> None:
        self._left = False

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send it.

        Raises:
            ServerDisconnectedError: it has left before, and nothing came back.
        """
        if self._left:
            raise ServerDisconnectedError
        self._left = True
        return await handler(request)


class LateBodyError(Exception):
    """Stops a body whose deadline has passed; aiohttp wraps it."""


class TimelyPayload(Payload):
    """The body.

    Attributes:
        sent: whether it may have left.
        late: whether it stayed because the deadline had passed.
    """

    def __init__(self, value: bytes, content_type: str, clock: Clock, deadline: float) -> None:
        super().__init__(value, content_type=content_type)
        self._bytes = value
        self._size = len(value)
        self._clock = clock
        self._deadline = deadline
        self.sent = False
        self.late = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._bytes.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        if self._clock.monotonic() >= self._deadline:
            self.late = True
            raise LateBodyError
        self.sent = True
        await writer.write(self._bytes)
