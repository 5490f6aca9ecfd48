"""`counterfoil onboard --apply`: what a reviewed file says becomes events; nothing is written to QuickBooks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.mapping_trials import without_traces
from counterfoil.cli.tasks.onboard_sides import Sides, read_sides
from counterfoil.dispatch.view import ViewLoader
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.onboarding.adoptions import Adopt, Decided, decide
from counterfoil.onboarding.matching import Candidate
from counterfoil.onboarding.sheet import Wrong, read_sheet
from counterfoil.settings import CompanySettings, Settings
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import RecordAdopted, RecordReviewed

EVENTS_PER_APPEND = 200
WRONG_SHOWN_MAX = 200
BY_HAND = "a person named it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of a file. Where any row is `wrong`, nothing was done.

    Attributes:
        left: rows that still say ask.
        known: rows that say what was said before.
        reads: metered calls to QuickBooks.
    """

    company: int
    name: str
    file: str
    adopted: int
    created: int
    skipped: int
    left: int
    known: int
    wrong: Sequence[Wrong]
    reads: int


async def apply(settings: Settings, path: Path, author: str, *, as_json: bool) -> int:
    """Apply a file; 2 and every wrong row if any is wrong, 1 if rows are left to decide."""
    if len(settings.companies) != 1:
        raise ConfigurationError("For which company is this file?", remedy="Say so with --company NUMBER.")
    (company,) = settings.companies
    author = author or await asyncio.to_thread(login_name)
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be read: {problem.strerror}.", remedy="`counterfoil onboard` writes such a file."
        ) from None
    async with Engine(without_traces(settings)) as engine:
        applied = await _apply(engine, company, path, data, author, hidden=as_json)
    if as_json:
        write_json(applied)
    else:
        _show(applied)
    if applied.wrong:
        return ExitCode.USAGE
    return ExitCode.UNSETTLED if applied.left else ExitCode.OK


async def _apply(
    engine: Engine, company: CompanySettings, path: Path, data: bytes, author: str, *, hidden: bool
) -> Applied:
    rows, wrong = read_sheet(data)
    async with engine.runners[company.company].aside() as (session, rooms):
        await rooms.acquaintance.register()
        await rooms.folder.to_head()
        await rooms.acquaintance.meet()
        await rooms.folder.to_head()
        sides = await read_sides(engine, company, whole=True, hidden=hidden)
        decided = decide(rows, sides.known, wrong)
        if not decided.wrong:
            events = await _events(decided, sides, rooms.view, author)
            for start in range(0, len(events), EVENTS_PER_APPEND):
                await session.decide(events[start : start + EVENTS_PER_APPEND])
            await rooms.folder.to_head()
    done = decided if not decided.wrong else Decided(adopt=(), say=(), left=decided.left, known=0, wrong=decided.wrong)
    return Applied(
        company=company.company,
        name=company.name,
        file=str(path),
        adopted=len(done.adopt),
        created=sum(one.verdict == "create" for one in done.say),
        skipped=sum(one.verdict == "skip" for one in done.say),
        left=done.left,
        known=done.known,
        wrong=done.wrong,
        reads=sides.reads,
    )


async def _events(decided: Decided, sides: Sides, view: ViewLoader, author: str) -> list[Event]:
    """Lists first: what is adopted of them is named by the invoices."""
    why = {(one.ours.key, each.theirs.key): each for one in sides.proposals() for each in one.candidates}
    adopted = sorted(decided.adopt, key=lambda one: one.entity == "Invoice")
    events: list[Event] = [
        await _adopted(one, sides, why.get((one.record_key, one.document_id)), view, author) for one in adopted
    ]
    said = [RecordReviewed(record_key=one.record_key, verdict=one.verdict, author=author) for one in decided.say]
    return [*events, *said]


async def _adopted(one: Adopt, sides: Sides, found: Candidate | None, view: ViewLoader, author: str) -> RecordAdopted:
    document = sides.books.documents[one.entity, one.document_id]
    theirs, ours = sides.books.facts[one.entity, one.document_id], sides.source.facts[one.record_key]
    token, is_invoice = document.get("SyncToken"), one.entity == "Invoice"
    return RecordAdopted(
        record_key=one.record_key,
        person=ours.party if is_invoice and ours.party else None,
        entity=one.entity,
        document_id=one.document_id,
        sync_token=token if isinstance(token, str) else None,
        document=Document.of(one.entity, document),
        doc_number=theirs.numbers[0] if theirs.numbers else None,
        name_key=await view.name_key(theirs.name) if theirs.name and not is_invoice else None,
        why=found.why if found is not None else BY_HAND,
        score=Decimal(found.score) if found is not None else None,
        author=author,
    )


def show_refused(title: str, head: str, rows: Sequence[tuple[object, str]]) -> None:
    """What stands in the way, as many of them as a person reads: what it is about, and why."""
    shown = table(title, head, "why")
    for about, says in rows[:WRONG_SHOWN_MAX]:
        add_row(shown, about, says)
    console().print(shown)
    more = len(rows) - WRONG_SHOWN_MAX
    if more > 0:
        console().print(Text(f"… and {more:,} more; --json shows all."))


def _show(applied: Applied) -> None:
    out = console()
    if applied.wrong:
        rows = [(one.line, one.says) for one in applied.wrong]
        show_refused(f"{applied.file}: {len(rows):,} rows cannot be used", ">line", rows)
        out.print(Text("Nothing was done. Mend these rows, then apply the file again."))
        return
    head = f"{applied.name} (company {applied.company})"
    said = f"{applied.adopted:,} adopted, {applied.created:,} to be created, {applied.skipped:,} left out"
    rest = f"{applied.known:,} said before, {applied.left:,} still to decide"
    out.print(Text(f"{head}: {said}, {rest}."), soft_wrap=True)
    out.print(Text(f"QuickBooks was read in {applied.reads:,} metered calls; nothing was written there."))
    out.print(Text("Then: counterfoil sync. Where both sides differ, `counterfoil review` and `parked` say in what."))
