"""What tests of sources need again and again: a context without a network, tokens kept in memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
from pydantic import SecretStr

from counterfoil.clock import SystemClock
from counterfoil.sources import SourceContext, SourceTokens
from counterfoil.testing import MemoryKeeper
from support.seeded import SeededEntropy


@dataclass
class WatchedKeeper(MemoryKeeper):
    """Tokens in the order in which they were stored; `before` may object to a pair, or look around."""

    before: Callable[[SourceTokens], Awaitable[None]] | None = None
    stored: list[SourceTokens] = field(default_factory=list)

    async def store(self, configured: SecretStr, tokens: SourceTokens) -> bool:
        if self.before is not None:
            await self.before(tokens)
        stored = await super().store(configured, tokens)
        if stored:
            self.stored.append(tokens)
        return stored


def context_of(connection: str, settings: Mapping[str, Any], mapping: Mapping[str, Any] | None = None) -> SourceContext:
    """For what is decided before anything is called."""
    return SourceContext(
        connection=connection,
        settings=settings,
        mapping=mapping or {},
        http=cast("aiohttp.ClientSession", None),
        clock=SystemClock(),
        entropy=SeededEntropy(),
    )
