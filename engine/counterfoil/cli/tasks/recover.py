"""`counterfoil recover`: a restored log takes from QuickBooks what it has forgotten, before anything is sent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from rich.text import Text

from counterfoil.anchoring import anchor_of
from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.log_proof import anchor_key, existing
from counterfoil.cli.tasks.reading_bars import ReadingBars
from counterfoil.dispatch.books import BooksUnreadableError
from counterfoil.dispatch.errors import LeaseElsewhereError
from counterfoil.dispatch.recovering import READ, Recovery, Regained
from counterfoil.dispatch.steps import Step, no_step
from counterfoil.dispatch.worker import Rooms
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.log import Anchor, AnchorKey, accept_log, compare_anchor, read_anchor, verify
from counterfoil.log.standing import damaged
from counterfoil.log.verify import Fault
from counterfoil.recovery.operators import operators_work
from counterfoil.runner import CompanyRunner
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow

WORK: Final = "recover"
LEASE_TRIES: Final = 5
LEASE_SECONDS: Final = 2.0
"""A running engine looks now and then whether the log is whole again, and holds the lease for that long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for; the parts are those of the command line."""

    reason: str
    author: str
    dry_run: bool
    anchor: Path | None
    key: str
    anyway: bool
    since: datetime | None
    sources: bool
    left_out: tuple[str, ...]
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of one company.

    Attributes:
        state: `whole`: nothing had to be done; `forgetful`: it would have to be (`--dry-run`); or `recovered`.
        fault: what its anchor says against it.
        found, before, voided, doubled, changed, read: see `Regained`.
    """

    company: int
    name: str
    state: Literal["whole", "forgetful", "recovered"]
    fault: str = ""
    since: datetime | None = None
    found: dict[str, int]
    before: int = 0
    voided: int = 0
    doubled: int = 0
    changed: int = 0
    read: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """The anchor that the log is held against, where it lies, and its key."""

    file: Path
    key: AnchorKey
    anchor: Anchor


async def recover(settings: Settings, wish: Wish, *, step: Step = no_step) -> int:
    """Recover the configured companies that need it.

    Args:
        step: called at every named point between two durable steps.

    Raises:
        ConfigurationError: no anchor is known, and `--anyway` was not said; or there is no reason.
        LogDamagedError: a log is not as it was written, apart from what it lacks.
        BooksUnreadableError, SourceError, RealmMismatchError: books or sources cannot be read, or books are others.
        WorkUnderWayError, LeaseElsewhereError: somebody else works for the company.
    """
    if not settings.companies:
        raise ConfigurationError("No company is configured.", remedy="Add a [company.1] to the configuration.")
    if not (wish.dry_run or wish.reason.strip()):
        raise ConfigurationError("A recovery needs a reason, which is recorded.", remedy='Add --reason "…".')
    unknown = next((one for one in wish.left_out if one not in READ), None)
    if unknown is not None:
        raise ConfigurationError(f"There is no type of document {unknown!r}.", remedy=f"Types are {', '.join(READ)}.")
    signed = await _signed(settings, wish)
    done: list[Recovered] = []
    async with open_state(settings) as opened:
        for company in settings.companies:
            async with operators_work(opened.pool, opened.names, company.company, WORK):
                done.append(await _one(opened, company, wish, signed, step))
    code = _code(done)
    if wish.as_json:
        write_json({"companies": done, "exit": int(code)})
    else:
        for one in done:
            _show(one)
    return code


async def _signed(settings: Settings, wish: Wish) -> _Signed | None:
    configured = anchor_of(settings)
    if wish.anchor is not None:
        file, key = existing(wish.anchor), anchor_key(settings, wish.key)
    elif configured is not None and await asyncio.to_thread(configured[0].exists):
        file, key = configured
    elif wish.anyway:
        return None
    else:
        raise ConfigurationError(
            "No anchor says whether the log has forgotten anything.",
            remedy="Give the last one with --anchor FILE; if there is none, and you know that the database was "
            "restored from a backup, say --anyway. Nothing was changed.",
        )
    return _Signed(file=file, key=key, anchor=await read_anchor(file, key))


async def _one(opened: Opened, company: CompanySettings, wish: Wish, signed: _Signed | None, step: Step) -> Recovered:
    number = company.company
    fault = await _fault(opened, number, signed)
    if not (fault or wish.anyway or await _is_open(opened, number)):
        return Recovered(company=number, name=company.name, state="whole", found={})
    await _verified(opened, company, hidden=wish.as_json)
    asked = Recovery(
        author=wish.author or await asyncio.to_thread(login_name),
        reason=wish.reason.strip(),
        since=wish.since.replace(tzinfo=UTC) if wish.since is not None else None,
        sources=wish.sources,
        left_out=frozenset(wish.left_out),
        anchored=signed.anchor.heads[number][0] if signed is not None and number in signed.anchor.heads else None,
    )
    alone = opened.settings.model_copy(update={"companies": (company,)})
    async with Engine(alone, step=step) as engine, _aside(engine.runners[number]) as rooms:
        with ReadingBars(company.name, hidden=wish.as_json) as bars:
            try:
                ended = await rooms.recovering.log_ends()
                work = rooms.recovering.preview if wish.dry_run else rooms.recovering.run
                regained = await work(asked, ended, bars.tick)
            except BooksUnreadableError as trouble:
                raise _connect_again(trouble, number) from trouble
        if not wish.dry_run:
            await _accept(opened, number, signed)
    return _recovered(company, regained, fault, dry=wish.dry_run)


