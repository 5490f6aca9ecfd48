"""Single reads that are asked for in the same turn of the loop, made as one.

A hundred plans side by side ask for a row each; a round trip costs more than all their rows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Group:
    """Keys that are read together, and what was found of them."""

    __slots__ = ("ended", "failed", "found", "keys")

    def __init__(self) -> None:
        self.keys: dict[Any, None] = {}
        self.ended = asyncio.Event()
        self.found: Mapping[Any, Any] | None = None
        self.failed: Exception | None = None


class Gatherer:
    """Groups reads by what is read. Whoever asks first reads for all who asked before it came to do so.

    Args:
        most: keys in one read.
    """

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._open: dict[Hashable, _Group] = {}

    async def get(self, of: Hashable, key: K, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> V | None:
        """What a read of `of` finds under a key.

        Args:
            of: reads of the same thing are made together; `read` must be the same for all of them.

        Raises:
            Exception: what the read raises, to all of them. If whoever reads is cancelled, another of them does it.
        """
        while True:
            group = self._open.get(of)
            if group is None or len(group.keys) >= self._most:
                return await self._lead(of, key, read)
            group.keys[key] = None
            await group.ended.wait()
            if group.failed is not None:
                raise group.failed
            if group.found is not None:
                answer: V | None = group.found.get(key)
                return answer

    async def _lead(self, of: Hashable, key: K, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> V | None:
        group = self._open[of] = _Group()
        group.keys[key] = None
        try:
            await asyncio.sleep(0)
            self._close(of, group)
            found = await read(list(group.keys))
            group.found = found
            return found.get(key)
        except Exception as failed:
            group.failed = failed
            raise
        finally:
            self._close(of, group)
            group.ended.set()

    def _close(self, of: Hashable, group: _Group) -> None:
        if self._open.get(of) is group:
            del self._open[of]
