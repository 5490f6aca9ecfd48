"""`counterfoil rebuild --check`."""

from functools import partial

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import console, write_json
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.recovery import CheckReport, check_company
from counterfoil.recovery.tables import at_one_moment
from counterfoil.settings import Settings


async def check_rebuild(settings: Settings, *, as_json: bool) -> int:
    """Fold each company's log afresh and compare; 4 if anything differs."""
    reports: list[CheckReport] = []
    async with open_state(settings) as opened:
        with progress_bars(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), hidden=as_json
        ) as bars:
            for company in settings.companies:
                task = bars.add_task(company.name, total=None)

                def show(done: int, total: int, task: TaskID = task) -> None:
                    bars.update(task, completed=done, total=total)

                moment = partial(at_one_moment, opened.pool, opened.names)
                reports.append(await check_company(company.company, opened.reader, moment, progress=show))
    if as_json:
        write_json({"companies": reports, "same": all(report.same for report in reports)})
    else:
        for report in reports:
            _show(report)
    return ExitCode.OK if all(report.same for report in reports) else ExitCode.DAMAGE


def _show(report: CheckReport) -> None:
    out = console()
    for difference in report.differences:
        out.print(Text(str(difference), style="red"), soft_wrap=True)
    rows = sum(report.rows.values())
    said = f"Company {report.company}: {report.events:,} events up to {report.position:,} give {rows:,} rows"
    if report.same:
        out.print(Text(f"{said}; the tables hold exactly these."), soft_wrap=True)
        return
    more = report.differing - len(report.differences)
    rest = f" ({more:,} not shown)" if more else ""
    out.print(
        Text(f"{said}; {report.differing:,} differences{rest}. The log counts; keep it, and report this."),
        soft_wrap=True,
    )
