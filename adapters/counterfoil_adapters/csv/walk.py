"""All changes of one kind, row by row, from the files as they are. Blocking; driven in a thread, page by page.

Only the file of lines is held in memory (the rows that a main row has not yet claimed), besides the ids seen.
"""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from counterfoil.sources import SourceChange, SourceError, Unreadable
from counterfoil_adapters.csv.files import CsvFile, open_csv
from counterfoil_adapters.csv.plans import KindPlan, RowOf
from counterfoil_adapters.csv.reading import BrokenRow
from counterfoil_adapters.csv.records import (
    ID_CHARACTERS_MAX,
    build,
    identify,
    nameless_id,
    raw_of,
)

LINE_ROWS_MAX = 1_000_000
"""The longest file of lines that is joined to its orders; about 0.5 KB of memory each."""


@dataclass(frozen=True, slots=True)
class Located:
    """A file of a kind, and the encoding found for it."""

    path: Path
    encoding: str


def walk(
    plan: KindPlan, main: Located, lines: Located | None, only: Collection[str] | None = None
) -> Iterator[SourceChange]:
    """Every record of the files, in their order; then the lines that belong to none.

    Args:
        only: ids; where given, other records are passed over.

    Raises:
        SourceError: a file cannot be read, lacks a column, or holds more lines than can be joined.
    """
    with ExitStack() as stack:
        pending: dict[str, list[RowOf]] = {}
        keyless: list[RowOf] = []
        if plan.lines is not None and lines is not None:
            detail = stack.enter_context(_open(plan, lines, plan.lines.columns()))
            pending, keyless = _index(plan, detail, only)
        opened = stack.enter_context(_open(plan, main, plan.columns()))
        yield from _records(plan, opened, pending, only)
        for key, rows in pending.items():
            yield _orphan(plan, key, rows, main.path.name)
        repeats: dict[str, int] = {}
        for row in keyless:
            yield _keyless(plan, row, repeats)


def _open(plan: KindPlan, located: Located, wanted: Collection[str]) -> AbstractContextManager[CsvFile]:
    return open_csv(located.path, encoding=located.encoding, delimiter=plan.kind.delimiter, wanted=wanted)


def _index(plan: KindPlan, detail: CsvFile, only: Collection[str] | None) -> tuple[dict[str, list[RowOf]], list[RowOf]]:
    """The rows of the file of lines by the id of their record, and those whose id cannot be told."""
    by_key: dict[str, list[RowOf]] = {}
    keyless: list[RowOf] = []
    key = plan.lines.spec.key if plan.lines else ()
    for count, each in enumerate(detail.rows(), start=1):
        if count > LINE_ROWS_MAX:
            raise SourceError(
                f"{detail.name} has more than {LINE_ROWS_MAX:,} rows.",
                remedy="Export a shorter period, or split the export over several connections.",
            )
        row = RowOf(detail.name, detail.header, each)
        source_id = identify(key, row)
        if source_id is None:
            if only is None:
                keyless.append(row)
        elif only is None or source_id in only:
            by_key.setdefault(source_id, []).append(row)
    return by_key, keyless


def _records(
    plan: KindPlan, opened: CsvFile, pending: dict[str, list[RowOf]], only: Collection[str] | None
) -> Iterator[SourceChange]:
    first_seen: dict[str, int] = {}
    repeats: dict[str, int] = {}
    for each in opened.rows():
        row = RowOf(opened.name, opened.header, each)
        source_id = identify(plan.kind.id, row)
        if only is not None and source_id not in only:
            continue
        if source_id is None:
            yield _without_id(plan, row, repeats)
            continue
        if source_id in first_seen:
            yield _duplicate(plan, source_id, row, first_seen[source_id], repeats)
            continue
        first_seen[source_id] = each.line
        lines = pending.pop(source_id, ())
        if isinstance(each, BrokenRow):
            yield Unreadable(
                kind=plan.name,
                source_id=source_id,
                place=row.place(),
                problem=each.problem,
                fix=each.fix,
                raw=raw_of(plan, row, lines),
            )
        else:
            yield build(plan, source_id, row, lines)


def _numbered(name: str, repeats: dict[str, int]) -> str:
    repeats[name] = repeats.get(name, 0) + 1
    return name if repeats[name] == 1 else f"{name} ({repeats[name]})"


def _without_id(plan: KindPlan, row: RowOf, repeats: dict[str, int]) -> Unreadable:
    columns = " and ".join(plan.kind.id)
    problem, fix = f"The row has no id: {columns} is empty.", f"Fill {columns}."
    if isinstance(row.row, BrokenRow):
        problem, fix = row.row.problem, row.row.fix
    elif all(row.cells()[column] for column in plan.kind.id):
        problem = f"The id in {columns} is longer than {ID_CHARACTERS_MAX} characters."
        fix = "Choose a shorter column as id."
    return Unreadable(
        kind=plan.name,
        source_id=_numbered(nameless_id(row), repeats),
        place=row.place(),
        problem=problem,
        fix=fix,
        raw=raw_of(plan, row),
    )


def _duplicate(plan: KindPlan, source_id: str, row: RowOf, first: int, repeats: dict[str, int]) -> Unreadable:
    return Unreadable(
        kind=plan.name,
        source_id=_numbered(f"{source_id} again", repeats),
        place=row.place(),
        problem=f"{plan.name} {source_id} is already on line {first}; that row counts, this one does not.",
        fix="Delete one of the two rows, or give this one its own id.",
        raw=raw_of(plan, row),
    )


def _orphan(plan: KindPlan, key: str, rows: list[RowOf], main: str) -> Unreadable:
    others = f" (and {len(rows) - 1} more lines)" if len(rows) > 1 else ""
    return Unreadable(
        kind=plan.name,
        source_id=key,
        place=rows[0].place(),
        problem=f"The line belongs to {plan.name} {key}, which is not in {main}{others}.",
        fix=f"Add {plan.name} {key} to {main}, or correct the line.",
        raw=raw_of(plan, None, rows),
    )


def _keyless(plan: KindPlan, row: RowOf, repeats: dict[str, int]) -> Unreadable:
    columns = " and ".join(plan.lines.spec.key) if plan.lines else ""
    problem, fix = f"The line does not say to which {plan.name} it belongs: {columns} is empty.", f"Fill {columns}."
    if isinstance(row.row, BrokenRow):
        problem, fix = row.row.problem, row.row.fix
    return Unreadable(
        kind=plan.name,
        source_id=_numbered(f"line {nameless_id(row)}", repeats),
        place=row.place(),
        problem=problem,
        fix=fix,
        raw=raw_of(plan, None, [row]),
    )
