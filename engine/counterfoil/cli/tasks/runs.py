"""`counterfoil runs`: what each run wrote into the books."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, money, table, write_json
from counterfoil.settings import Settings
from counterfoil.state.rows import RunRow

ENGINE: Final = "the engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """One run.

    Attributes:
        began_at, ended_at: of what it wrote; None where it wrote nothing.
        documents: that it wrote; `undone` of them were taken back.
        amounts: what these documents come to, by currency.
        refused: what a rollback had to leave.
        taken: whether what was asked for is planned.
    """

    company: int
    run: str
    author: str
    reason: str
    began_at: datetime | None = None
    ended_at: datetime | None = None
    documents: int = 0
    undone: int = 0
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    refused: int = 0
    taken: bool = True


async def show_runs(settings: Settings, *, as_json: bool) -> int:
    """Print them, oldest first."""
    async with open_state(settings) as opened:
        found = [one for company in settings.companies for one in await runs_of(opened, company.company)]
    if as_json:
        write_json({"runs": found})
        return ExitCode.OK
    if not found:
        console().print(Text("No run has written anything into the books yet."))
        return ExitCode.OK
    shown = table("Runs", "company", "run", "when", "who", ">documents", ">amount", ">taken back", "why")
    for one in found:
        when = f"{one.began_at:%Y-%m-%d %H:%M:%S}Z" if one.began_at else "waits" if not one.taken else ""
        why = f"{one.reason}{f' ({one.refused:,} had to stay)' if one.refused else ''}"
        worth = ", ".join(money(amount, currency) for currency, amount in one.amounts.items())
        add_row(shown, one.company, one.run, when, one.author, f"{one.documents:,}", worth, f"{one.undone:,}", why)
    console().print(shown)
    console().print(Text("`counterfoil rollback --run RUN` shows what taking one back would do."))
    return ExitCode.OK


async def runs_of(opened: Opened, company: int) -> list[RunSeen]:
    """The runs of one company: those that wrote, and those that a person asked for."""
    asked = {row.run: row for row in await opened.store.some(RunRow, "all_runs_asked", company)}
    found: dict[str, RunSeen] = {}
    for row in await opened.store.records("runs_written", company):
        name = row["run"]
        one = found.get(name) or _begun(company, name, asked.get(name))
        amounts = {row["currency"]: row["amount"]} if row["amount"] is not None else {}
        found[name] = replace(
            one,
            began_at=row["began_at"],
            ended_at=row["ended_at"],
            documents=one.documents + row["documents"],
            undone=one.undone + row["undone"],
            amounts={**one.amounts, **amounts},
        )
    waiting = [row for name, row in asked.items() if name not in found]
    return [*found.values(), *(_begun(company, row.run, row) for row in sorted(waiting, key=lambda row: row.asked))]


def _begun(company: int, run: str, asked: RunRow | None) -> RunSeen:
    if asked is None:
        return RunSeen(company=company, run=run, author=ENGINE, reason="")
    return RunSeen(
        company=company,
        run=run,
        author=asked.author,
        reason=asked.reason,
        refused=asked.refused,
        taken=asked.taken is not None,
    )
