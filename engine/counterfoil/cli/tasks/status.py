"""`counterfoil status`: how the companies stand, told without calling anybody."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.figures import held, only_previews, outcomes, refused_notes, with_remarks
from counterfoil.cli.tasks.refusals import Refusal, refusals_of
from counterfoil.cli.tasks.rejected import RejectedSeen, rejected_of
from counterfoil.cli.tasks.source_tokens import SourceTokensSeen, source_tokens_of
from counterfoil.dispatch.reconciling.recording import RECONCILED, open_drifts
from counterfoil.dispatch.recovering import unfinished
from counterfoil.dispatch.watched import BOOKS
from counterfoil.log import LogDamagedError, LogForgetfulError
from counterfoil.postgres import load_query
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow
from counterfoil_schema import exact_json

_MINUTES_SHOWN_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One company.

    Attributes:
        head: last position of its log; `folded` is how far the projections are.
        projection: `running`, or `stopped` with `error` saying at which event.
        worked_by: who holds its lease; None if nobody works for it now.
        calls_in_minute: calls that count against Intuit's limit of `calls_allowed`.
        token_stored_at: when the tokens were renewed last; None if QuickBooks is not connected.
        hard_expires_at: when the connection ends for good, however much it is used.
        connection: `connected`, `reconnect` (everything queued waits for a new consent), `disconnected`.
        held_by_breaker: those for review that would void or delete more than the breaker's share of the documents.
        drifts: differences between source, log and books that were found and last; None of them before the first
            `reconcile`.
        reconciled_at: when all was last compared.
        preview: nothing is sent before a person approves the first run.
        sources: those that hand out tokens, and how these stand.
        refusals: sources that cannot be read until a person does something.
        rejected: files in which sources list what they could not use.
        log: `whole`; `recovering` where it does not hold what was anchored, and nothing is sent; or `damaged`.
        log_fault: why it is not whole.
    """

    company: int
    name: str
    head: int
    folded: int
    projection: str
    error: str
    worked_by: str | None
    outcomes: dict[str, int]
    reasons: dict[str, dict[str, int]]
    parked: int
    refused_notes: int
    for_review: int
    held_by_breaker: int
    drifts: int
    reconciled_at: datetime | None
    calls_in_minute: int
    calls_allowed: int
    token_stored_at: datetime | None
    access_expires_at: datetime | None
    refresh_expires_at: datetime | None
    hard_expires_at: datetime | None
    connection: str | None
    sources: list[SourceTokensSeen]
    preview: bool
    refusals: list[Refusal]
    rejected: list[RejectedSeen]
    log: Literal["whole", "recovering", "damaged"]
    log_fault: str


async def status(settings: Settings, *, as_json: bool) -> int:
    """Print it; 4 if a projection stands still, or nothing is sent because of the log."""
    async with open_state(settings) as opened:
        found = [await status_of(opened, company) for company in settings.companies]
        now = opened.clock.now()
    if as_json:
        write_json({"companies": found})
    else:
        for one in found:
            _show(one, now)
    return ExitCode.DAMAGE if any(map(_stands_still, found)) else ExitCode.OK


def _stands_still(one: Status) -> bool:
    return one.projection == "stopped" or one.log != "whole"


async def status_of(opened: Opened, company: CompanySettings) -> Status:
    """How one company stands."""
    number = company.company
    heads = await opened.reader.heads([number])
    checkpoint = await opened.store.checkpoint(number)
    found = await outcomes(opened.store, number)
    row = await opened.pool.fetchrow(load_query("status_company", opened.names), number)
    reconciled = await opened.store.value("cursor", number, BOOKS, RECONCILED)
    waiting = await held(opened.store, number)
    taking = [one for one in waiting if one.operation in {"void", "delete", "update"}]
    log, fault = await _standing(opened, number)
    reasons: dict[str, dict[str, int]] = {}
    for one in found.reasons:
        reasons.setdefault(one.state, {})[one.code or one.state] = one.changes
    return Status(
        company=number,
        name=company.name,
        head=heads[number].position if number in heads else 0,
        folded=checkpoint.position,
        projection=checkpoint.state,
        error=checkpoint.error,
        worked_by=row["holder"] if row else None,
        outcomes=dict(found.counts),
        reasons=reasons,
        parked=found.counts["parked"],
        refused_notes=len(await refused_notes(opened.store, number)),
        for_review=len(waiting),
        held_by_breaker=sum(one.breaker for one in await with_remarks(opened.reader, number, taking)),
        drifts=len(await open_drifts(opened.store, number)),
        reconciled_at=datetime.fromisoformat(reconciled) if isinstance(reconciled, str) else None,
        calls_in_minute=await _calls(opened, number),
        calls_allowed=company.quickbooks.requests_per_minute,
        token_stored_at=row["stored_at"] if row else None,
        access_expires_at=row["access_expires_at"] if row else None,
        refresh_expires_at=row["refresh_expires_at"] if row else None,
        hard_expires_at=row["hard_expires_at"] if row else None,
        connection=row["connection"] if row else None,
        sources=await source_tokens_of(opened, company),
        preview=await only_previews(opened.store, opened.reader, company),
        refusals=await refusals_of(opened.store, opened.reader, company),
        rejected=await asyncio.to_thread(rejected_of, company),
        log=log,
        log_fault=fault,
    )


