"""Rows that could not be used, as a person gets them back: one CSV beside each source file, with reasons.

Such a file has the columns of its source, before them the line, the reason and what to do. It is written anew at each
whole reading and put in place at once, so that a row that was corrected is gone from it, and it vanishes with the last.
"""

import csv
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from counterfoil.sources import Rejected
from counterfoil_adapters.csv.plans import RowOf
from counterfoil_adapters.csv.reading import BrokenRow, RowReader

Faults = Sequence[tuple[RowOf, str, str]]
"""Rows that cannot be used, each with the reason and what to do."""

Reject = Callable[[RowOf, str, str], None]
COLUMNS = ("rejected line", "reason", "what to do")


def reject_nothing(row: RowOf, problem: str, fix: str) -> None:
    """For readings that leave no trace."""
    del row, problem, fix


def folder_of(given: object, *, read: Path, connection: str) -> Path | None:
    """Where they go: as the setting says, by default into `rejected/<connection>` beside what is read; None: nowhere.

    Args:
        read: the folder that is read.
    """
    if given is False:
        return None
    if isinstance(given, str | Path) and str(given):
        return Path(given).expanduser()
    return read.parent / "rejected" / connection


def standing(folder: Path) -> list[Rejected]:
    """The files that the last readings left there, and how many rows each has below its header."""
    found: list[Rejected] = []
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or not path.is_file():
                continue
            with path.open(encoding="utf-8-sig", newline="") as stream:
                rows = sum(1 for _ in RowReader(stream, ",", "utf-8").rows()) - 1
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            found.append(Rejected(path=path, rows=max(rows, 0), since=since))
    return found


@dataclass(slots=True)
class _Open:
    stream: TextIO
    path: Path
    writer: Callable[[Sequence[object]], object]
    rows: int = 0


@dataclass(slots=True)
class RejectedRows:
    """The rejected rows of one reading of one kind. Blocking; whatever cannot be written stops no reading."""

    folder: Path
    kind: str
    files: Sequence[str]
    shared: frozenset[str]
    trouble: str | None = None
    _opened: dict[str, _Open] = field(default_factory=dict)

    def add(self, row: RowOf, problem: str, fix: str) -> None:
        """One more."""
        try:
            opened = self._opened.get(row.file) or self._open(row)
            cells = [row.row.raw.rstrip("\r\n")] if isinstance(row.row, BrokenRow) else list(row.row.fields)
            opened.writer([row.row.line, problem, fix, *cells])
            opened.rows += 1
        except OSError as error:
            self.trouble = (
                self.trouble or f"Rejected rows cannot be written to {self.folder}: {error.strerror or error}."
            )

    def finish(self) -> dict[Path, int]:
        """Put the files in place, remove those whose rows are all well now; the files, and how many rows each has."""
        made: dict[Path, int] = {}
        for name in self.files:
            target = self.path_of(name)
            opened = self._opened.pop(name, None)
            try:
                if opened is None:
                    target.unlink(missing_ok=True)
                    continue
                opened.stream.close()
                opened.path.replace(target)
                made[target] = opened.rows
            except OSError as error:
                self.trouble = self.trouble or f"{target} cannot be written: {error.strerror or error}."
        if not made:
            with suppress(OSError):
                self.folder.rmdir()  # only where nothing else is in it
        self.drop()
        return made

    def drop(self) -> None:
        """The reading ended early: what stood there before stays."""
        for opened in self._opened.values():
            with suppress(OSError):
                opened.stream.close()
                opened.path.unlink(missing_ok=True)
        self._opened.clear()

    def path_of(self, file: str) -> Path:
        """By the name of the source file; with the kind's where several kinds are read out of it."""
        source = Path(file)
        name = f"{source.stem}.{self.kind}{source.suffix}" if file in self.shared else file
        return self.folder / name

    def _open(self, row: RowOf) -> _Open:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Readable by its owner alone, as the rows may be about people.
        # Always the same name for one file, so that what a killed process left is overwritten.
        path = self.folder / f".{self.path_of(row.file).name}.part"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        stream = os.fdopen(handle, "w", encoding="utf-8-sig", errors="backslashreplace", newline="")
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, *row.header.names])
        opened = _Open(stream, path, writer.writerow)
        self._opened[row.file] = opened
        return opened
