"""Files of JSON objects, a line each, of any length: written beside their place and put there when they are whole."""

import asyncio
import os
from collections.abc import Callable, Iterable
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from counterfoil.cli.output import as_json
from counterfoil.errors import ConfigurationError
from counterfoil_schema import exact_json

T = TypeVar("T")


class LineFile:
    """A file that is there when all is written, and not before.

    Raises:
        ConfigurationError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._file: BufferedWriter | None = None
        self.lines = 0

    async def __aenter__(self) -> Self:
        self._file = await self._tried(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tried(lambda: self._close(whole=error is None))

    async def write(self, values: Iterable[object]) -> None:
        """Some more lines."""
        lines = [exact_json.dumps(as_json(value)) + b"\n" for value in values]
        self.lines += len(lines)
        await self._tried(lambda: self._write(b"".join(lines)))

    def _open(self) -> BufferedWriter:
        return self._partial.open("wb")

    def _write(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)

    def _close(self, *, whole: bool) -> None:
        if self._file is None:
            return
        self._file.close()
        if whole:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)

    async def _tried(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as problem:
            raise ConfigurationError(
                f"{self._path} cannot be written: {problem.strerror}.", remedy="Name another file, or make room."
            ) from None
