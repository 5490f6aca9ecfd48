"""`counterfoil rollback`: a preview of what would be taken back, and the request to do exactly that."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import typer
from pydantic import ValidationError
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, tell, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.rollback_report import PreviewShown, as_file, show, shown
from counterfoil.cli.tasks.rollback_scope import scope_of
from counterfoil.cli.tasks.rollback_waiting import Ended, until_ended
from counterfoil.dispatch.rollback.loading import EFFECTS_MAX, RollbackLoader
from counterfoil.dispatch.rollback.preview import preview_of
from counterfoil.errors import ConfigurationError
from counterfoil.log import Append, NewEvent
from counterfoil.recovery.operators import operators_work
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow
from counterfoil.state.runs import ROLLBACK, run_name
from counterfoil_schema import exact_json
from counterfoil_schema.events.rollbacks import RollbackPolicy, RollbackRequested, RollbackScope
from counterfoil_schema.exact_json import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for; the parts are those of the command line."""

    run: str | None
    since: str | None
    until: str | None
    source: str | None
    record: str | None
    sales: Literal["void", "credit"]
    dated: date | None
    later: Literal["park", "follow"]
    out: Path | None
    apply: bool
    preview: Path | None
    yes: bool
    reason: str
    author: str
    wait: bool
    personal: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What somebody was shown, and may be applied."""

    scope: RollbackScope
    policy: RollbackPolicy
    position: int
    hash: str
    digests: tuple[str, ...]
    stays: int


async def take_back(settings: Settings, wish: Wish) -> int:
    """Preview, or apply; 1 if anything stays as it is.

    Raises:
        ConfigurationError: what is asked for cannot be; nothing was recorded.
        WorkUnderWayError: somebody rebuilds the company, or is about to roll it back.
    """
    _make_sense(wish)
    if len(settings.companies) != 1:
        raise ConfigurationError("In which company's books?", remedy="Say so with --company NUMBER.")
    (company,) = settings.companies
    async with open_state(settings) as opened:
        if not wish.apply:
            before = await _previewed(opened, company, wish)
            return ExitCode.UNSETTLED if before.stays else ExitCode.OK
        async with operators_work(opened.pool, opened.names, company.company, ROLLBACK):
            run = await _apply(opened, company, wish)
        ended = await until_ended(opened, settings, company.company, run) if wish.wait else None
    return _tell(wish, run, ended)


async def _apply(opened: Opened, company: CompanySettings, wish: Wish) -> str:
    """Have what was shown, or is shown now, recorded as a request; the name of the run."""
    if wish.preview is not None:
        before = await _kept(wish.preview, company)
    else:
        before = await _previewed(opened, company, wish)
    if not before.digests:
        raise ConfigurationError("There is nothing that could be taken back.", remedy="Nothing was recorded.")
    _confirmed(wish, len(before.digests))
    return await _request(opened, company, wish, before)


def _make_sense(wish: Wish) -> None:
    if not wish.apply and (wish.preview is not None or wish.reason or wish.yes or wish.wait):
        raise ConfigurationError(
            "--preview, --reason, --yes and --wait belong to --apply.", remedy="Add --apply, or leave them out."
        )
    if wish.apply and not wish.reason.strip():
        raise ConfigurationError("A rollback needs a reason, which is recorded.", remedy='Add --reason "…".')
    scoped = wish.run or wish.since or wish.until or wish.source or wish.record
    if wish.preview is not None and scoped:
        raise ConfigurationError(
            "A preview from a file says by itself what is taken back.", remedy="Leave out the other options."
        )
    if wish.out is not None and wish.out.suffix not in {".csv", ".json"}:
        raise ConfigurationError(f"{wish.out} is neither .csv nor .json.", remedy="Name a file that ends so.")


async def _previewed(opened: Opened, company: CompanySettings, wish: Wish) -> Shown:
    scope = await scope_of(
        opened,
        company,
        run=wish.run,
        since=wish.since,
        until=wish.until,
        source=wish.source,
        record=wish.record,
    )
    policy = RollbackPolicy(sales=wish.sales, dated=wish.dated, later=wish.later)
    await _open_day(opened, company.company, wish.dated)
    loader = RollbackLoader(company=company.company, store=opened.store, reader=opened.reader)
    loaded = await loader.load(scope, policy)
    if loaded.too_many:
        raise ConfigurationError(
            f"That is more than {EFFECTS_MAX:,} writes at once.", remedy="Ask about a shorter time, or one source."
        )
    if not loaded.taken:
        raise ConfigurationError(
            "Nothing that Counterfoil wrote into the books, and that still stands, lies in that.",
            remedy="`counterfoil runs` shows what was written and taken back. Nothing was done.",
        )
    preview = preview_of(loaded)
    found = shown(company.company, preview, scope, policy, personal=wish.personal)
    await _hand_out(found, wish)
    return Shown(
        scope=scope,
        policy=policy,
        position=preview.position,
        hash=preview.hash,
        digests=tuple(sorted(preview.digests)),
        stays=len(preview.plan.refusals),
    )


async def _open_day(opened: Opened, company: int, dated: date | None) -> None:
    row = await opened.store.one(CompanyRow, company)
    closed = row.closed_until if row is not None else None
    if dated is not None and closed is not None and dated.isoformat() <= closed:
        raise ConfigurationError(
            f"--dated {dated} lies in the closed period: the books are closed to {closed} inclusive.",
            remedy="Name a later day.",
        )


async def _hand_out(found: PreviewShown, wish: Wish) -> None:
    if wish.out is not None:
        data = as_file(found, as_csv=wish.out.suffix == ".csv")
        try:
            await asyncio.to_thread(wish.out.write_bytes, data)
        except OSError as problem:
            raise ConfigurationError(
                f"{wish.out} cannot be written: {problem.strerror}.", remedy="Name another file."
            ) from None
    if wish.as_json and not wish.apply:
        write_json(found)
    elif not wish.as_json:
        show(found)
        if wish.out is not None:
            console().print(Text(f"Written to {wish.out}."))
        if not wish.apply:
            console().print(Text('This is a preview; nothing was done. Then: the same with --apply --reason "…".'))


async def _kept(path: Path, company: CompanySettings) -> Shown:
    """A preview that was written to a file before."""
    try:
        held = exact_json.loads_object(await asyncio.to_thread(path.read_bytes))
        if held["company"] != company.company:
            raise ConfigurationError(
                f"{path} is a preview for company {held['company']}.", remedy=f"Say --company {held['company']}."
            )
        steps = held["steps"]
        digests = [str(_part(one, "digest")) for one in steps] if isinstance(steps, list) else []
        refusals = held["refusals"]
        return Shown(
            scope=RollbackScope.model_validate(held["scope"]),
            policy=RollbackPolicy.model_validate(held["policy"]),
            position=int(str(held["position"])),
            hash=str(held["hash"]),
            digests=tuple(sorted(digests)),
            stays=len(refusals) if isinstance(refusals, list) else 0,
        )
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be read: {problem.strerror}.", remedy="`counterfoil rollback … --out FILE.json` writes one."
        ) from None
    except (ValueError, KeyError, TypeError, ValidationError):
        raise ConfigurationError(
            f"{path} is no preview of a rollback.", remedy="`counterfoil rollback … --out FILE.json` writes one."
        ) from None


def _part(value: JsonValue, name: str) -> JsonValue:
    return value[name] if isinstance(value, dict) else None


def _confirmed(wish: Wish, steps: int) -> None:
    if wish.yes or wish.preview is not None:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "Nobody is there to confirm it.", remedy="Say --yes, or apply a preview that was written: --preview FILE."
        )
    if not typer.confirm(f"Take back {steps:,} documents in QuickBooks?", default=False):
        raise ConfigurationError("Not confirmed; nothing was done.")


async def _request(opened: Opened, company: CompanySettings, wish: Wish, before: Shown) -> str:
    """Record what is to be done; the name of the run."""
    author = wish.author or await asyncio.to_thread(login_name)
    event = RollbackRequested(
        scope=before.scope,
        policy=before.policy,
        author=author,
        reason=wish.reason.strip(),
        previewed=before.position,
        preview=before.hash,
        steps=before.digests,
    )
    writer = await opened.writer(company.company)
    appended = await writer.append(Append(company.company, [NewEvent(event)]))
    return run_name(ROLLBACK, appended.first_position)


def _tell(wish: Wish, run: str, ended: Ended | None) -> int:
    if wish.as_json:
        write_json({"run": run, "ended": ended})
    elif ended is None:
        console().print(Text(f"Recorded as {run}; it is taken up when the company is next worked for."))
        console().print(Text(f"`counterfoil runs` shows how far it is; `rollback --run {run}` takes it back."))
    else:
        _say(run, ended)
    if ended is None:
        return ExitCode.OK
    settled = ended.taken and not (ended.open or ended.held or ended.parked or ended.refused)
    return ExitCode.OK if settled else ExitCode.UNSETTLED


def _say(run: str, ended: Ended) -> None:
    if not ended.taken:
        tell(f"{run} was not taken up yet; it is when the company is next worked for.")
        return
    out = console()
    out.print(Text(f"{run}: {ended.done:,} taken back, {ended.open:,} on their way, {ended.parked:,} parked."))
    for line in _lines(ended.refused):
        out.print(Text(line), soft_wrap=True)
    if ended.parked:
        out.print(Text("`counterfoil parked` says why, and what to do."))


def _lines(refused: Sequence[str], most: int = 50) -> list[str]:
    rest = len(refused) - most
    return [*(f"  stays: {one}" for one in refused[:most]), *([f"  … and {rest:,} more"] if rest > 0 else [])]
