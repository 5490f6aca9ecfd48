"""The whole command: the volume of a deployment, the plan, the run, the report."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from rich.progress import BarColumn, TextColumn

from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import tell, write_json
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.cli.tasks.reconcile_files import require_folder, write_file
from counterfoil.clock import SystemClock
from counterfoil.demo.command import ending_in_order
from counterfoil.dispatch.batch_size import DOCUMENTED
from counterfoil.dispatch.limiter import LimiterSettings
from counterfoil.dispatch.outbox import SINGLE_ENTITIES
from counterfoil.doctor.load import LoadRun, keep_run, load_file
from counterfoil.errors import ConfigurationError
from counterfoil.loadtest.home import ceiling_of
from counterfoil.loadtest.plan import make_plan
from counterfoil.loadtest.report import Company, Report, as_data, page_of, print_report
from counterfoil.loadtest.run import Measured, run_load
from counterfoil.loadtest.shape import Hour, Volume, by_hand, multiple_max, volume_of
from counterfoil.postgres import load_query
from counterfoil.settings import CompanySettings, Settings

SECONDS_MIN = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for. `seconds`: of load. `orders_per_hour`: a volume stated by hand, in place of the recorded."""

    times: float
    seconds: float
    days: int
    seed: int
    orders_per_hour: float | None
    html: Path | None
    as_json: bool


async def loadtest(settings: Settings, wish: Wish) -> int:
    """Run it, and print the report; 0 if every company keeps up, else 1.

    Raises:
        ConfigurationError: nothing is recorded, or what was asked for cannot be run; says what to do.
    """
    if wish.seconds < SECONDS_MIN:
        raise ConfigurationError(
            f"A load of {wish.seconds:g} s says nothing.", remedy=f"Give {SECONDS_MIN:g} s at least: --minutes 10."
        )
    if wish.html is not None:
        require_folder(wish.html)
    clock = SystemClock()
    began = clock.now()
    volumes = await volumes_of(settings, wish, began)
    left_out = tuple(one.company for one, volume in volumes if volume is None)
    chosen = [(one, volume) for one, volume in volumes if volume is not None]
    if not chosen:
        raise ConfigurationError(
            f"Nothing is recorded of the last {wish.days} days: there is no volume of one's own to multiply."
            if settings.companies
            else "No company is configured.",
            remedy="Look further back with --days, or state a volume with --orders-per-hour.",
        )
    plans = [
        (one, make_plan(volume.peak, times=wish.times, seconds=wish.seconds, seed=wish.seed + place))
        for place, (one, volume) in enumerate(chosen)
    ]
    with (
        ending_in_order(),
        tempfile.TemporaryDirectory(prefix="counterfoil-loadtest-", ignore_cleanup_errors=True) as home,
        _Bar(hidden=wish.as_json) as bar,
    ):
        measured, memory = await run_load(
            Path(home), plans, seconds=wish.seconds, seed=wish.seed, clock=clock, tick=bar.tick
        )
    report = Report(
        times=wish.times,
        seconds=wish.seconds,
        seed=wish.seed,
        began=began,
        days=wish.days if wish.orders_per_hour is None else None,
        companies=tuple(_company(one, volume, found) for (one, volume), found in zip(chosen, measured, strict=True)),
        without_history=left_out,
        peak_memory_bytes=memory,
    )
    await asyncio.to_thread(_keep, settings.home, report, clock.now())
    if wish.html is not None:
        await asyncio.to_thread(write_file, wish.html, page_of(report))
    if wish.as_json:
        write_json(as_data(report))
    else:
        print_report(report)
    return report.exit_code


async def volumes_of(settings: Settings, wish: Wish, now: datetime) -> Sequence[tuple[CompanySettings, Volume | None]]:
    """The volume of each company; a deployment's database is asked one question for each, and nothing is written."""
    if wish.orders_per_hour is not None:
        return [(one, by_hand(wish.orders_per_hour)) for one in settings.companies]
    since = now - timedelta(days=wish.days)
    async with open_state(settings) as opened:
        return [
            (one, volume_of(await history_of(opened, one.company, since), since, now)) for one in settings.companies
        ]


async def history_of(opened: Opened, company: int, since: datetime) -> list[Hour]:
    """What the log recorded of a company, by hour, connection and kind."""
    query = load_query("loadtest_history", opened.names)
    async with opened.pool.acquire() as connection, connection.transaction(readonly=True):
        rows = await connection.fetch(query, company, since, sorted(SINGLE_ENTITIES))
    return [Hour(**dict(row)) for row in rows]


def _keep(home: Path, report: Report, now: datetime) -> None:
    """Leave word for `counterfoil doctor`; that it cannot be written costs the report nothing."""
    for one in report.companies:
        run = LoadRun(
            finished_at=now,
            times=report.times,
            seconds=report.seconds,
            by_hand=report.days is None,
            keeps_up=one.keeps_up,
        )
        try:
            keep_run(load_file(home, one.company), run)
        except OSError as problem:
            tell(f"The run could not be kept for `counterfoil doctor` in {home}: {problem.strerror}.")


def _company(one: CompanySettings, volume: Volume, measured: Measured) -> Company:
    limits = LimiterSettings(requests_per_minute=one.quickbooks.requests_per_minute)
    ceiling = ceiling_of(one)
    return Company(
        company=one.company,
        name=one.name,
        volume=volume,
        measured=measured,
        requests_per_minute=limits.requests_per_minute,
        ceiling=ceiling,
        multiple_max=multiple_max(volume.peak, limits, DOCUMENTED, ceiling),
    )


class _Bar:
    """How far the run is, on standard error; off a terminal, a line for each part of it."""

    def __init__(self, *, hidden: bool) -> None:
        self._hidden = hidden
        self._said = ""
        self._progress = progress_bars(
            TextColumn("{task.description:<32}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:>7,.0f} of {task.total:,.0f}", markup=False),
            hidden=hidden,
        )
        self._task = self._progress.add_task("starting", total=1)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tick(self, what: str, done: float, whole: float) -> None:
        """So much of one part is done."""
        if self._progress.disable and not self._hidden and what != self._said:
            tell(f"Load test: {what}.")
        if what != self._said:
            self._progress.reset(self._task, description=what)
        self._said = what
        self._progress.update(self._task, completed=done, total=whole)
