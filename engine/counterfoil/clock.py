"""The real clock and the real randomness; nothing else in the engine touches either."""

import asyncio
import os
import random
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SystemEntropy:
    """Randomness fit for keys and nonces."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def token_bytes(self, size: int) -> bytes:
        return os.urandom(size)

    def random(self) -> float:
        return self._random.random()