async def _fault(opened: Opened, company: int, signed: _Signed | None) -> Fault | None:
    """What the anchor says against a company's log."""
    faults = await compare_anchor(opened.reader, signed.anchor) if signed is not None else ()
    return next((one for one in faults if one.company == company), None)


async def _is_open(opened: Opened, company: int) -> bool:
    row = await opened.store.one(CompanyRow, company)
    return row is not None and row.recovering is not None


async def _verified(opened: Opened, company: CompanySettings, *, hidden: bool) -> None:
    """What is built upon must be as it was written; what it lacks is another matter."""
    number = company.company
    heads = await opened.reader.heads([number])
    if number not in heads:
        return
    with ReadingBars(company.name, hidden=hidden) as bars:
        of = heads[number].position
        report = await verify(
            opened.reader, opened.audit, [number], progress=lambda _, position: bars.tick("log", position, of)
        )
    if report.faults:
        raise damaged(number, str(report.faults[0]))


@asynccontextmanager
async def _aside(runner: CompanyRunner) -> AsyncGenerator[Rooms]:
    """The company's rooms under its lease, which a running engine may hold for a moment."""
    left = LEASE_TRIES
    async with AsyncExitStack() as stack:
        while True:
            left -= 1
            try:
                _, rooms = await stack.enter_async_context(runner.aside(recovers=True))
            except LeaseElsewhereError:
                if not left:
                    raise
                await asyncio.sleep(LEASE_SECONDS)
                continue
            yield rooms
            return


def _connect_again(trouble: BooksUnreadableError, company: int) -> BooksUnreadableError:
    """The same, and what is probably behind it where QuickBooks refuses our tokens."""
    if not trouble.reconnect:
        return trouble
    return BooksUnreadableError(
        f"QuickBooks refuses the tokens of company {company}: those that were restored are older than those that it "
        "has handed out since.",
        remedy=f"Run `counterfoil connect quickbooks --company {company}`, then this command again.",
        reconnect=True,
    )


async def _accept(opened: Opened, company: int, signed: _Signed | None) -> None:
    """What the log is from here on is what the next anchor, and the next verdict, are held against."""
    heads = await opened.reader.heads([company])
    await opened.standing.record(company, heads[company].position, [], against_anchor=True)
    configured = anchor_of(opened.settings)
    places = dict([configured] if configured is not None else [])
    if signed is not None:
        places[signed.file] = signed.key
    for file, key in places.items():
        await accept_log(opened.reader, file, key, opened.clock, company)


def _recovered(company: CompanySettings, regained: Regained, fault: Fault | None, *, dry: bool) -> Recovered:
    return Recovered(
        company=company.company,
        name=company.name,
        state="forgetful" if dry else "recovered",
        fault=fault.text if fault is not None else "",
        since=regained.since,
        found=regained.found,
        before=regained.before,
        voided=regained.voided,
        doubled=regained.doubled,
        changed=regained.changed,
        read=regained.read,
    )


def _code(done: list[Recovered]) -> ExitCode:
    to_do = any(one.state == "forgetful" or one.doubled for one in done)
    return ExitCode.UNSETTLED if to_do else ExitCode.OK


def _show(one: Recovered) -> None:
    out = console()
    if one.state == "whole":
        out.print(Text(f"{one.name} (company {one.company}): the log holds all that was anchored; nothing to recover."))
        return
    if one.fault:
        out.print(Text(f"{one.name}: {one.fault}."), soft_wrap=True)
    shown = table(f"{one.name} (company {one.company}): ours, and forgotten", "in QuickBooks", ">documents")
    for entity, count in sorted(one.found.items()):
        add_row(shown, entity, f"{count:,}")
    out.print(shown)
    found = sum(one.found.values())
    read = f"{one.read:,} documents made since {one.since:%Y-%m-%d %H:%M:%S}Z, or shortly before, were looked at"
    out.print(Text(f"{read}; {found:,} are ours and not known to the log."))
    if one.voided:
        out.print(Text(f"{one.voided:,} of them are void by now: records that still want them will be parked."))
    if one.doubled:
        out.print(Text(f"{one.doubled:,} marks are borne by more than one document: their records will be parked."))
    if one.state == "forgetful":
        out.print(Text("Nothing was recorded. Without --dry-run they are kept, and taken instead of new ones."))
        return
    out.print(Text(f"{one.changed:,} documents that the log knows had changed or gone since."))
    out.print(Text("Now: `counterfoil sync`, or start the engine; then `counterfoil reconcile`."))
