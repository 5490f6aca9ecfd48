"""What adapters under test are opened with: time that takes none, chance from a seed, tokens in memory."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from counterfoil.clock import SystemClock
from counterfoil.sources import SourceContext, SourceTokens


class HastyClock:
    """The machine's time, shifted by `skew`; waiting takes none, but is noted."""

    def __init__(self, skew: timedelta = timedelta()) -> None:
        self.waits: list[float] = []
        self._system = SystemClock()
        self._skew = skew

    def now(self) -> datetime:
        return self._system.now() + self._skew

    def monotonic(self) -> float:
        return self._system.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


class SeededEntropy:
    """Repeatable; never for secrets."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def token_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def random(self) -> float:
        return self._random.random()


@dataclass
class MemoryKeeper:
    """Tokens of a connection, for as long as the test lasts."""

    held: SourceTokens | None = None

    async def load(self) -> SourceTokens | None:
        return self.held

    async def store(self, tokens: SourceTokens) -> None:
        self.held = tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where one adapter is opened: `url` is the source's address, or that of the kit's proxy in front of it."""

    url: str
    http: aiohttp.ClientSession
    clock: HastyClock
    keeper: MemoryKeeper = field(default_factory=MemoryKeeper)

    def context(
        self,
        settings: Mapping[str, Any],
        *,
        mapping: Mapping[str, Any] | None = None,
        connection: str = "contract",
        public_url: str | None = None,
    ) -> SourceContext:
        """What the engine would give."""
        return SourceContext(
            connection=connection,
            settings=settings,
            mapping=mapping or {},
            http=self.http,
            clock=self.clock,
            entropy=SeededEntropy(),
            public_url=public_url,
            tokens=self.keeper,
        )
