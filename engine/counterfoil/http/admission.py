"""How much is let in: bounds of size, of number at once and in a second, and of time.

What is over a bound is asked to come again (503): Intuit tries again for hours, and holds later events back meanwhile,
so nothing is lost by it. 429 is not among the answers after which Intuit is known to try again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiolimiter import AsyncLimiter

from counterfoil.errors import CounterfoilError
from counterfoil.settings import WebhookSettings

BURST_SECONDS = 5.0
RETRY_SECONDS = 5


class BusyError(CounterfoilError):
    """More than is let in: the sender shall come again after `RETRY_SECONDS`."""


class Admission:
    """Lets deliveries in, as long as they are not too many.

    Args:
        bounds: how many.
    """

    def __init__(self, bounds: WebhookSettings) -> None:
        self._bounds = bounds
        self._inside = 0
        self._paced = AsyncLimiter(bounds.deliveries_per_second * BURST_SECONDS, BURST_SECONDS)

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Hold one of the places for the length of a block.

        Raises:
            BusyError: all are taken.
        """
        if self._inside >= self._bounds.deliveries_at_once:
            raise _busy()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def pass_verified(self) -> None:
        """Count a delivery whose signature is right; others cost no append, and must not use up what is for these.

        Raises:
            BusyError: more in these seconds than are let in.
        """
        if not self._paced.has_capacity():
            raise _busy()
        await self._paced.acquire()


def _busy() -> BusyError:
    return BusyError("Too many deliveries at present.", remedy="Deliver again in a moment; nothing is lost.")
