"""Files of JSON objects, a line each, of any length: written beside their place and put there when they are whole."""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from counterfoil.cli.output import as_json
from counterfoil.errors import ConfigurationError
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

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


def opened(path: Path, remedy: str) -> BufferedReader:
    """A file of lines, to be read.

    Raises:
        ConfigurationError: it cannot be.
    """
    try:
        return path.open("rb")
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be read: {problem.strerror}.", remedy=remedy) from None


def head_of(file: BufferedReader, path: Path, *, kind: str, version: int, remedy: str) -> JsonObject:
    """The first line, which says what the file is.

    Raises:
        ConfigurationError: it is another file, or of another version.
    """
    head = _parsed(file.readline(), path, kind, remedy)
    if head.get("file") != kind or head.get("version") != version:
        raise _other(path, kind, remedy)
    return head


def records_of(file: BufferedReader, path: Path, *, kind: str, remedy: str) -> Iterator[tuple[JsonObject, int]]:
    """The records' lines from here on, each with where it begins.

    Raises:
        ConfigurationError: the file ends before its last line, or holds what is none of its lines.
    """
    records = 0
    while True:
        place = file.tell()
        text = file.readline()
        if not text:
            raise ConfigurationError(f"{path} ends before its end: it was cut.", remedy=remedy)
        line = _parsed(text, path, kind, remedy)
        if line.get("end") is True:
            if line.get("records") != records:
                raise ConfigurationError(f"{path} lacks lines: it was cut.", remedy=remedy)
            return
        if not isinstance(line.get("record_key"), str):
            raise _other(path, kind, remedy)
        records += 1
        yield line, place


def lines_of_file(path: Path, *, kind: str, version: int, remedy: str) -> Iterator[JsonObject]:
    """The head of a file, and then its records; raises as the others do."""
    with opened(path, remedy) as file:
        yield head_of(file, path, kind=kind, version=version, remedy=remedy)
        for line, _ in records_of(file, path, kind=kind, remedy=remedy):
            yield line


def _parsed(text: bytes, path: Path, kind: str, remedy: str) -> JsonObject:
    try:
        return exact_json.loads_object(text)
    except ValueError:
        raise _other(path, kind, remedy) from None


def _other(path: Path, kind: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{path} is no file of {kind} that this version reads.", remedy=remedy)
