"""Tokens in memory, for tests: the same rules as the real store."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from counterfoil.secrets.tokens import TokenSet, require_next_generation


class MemoryTokenStore:
    """Keeps tokens until the process ends."""

    def __init__(self) -> None:
        self._tokens: dict[int, TokenSet] = {}

    async def get(self, company: int) -> TokenSet | None:
        """The stored tokens; None if the company is not connected."""
        return self._tokens.get(company)

    async def compare_and_set(self, company: int, expected_generation: int, tokens: TokenSet) -> bool:
        """Store `tokens` if the stored generation is still the expected one.

        Raises:
            ValueError: the generation does not follow the expected one.
        """
        require_next_generation(expected_generation, tokens)
        stored = self._tokens.get(company)
        if (stored.generation if stored else 0) != expected_generation:
            return False
        self._tokens[company] = tokens
        return True

    async def delete(self, company: int) -> None:
        """Forget the company's tokens."""
        self._tokens.pop(company, None)


class MemoryRefreshLock:
    """One refresher per company, within a process."""

    def __init__(self) -> None:
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def hold(self, company: int) -> AsyncIterator[None]:
        """Wait for the lock and hold it."""
        async with self._locks[company]:
            yield
