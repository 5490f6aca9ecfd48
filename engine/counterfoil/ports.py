"""Time and chance as parameters: the only way the engine learns of either."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time of day, elapsed time, and waiting."""

    def now(self) -> datetime:
        """The instant, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed point; never goes back, runs on while the process is stopped."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""
        ...


class Entropy(Protocol):
    """Randomness: for nonces and ids from the system, for jitter and tests from a seed."""

    def token_bytes(self, size: int) -> bytes:
        """That many random bytes."""
        ...

    def random(self) -> float:
        """A number in [0, 1)."""
        ...
