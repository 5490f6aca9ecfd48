"""What adapters under test are opened with: time that takes none, chance from a seed, tokens in memory."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from pydantic import SecretStr

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
    """Tokens of a connection, for as long as the test lasts; the same rules as the engine's own.

    `held`: by the refresh token that was configured. `refusals`: of generations.
    """

    held: dict[str, SourceTokens] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._lock:
            yield

    async def load(self, configured: SecretStr) -> SourceTokens | None:
        return self.held.get(configured.get_secret_value())

    async def store(self, configured: SecretStr, tokens: SourceTokens) -> bool:
        held = await self.load(configured)
        if tokens.generation != (held.generation if held is not None else 0) + 1:
            return False
        self.held[configured.get_secret_value()] = tokens
        return True

    async def refused(self, configured: SecretStr, tokens: SourceTokens) -> None:
        del configured
        self.refusals.append(tokens.generation)


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
