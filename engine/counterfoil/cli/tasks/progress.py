"""Progress bars on standard error: how far, how fast, how long still."""

from datetime import timedelta

from rich.progress import Progress, ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from counterfoil.cli.output import console


class PaceColumn(ProgressColumn):
    """Time gone, how many a second over the last half minute, and how long it will still take at that pace."""

    def render(self, task: Task) -> Text:
        """`0:00:12, 1,234/s, 0:00:08 left`; what nobody knows yet is left out."""
        parts = [_time(task.finished_time if task.finished_time is not None else task.elapsed)]
        speed = task.finished_speed or task.speed
        if speed:
            parts.append(f"{speed:,.0f}/s")
        if task.time_remaining and not task.finished:
            parts.append(f"{_time(task.time_remaining)} left")
        return Text(", ".join(parts))


def _time(seconds: float | None) -> str:
    return str(timedelta(seconds=int(seconds or 0)))


def progress_bars(*columns: ProgressColumn, hidden: bool, last: ProgressColumn | None = None) -> Progress:
    """Bars that begin with these columns and end with one; none where `hidden`, or where nobody looks on."""
    errors = console(errors=True)
    pace = PaceColumn(table_column=Column(no_wrap=True))
    return Progress(
        *columns,
        pace,
        *((last,) if last is not None else ()),
        console=errors,
        disable=hidden or not errors.is_terminal,
    )
