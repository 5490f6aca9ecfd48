"""Folds a company's log afresh and compares the result, row for row, with the tables.

Nothing is written and no lease is taken. The log is read in pages and the tables through a cursor, so that what is
held in memory are the rows of the fresh fold and nothing else.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from typing import Literal, Protocol

from counterfoil.log import LogReader
from counterfoil.state.projection import Checkpoint, fold_page
from counterfoil.state.rows import ROW_TYPES, Key, Row, key_of

PAGE_EVENTS = 1000
DIFFERENCES_MAX = 200
"""Differences named per company; beyond this the number alone says enough."""

DifferenceKind = Literal["column", "missing", "extra", "stopped"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where a table is not what the log says.

    Attributes:
        column: the column that differs; empty where the whole row is missing or too many.
        expected: what the log says, as text.
        found: what the table holds, as text.
    """

    company: int
    table: str
    key: Key
    kind: DifferenceKind
    column: str = ""
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        key = ", ".join(self.key) or "the company"
        where = f"company {self.company}, {self.table} [{key}]"
        match self.kind:
            case "column":
                return f"{where}, {self.column}: the log says {self.expected}, the table holds {self.found}"
            case "missing":
                return f"{where}: the log has this row, the table has not"
            case "extra":
                return f"{where}: the table has this row, the log has not"
            case "stopped":
                return f"company {self.company}: the log cannot be folded: {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was compared.

    Attributes:
        position: up to where log and tables were compared.
        rows: rows that the fresh fold gave, by table.
        differences: at most `DIFFERENCES_MAX`; `differing` counts all.
    """

    company: int
    position: int
    events: int
    rows: Mapping[str, int]
    differences: tuple[Difference, ...]
    differing: int

    @property
    def same(self) -> bool:
        """Whether every row is as the log says."""
        return self.differing == 0


class Tables(Protocol):
    """The projections of one company at one moment."""

    async def checkpoint(self, company: int) -> Checkpoint:
        """How far they are folded."""
        ...

    def rows(self, company: int, row_type: type[Row]) -> AsyncIterator[Row]:
        """All rows of one table."""
        ...


class FreshRows:
    """The rows of a fresh fold, in memory; what `fold_page` loads from."""

    def __init__(self) -> None:
        self.by_table: dict[str, dict[Key, Row]] = {row_type.table: {} for row_type in ROW_TYPES}

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """The rows that exist among these keys; all are of the one company that is folded."""
        del company
        rows = self.by_table[table]
        return {key: rows[key] for key in keys if key in rows}

    def put(self, changed: Iterable[Row]) -> None:
        """Keep what a page changed."""
        for row in changed:
            self.by_table[row.table][key_of(row)] = row


async def check_company(
    company: int,
    reader: LogReader,
    at_one_moment: Callable[[], AbstractAsyncContextManager[Tables]],
    *,
    progress: Progress | None = None,
) -> CheckReport:
    """Fold the log afresh up to where the tables are folded, and compare.

    Args:
        at_one_moment: opens the tables as they are at one moment, whatever an engine folds meanwhile.
        progress: told how many of how many events are folded, after each page.
    """
    fresh = FreshRows()
    # Most of the log is folded before the tables are opened: no transaction stands open for as long as that takes.
    async with at_one_moment() as tables:
        aim = (await tables.checkpoint(company)).position
    folding = _Folding(company, reader, fresh, progress)
    await folding.up_to(aim)
    async with at_one_moment() as tables:
        checkpoint = await tables.checkpoint(company)
        await folding.up_to(checkpoint.position)
        comparison = _Comparison(company)
        if folding.stopped:
            comparison.add(Difference(company=company, table="", key=(), kind="stopped", found=folding.stopped))
        rows = {table: len(found) for table, found in fresh.by_table.items() if found}
        for row_type in ROW_TYPES:
            await comparison.compare(fresh.by_table[row_type.table], tables.rows(company, row_type))
    return CheckReport(
        company=company,
        position=checkpoint.position,
        events=folding.events,
        rows=rows,
        differences=tuple(comparison.differences),
        differing=comparison.differing,
    )


class _Folding:
    """A fresh fold on its way; `stopped` says at which event it could not go on."""

    def __init__(self, company: int, reader: LogReader, fresh: FreshRows, progress: Progress | None) -> None:
        self._company = company
        self._reader = reader
        self._fresh = fresh
        self._progress = progress
        self._position = 0
        self.events = 0
        self.stopped = ""

    async def up_to(self, last: int) -> None:
        """Fold on to a position."""
        while self._position < last and not self.stopped:
            page = await self._reader.read(self._company, self._position, min(PAGE_EVENTS, last - self._position))
            page = [recorded for recorded in page if recorded.position <= last]
            if not page:
                self.stopped = f"it ends at {self._position}, but the tables are folded up to {last}"
                return
            folded = await fold_page(self._fresh, self._company, self._position, page)
            self._fresh.put(folded.rows.values())
            self.events += len(page)
            self.stopped = folded.error
            self._position = folded.position
            if self._progress is not None:
                self._progress(self._position, last)


class _Comparison:
    def __init__(self, company: int) -> None:
        self._company = company
        self.differences: list[Difference] = []
        self.differing = 0

    def add(self, difference: Difference) -> None:
        self.differing += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(difference)

    async def compare(self, expected: dict[Key, Row], found: AsyncIterator[Row]) -> None:
        """Compare one table; takes the rows out of `expected` one by one."""
        async for row in found:
            key = key_of(row)
            wanted = expected.pop(key, None)
            if wanted is None:
                self.add(Difference(company=self._company, table=row.table, key=key, kind="extra"))
            elif wanted != row:
                for difference in columns_that_differ(wanted, row):
                    self.add(difference)
        for key, missing in expected.items():
            self.add(Difference(company=self._company, table=missing.table, key=key, kind="missing"))


def columns_that_differ(expected: Row, found: Row) -> list[Difference]:
    """One difference for each column in which two rows of one key differ."""
    return [
        Difference(
            company=found.company,
            table=found.table,
            key=key_of(found),
            kind="column",
            column=part.name,
            expected=repr(getattr(expected, part.name)),
            found=repr(getattr(found, part.name)),
        )
        for part in fields(found)
        if getattr(expected, part.name) != getattr(found, part.name)
    ]
