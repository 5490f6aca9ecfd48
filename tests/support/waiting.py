"""Waits for what shall be true, within a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable

SECONDS_MAX = 60.0


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = SECONDS_MAX) -> None:
    """Until it holds.

    Raises:
        TimeoutError: it does not, for too long.
    """
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            raise TimeoutError(f"still waiting for {getattr(holds, '__name__', holds)}")
        await asyncio.sleep(0.1)
