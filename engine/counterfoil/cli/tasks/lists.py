"""`counterfoil parked` and `counterfoil review`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import add_row, console, money, table, write_json
from counterfoil.cli.tasks.figures import Held, RefusedNote, held, refused_notes, with_remarks
from counterfoil.recovery.dead_letters import Letter, letters_of
from counterfoil.settings import Settings


async def show_parked(settings: Settings, *, as_json: bool) -> int:
    """Print what is parked, and what sources would not be told of it; 1 if there is anything."""
    async with open_state(settings) as opened:
        numbers = [company.company for company in settings.companies]
        found = [one for number in numbers for one in await letters_of(opened.store, opened.reader, number)]
        notes = [one for number in numbers for one in await refused_notes(opened.store, number)]
    if as_json:
        write_json({"parked": found, "notes": notes})
    elif not found:
        console().print(Text("Nothing is parked."))
    if found and not as_json:
        shown = table(f"Parked: {len(found):,}", "company", "record", ">amount", "why", "what to do")
        for one in found:
            add_row(shown, one.company, one.record_key, money(one.amount, one.currency), one.reason, one.fix)
        console().print(shown)
    if notes and not as_json:
        console().print(notes_table(notes))
    if (found or notes) and not as_json:
        console().print(Text("Then: `counterfoil retry RECORD`, or `counterfoil skip RECORD --reason …`."))
    return ExitCode.UNSETTLED if found or notes else ExitCode.OK


def notes_table(notes: Sequence[RefusedNote]) -> Table:
    """Notes that did not get through to their source."""
    shown = table(f"Notes that a source refused: {len(notes):,}", "company", "record", "source", "why", "what to do")
    for one in notes:
        add_row(shown, one.company, one.record_key, one.target, one.reason, one.fix)
    return shown


async def show_held(settings: Settings, *, as_json: bool) -> int:
    """Print what waits for approval."""
    async with open_state(settings) as opened:
        found = [
            one
            for company in settings.companies
            for one in await with_remarks(opened.reader, company.company, await held(opened.store, company.company))
        ]
    sums = totals(found)
    if as_json:
        write_json({"review": found, "totals": sums})
    elif found:
        shown = table(f"Waiting for approval: {len(found):,}", "company", "record", "what", "number", ">amount")
        for one in found:
            what = f"{one.operation} {one.entity}"
            add_row(shown, one.company, one.record_key, what, one.doc_number, money(one.amount, one.currency))
        console().print(shown)
        for one in found:
            if one.remark:
                console().print(Text(f"{one.record_key}: {one.remark}"))
        together = "; ".join(money(amount, currency) for currency, amount in sums.items())
        console().print(Text(f"Together {together}. Then: `counterfoil approve RECORD`, or `--all`."))
    else:
        console().print(Text("Nothing waits for approval."))
    return ExitCode.OK


def totals(found: Iterable[Held | Letter]) -> dict[str, Decimal]:
    """Sums by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in found:
        if one.amount is not None:
            sums[one.currency or ""] += one.amount
    return dict(sorted(sums.items()))