async def _standing(opened: Opened, company: int) -> tuple[Literal["whole", "recovering", "damaged"], str]:
    try:
        await opened.standing.check(company)
        row = await opened.store.one(CompanyRow, company)
        if row is not None and row.recovering is not None:
            return "recovering", str(unfinished(row))
    except LogForgetfulError as forgetful:
        return "recovering", str(forgetful)
    except LogDamagedError as damaged:
        return "damaged", str(damaged)
    return "whole", ""


async def _calls(opened: Opened, company: int) -> int:
    """Calls of the last minute, as the limiter last saved them."""
    text = await opened.store.value("stamps", company)
    stamps = exact_json.loads(text) if isinstance(text, str) else []
    since = opened.clock.now() - timedelta(minutes=1)
    instants = [one[0] for one in stamps if isinstance(one, list)] if isinstance(stamps, list) else []
    return sum(1 for at in instants if isinstance(at, str) and datetime.fromisoformat(at) > since)


def _show(one: Status, now: datetime) -> None:
    out = console()
    shown = table(f"{one.name} (company {one.company})", "outcome", ">changes", "why")
    for state, count in one.outcomes.items():
        reasons = one.reasons.get(state, {})
        why = ", ".join(f"{number:,} {code}" for code, number in reasons.items() if code != state)
        add_row(shown, state, f"{count:,}", why)
    out.print(shown)
    behind = one.head - one.folded
    lines = [
        f"Log: {one.head:,} events; folded up to {one.folded:,}" + (f", {behind:,} behind." if behind else "."),
        f"Worked for by {one.worked_by}." if one.worked_by else "Nobody works for it now.",
        f"Limits: {one.calls_in_minute} of {one.calls_allowed} calls in the last minute.",
        _token(one, now),
        *(source.sentence(_age(source.stored_at, now)) for source in one.sources),
        *(refusal.sentence() for refusal in one.refusals),
        *(rejected.sentence() for rejected in one.rejected),
    ]
    if one.preview:
        lines.append("Preview: nothing is sent before a person approves it (`counterfoil onboard --approve`).")
    if one.parked:
        lines.append(f"{one.parked:,} parked: `counterfoil parked` says why and what to do.")
    if one.refused_notes:
        lines.append(f"{one.refused_notes:,} notes refused by a source: `counterfoil parked` says why and what to do.")
    if one.for_review:
        lines.append(f"{one.for_review:,} waiting for approval: `counterfoil review`.")
    if one.held_by_breaker:
        lines.append(
            f"The breaker holds {one.held_by_breaker:,} of these: so many documents would be voided or deleted. See at "
            "the source whether they are gone indeed; then `counterfoil approve`, or `skip`."
        )
    if one.drifts:
        lines.append(
            f"{one.drifts:,} differences between source, log and books when last compared "
            f"({one.reconciled_at:%Y-%m-%d}): `counterfoil reconcile`."
            if one.reconciled_at is not None
            else f"{one.drifts:,} differences between source, log and books: `counterfoil reconcile`."
        )
    if one.projection == "stopped":
        lines.append(f"Stands still at {one.error}. Nothing is lost; install a release that knows the event.")
    if one.log_fault:
        lines.append(f"{one.log.capitalize()}: {one.log_fault}")
    out.print(Text("\n".join(lines)))
    out.print()


def _token(one: Status, now: datetime) -> str:
    if one.connection == "reconnect":
        return "QuickBooks: wants to be connected again (`counterfoil connect quickbooks`); everything queued waits."
    if one.connection == "disconnected":
        return "QuickBooks: disconnected by a person (`counterfoil connect quickbooks`); everything queued waits."
    if one.token_stored_at is None or one.refresh_expires_at is None:
        return "QuickBooks: not connected yet."
    age = _age(one.token_stored_at, now)
    days = (one.refresh_expires_at - now).days
    expiry = f"the connection lasts {days} days without use" if days > 0 else "a first refresh is due"
    end = f", {one.hard_expires_at:%Y-%m-%d} at the latest" if one.hard_expires_at else ""
    return f"QuickBooks: tokens are {age} old; {expiry}{end}."


def _age(since: datetime | None, now: datetime) -> str:
    minutes = int((now - since).total_seconds() // 60) if since is not None else 0
    return f"{minutes} minutes" if minutes < _MINUTES_SHOWN_MAX else f"{minutes // 60} hours"
