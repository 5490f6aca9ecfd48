"""The emulator's own time: it follows a base clock, runs faster, jumps ahead, or stands still until told."""

import asyncio
from datetime import datetime, timedelta
from hashlib import sha256

from counterfoil.clock import SystemEntropy
from counterfoil.ports import Clock, Entropy

HAIR_SECONDS = 1e-6


class EmulatorClock:
    """A `counterfoil.ports.Clock` whose speed and position are under control.

    Args:
        base: where real time comes from.
        scale: emulated seconds per base second.
        manual: stand still; time moves only through `advance`.
    """

    def __init__(self, base: Clock, *, scale: float = 1.0, manual: bool = False) -> None:
        self._base = base
        self._started = base.now()
        self._scale = scale
        self._manual = manual
        self._elapsed = 0.0
        self._anchor = base.monotonic()
        self._moved = asyncio.Event()

    @property
    def manual(self) -> bool:
        return self._manual

    @property
    def scale(self) -> float:
        return self._scale

    def monotonic(self) -> float:
        if self._manual:
            return self._elapsed
        return self._elapsed + (self._base.monotonic() - self._anchor) * self._scale

    def now(self) -> datetime:
        return self._started + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        deadline = self.monotonic() + seconds
        # A float sum can fall a hair short of the deadline; that hair is no reason to wait again.
        while (left := deadline - self.monotonic()) > HAIR_SECONDS:
            waiting: list[asyncio.Task[None]] = [asyncio.create_task(self._wait_for_move())]
            if not self._manual:
                waiting.append(asyncio.create_task(self._base.sleep(left / self._scale)))
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for future in waiting:
                    future.cancel()
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Jump ahead; everything that sleeps past its deadline wakes."""
        self._elapsed += seconds
        self._wake()

    def change(self, *, scale: float | None = None, manual: bool | None = None) -> None:
        """Run at another speed, stop, or run on from where time stood."""
        self._elapsed = self.monotonic()
        self._anchor = self._base.monotonic()
        if scale is not None:
            self._scale = scale
        if manual is not None:
            self._manual = manual
        self._wake()

    async def _wait_for_move(self) -> None:
        await self._moved.wait()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


class SeededEntropy:
    """Randomness that a seed repeats: blocks of SHA-256 over seed and counter."""

    def __init__(self, seed: int, after: str = "") -> None:
        self._seed = f"{seed}{after}"
        self._counter = 0

    def token_bytes(self, size: int) -> bytes:
        blocks = bytearray()
        while len(blocks) < size:
            self._counter += 1
            blocks += sha256(f"{self._seed}/{self._counter}".encode()).digest()
        return bytes(blocks[:size])

    def random(self) -> float:
        return int.from_bytes(self.token_bytes(7)) / 2**56


def entropy_from(seed: int | None, after: str = "") -> Entropy:
    """Repeatable for a seed, and for what the run goes on from; the system's own without a seed."""
    return SystemEntropy() if seed is None else SeededEntropy(seed, after)
