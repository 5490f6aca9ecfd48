"""`counterfoil redrive`: the request to do exactly what a preview of another mapping shows."""

import asyncio
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, tell, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.line_files import lines_of_file
from counterfoil.cli.tasks.rollback_waiting import Ended, until_ended
from counterfoil.cli.tasks.shadow_lines import PREVIEW, VERSION
from counterfoil.dispatch.redrive.steps import preview_hash
from counterfoil.errors import ConfigurationError
from counterfoil.log import Append, NewEvent
from counterfoil.planning.types import PLANNER_VERSION
from counterfoil.recovery.operators import operators_work
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import MappingRow
from counterfoil.state.runs import REDRIVE, run_name
from counterfoil_schema.events.redrives import RedriveRequested, RedriveStep
from counterfoil_schema.exact_json import JsonObject

STEPS_MAX: Final = 50_000
"""More than any redrive that a person can look through; a file may be cut into several, each with head and end."""

_REMEDY: Final = "`counterfoil shadow --mapping FILE --out PREVIEW` writes one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for; the parts are those of the command line."""

    preview: Path
    reason: str
    author: str
    yes: bool
    wait: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What somebody was shown, and may be applied."""

    connection: str
    mapping: str
    position: int
    steps: tuple[tuple[str, str], ...]


async def redrive(settings: Settings, wish: Wish) -> int:
    """Record the request; 1 if anything was put back or parked.

    Raises:
        ConfigurationError: what is asked for cannot be; nothing was recorded.
        WorkUnderWayError: somebody else works on the company.
    """
    if not wish.reason.strip():
        raise ConfigurationError("A redrive needs a reason, which is recorded.", remedy='Add --reason "…".')
    if len(settings.companies) != 1:
        raise ConfigurationError("In which company?", remedy="Say so with --company NUMBER.")
    (company,) = settings.companies
    before = await asyncio.to_thread(_kept, wish.preview, company)
    _configured(before, company, wish.preview)
    _confirmed(wish, len(before.steps))
    async with open_state(settings) as opened:
        async with operators_work(opened.pool, opened.names, company.company, REDRIVE):
            run = await _request(opened, company, wish, before)
        holds = await _holds(opened, company.company, before)
        ended = await until_ended(opened, settings, company.company, run) if wish.wait else None
    return _tell(wish, run, ended, holds=holds)


def _kept(path: Path, company: CompanySettings) -> Shown:
    """The steps of a preview."""
    steps: list[tuple[str, str]] = []
    lines = lines_of_file(path, kind=PREVIEW, version=VERSION, remedy=_REMEDY)
    head = next(lines)
    mappings = head.get("mappings")
    if head.get("company") != company.company or not isinstance(mappings, dict):
        raise ConfigurationError(
            f"{path} is a preview for company {head.get('company')}.",
            remedy=f"Say --company {head.get('company')}.",
        )
    if head.get("planner") != PLANNER_VERSION:
        raise ConfigurationError(f"{path} was made by another version of the planner.", remedy="Make the preview anew.")
    for line in lines:
        digest = _digest(line)
        if digest:
            steps.append((str(line["record_key"]), digest))
    if not steps:
        raise ConfigurationError(f"Nothing in {path} would be sent.", remedy="Nothing was recorded.")
    if len(steps) > STEPS_MAX:
        raise ConfigurationError(
            f"That is more than {STEPS_MAX:,} records at once.", remedy="Cut the file into several, and apply each."
        )
    return Shown(
        connection=str(head.get("connection")),
        mapping=str(mappings.get("after")),
        position=int(str(head.get("position"))),
        steps=tuple(sorted(steps)),
    )


def _digest(line: JsonObject) -> str:
    step = line.get("step")
    return str(step.get("digest", "")) if isinstance(step, dict) else ""


def _configured(before: Shown, company: CompanySettings, path: Path) -> None:
    """The mapping of the preview is the configured one, so that no engine comes back with an older one."""
    source = company.sources.get(before.connection)
    held = hashlib.sha256(source.mapping.encode()).hexdigest() if source is not None else ""
    if held != before.mapping:
        raise ConfigurationError(
            f"{path} was made with another mapping of {before.connection} than the configured one.",
            remedy="Put that mapping in the place of the configured one first, exactly as it was previewed.",
        )


def _confirmed(wish: Wish, steps: int) -> None:
    if wish.yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("Nobody is there to confirm it.", remedy="Say --yes. Nothing was recorded.")
    if not typer.confirm(f"Plan {steps:,} records once more, and send what the preview shows?", default=False):
        raise ConfigurationError("Not confirmed; nothing was done.")


async def _request(opened: Opened, company: CompanySettings, wish: Wish, before: Shown) -> str:
    """Record what is to be done; the name of the run."""
    event = RedriveRequested(
        connection=before.connection,
        mapping=before.mapping,
        author=wish.author or await asyncio.to_thread(login_name),
        reason=wish.reason.strip(),
        previewed=before.position,
        preview=preview_hash(before.steps),
        steps=tuple(RedriveStep(record_key=key, digest=digest) for key, digest in before.steps),
    )
    writer = await opened.writer(company.company)
    appended = await writer.append(Append(company.company, [NewEvent(event)]))
    return run_name(REDRIVE, appended.first_position)


async def _holds(opened: Opened, company: int, before: Shown) -> bool:
    """Whether the mapping holds already, so that nobody has to be started anew."""
    row = await opened.store.one(MappingRow, company, before.connection)
    return row is not None and row.digest == before.mapping


def _tell(wish: Wish, run: str, ended: Ended | None, *, holds: bool) -> int:
    if wish.as_json:
        write_json({"run": run, "mapping_holds": holds, "ended": ended})
    elif ended is None or not ended.taken:
        tell(f"Recorded as {run}; it is taken up when the company is next worked for.")
        if not holds:
            tell("An engine that serves now has to be started anew, so that it works by the new mapping.")
        tell(f"`counterfoil runs` shows how far it is; `counterfoil rollback --run {run}` takes it back.")
    else:
        _say(run, ended)
    if ended is None:
        return ExitCode.OK
    settled = ended.taken and not (ended.open or ended.held or ended.parked or ended.refused)
    return ExitCode.OK if settled else ExitCode.UNSETTLED


def _say(run: str, ended: Ended, most: int = 50) -> None:
    out = console()
    counts = f"{ended.done:,} documents written, {ended.open:,} on their way, {ended.parked:,} parked"
    out.print(Text(f"{run}: {counts}, {len(ended.refused):,} records put back."), soft_wrap=True)
    for line in ended.refused[:most]:
        out.print(Text(f"  put back: {line}"), soft_wrap=True)
    if ended.held:
        out.print(Text(f"{ended.held:,} wait for approval: `counterfoil review`, then `counterfoil approve`."))
    if ended.withdrawn:
        out.print(
            Text(
                f"{ended.withdrawn:,} plans were not sent; `counterfoil explain RECORD` says why: the books held all"
                " that QuickBooks lets be changed, or somebody skipped it."
            ),
            soft_wrap=True,
        )
    if ended.refused:
        out.print(Text(f"`counterfoil shadow --put-back {run} --out FILE` makes a new preview of them."))
    if ended.parked:
        out.print(Text("`counterfoil deadletters list` says why, and what to do."))
