"""What a simulated machine's clocks show."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class MachineClock:
    """A machine's clocks: its time of day may be wrong and jump, its elapsed time only runs on.

    Args:
        ahead_seconds: how far its time of day is ahead of the world's.
        up_seconds: what its elapsed time began with; never the same on two machines.
    """

    def __init__(self, ahead_seconds: float = 0.0, up_seconds: float = 0.0) -> None:
        self.ahead_seconds = ahead_seconds
        self._up_seconds = up_seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time() + self.ahead_seconds)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self._up_seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
