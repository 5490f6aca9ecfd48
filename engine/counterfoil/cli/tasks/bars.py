"""Progress of a synchronisation, a line a company: read, decided, in the books, and how long limits held it up."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, TaskID, TextColumn

from counterfoil.cli.tasks.figures import Outcomes, outcomes
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.cli.tasks.quiet import Watched
from counterfoil.engine import Engine

LOOK_SECONDS = 0.6
"""Counting the outcomes costs a query; people see no difference beyond this."""

_SETTLED = ("applied", "unchanged", "skipped", "parked")


class SyncBars:
    """Three bars for each company on standard error."""

    def __init__(self, engine: Engine, *, hidden: bool) -> None:
        self._engine = engine
        self._progress = progress_bars(
            TextColumn("{task.description:<16}", markup=False),
            BarColumn(bar_width=10),
            TextColumn("{task.completed:>7,.0f} of {task.fields[known]:<7}", markup=False),
            hidden=hidden,
            last=TextColumn("{task.fields[note]}", markup=False),
        )
        self._bars: dict[int, tuple[TaskID, TaskID, TaskID]] = {}
        self._looked_at = float("-inf")

    def __enter__(self) -> Self:
        self._progress.start()
        for runner in self._engine.runners.values():
            name = runner.settings.name[:8]
            read, decided, settled = (
                self._progress.add_task(f"{name} {what}", total=None, known="?", note="")
                for what in ("read", "decided", "settled")
            )
            self._bars[runner.company] = (read, decided, settled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    async def update(self, watched: dict[int, Watched]) -> None:
        """Show how far each company is."""
        now = self._engine.clock.monotonic()
        done = all(one.ending is not None for one in watched.values())
        if self._progress.disable or (now - self._looked_at < LOOK_SECONDS and not done):
            return
        self._looked_at = now
        for company, one in watched.items():
            self._show(company, one, await outcomes(self._engine.store, company))

    def _show(self, company: int, one: Watched, found: Outcomes) -> None:
        read, decided, settled = self._bars[company]
        worker = one.runner.worker
        everything_read = worker is not None and not (set(one.runner.settings.sources) - worker.progress.polled)
        known = f"{found.total:,}"
        total = found.total if everything_read else None
        self._progress.update(read, completed=found.total, total=total, known=known if everything_read else "?")
        self._progress.update(decided, completed=found.total - found.undecided, total=found.total or None, known=known)
        finished = sum(found.counts[state] for state in _SETTLED)
        self._progress.update(
            settled, completed=finished, total=found.total or None, known=known, note=_note(one, found)
        )


def _note(one: Watched, found: Outcomes) -> str:
    """What holds it up, in a few words."""
    runner = one.runner
    if runner.state == "elsewhere":
        return "another process holds the company"
    if runner.state in {"failing", "recovering", "stopped"}:
        return f"{runner.state}: {runner.error[:60]}"
    parts = []
    waiting = found.as_words("waiting")
    if waiting:
        parts.append(f"waiting: {waiting}")
    if one.limited_seconds >= 1:
        parts.append(f"{one.limited_seconds:.0f} s at Intuit's limits")
    if runner.worker is not None and runner.worker.progress.troubles:
        parts.append(f"trouble: {', '.join(runner.worker.progress.troubles)}")
    return "; ".join(parts)
