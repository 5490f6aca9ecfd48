"""`counterfoil reconcile`: compares, shows, writes files."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import tell, write_json
from counterfoil.cli.tasks.reading_bars import ReadingBars
from counterfoil.cli.tasks.reconcile_files import csv_of, require_folder, write_file
from counterfoil.cli.tasks.reconcile_page import page_of
from counterfoil.cli.tasks.reconcile_repairs import ask_for_repairs, show_repairs, until_done
from counterfoil.cli.tasks.reconcile_show import Shown, as_data, names_of_accounts, show
from counterfoil.dispatch.errors import LeaseElsewhereError
from counterfoil.dispatch.watched import DOCUMENTS, POLLED_DOCUMENTS
from counterfoil.dispatch.worker import Rooms
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.planning.ownership import ENTITIES
from counterfoil.planning.reconciling.report import Report, Scope
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow

_MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to compare, and where to write it."""

    month: str | None = None
    types: tuple[str, ...] = ()
    sources: bool = True
    repair: bool = False
    apply: bool = False
    author: str = ""
    wait: bool = False
    personal: bool = False
    csv: Path | None = None
    html: Path | None = None
    as_json: bool = False


async def reconcile(settings: Settings, options: Options) -> int:
    """Reconcile the configured companies; 1 if anything differs, 3 if something could not be compared."""
    scope = scope_of(options)
    for path in (options.csv, options.html):
        if path is not None:
            require_folder(path)
    shown: list[Shown] = []
    async with Engine(settings) as engine:
        for company in settings.companies:
            with ReadingBars(company.name, hidden=options.as_json) as bars:
                report = await reconciled(engine, company, scope, bars.tick)
            accounts = await names_of_accounts(engine.store, company.company)
            shown.append(Shown(company=company, report=report, accounts=accounts, personal=options.personal))
        asked = await ask_for_repairs(engine, shown, options.author) if options.apply else []
        now = engine.clock.now()
    if options.wait and asked:
        asked = await until_done(settings, asked)
    if options.csv is not None:
        await asyncio.to_thread(write_file, options.csv, csv_of(shown))
    if options.html is not None:
        await asyncio.to_thread(write_file, options.html, page_of(shown, now))
    code = code_of([one.report for one in shown])
    if options.as_json:
        write_json({"companies": [as_data(one) for one in shown], "repairs": asked, "exit": int(code)})
    else:
        for one in shown:
            show(one)
            if options.repair:
                show_repairs(one, [each for each in asked if each.company == one.company.company])
    return code


async def reconciled(
    engine: Engine, company: CompanySettings, scope: Scope, tick: Callable[[str, int, int], None]
) -> Report:
    """One company: under its lease, or beside whoever holds it.

    Raises:
        ConfigurationError: nothing is known of it yet, or it has nothing of the types asked for.
        BooksUnreadableError, RealmMismatchError: its books cannot be read, or are others.
    """
    async with _rooms(engine, company) as (rooms, held):
        if await engine.store.one(CompanyRow, company.company) is None:
            raise ConfigurationError(
                f"Nothing of company {company.company} is in the log yet.", remedy="Run `counterfoil sync` first."
            )
        await rooms.acquaintance.verify()
        report = await rooms.reconciling.reconciler.run(scope, tick)
        if held:
            await rooms.folder.to_head()
        return report


@asynccontextmanager
async def _rooms(engine: Engine, company: CompanySettings) -> AsyncGenerator[tuple[Rooms, bool]]:
    """The company's rooms, and whether its lease is held."""
    runner = engine.runners[company.company]
    held = True
    async with AsyncExitStack() as stack:
        try:
            _, rooms = await stack.enter_async_context(runner.aside())
        except LeaseElsewhereError:
            tell(f"Another process works for {company.name}; this one only reads, and leaves the rest to it.")
            rooms, held = await runner.beside(), False
        yield rooms, held


def scope_of(options: Options) -> Scope:
    """What a command line asks for.

    Raises:
        ConfigurationError: no such month or type.
    """
    if options.month is not None and not _MONTH.fullmatch(options.month):
        raise ConfigurationError(
            f"{options.month!r} is no month.", remedy="Write year and month, as in --month 2026-03."
        )
    known = {one.casefold(): one for one in (*DOCUMENTS, *POLLED_DOCUMENTS)} | dict(ENTITIES)
    entities: set[str] = set()
    for given in options.types:
        entity = known.get(given.casefold()) or known.get(given)
        if entity is None:
            raise ConfigurationError(
                f"There is no type of document {given!r}.",
                remedy=f"Types are {', '.join(sorted({*ENTITIES.values()}))}.",
            )
        entities.add(entity)
    return Scope(month=options.month, entities=frozenset(entities), sources=options.sources)


def code_of(reports: list[Report]) -> ExitCode:
    """The exit code of these."""
    if any(one.not_compared for one in reports):
        return ExitCode.UNREACHABLE
    return ExitCode.OK if all(one.ties_out for one in reports) else ExitCode.UNSETTLED
