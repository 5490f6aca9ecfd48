"""`counterfoil sync`: everything once, until nothing is left to do."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, money, table, tell, write_json
from counterfoil.cli.tasks.bars import SyncBars
from counterfoil.cli.tasks.figures import (
    Outcomes,
    PlannedFor,
    RefusedNote,
    only_previews,
    outcomes,
    planned_for_books,
    refused_notes,
)
from counterfoil.cli.tasks.lists import notes_table
from counterfoil.cli.tasks.quiet import Watched, until_quiet
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.log import PostgresLogReader
from counterfoil.recovery.dead_letters import Letter, letters_of
from counterfoil.settings import Settings
from counterfoil.sources import Noticing

PARKED_SHOWN_MAX = 50
_BROKEN = frozenset({"recovering", "stopped", "failing", "elsewhere", "unreadable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How to synchronise.

    Attributes:
        full: read the sources from the start, instead of what is new.
        strict: leave with 1 if anything is parked, or a source refused to be told of it.
        timeout_seconds: give up after that; None for never.
    """

    full: bool = False
    strict: bool = False
    timeout_seconds: float | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyReport:
    """What became of one company.

    Attributes:
        ending: `quiet` if nothing is left that would move by itself.
        error: why not, in words.
        notices: what the sources' adapters say of what they read, by connection: where rejected rows are listed.
        recorded: events of this run by type; `call.sent` are the calls that wrote.
        preview: nothing was sent, and nothing is before a person approves it; `planned` is what would go out.
        limited_seconds: time during which calls stood before Intuit's limits.
    """

    company: int
    name: str
    ending: str
    error: str
    position: int
    observed: int
    outcomes: dict[str, int]
    reasons: dict[str, dict[str, int]]
    troubles: dict[str, str]
    notices: dict[str, tuple[str, ...]]
    parked: tuple[Letter, ...]
    notes: tuple[RefusedNote, ...]
    recorded: dict[str, int]
    calls: int
    limited_seconds: Decimal
    preview: bool
    planned: tuple[PlannedFor, ...]


async def sync(settings: Settings, options: SyncOptions) -> int:
    """Synchronise the configured companies; the exit code."""
    if not settings.companies:
        raise ConfigurationError(
            "No company is configured.", remedy="Add a [company.1] to the configuration (`counterfoil init` shows one)."
        )
    async with Engine(settings) as engine:
        for warning in engine.warnings:
            tell(warning)
        before = await engine.reader.heads([*engine.runners])
        if options.full:
            for company in engine.runners:
                await engine.store.execute("forget_cursors", company)
        bars = SyncBars(engine, hidden=options.as_json)
        with bars:
            watched = await until_quiet(
                engine, engine.clock, timeout_seconds=options.timeout_seconds, watching=bars.update
            )
        began = {company: before[company].position if company in before else 0 for company in watched}
        reports = [await _report(engine, one, began[company]) for company, one in watched.items()]
    code = _code(reports, options)
    if options.as_json:
        write_json({"companies": reports, "exit": int(code)})
    else:
        for report in reports:
            _show(report)
    return code


async def _report(engine: Engine, watched: Watched, began: int) -> CompanyReport:
    runner = watched.runner
    company = runner.company
    now: Outcomes = await outcomes(engine.store, company)
    reasons: dict[str, dict[str, int]] = {}
    for one in now.reasons:
        reasons.setdefault(one.state, {})[one.code or one.state] = one.changes
    return CompanyReport(
        company=company,
        name=runner.settings.name,
        ending=watched.ending or "time is up",
        error=runner.error if watched.ending in {"recovering", "stopped", "failing"} else _why(watched),
        position=runner.worker.progress.head if runner.worker is not None else 0,
        observed=now.total,
        outcomes=dict(now.counts),
        reasons=reasons,
        troubles=dict(runner.worker.progress.troubles) if runner.worker is not None else {},
        notices={
            name: tuple(adapter.notices)
            for name, adapter in runner.connected.sources.items()
            if isinstance(adapter, Noticing) and adapter.notices
        },
        parked=tuple(await letters_of(engine.store, engine.reader, company)),
        notes=tuple(await refused_notes(engine.store, company)),
        recorded=await _recorded(engine.reader, company, began),
        calls=runner.connected.gate.snapshot().granted,
        limited_seconds=Decimal(str(round(watched.limited_seconds, 1))),
        preview=await only_previews(engine.store, engine.reader, runner.settings),
        planned=tuple(await planned_for_books(engine.store, company)),
    )


