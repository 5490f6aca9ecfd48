"""Rows of lines that wait for the row they belong to: in a file of their own, so that memory does not grow with them.

SQLite keeps them in a database without a name: a temporary file that goes with the connection, however that ends, and
that is not even made while there are few of them. Blocking.
"""

import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Self

from counterfoil.sources import SourceError
from counterfoil_adapters.csv.files import Header
from counterfoil_adapters.csv.plans import RowOf
from counterfoil_adapters.csv.reading import BrokenRow, Row

_ROWS_AT_ONCE = 1_000
_CREATE = "create table pending (number integer primary key, key blob not null, row text not null)"
_INDEX = "create index by_key on pending (key, number)"
_INSERT = "insert into pending (key, row) values (?, ?)"
_OF_KEY = "select row from pending where key = ? order by number"
_TAKE = "delete from pending where key = ?"
_REST = """
select pending.key, pending.row
from pending
join (select key, min(number) as first from pending group by key) as first_of on first_of.key = pending.key
order by first_of.first, pending.number
"""


class PendingRows:
    """Rows by key, each key's in the order in which they came; first all are added, then they are taken."""

    def __init__(self) -> None:
        # One thread at a time, though not always the same one: a walk goes on wherever its next page is asked for.
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = off")
        self._database.execute(_CREATE)
        self._headers: list[tuple[str, Header]] = []
        self._new: list[tuple[bytes, str]] = []
        self._added = False
        self._indexed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, key: str, row: RowOf) -> None:
        """One more row of a key."""
        if not self._headers or self._headers[-1] != (row.file, row.header):
            self._headers.append((row.file, row.header))
        self._new.append((_bytes(key), self._packed(row)))
        if len(self._new) == _ROWS_AT_ONCE:
            self._write()

    def take(self, key: str) -> list[RowOf]:
        """The rows of a key, which are taken out; none where there are none."""
        self._complete()
        if not self._added:
            return []
        rows = self._database.execute(_OF_KEY, (_bytes(key),)).fetchall()
        if rows:
            self._database.execute(_TAKE, (_bytes(key),))
        return [self._unpacked(row) for (row,) in rows]

    def rest(self) -> Iterator[tuple[str, list[RowOf]]]:
        """Keys that were not taken, with their rows; in the order in which each came first."""
        self._complete()
        for key, rows in groupby(self._database.execute(_REST), key=itemgetter(0)):
            yield key.decode("utf-8", "surrogatepass"), [self._unpacked(row) for _, row in rows]

    def _write(self) -> None:
        try:
            self._database.execute("begin")
            self._database.executemany(_INSERT, self._new)
            self._database.execute("commit")
        except sqlite3.Error as error:
            raise SourceError(
                f"The lines of {self._headers[-1][0]} cannot be put aside ({error}).",
                remedy="Make room in the folder for temporary files (TMPDIR).",
            ) from error
        self._added = True
        self._new.clear()

    def _complete(self) -> None:
        if self._new:
            self._write()
        if not self._indexed:
            self._database.execute(_INDEX)
            self._indexed = True

    def _packed(self, row: RowOf) -> str:
        each = row.row
        fault = [each.problem, each.fix, each.raw] if isinstance(each, BrokenRow) else []
        # Plain JSON: text that could not be decoded holds halves of characters, which few other forms can carry.
        return json.dumps([len(self._headers) - 1, each.line, [*each.fields], *fault])

    def _unpacked(self, text: str) -> RowOf:
        header, line, fields, *fault = json.loads(text)
        row = BrokenRow(line, fields, *fault) if fault else Row(line, fields)
        file, columns = self._headers[header]
        return RowOf(file, columns, row)


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
