"""Progress of what is being read from sources and books: a line each."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, TaskID, TextColumn

from counterfoil.cli.tasks.progress import progress_bars


class ReadingBars:
    """What is being read, a line each, with the rate, on standard error; `name` stands before each line."""

    def __init__(self, name: str = "", *, hidden: bool) -> None:
        self._name = f"{name[:16]} " if name else ""
        self._progress = progress_bars(
            TextColumn("{task.description:<40}", markup=False),
            BarColumn(bar_width=10),
            TextColumn("{task.completed:>9,.0f}", markup=False),
            hidden=hidden,
        )
        self._lines: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tick(self, what: str, done: int, of: int = 0) -> None:
        """So much of it has come; `of` is 0 where nobody knows how much there is."""
        line = self._lines.get(what)
        if line is None:
            line = self._lines[what] = self._progress.add_task(f"{self._name}{what}", total=None)
        self._progress.update(line, completed=done, total=of or None)
