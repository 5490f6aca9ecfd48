"""A body that leaves before its deadline, as a whole, or not at all.

The deadline is checked in the very call that hands the body to the socket; headers wait in the same buffer. So
whatever stalled before (a slow connection, a stopped process), nothing leaves late.
"""

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from counterfoil.ports import Clock


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
