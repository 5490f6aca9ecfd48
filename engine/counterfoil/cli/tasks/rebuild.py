"""`counterfoil rebuild`: folds the log afresh beside the live tables, compares, and puts right what differs."""

import os
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import console, tell, write_json
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.cli.tasks.rebuild_workers import Failure, Outcome, Shown, in_processes, one_by_one
from counterfoil.recovery import RebuildReport
from counterfoil.settings import Settings


async def rebuild(settings: Settings, *, config: Path, check: bool, processes: int | None, as_json: bool) -> int:
    """Rebuild each company, or only compare; 4 if the tables are not what the log says when it ends."""
    numbers = [company.company for company in settings.companies]
    workers = min(processes or os.cpu_count() or 1, len(numbers))
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with progress_bars(*columns, hidden=as_json) as bars:
        tasks = {company.company: bars.add_task(company.name, total=None) for company in settings.companies}

        def show(company: int, done: int, total: int) -> None:
            bars.update(tasks[company], completed=done, total=total)

        outcomes = await _outcomes(settings, numbers, workers, config=config, check=check, shown=show)
    reports = [one for one in outcomes if isinstance(one, RebuildReport)]
    failures = [one for one in outcomes if isinstance(one, Failure)]
    if as_json:
        same = not failures and all(report.same for report in reports)
        write_json({"companies": reports, "errors": failures, "same": same})
    else:
        for report in reports:
            _show(report)
    for failure in failures:
        tell(str(failure))
    if failures:
        return max(failure.exit for failure in failures)
    return ExitCode.OK if all(report.same or report.swapped for report in reports) else ExitCode.DAMAGE


async def _outcomes(
    settings: Settings, numbers: list[int], workers: int, *, config: Path, check: bool, shown: Shown
) -> list[Outcome]:
    async with open_state(settings) as opened:
        if workers <= 1:
            return await one_by_one(opened, numbers, check=check, shown=shown)
        # Open in this process as well: an embedded server lives as long as somebody has it open.
        return await in_processes(numbers, workers, config=config, check=check, shown=shown)


def _show(report: RebuildReport) -> None:
    out = console()
    for difference in report.differences:
        out.print(Text(str(difference), style="red"), soft_wrap=True)
    out.print(Text(_sentence(report)), soft_wrap=True)


def _sentence(report: RebuildReport) -> str:
    rows = sum(report.rows.values())
    said = f"Company {report.company}: {report.events:,} events up to {report.position:,} give {rows:,} rows"
    if report.went_on_from:
        said += f" (the first {report.went_on_from:,} were folded by an attempt that broke off)"
    if report.damaged:
        return f"{said}. The log itself is damaged; run `counterfoil log verify --company {report.company}`."
    if report.stopped:
        return f"{said}, and there the log does not go on. The tables were left as they are."
    if report.same and not report.swapped:
        return f"{said}; the tables hold exactly these."
    more = report.differing - len(report.differences)
    rest = f" ({more:,} not shown)" if more else ""
    found = f"{said}; {report.differing:,} differences{rest}."
    if report.swapped:
        return f"{found} The tables hold what the log says now. Keep this and report it: it should never happen."
    return f"{found} The log counts; keep it, and report this. `counterfoil rebuild` puts the tables right."
