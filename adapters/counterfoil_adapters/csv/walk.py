"""All changes of one kind, row by row, from the files as they are. Blocking; driven in a thread, page by page.

Held in memory are the ids seen; of rows that are lines themselves, those of sales that are not complete yet. Rows of a
file of lines that no main row has claimed yet lie in a temporary file (`pending.py`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from counterfoil.sources import SourceChange, SourceError, Unreadable
from counterfoil_adapters.csv.files import Form, open_csv
from counterfoil_adapters.csv.pending import PendingRows
from counterfoil_adapters.csv.plans import KindPlan, RowOf
from counterfoil_adapters.csv.reading import BrokenRow
from counterfoil_adapters.csv.records import (
    ID_CHARACTERS_MAX,
    build,
    identify,
    nameless_id,
    possible_ids,
    raw_of,
)
from counterfoil_adapters.csv.rejected import Faults, Reject, reject_nothing
from counterfoil_adapters.csv.totals import is_total

LINE_ROWS_MAX = 1_000_000
"""The longest file of lines that is joined to its orders."""


@dataclass(frozen=True, slots=True)
class Located:
    """A file of a kind, and the encoding found for it."""

    path: Path
    encoding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One walk over the files of a kind.

    Attributes:
        main, lines: its files, in the order in which they are read.
        only: ids; where given, other records are passed over.
        reject: told of each row that cannot be used, with the reason and what to do.
        notice: told in words of what is passed over.
    """

    plan: KindPlan
    main: Sequence[Located]
    lines: Sequence[Located] = ()
    only: Collection[str] | None = None
    reject: Reject = reject_nothing
    notice: Callable[[str], None] = field(default=lambda _: None)

    def changes(self) -> Iterator[SourceChange]:
        """Every record of the files, in their order; then the lines that belong to none.

        Raises:
            SourceError: a file cannot be read, lacks a column, or holds more lines than can be joined.
        """
        if not self.plan.kind.one_row_each():
            yield from self._grouped()
            return
        with PendingRows() as pending:
            keyless = self._index(pending)
            yield from self._records(
                pending, self._astray(self.plan.lines.spec.key if self.plan.lines else (), keyless)
            )
            for key, rows in pending.rest():
                yield self._orphan(key, rows)
        if self.only is not None:
            return
        repeats: dict[str, int] = {}
        for row in keyless:
            yield self._keyless(row, repeats)

    @staticmethod
    def _astray(key: Sequence[str], rows: Iterable[RowOf]) -> Mapping[str, Sequence[RowOf]]:
        """Broken rows by each id that may be theirs: what lacks one of them must not go out."""
        by_id: dict[str, list[RowOf]] = {}
        for row in rows:
            for source_id in possible_ids(key, row):
                by_id.setdefault(source_id, []).append(row)
        return by_id

    def _rows(self) -> Iterator[RowOf]:
        for row in self._read(self.main, self.plan.columns(), self.plan.kind.header):
            if is_total(row, self.plan.kind.id):
                self.notice(f"{row.place()} was passed over: it is a row of totals.")
                continue
            yield row

    def _read(self, files: Sequence[Located], wanted: Collection[str], header: tuple[str, ...]) -> Iterator[RowOf]:
        kind = self.plan.kind
        for located in files:
            form = Form(
                encoding=located.encoding,
                delimiter=kind.delimiter,
                wanted=wanted,
                header=header,
                nulls=frozenset(kind.nulls),
            )
            with open_csv(located.path, form) as opened:
                for each in opened.rows():
                    yield RowOf(opened.name, opened.header, each)

    def _index(self, pending: PendingRows) -> list[RowOf]:
        """Put away the rows of the files of lines by the id of their record; those whose id cannot be told."""
        keyless: list[RowOf] = []
        lines = self.plan.lines
        if lines is None:
            return keyless
        for count, row in enumerate(self._read(self.lines, lines.columns(), lines.spec.header), start=1):
            if count > LINE_ROWS_MAX:
                raise SourceError(
                    f"{row.file} has more than {LINE_ROWS_MAX:,} rows.",
                    remedy="Export a shorter period, or split the export over several connections.",
                )
            if is_total(row, lines.spec.key):
                self.notice(f"{row.place()} was passed over: it is a row of totals.")
                continue
            source_id = identify(lines.spec.key, row)
            if source_id is None:
                keyless.append(row)
            elif self.only is None or source_id in self.only:
                pending.add(source_id, row)
        return keyless

    def _records(self, pending: PendingRows, astray: Mapping[str, Sequence[RowOf]]) -> Iterator[SourceChange]:
        seen = _Seen()
        first_counts = self.plan.kind.repeated == "first"
        unread: dict[str, tuple[Unreadable, Faults]] = {}
        nameless = 0
        for row in self._rows():
            source_id = identify(self.plan.kind.id, row)
            if self.only is not None and source_id not in self.only:
                continue
            if source_id is None:
                if first_counts and self._names_none(row):
                    nameless += 1
                    continue
                yield self._without_id(row, seen.repeats)
                continue
            if source_id in seen.first and source_id not in unread:
                if not first_counts:
                    yield self._duplicate(source_id, row, seen)
                continue
            seen.first.setdefault(source_id, (row.file, row.row.line))
            change, faults = self._change(source_id, row, [*pending.take(source_id), *astray.get(source_id, ())])
            if first_counts and isinstance(change, Unreadable):
                # A later row may say what this one leaves out.
                unread.setdefault(source_id, (change, faults))
                continue
            unread.pop(source_id, None)
            self._told(faults)
            yield change
        for change, faults in unread.values():
            self._told(faults)
            yield change
        if nameless:
            columns = _quoted(self.plan.kind.id)
            words = f"{nameless:,} rows were passed over for {self.plan.name}: {columns} is empty in them"
            self.notice(f"{words}, or they are broken and told of by another kind.")

    def _names_none(self, row: RowOf) -> bool:
        """Whether a row, one of many about things of several kinds, says nothing of one of this kind."""
        if isinstance(row.row, BrokenRow):
            return self.plan.told_elsewhere
        return not all(row.cells()[column] for column in self.plan.kind.id)

    def _grouped(self) -> Iterator[SourceChange]:
        """Records whose rows are their lines: each as soon as its last row has been read."""
        key = self.plan.kind.id
        rows_left: Counter[str] = Counter()
        nameless: list[RowOf] = []
        for row in self._rows():
            source_id = identify(key, row)
            if source_id is not None:
                rows_left[source_id] += 1
            elif isinstance(row.row, BrokenRow):
                nameless.append(row)
        astray = self._astray(key, nameless)
        waiting: dict[str, list[RowOf]] = {}
        repeats: dict[str, int] = {}
        for row in self._rows():
            source_id = identify(key, row)
            if source_id is None:
                if self.only is None:
                    yield self._without_id(row, repeats)
                continue
            rows_left[source_id] -= 1
            if self.only is not None and source_id not in self.only:
                continue
            rows = waiting.setdefault(source_id, [])
            rows.append(row)
            if rows_left[source_id] > 0:
                continue
            del waiting[source_id]
            head = next((one for one in rows if not isinstance(one.row, BrokenRow)), rows[0])
            change, faults = self._change(source_id, head, [*rows, *astray.get(source_id, ())])
            self._told(faults)
            yield change

    def _change(self, source_id: str, row: RowOf, lines: Sequence[RowOf]) -> tuple[SourceChange, Faults]:
        broken = row.row
        if not isinstance(broken, BrokenRow):
            return build(self.plan, source_id, row, lines)
        change = Unreadable(
            kind=self.plan.name,
            source_id=source_id,
            place=row.place(),
            problem=broken.problem,
            fix=broken.fix,
            raw=raw_of(self.plan, row, lines),
        )
        return change, [(row, broken.problem, broken.fix)]

    def _told(self, faults: Faults) -> None:
        for row, problem, fix in faults:
            self.reject(row, problem, fix)

    def _unusable(self, source_id: str, row: RowOf, problem: str, fix: str, rows: Sequence[RowOf] = ()) -> Unreadable:
        """A row, or rows of lines, that make no record."""
        for one in rows or (row,):
            self.reject(one, problem, fix)
        raw = raw_of(self.plan, None, rows) if rows else raw_of(self.plan, row)
        return Unreadable(
            kind=self.plan.name, source_id=source_id, place=row.place(), problem=problem, fix=fix, raw=raw
        )

    def _without_id(self, row: RowOf, repeats: dict[str, int]) -> Unreadable:
        columns = _quoted(self.plan.kind.id)
        problem, fix = f"The row has no id: {columns} is empty.", f"Fill {columns}."
        if isinstance(row.row, BrokenRow):
            problem, fix = row.row.problem, row.row.fix
        elif all(row.cells()[column] for column in self.plan.kind.id):
            problem = f"The id in {columns} is longer than {ID_CHARACTERS_MAX} characters."
            fix = "Choose a shorter column as id."
        return self._unusable(_numbered(nameless_id(row), repeats), row, problem, fix)

    def _duplicate(self, source_id: str, row: RowOf, seen: "_Seen") -> Unreadable:
        file, line = seen.first[source_id]
        where = f"line {line}" if file == row.file else f"line {line} of {file}"
        return self._unusable(
            _numbered(f"{source_id} again", seen.repeats),
            row,
            f"{self.plan.name} {source_id} is already on {where}; that row counts, this one does not.",
            'Delete one of the two rows, or give this one its own id; or set repeated = "first" in the mapping, where '
            "many rows speak of one record.",
        )

    def _orphan(self, key: str, rows: list[RowOf]) -> Unreadable:
        others = f" (and {len(rows) - 1} more lines)" if len(rows) > 1 else ""
        main = ", ".join(located.path.name for located in self.main)
        name = self.plan.name
        problem = f"The line belongs to {name} {key}, which is not in {main}{others}."
        return self._unusable(key, rows[0], problem, f"Add {name} {key} to {main}, or correct the line.", rows)

    def _keyless(self, row: RowOf, repeats: dict[str, int]) -> Unreadable:
        columns = _quoted(self.plan.lines.spec.key) if self.plan.lines else ""
        problem = f"The line does not say to which {self.plan.name} it belongs: {columns} is empty."
        fix = f"Fill {columns}."
        if isinstance(row.row, BrokenRow):
            problem, fix = row.row.problem, row.row.fix
        return self._unusable(_numbered(f"line {nameless_id(row)}", repeats), row, problem, fix, [row])


@dataclass(slots=True)
class _Seen:
    """Where each id was read first, and how often a name of ours was given."""

    first: dict[str, tuple[str, int]] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)


def _quoted(columns: Sequence[str]) -> str:
    return " and ".join(repr(column) for column in columns)


def _numbered(name: str, repeats: dict[str, int]) -> str:
    repeats[name] = repeats.get(name, 0) + 1
    return name if repeats[name] == 1 else f"{name} ({repeats[name]})"
