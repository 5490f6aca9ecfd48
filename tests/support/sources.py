"""What tests of sources need again and again: a context without a network, tokens kept in memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp

from counterfoil.clock import SystemClock
from counterfoil.sources import SourceContext, SourceTokens
from support.seeded import SeededEntropy


@dataclass
class MemoryKeeper:
    """Tokens in the order in which they were stored; `before` may object to a pair, or look around."""

    held: SourceTokens | None = None
    before: Callable[[SourceTokens], Awaitable[None]] | None = None
    stored: list[SourceTokens] = field(default_factory=list)

    async def load(self) -> SourceTokens | None:
        return self.held

    async def store(self, tokens: SourceTokens) -> None:
        if self.before is not None:
            await self.before(tokens)
        self.stored.append(tokens)
        self.held = tokens


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
