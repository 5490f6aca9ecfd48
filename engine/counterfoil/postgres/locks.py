"""Locks between processes that vanish with their holder, even under SIGKILL: flock on a file that stays."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

if sys.platform != "win32":
    import fcntl

_POLL_SECONDS = 0.02


class FileLock:
    """A lock on one file, shared or exclusive; each object is a holder of its own, also within a process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock, either way."""
        return self._descriptor is not None

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Take the lock if it is free for that; False if another holder is in the way."""
        if self._descriptor is not None:
            raise RuntimeError(f"{self._path} is already locked by this object")
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    async def acquire(self, *, shared: bool = False) -> Self:
        """Wait for the lock; bound the wait with `asyncio.timeout`."""
        while True:
            if self.try_acquire(shared=shared):
                return self
            await asyncio.sleep(_POLL_SECONDS)

    def release(self) -> None:
        """Let go; nothing happens if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @asynccontextmanager
    async def exclusively(self) -> AsyncGenerator[None]:
        """Hold it alone for the length of a block."""
        await self.acquire()
        try:
            yield
        finally:
            self.release()
