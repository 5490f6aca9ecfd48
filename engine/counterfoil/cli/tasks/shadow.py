"""`counterfoil shadow`: every record of a connection planned under two mappings; or its plans, written to a file."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import tell, write_json
from counterfoil.cli.tasks.line_files import LineFile
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.cli.tasks.setup import read_mapping_file
from counterfoil.cli.tasks.shadow_lines import Lines, step_as_json
from counterfoil.cli.tasks.shadow_report import Tally, show_tally, tally_as_json
from counterfoil.dispatch.mappings import HeldMapping, Mappings
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.redrive.steps import Step, Steps
from counterfoil.dispatch.shadow.accounts import Accounts, chart_of
from counterfoil.dispatch.shadow.planning import PAGE_RECORDS, Planned, ShadowPlanner
from counterfoil.dispatch.view import ViewLoader
from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapping import parse_mapping
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import RecordRow, RunRow
from counterfoil_schema.events.redrives import RedriveDecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for; the parts are those of the command line."""

    mapping: Path | None
    connection: str | None
    out: Path | None
    put_back: str | None
    export: Path | None
    show: int
    personal: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Log and rows of one connection, opened to be planned from; `head` is where its log stood."""

    opened: Opened
    company: CompanySettings
    connection: str
    present: HeldMapping
    planner: ShadowPlanner
    view: ViewLoader
    events: LogEvents
    head: int

    @property
    def steps(self) -> Steps:
        """What planning a record once more would send."""
        return Steps(company=self.company.company, store=self.opened.store, view=self.view)

    def lines(self, *, personal: bool) -> Lines:
        """Writes plans as lines of a file."""
        return Lines(view=self.view, company=self.company.company, connection=self.connection, personal=personal)


async def shadow_of(settings: Settings, wish: Wish) -> int:
    """Show what differs, or write the plans.

    Raises:
        ConfigurationError: what is asked for cannot be; nothing was written.
    """
    if wish.put_back is not None and (wish.out is None or wish.mapping or wish.export):
        raise ConfigurationError(
            "A new preview of what a redrive put back is a file, under the mapping that holds.",
            remedy="Say --put-back RUN --out FILE, and neither --mapping nor --export.",
        )
    if wish.export is None and wish.mapping is None and wish.put_back is None:
        raise ConfigurationError(
            "Which mapping is to be tried?", remedy="Say --mapping FILE; or --export FILE for the present plans."
        )
    if wish.export is not None and wish.out is not None:
        raise ConfigurationError(
            "--export writes plans, --out what differs between two.", remedy="Ask for one of them at a time."
        )
    async with open_state(settings) as opened:
        looking = await look(opened, settings, wish.connection)
        if wish.put_back is not None and wish.out is not None:
            return await _again(looking, wish.put_back, wish.out, wish)
        tried = await _tried(looking, wish.mapping)
        if wish.export is not None:
            return await _export(looking, tried, wish, wish.export)
        return await _compare(looking, tried, wish)


async def look(opened: Opened, settings: Settings, connection: str | None) -> Looking:
    """Open one connection's part of the log.

    Raises:
        ConfigurationError: it is not clear which, or nothing is known of it yet.
    """
    if len(settings.companies) != 1:
        raise ConfigurationError("In which company?", remedy="Say so with --company NUMBER.")
    (company,) = settings.companies
    number, name = company.company, _connection(company, connection)
    head = (await opened.reader.heads([number])).get(number)
    events = LogEvents(opened.reader)
    mappings = Mappings(company=number, store=opened.store, events=events)
    present = await mappings.held(name) if head is not None else None
    if head is None or present is None:
        raise ConfigurationError(
            f"Nothing is known of {name} yet: the log of company {number} holds no mapping of it.",
            remedy="Let `counterfoil sync` read it first; `counterfoil mapping preview` tries a mapping on the source.",
        )
    view = ViewLoader(company=number, store=opened.store, events=events, hashes=opened.keyring)
    return Looking(
        opened=opened,
        company=company,
        connection=name,
        present=present,
        planner=ShadowPlanner(company=number, store=opened.store, events=events, view=view),
        view=view,
        events=events,
        head=head.position,
    )


def _connection(company: CompanySettings, wanted: str | None) -> str:
    known = sorted(company.sources)
    if wanted is not None and wanted in known:
        return wanted
    if wanted is None and len(known) == 1:
        return known[0]
    what = f"There is no source {wanted}" if wanted is not None else "Of which source?"
    raise ConfigurationError(
        f"{what} Configured are: {', '.join(known) or 'none'}."
        if wanted is None
        else f"{what}; configured are: {', '.join(known) or 'none'}.",
        remedy="Say it with --connection NAME.",
    )


async def _tried(looking: Looking, file: Path | None) -> HeldMapping:
    if file is None:
        return looking.present
    text = await asyncio.to_thread(read_mapping_file, file)
    mapping = parse_mapping(text, file=str(file), default_zone=looking.company.zone)
    return HeldMapping(mapping=mapping, digest=hashlib.sha256(text.encode()).hexdigest())


async def _compare(looking: Looking, tried: HeldMapping, wish: Wish) -> int:
    opened, number = looking.opened, looking.company.company
    chart = await chart_of(opened.store, number)
    accounts = [
        Accounts(company=number, store=opened.store, view=looking.view, chart=chart, mapping=held.mapping)
        for held in (looking.present, tried)
    ]
    home = (await looking.view.company()).home_currency
    tally = Tally(show=wish.show, home=home)
    lines = looking.lines(personal=wish.personal)
    async with AsyncExitStack() as stack:
        file = await stack.enter_async_context(LineFile(wish.out)) if wish.out is not None else None
        if file is not None:
            await file.write([lines.preview_head(looking.present, tried, looking.head)])
        async for page in pages(looking, [looking.present, tried], hidden=wish.as_json):
            changes = [(one, await tally.add(one, *accounts)) for one in page]
            if file is not None:
                differing = [(one, change) for one, change in changes if change is not None]
                steps = [await looking.steps.of(one, tried.mapping, tried.digest) for one, _ in differing]
                await file.write(
                    [await lines.change(change, step) for (_, change), step in zip(differing, steps, strict=True)]
                )
        if file is not None:
            await file.write([lines.end(tally.differing)])
    if wish.as_json:
        write_json(tally_as_json(tally, lines.preview_head(looking.present, tried, looking.head), wish.personal))
    else:
        show_tally(tally, f"{looking.connection} (company {number}), {wish.mapping}", personal=wish.personal)
        if wish.out is not None:
            tell(f"Written to {wish.out}.")
    return ExitCode.OK


async def _export(looking: Looking, tried: HeldMapping, wish: Wish, path: Path) -> int:
    lines = looking.lines(personal=wish.personal)
    records = 0
    async with LineFile(path) as file:
        await file.write([lines.export_head(tried, looking.head)])
        async for page in pages(looking, [tried], hidden=wish.as_json):
            await file.write([await lines.plan(one, tried) for one in page])
            records += len(page)
        await file.write([lines.end(records)])
    if wish.as_json:
        write_json({"file": path, "records": records})
    else:
        tell(f"{records:,} plans written to {path}.")
    return ExitCode.OK


async def _again(looking: Looking, run: str, path: Path, wish: Wish) -> int:
    """What a redrive put back, in a new preview as things stand now."""
    company, store = looking.company.company, looking.opened.store
    row = await store.one(RunRow, company, run)
    event = await looking.events.event_at(company, row.taken) if row is not None and row.taken is not None else None
    if not isinstance(event, RedriveDecided):
        raise ConfigurationError(
            f"No redrive {run} was planned in company {company}.", remedy="`counterfoil runs` names them."
        )
    keys = sorted(one.record_key for one in event.refused if one.record_key.startswith(f"{looking.connection}:"))
    lines, held, sent = looking.lines(personal=wish.personal), looking.present, 0
    async with LineFile(path) as file:
        await file.write([lines.preview_head(held, held, looking.head)])
        for start in range(0, len(keys), PAGE_RECORDS):
            found = await store.load(company, RecordRow.table, [(key,) for key in keys[start : start + PAGE_RECORDS]])
            rows = [one for one in found.values() if isinstance(one, RecordRow)]
            planned = await looking.planner.plan(rows, [held.mapping])
            steps = [await looking.steps.of(one, held.mapping, held.digest) for one in planned]
            sent += sum(isinstance(step, Step) for step in steps)
            await file.write([step_as_json(step) for step in steps])
        await file.write([lines.end(file.lines - 1)])
    if wish.as_json:
        write_json({"file": path, "records": len(keys), "steps": sent})
    else:
        tell(f"Of {len(keys):,} records put back, {sent:,} would be sent now; written to {path}.")
    return ExitCode.OK


async def pages(looking: Looking, mappings: list[HeldMapping], *, hidden: bool) -> AsyncIterator[list[Planned]]:
    """All records of the connection under each mapping, with a bar that shows how far it is."""
    bars = progress_bars(
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), MofNCompleteColumn(), hidden=hidden
    )
    with bars:
        bar = bars.add_task("planned", total=await looking.planner.count(looking.connection))
        async for page in looking.planner.pages(looking.connection, [held.mapping for held in mappings]):
            yield page
            bars.advance(bar, len(page))
