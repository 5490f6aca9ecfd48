"""A file on disk: its fingerprint, its encoding, and its header. Blocking; called in a thread."""

import codecs
import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from counterfoil.sources import SourceError, UnknownNameError
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
TITLE_ROWS_MAX = 20
"""How many rows a report may have above its header."""

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
    """The names of the columns in order, where each stands, and which texts stand for an empty cell."""

    names: tuple[str, ...]
    index: Mapping[str, int]
    nulls: frozenset[str] = frozenset()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a file is to be opened, by the mapping; `header` names the columns of a file that has no such row."""

    encoding: str
    delimiter: str
    wanted: Collection[str]
    header: tuple[str, ...] = ()
    nulls: frozenset[str] = frozenset()


@contextmanager
def open_csv(path: Path, form: Form) -> Iterator[CsvFile]:
    """Open a file for reading and check that it has the wanted columns.

    Raises:
        SourceError: the file cannot be read, is empty, or lacks a wanted column.
    """
    errors = "replace" if form.encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    try:
        stream = path.open(encoding=form.encoding, errors=errors, newline="")
    except OSError as error:
        raise _unavailable(path, error) from error
    with stream:
        delimiter, passed = _delimiter(stream, form)
        if form.header:
            reader, names = _reader(stream, delimiter, form, passed), form.header
        else:
            reader, names = _below_titles(stream, path.name, delimiter, form, passed)
        reader.width = len(names)
        yield CsvFile(path.name, checked_header(path.name, names, form.wanted, form.nulls), reader)


def _delimiter(stream: TextIO, form: Form) -> tuple[str, int]:
    """The delimiter, and how many rows stand before the header because they only name it."""
    first = stream.readline(CHUNK_BYTES)
    separator = _SEPARATOR_LINE.fullmatch(first)
    if separator:
        first = stream.readline(CHUNK_BYTES)
    if form.delimiter != "auto":
        return form.delimiter, 1 if separator else 0
    if separator:
        return separator[1], 1
    head = [first, *(stream.readline(CHUNK_BYTES) for _ in range(TITLE_ROWS_MAX))]
    return choose_delimiter(_likeliest(head, form.wanted), form.wanted), 0


def _likeliest(lines: Sequence[str], wanted: Collection[str]) -> str:
    """The line that names most of the wanted columns; the first of several."""
    return max(lines, key=lambda line: sum(name in line for name in wanted))


def _reader(stream: TextIO, delimiter: str, form: Form, passed: int) -> RowReader:
    stream.seek(0)
    reader = RowReader(stream, delimiter, form.encoding.removesuffix("-sig"))
    rows = reader.rows()
    for _ in range(passed):
        next(rows, None)
    return reader


def _below_titles(
    stream: TextIO, name: str, delimiter: str, form: Form, passed: int
) -> tuple[RowReader, tuple[str, ...]]:
    """The header: the first row, or the first of the next few that has all wanted columns, below a title."""
    reader = _reader(stream, delimiter, form, passed)
    first = next(reader.rows(), None)
    if first is None:
        raise SourceError(
            f"{name} is empty: it has not even a header.",
            remedy="Export it again; an empty file deletes nothing, and the last reading stays as it is.",
        )
    if isinstance(first, BrokenRow):
        raise SourceError(f"The header of {name} cannot be read: {first.problem}", remedy=first.fix)
    names = _names_of(first)
    if not set(form.wanted) <= set(_numbered(names)):
        for _ in range(TITLE_ROWS_MAX):
            row = next(reader.rows(), None)
            if row is None:
                break
            if isinstance(row, Row) and set(form.wanted) <= set(_numbered(_names_of(row))):
                return reader, _names_of(row)
        reader = _reader(stream, delimiter, form, passed + 1)
    return reader, names


def _names_of(row: Row) -> tuple[str, ...]:
    return tuple(printable(cell.strip()) for cell in row.fields)


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """The names, of those that several columns bear each with its number: `Amount (1)`, `Amount (2)`."""
    counts = Counter(names)
    seen: Counter[str] = Counter()
    numbered: list[str] = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name} ({seen[name]})" if name and counts[name] > 1 else name)
    return tuple(numbered)


def checked_header(
    name: str, names: tuple[str, ...], wanted: Collection[str], nulls: frozenset[str] = frozenset()
) -> Header:
    """Where each column stands.

    Raises:
        SourceError: a wanted column is missing, or there twice.
    """
    numbered = _numbered(names)
    index: dict[str, int] = {}
    for position, column in enumerate(numbered):
        index.setdefault(column, position)
    for column in wanted:
        if names.count(column) > 1:
            raise SourceError(
                f"{name} has {names.count(column)} columns called {column!r}.",
                remedy=f"Say in the mapping which one is meant: {column} (1), {column} (2) …, from the left.",
            )
        if column not in index:
            near = _nearest(column, numbered)
            raise UnknownNameError(
                f"{name} has no column {column!r}.{f' Did you mean {near!r}?' if near else ''}",
                name=column,
                remedy=f"Correct the mapping or the file; its columns are {', '.join(filter(None, numbered))}.",
            )
    return Header(numbered, index, nulls)


def _nearest(column: str, names: tuple[str, ...]) -> str | None:
    by_folded = {each.casefold(): each for each in names}
    near = get_close_matches(column.casefold(), list(by_folded), n=1, cutoff=0.5)
    return by_folded[near[0]] if near else None
