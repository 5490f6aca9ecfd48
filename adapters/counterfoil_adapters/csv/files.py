"""A file on disk: its fingerprint, its encoding, and its header. Blocking; called in a thread."""

import codecs
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from counterfoil.sources import SourceError
from counterfoil_adapters.csv.reading import BrokenRow, Row, RowReader, choose_delimiter, printable

CHUNK_BYTES = 1024 * 1024
_LINE_BYTES_MAX = 8 * 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_MIN = 8
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells whether a file changed. Size and time are compared first; the digest decides."""

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file read once from end to end: its fingerprint, its encoding, and a word to people about it, if any."""

    fingerprint: Fingerprint
    encoding: str
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns in order, and where each stands."""

    names: tuple[str, ...]
    index: Mapping[str, int]


def stamp(path: Path) -> tuple[int, int]:
    """Size in bytes and time of the last change in nanoseconds.

    Raises:
        SourceError: the file is not there, or may not be read.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _unavailable(path, error) from error
    return status.st_size, status.st_mtime_ns


def _unavailable(path: Path, error: OSError) -> SourceError:
    if isinstance(error, FileNotFoundError):
        if not path.parent.is_dir():
            return SourceError(
                f"The folder {path.parent} is not there.",
                remedy="Check the connection's folder; nothing is concluded from its absence.",
            )
        present = sorted(each.name for each in path.parent.iterdir() if each.suffix.lower() in {".csv", ".txt", ".tsv"})
        near = get_close_matches(path.name, present, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return SourceError(
            f"{path.name} is not in {path.parent}.{hint}",
            remedy="Put the file there, or name the right one in the mapping; no record is deleted meanwhile.",
        )
    return SourceError(
        f"{path.name} cannot be read: {error.strerror or error}.",
        remedy="Check that it is a file and that its permissions let Counterfoil read it.",
    )


class _Utf8Census:
    """Counts, over a stream of bytes, lines with proper UTF-8 beyond ASCII, and lines that are not UTF-8."""

    def __init__(self) -> None:
        self._rest = b""
        self.proper = 0
        self.improper = 0

    def feed(self, chunk: bytes, *, last: bool) -> None:
        data = self._rest + chunk
        cut = len(data) if last or len(data) > _LINE_BYTES_MAX else data.rfind(b"\n") + 1
        block, self._rest = data[:cut], data[cut:]
        if block.isascii():
            return
        for line in block.splitlines():
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                self.improper += 1
            else:
                self.proper += 1


def inspect(path: Path, declared: str) -> Inspected:
    """Read a file once: digest, size, and encoding where the mapping says `auto`.

    `auto` takes a byte order mark at its word, else UTF-8, else Windows-1252 with a notice. A file that is UTF-8
    but for a few rows is UTF-8; those rows will be reported.

    Raises:
        SourceError: the file cannot be read, or is certainly not in the declared encoding.
    """
    size, mtime_ns = stamp(path)
    digest = hashlib.sha256()
    census = _Utf8Census()
    head = b""
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                head = head or chunk[:4096]
                digest.update(chunk)
                census.feed(chunk, last=False)
            census.feed(b"", last=True)
    except OSError as error:
        raise _unavailable(path, error) from error
    encoding, notice = _encoding(path.name, declared, head, census)
    return Inspected(Fingerprint(size, mtime_ns, digest.hexdigest()), encoding, notice)


def _encoding(name: str, declared: str, head: bytes, census: _Utf8Census) -> tuple[str, str | None]:
    marked = next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None) or _unmarked_utf16(head)
    if declared != "auto":
        codec = codecs.lookup(declared).name
        if marked is not None and not marked.startswith(codec.removesuffix("-sig")[:6]):
            raise _mismatch(name, declared, marked.removesuffix("-sig"))
        single_byte = not codec.startswith(("utf", "gb", "big5", "shift", "euc", "iso2022", "hz", "johab", "cp93"))
        if single_byte and codec != "ascii" and census.proper and not census.improper:
            raise _mismatch(name, declared, "utf-8")
        return ("utf-8-sig" if codec == "utf-8" else codec), None
    if marked is not None:
        return marked, None
    if census.improper == 0 or census.proper > census.improper:
        return "utf-8", None
    return "cp1252", (
        f"{name} is not UTF-8 and was read as Windows-1252; "
        f'if names look wrong, save it as UTF-8 or set encoding = "…" in the mapping.'
    )


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: text of western languages has a zero in every other byte."""
    half = len(head) // 2
    if half < _SAMPLE_MIN:
        return None
    if head[1::2].count(0) > half * 0.7 and head[0::2].count(0) < half * 0.1:
        return "utf-16-le"
    if head[0::2].count(0) > half * 0.7 and head[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return None


def _mismatch(name: str, declared: str, found: str) -> SourceError:
    return SourceError(
        f"{name} is {found}, but the mapping says {declared}: accents would come out wrong.",
        remedy=f'Set encoding = "auto" (or "{found}") for this file in the mapping.',
    )


class CsvFile:
    """An open file: its header, and a reader that stands on the first row of data."""

    def __init__(self, name: str, header: Header, reader: RowReader) -> None:
        self.name = name
        self.header = header
        self._reader = reader

    def rows(self) -> Iterator[Row | BrokenRow]:
        """The rows of data."""
        return self._reader.rows()


@contextmanager
def open_csv(path: Path, *, encoding: str, delimiter: str, wanted: Collection[str]) -> Iterator[CsvFile]:
    """Open a file for reading and check that it has the wanted columns.

    Raises:
        SourceError: the file cannot be read, is empty, or lacks a wanted column.
    """
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    try:
        stream = path.open(encoding=encoding, errors=errors, newline="")
    except OSError as error:
        raise _unavailable(path, error) from error
    with stream:
        reader, names = _header(stream, path.name, encoding, delimiter, wanted)
        reader.width = len(names)
        yield CsvFile(path.name, checked_header(path.name, names, wanted), reader)


def _header(
    stream: TextIO, name: str, encoding: str, delimiter: str, wanted: Collection[str]
) -> tuple[RowReader, tuple[str, ...]]:
    first = stream.readline(CHUNK_BYTES)
    separator = _SEPARATOR_LINE.fullmatch(first)
    skipped = 0
    if separator:
        skipped = 1
        first = stream.readline(CHUNK_BYTES)
    chosen = delimiter if delimiter != "auto" else separator[1] if separator else choose_delimiter(first, wanted)
    stream.seek(0)
    reader = RowReader(stream, chosen, encoding.removesuffix("-sig"))
    rows = reader.rows()
    for _ in range(skipped):
        next(rows, None)
    row = next(rows, None)
    if row is None:
        raise SourceError(
            f"{name} is empty: it has not even a header.",
            remedy="Export it again; an empty file deletes nothing, and the last reading stays as it is.",
        )
    if isinstance(row, BrokenRow):
        raise SourceError(f"The header of {name} cannot be read: {row.problem}", remedy=row.fix)
    return reader, tuple(printable(cell.strip()) for cell in row.fields)


def checked_header(name: str, names: tuple[str, ...], wanted: Collection[str]) -> Header:
    """Where each column stands.

    Raises:
        SourceError: a wanted column is missing, or there twice.
    """
    index: dict[str, int] = {}
    for position, column in enumerate(names):
        index.setdefault(column, position)
    for column in wanted:
        if column not in index:
            near = _nearest(column, names)
            raise SourceError(
                f"{name} has no column {column!r}.{f' Did you mean {near!r}?' if near else ''}",
                remedy=f"Correct the mapping or the file; its columns are {', '.join(filter(None, names))}.",
            )
        if names.count(column) > 1:
            raise SourceError(
                f"{name} has {names.count(column)} columns called {column!r}.",
                remedy="Give each column that the mapping names a name of its own.",
            )
    return Header(names, index)


def _nearest(column: str, names: tuple[str, ...]) -> str | None:
    by_folded = {each.casefold(): each for each in names}
    near = get_close_matches(column.casefold(), list(by_folded), n=1, cutoff=0.5)
    return by_folded[near[0]] if near else None
