"""Rows out of lines of text: quotes, line numbers, and going on after a row that is broken.

Python's own `csv.reader` swallows the rest of a file after one unclosed quote, and its bound on the size of a cell
is shared by the whole process; a host may rely on either. So rows are split here, to the same rules (RFC 4180,
and stray quotes inside an unquoted cell are text); that the two agree is tested on whatever `csv.writer` can write.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

ROW_CHARACTERS_MAX = 8 * 1024 * 1024
"""The longest row that is read; a longer one counts as broken."""

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}

_INSIDE_QUOTES = re.compile(r'[^"]*+(?:""[^"]*+)*+')
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `line` is the number, from 1, of the physical line on which it begins."""

    line: int
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """Text that is no proper row. `fields` are those read before the fault, as far as they can be trusted."""

    line: int
    fields: Sequence[str]
    problem: str
    fix: str
    raw: str


class _QuoteError(Exception):
    """A closing quote that is followed by something else than a delimiter."""


class RowScanner:
    """Splits one row, fed line by line until it is complete."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._open: list[str] | None = None
        self.fields: list[str] = []
        self.stray = False
        """Whether an unquoted cell holds a quote: text, or the remains of a broken row."""

    def feed(self, line: str) -> bool:
        """Take in a physical line with its line end; True when the row is complete.

        Raises:
            _QuoteError: text after a closing quote.
        """
        end = len(line) - (2 if line.endswith("\r\n") else 1 if line.endswith(("\n", "\r")) else 0)
        if self._open is None and '"' not in line:
            self.fields.extend(line[:end].split(self._delimiter))
            return True
        at = 0
        while True:
            if self._open is None and line.startswith('"', at):
                self._open = []
                at += 1
            if self._open is None:
                stop = line.find(self._delimiter, at, end)
                self.fields.append(line[at : end if stop < 0 else stop])
                self.stray = self.stray or '"' in self.fields[-1]
                if stop < 0:
                    return True
                at = stop + 1
                continue
            inside = _INSIDE_QUOTES.match(line, at)
            stop = inside.end() if inside else at
            self._open.append(line[at:stop])
            if stop == len(line):
                return False
            self.fields.append("".join(self._open).replace('""', '"'))
            self._open = None
            at = stop + 1
            if at >= end:
                return True
            if line[at] != self._delimiter:
                raise _QuoteError
            at += 1


def printable(text: str) -> str:
    """Text fit for the log: bytes that could not be decoded stand as `\\xe9`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class RowReader:
    """Rows of a text stream that was opened with `newline=""` and, so that bytes survive, `surrogateescape`.

    A row whose number of cells differs from `width` (set after the header was read) is broken. After an unclosed
    quote reading goes on at the next physical line, so one slip costs one row; among the lines that the quote had
    swallowed, one with a stray quote is not believed to be a row of its own.
    """

    def __init__(self, stream: TextIO, delimiter: str, encoding: str) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._encoding = encoding
        self._pushed_back: deque[str] = deque()
        self._line = 0
        self._suspect_until = 0
        self.width: int | None = None

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every row but blank ones; a row whose cells are all empty counts as blank."""
        while line := self._next_line():
            if line in {"\n", "\r\n", "\r"}:
                continue
            row = self._read(line)
            if isinstance(row, BrokenRow) or any(row.fields):
                yield row

    def _next_line(self) -> str:
        line = self._pushed_back.popleft() if self._pushed_back else self._stream.readline(ROW_CHARACTERS_MAX)
        self._line += 1
        return line

    def _read(self, first: str) -> Row | BrokenRow:
        start = self._line
        if len(first) >= ROW_CHARACTERS_MAX and not first.endswith(("\n", "\r")):
            return self._oversized(start, first)
        scanner = RowScanner(self._delimiter)
        lines = [first]
        size = len(first)
        try:
            while not scanner.feed(lines[-1]):
                line = self._next_line()
                size += len(line)
                if not line or size > ROW_CHARACTERS_MAX:
                    if line:
                        lines.append(line)
                    else:
                        self._line -= 1
                    return self._unclosed(start, lines, scanner.fields)
                lines.append(line)
        except _QuoteError:
            if len(lines) > 1:
                return self._unclosed(start, lines, ())
            return self._stray_quote(start, first)
        if scanner.stray and start <= self._suspect_until:
            return BrokenRow(
                start,
                (),
                "The line seems to be the rest of the broken row above it.",
                "Mend the quotes of that row.",
                printable("".join(lines)),
            )
        return self._checked(start, lines, scanner.fields)

    def _checked(self, start: int, lines: list[str], fields: list[str]) -> Row | BrokenRow:
        text = lines[0] if len(lines) == 1 else "".join(lines)
        if self.width is not None and len(fields) != self.width:
            if len(lines) > 1 and self._is_whole(lines[1]):
                return self._unclosed(start, lines, ())
            many = len(fields) > self.width
            return BrokenRow(
                start,
                fields,
                f"The row has {len(fields)} cells and the header {self.width}.",
                f"Put cells that hold {NAMES[self._delimiter]} in double quotes."
                if many
                else "Complete the row, or delete it.",
                printable(text),
            )
        if not text.isascii() and _UNDECODED.search(text):
            return BrokenRow(
                start,
                fields if fields and not _UNDECODED.search(fields[0]) else (),
                f"The row holds bytes that are not {self._encoding}.",
                "Save the file as UTF-8, or name its encoding in the mapping.",
                printable(text),
            )
        if "\0" in text:
            return BrokenRow(
                start,
                fields if fields and "\0" not in fields[0] else (),
                "The row holds a NUL character, which no text has.",
                "The file is damaged, or in another encoding: export it again.",
                text,
            )
        return Row(start, fields)

    def _is_whole(self, line: str) -> bool:
        scanner = RowScanner(self._delimiter)
        try:
            return scanner.feed(line) and not scanner.stray and len(scanner.fields) == self.width
        except _QuoteError:
            return False

    def _unclosed(self, start: int, lines: list[str], fields: Sequence[str]) -> BrokenRow:
        self._pushed_back.extendleft(reversed(lines[1:]))
        self._suspect_until = max(self._suspect_until, start + len(lines) - 1)
        self._line = start
        return BrokenRow(
            start,
            tuple(fields) or before_quote(lines[0], self._delimiter),
            "A double quote is opened on this line and not closed properly.",
            "Close the quote, and double each quote that belongs to the text.",
            printable(lines[0]),
        )

    def _stray_quote(self, start: int, line: str) -> BrokenRow:
        return BrokenRow(
            start,
            before_quote(line, self._delimiter),
            "A quoted cell goes on after its closing quote.",
            "Double each quote that belongs to the text.",
            printable(line),
        )

    def _oversized(self, start: int, first: str) -> BrokenRow:
        while (rest := self._stream.readline(ROW_CHARACTERS_MAX)) and not rest.endswith(("\n", "\r")):
            pass
        return BrokenRow(
            start,
            before_quote(first, self._delimiter)[:1],
            f"The line is longer than {ROW_CHARACTERS_MAX // 1024 // 1024} MiB.",
            "Check that the file is a CSV file.",
            printable(first[:1000]) + "…",
        )


def before_quote(line: str, delimiter: str) -> Sequence[str]:
    """The cells of a line that end before its first quote: the part of a broken row that can be trusted."""
    return line.split('"', 1)[0].split(delimiter)[:-1]


def choose_delimiter(first_line: str, wanted: Iterable[str]) -> str:
    """The delimiter under which a header names most of the wanted columns; then, most columns.

    That is surer than `csv.Sniffer`, which guesses from the frequency of characters in the data.
    """
    names = set(wanted)

    def merit(delimiter: str) -> tuple[int, int]:
        scanner = RowScanner(delimiter)
        try:
            scanner.feed(first_line)
        except _QuoteError:
            return (0, 0)
        return (len(names.intersection(cell.strip() for cell in scanner.fields)), len(scanner.fields))

    return max(DELIMITERS, key=merit)
