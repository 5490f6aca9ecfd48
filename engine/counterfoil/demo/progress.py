"""What is shown on stderr while the demo runs: bars on a terminal, plain lines elsewhere."""

import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from counterfoil.ports import Clock

_LINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far things are."""

    read: int
    planned: int
    booked: int
    written_back: int


class Show:
    """The bars.

    Args:
        whole: where each of the bars ends.
    """

    def __init__(self, clock: Clock, whole: Standing) -> None:
        self._clock = clock
        self._whole = whole
        self._console = Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._began = clock.monotonic()
        self._last_line = 0.0

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock.monotonic() - self._began

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            for name, title in _TITLES.items():
                self._tasks[name] = self._progress.add_task(title, total=getattr(self._whole, name))
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def say(self, what: str) -> None:
        """A line that stays."""
        self._console.print(f"[{self.seconds:5.0f} s] {what}", markup=False, highlight=False, soft_wrap=True)

    def stands(self, standing: Standing) -> None:
        """Move the bars; off a terminal, say it now and then."""
        if self._console.is_terminal:
            for name, task in self._tasks.items():
                done, total = getattr(standing, name), getattr(self._whole, name)
                self._progress.update(task, completed=min(done, total) if name == "read" else done)
            return
        if self.seconds - self._last_line >= _LINE_SECONDS:
            self._last_line = self.seconds
            parts = (f"{title.lower()} {getattr(standing, name)}" for name, title in _TITLES.items())
            self.say(", ".join(parts))


_TITLES = {
    "read": "Records read",
    "planned": "Changes decided",
    "booked": "In the books",
    "written_back": "Told to HubSpot",
}
