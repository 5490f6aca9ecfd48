"""`counterfoil restore`: one company's log handed to another company, whose books are empty."""

import asyncio
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, tell, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.mapping_trials import without_traces
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.dispatch.books import Books
from counterfoil.dispatch.mappings import HeldMapping, Mappings
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.watched import DOCUMENTS, NAMED
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapped_names import names_in
from counterfoil.recovery.operators import operators_work
from counterfoil.recovery.restore import Copied, Left, Restoring
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow, MappingRow, RecordRow, ReviewRow
from counterfoil.trial import BooksSeen, see_books
from counterfoil_schema.events.receipts import RestoreBegun

WORK: Final = "restore"
COUNTED: Final = tuple(entity for entity in DOCUMENTS if entity != "Item")
"""Of all these empty books hold none; items, accounts and the like come with every new company."""

STRANGERS_PAGE: Final = 1_000
FIRST_EVENTS: Final = 500
"""Among so many an earlier try is looked for: a log that bears records before it is refused anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for; the parts are those of the command line."""

    into: str
    source: int | None
    reason: str
    author: str
    yes: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was handed over, and what cannot be.

    Attributes:
        strangers: living documents of the old books that come from no source, by entity.
    """

    copied: Copied
    left: Left
    strangers: dict[str, int]


async def restore(settings: Settings, wish: Wish) -> int:
    """Hand over; 1 if the old books hold what cannot be.

    Raises:
        ConfigurationError: what is asked for cannot be; nothing was recorded.
        BooksUnreadableError: the new books cannot be read.
        WorkUnderWayError: somebody else works on the new company.
    """
    if not wish.reason.strip():
        raise ConfigurationError("A restore needs a reason, which is recorded.", remedy='Add --reason "…".')
    old, new = _companies(settings, wish)
    alone = without_traces(settings.model_copy(update={"companies": (new,)}))
    async with open_state(settings) as opened, operators_work(opened.pool, opened.names, new.company, WORK):
        mappings = await _mappings(opened, old, new)
        begun = await _begun(opened, old, new)
        async with Engine(alone) as engine:  # opened to read the new books; nobody works
            books = engine.connected(new.company).books
            await _fit(opened, old, new, await see_books(books, NAMED), mappings)
            if not begun:
                await _empty(books, new)
        _confirmed(wish, old, new)
        found = await _hand_over(opened, old, new, mappings, wish)
    return _tell(found, new, as_json=wish.as_json)


def _companies(settings: Settings, wish: Wish) -> tuple[CompanySettings, CompanySettings]:
    realm, _, number = wish.into.rpartition("/")
    known = {str(one.company): one for one in settings.companies}
    new = known.get(number)
    if new is None:
        raise ConfigurationError(
            f"Company {number} is not configured; configured are: {', '.join(known) or 'none'}.",
            remedy="Set up a new company whose connection is the empty one, and say --into REALM/NUMBER.",
        )
    if realm and new.quickbooks.realm_id not in (None, realm):
        raise ConfigurationError(
            f"Company {number} is connected to {new.quickbooks.realm_id}, not to {realm}.",
            remedy="Correct one of them.",
        )
    others = [one for one in settings.companies if one.company != new.company]
    chosen = [one for one in others if wish.source in (None, one.company)]
    if len(chosen) != 1:
        raise ConfigurationError("From which company's log?", remedy="Say so with --from NUMBER.")
    return chosen[0], new


async def _mappings(opened: Opened, old: CompanySettings, new: CompanySettings) -> dict[str, HeldMapping]:
    """The mappings under which the old company worked, which the new one has to have as well."""
    rows = await opened.store.some(MappingRow, "all_mappings", old.company)
    held = Mappings(company=old.company, store=opened.store, events=LogEvents(opened.reader))
    found: dict[str, HeldMapping] = {}
    for row in rows:
        source = new.sources.get(row.connection)
        digest = hashlib.sha256(source.mapping.encode()).hexdigest() if source is not None else ""
        mapping = await held.held(row.connection)
        if digest != row.digest or mapping is None:
            raise ConfigurationError(
                f"Company {new.company} has no source {row.connection} with the mapping of company {old.company}.",
                remedy="Configure the same sources with the same mapping files, under the same names.",
            )
        found[row.connection] = mapping
    if not found:
        raise ConfigurationError(
            f"The log of company {old.company} holds no mapping, and so nothing to restore.", remedy="Correct --from."
        )
    return found


async def _begun(opened: Opened, old: CompanySettings, new: CompanySettings) -> bool:
    """Whether an earlier try got as far as the log of the new company."""
    first = await opened.reader.read(new.company, after=0, limit=FIRST_EVENTS)
    known = [await one.event() for one in first if one.event_type == RestoreBegun.event_type]
    if any(isinstance(event, RestoreBegun) and event.from_company == old.company for event in known):
        return True
    observed = await opened.store.some(RecordRow, "records_after", new.company, "", "", 1)
    if observed or known:
        raise ConfigurationError(
            f"Company {new.company} has worked already: its log is not empty.",
            remedy="Set up a new company with a number of its own; nothing was recorded.",
        )
    return False


async def _fit(
    opened: Opened, old: CompanySettings, new: CompanySettings, seen: BooksSeen, mappings: dict[str, HeldMapping]
) -> None:
    """The new books are others, kept in the same money, and have what the mappings name."""
    row = await opened.store.one(CompanyRow, old.company)
    if row is None:
        raise ConfigurationError(f"Nothing is known of company {old.company}.", remedy="Correct --from.")
    if row.realm_id == seen.facts.realm_id:
        raise ConfigurationError(
            f"Companies {old.company} and {new.company} lead to the same books, {row.realm_id}.",
            remedy="Connect the new company to the empty books.",
        )
    for what, was, held in (
        ("home currency", row.home_currency, seen.facts.home_currency),
        ("multicurrency", row.multi_currency, seen.facts.multi_currency),
        ("own document numbers", row.custom_numbers, seen.facts.custom_numbers),
        ("tax", row.tax_mode, seen.facts.tax_mode),
    ):
        if was != held:
            raise ConfigurationError(
                f"The new books differ in {what}: {held}, where the old ones have {was}.",
                remedy="Set the new ones up like the old ones in QuickBooks' settings; nothing was recorded.",
            )
    missing = [
        f"{entity} “{name}”"
        for entity, name in _named(mappings, row)
        # What the old books lacked as well is a default that nothing needed.
        if seen.find(entity, name) is None
        and await opened.store.answer("document_named", old.company, entity, name) is not None
    ]
    if missing:
        raise ConfigurationError(
            f"The new books lack what the mappings name: {', '.join(missing)}.",
            remedy="Create these in QuickBooks first; nothing was recorded.",
        )


def _named(mappings: dict[str, HeldMapping], row: CompanyRow) -> Iterator[tuple[str, str]]:
    found = {
        (use.entity, use.name): None
        for held in mappings.values()
        for use in names_in(held.mapping, row.tax_mode)
        if use.entity in NAMED and not use.made
    }
    yield from found


async def _empty(books: Books, new: CompanySettings) -> None:
    held = {entity: count for entity in COUNTED if (count := await books.count(entity, "live"))}
    if held:
        said = ", ".join(f"{count:,} of {entity}" for entity, count in held.items())
        raise ConfigurationError(
            f"The books of company {new.company} are not empty: they hold {said}.",
            remedy="Restore into a new company of QuickBooks; nothing was recorded.",
        )


def _confirmed(wish: Wish, old: CompanySettings, new: CompanySettings) -> None:
    if wish.yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("Nobody is there to confirm it.", remedy="Say --yes. Nothing was recorded.")
    if not typer.confirm(f"Make the books of {old.name} anew in company {new.company}, {new.name}?", default=False):
        raise ConfigurationError("Not confirmed; nothing was done.")


async def _hand_over(
    opened: Opened, old: CompanySettings, new: CompanySettings, mappings: dict[str, HeldMapping], wish: Wish
) -> Restored:
    restoring = Restoring(
        store=opened.store,
        events=LogEvents(opened.reader),
        hashes=opened.keyring,
        log=await opened.writer(old.company, new.company),
        old=old.company,
        new=new.company,
    )
    reviews = await opened.store.some(ReviewRow, "all_reviews", old.company)
    skipped = {review.record_key for review in reviews if review.verdict == "skip"}
    rules = {name: held.mapping for name, held in mappings.items()}
    tell(f"Reading the log of company {old.company} …")
    places, left = await restoring.order(rules, skipped.__contains__)
    head = (await opened.reader.heads([old.company]))[old.company].position
    author = wish.author or await asyncio.to_thread(login_name)
    cause = await restoring.begin(head, author, wish.reason.strip())
    bars = progress_bars(TextColumn("handed over"), BarColumn(bar_width=20), MofNCompleteColumn(), hidden=wish.as_json)
    with bars:
        bar = bars.add_task("handed over", total=len(places))

        def show(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total)

        copied = await restoring.copy(places, cause, show)
    return Restored(copied=copied, left=left, strangers=await _strangers(opened, old.company))


async def _strangers(opened: Opened, company: int) -> dict[str, int]:
    found: dict[str, int] = {}
    after = ("", "")
    while True:
        rows = await opened.store.records("strangers", company, [*COUNTED], *after, STRANGERS_PAGE)
        for row in rows:
            found[row["entity"]] = found.get(row["entity"], 0) + 1
        if len(rows) < STRANGERS_PAGE:
            return found
        after = (rows[-1]["entity"], rows[-1]["document_id"])


def _tell(found: Restored, new: CompanySettings, *, as_json: bool) -> int:
    whole = not (found.strangers or found.left.removed or found.left.unreadable or found.left.left_out)
    if as_json:
        write_json(found)
        return ExitCode.OK if whole else ExitCode.UNSETTLED
    out = console()
    copied, left = found.copied, found.left
    again = f" ({copied.before:,} of them by an earlier try)" if copied.before else ""
    out.print(Text(f"{copied.fresh + copied.before:,} records handed over to company {new.company}{again}."))
    out.print(Text(f"Now: counterfoil sync --company {new.company}. It can be broken off, and goes on."))
    for count, said in (
        (left.removed, "were removed by their source; documents that still stood for them are not made anew"),
        (left.unreadable, "cannot be read"),
        (len(left.left_out), "were left out by a person on the first day"),
    ):
        if count:
            out.print(Text(f"Not handed over: {count:,} records that {said}."), soft_wrap=True)
    if found.strangers:
        said = ", ".join(f"{count:,} of {entity}" for entity, count in sorted(found.strangers.items()))
        out.print(
            Text(f"Not from any source, and so not in the new books: {said}. Enter them by hand."), soft_wrap=True
        )
    return ExitCode.OK if whole else ExitCode.UNSETTLED