def _why(watched: Watched) -> str:
    match watched.ending:
        case "elsewhere":
            return (
                "Another process (perhaps `counterfoil serve`) works for this company; it keeps it in step by itself."
            )
        case "time is up":
            return "The time given by --timeout is up. Nothing is lost; the next run goes on here."
        case _:
            return ""


async def _recorded(reader: PostgresLogReader, company: int, after: int) -> dict[str, int]:
    counted: Counter[str] = Counter()
    async for recorded in reader.stream(company, after):
        counted[recorded.event_type] += 1
    return dict(sorted(counted.items()))


def _code(reports: list[CompanyReport], options: SyncOptions) -> ExitCode:
    if any(report.ending in _BROKEN or report.troubles for report in reports):
        return ExitCode.UNREACHABLE
    if any(report.ending == "time is up" for report in reports):
        return ExitCode.UNSETTLED
    if options.strict and any(report.outcomes["parked"] or report.notes for report in reports):
        return ExitCode.UNSETTLED
    return ExitCode.PREVIEW if any(report.preview for report in reports) else ExitCode.OK


def _show(report: CompanyReport) -> None:
    out = console()
    shown = table(f"{report.name} (company {report.company})", "outcome", ">changes", "why")
    for state, count in report.outcomes.items():
        reasons = report.reasons.get(state, {})
        why = ", ".join(f"{number:,} {code}" for code, number in reasons.items() if code != state)
        add_row(shown, state, f"{count:,}", why)
    add_row(shown, "together", f"{report.observed:,}", "each change counts once")
    out.print(shown)
    calls = report.recorded.get("call.sent", 0)
    said = f"{calls:,} writing calls in this run, {report.calls:,} calls in all"
    out.print(Text(f"{said}; {report.limited_seconds} s spent waiting for Intuit's limits."))
    if report.preview:
        out.print(Text(preview_words(report.planned)), style="yellow")
    _show_parked(report)
    for name, notices in report.notices.items():
        for notice in notices:
            out.print(Text(f"{name}: {notice}"), style="yellow", soft_wrap=True)
    for name, trouble in report.troubles.items():
        out.print(Text(f"Trouble with {name}: {trouble}"), style="red")
    if report.error:
        out.print(Text(report.error), style="yellow" if report.ending == "time is up" else "red")
    out.print()


def preview_words(planned: Sequence[PlannedFor]) -> str:
    """What a company that only previews would send, and what to do."""
    lines = ["Preview: nothing was sent, and nothing is before a person approves the first run."]
    lines += [
        f"  would {one.operation} {one.documents:,} {one.entity}"
        + (f", {money(one.amount, one.currency)} together" if one.amount is not None else "")
        for one in planned
    ]
    lines.append("Look at it (`counterfoil onboard`, `review`, `parked`), then: counterfoil onboard --approve")
    return "\n".join(lines)


def _show_parked(report: CompanyReport) -> None:
    if report.notes:
        console().print(notes_table(report.notes[:PARKED_SHOWN_MAX]))
    if not report.parked:
        return
    shown = table("Parked", "record", ">amount", "why", "what to do")
    for one in report.parked[:PARKED_SHOWN_MAX]:
        add_row(shown, one.record_key, money(one.amount, one.currency), one.reason, one.fix)
    console().print(shown)
    more = len(report.parked) - PARKED_SHOWN_MAX
    if more > 0:
        console().print(Text(f"… and {more:,} more: `counterfoil parked`."))
