"""`counterfoil parked` and `counterfoil review`."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import add_row, console, money, table, write_json
from counterfoil.cli.tasks.figures import Held, Parked, held, parked
from counterfoil.settings import Settings


async def show_parked(settings: Settings, *, as_json: bool) -> int:
    """Print what is parked; 1 if anything is."""
    async with open_state(settings) as opened:
        found = [
            one for company in settings.companies for one in await parked(opened.store, opened.reader, company.company)
        ]
    if as_json:
        write_json({"parked": found})
    elif found:
        shown = table(f"Parked: {len(found):,}", "company", "record", ">amount", "why", "what to do")
        for one in found:
            add_row(shown, one.company, one.record_key, money(one.amount, one.currency), one.reason, one.fix)
        console().print(shown)
        console().print(Text("Then: `counterfoil retry RECORD`, or `counterfoil skip RECORD --reason …`."))
    else:
        console().print(Text("Nothing is parked."))
    return ExitCode.UNSETTLED if found else ExitCode.OK


async def show_held(settings: Settings, *, as_json: bool) -> int:
    """Print what waits for approval."""
    async with open_state(settings) as opened:
        found = [one for company in settings.companies for one in await held(opened.store, company.company)]
    sums = totals(found)
    if as_json:
        write_json({"review": found, "totals": sums})
    elif found:
        shown = table(f"Waiting for approval: {len(found):,}", "company", "record", "what", "number", ">amount")
        for one in found:
            what = f"{one.operation} {one.entity}"
            add_row(shown, one.company, one.record_key, what, one.doc_number, money(one.amount, one.currency))
        console().print(shown)
        together = "; ".join(money(amount, currency) for currency, amount in sums.items())
        console().print(Text(f"Together {together}. Then: `counterfoil approve RECORD`, or `--all`."))
    else:
        console().print(Text("Nothing waits for approval."))
    return ExitCode.OK


def totals(found: Iterable[Held | Parked]) -> dict[str, Decimal]:
    """Sums by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in found:
        if one.amount is not None:
            sums[one.currency or ""] += one.amount
    return dict(sorted(sums.items()))
