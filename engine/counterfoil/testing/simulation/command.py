"""The command: many seeds side by side, or one again; a table at the end, and an exit code that says if all held."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from counterfoil.testing.simulation import kept
from counterfoil.testing.simulation.loop import StuckError
from counterfoil.testing.simulation.oracle import Broken
from counterfoil.testing.simulation.report import Report
from counterfoil.testing.simulation.world import Plan, Run, run_plan

HELD, BROKEN, USAGE, THIN = 0, 1, 2, 3
RUNS_PER_PROCESS: Final = 8

_EPILOG: Final = """\
examples:
  make simulate SEEDS=100                 a hundred seeds, as many at once as there are processors
  make simulate ARGS="--seed 17"          seed 17 again, step for step as it was
  python -m counterfoil.testing.simulation --seeds 2000 --minimum 20 --json > simulation.json
  python -m counterfoil.testing.simulation --seeds 2000 --keep runs.jsonl      again, and it goes on where it ended

exit codes: 0 every promise held, 1 one was broken, 2 wrong usage, 3 all held, and a cell of the table was hit less
often than --minimum."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m counterfoil.testing.simulation",
        description=(
            "Lives through simulated companies: the engine on two machines, its source, QuickBooks and people in one "
            "process and in virtual time, while everything that can go wrong does, by chance from a seed. After each "
            "run the promises are judged from outside, and at the end the table of faults by what the engine was "
            "doing is shown."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--seeds", type=int, default=20, metavar="N", help="how many seeds (default: %(default)s)")
    made.add_argument("--first", type=int, default=0, metavar="S", help="the first of them (default: %(default)s)")
    made.add_argument("--seed", type=int, metavar="S", help="this one alone")
    made.add_argument(
        "--hours", type=float, default=0.5, metavar="H", help="of bad weather, in simulated time (default: %(default)s)"
    )
    made.add_argument("--jobs", type=int, default=0, metavar="N", help="runs side by side (default: one a processor)")
    made.add_argument(
        "--seconds", type=float, default=0.0, metavar="T", help="begin no further seed after so long (default: no end)"
    )
    made.add_argument(
        "--minimum", type=int, default=0, metavar="N", help="how often each cell must be hit (default: %(default)s)"
    )
    made.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="add each run to this file as it ends, one JSON object a line; seeds that it holds are not run again, and "
        "count",
    )
    made.add_argument("--until-broken", action="store_true", help="begin no further seed once a promise is broken")
    made.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run, show, and say by the exit code whether all held."""
    made = parser()
    given = made.parse_args(list(arguments))
    if given.hours <= 0 or given.seeds < 1 or given.jobs < 0 or given.minimum < 0:
        made.error("--hours and --seeds must be more than 0, --jobs and --minimum at least 0")
    seeds = range(given.first, given.first + given.seeds) if given.seed is None else range(given.seed, given.seed + 1)
    plans = [Plan(seed, given.hours) for seed in seeds]
    began = time.monotonic()
    report = Report(minimum=given.minimum)
    try:
        before = kept.read(given.keep, plans) if given.keep is not None else []
    except (OSError, ValueError) as trouble:
        made.error(f"--keep: {given.keep} cannot be read as the runs of an earlier command: {trouble}")
    for run in before:
        report.add(run)
    plans = [plan for plan in plans if plan not in {run.plan for run in before}]
    bars = Progress(
        TextColumn("simulating"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[faults]:,} faults, {task.fields[broken]} broken"),
        console=Console(file=sys.stderr),
    )
    with bars:
        task = bars.add_task("", total=len(plans), faults=report.faults, broken=len(report.broken))
        for run in runs_of(plans, jobs=given.jobs, seconds=given.seconds):
            report.add(run)
            if given.keep is not None:
                kept.add(given.keep, run)
            bars.update(task, advance=1, faults=report.faults, broken=len(report.broken))
            if given.until_broken and report.broken:
                break
    report.real_seconds = time.monotonic() - began
    if given.json:
        report.write_json()
    else:
        report.show()
    if report.broken:
        return BROKEN
    return HELD if report.thinnest >= given.minimum else THIN


def runs_of(plans: Sequence[Plan], *, jobs: int = 0, seconds: float = 0.0) -> Iterator[Run]:
    """Runs as they end, each in a process that others share one after the other.

    Args:
        jobs: how many at once; 0 for one a processor.
        seconds: begin none after so long; 0 for no end.
    """
    if len(plans) == 1:
        yield run_safely(plans[0])
        return
    ends = time.monotonic() + seconds if seconds else float("inf")
    waiting = iter(plans)
    side_by_side = jobs or multiprocessing.cpu_count()
    with ProcessPoolExecutor(
        side_by_side, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=RUNS_PER_PROCESS
    ) as pool:
        under_way: set[Future[Run]] = set()
        while True:
            while len(under_way) < side_by_side and time.monotonic() < ends:
                plan = next(waiting, None)
                if plan is None:
                    break
                under_way.add(pool.submit(run_safely, plan))
            if not under_way:
                return
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for one in done:
                yield one.result()


def run_safely(plan: Plan) -> Run:
    """A run; one that comes to no end, or fails by an error, is a broken promise like any other."""
    began = time.monotonic()
    try:
        return run_plan(plan)
    except Exception as error:
        cause = _innermost(error)
        promise = "comes to rest" if isinstance(cause, StuckError) else "no error"
        broken = Broken(promise, f"{type(cause).__name__}: {cause}")
    return Run(
        plan=plan,
        trace="",
        broken=[broken],
        simulated_seconds=0.0,
        real_seconds=time.monotonic() - began,
        faults={},
        events=0,
        effects=0,
        steps=0,
    )


def _innermost(error: Exception) -> Exception:
    """What went wrong first, out of the groups that tasks wrap it in."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
