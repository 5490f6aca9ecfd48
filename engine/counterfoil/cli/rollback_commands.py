"""`rollback`, `runs`: what was written into the books, and taking it back."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.operator_commands import AuthorOption
from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings


class Sales(StrEnum):
    """What becomes of invoices."""

    VOID = "void"
    CREDIT = "credit"


class Later(StrEnum):
    """What becomes of newer changes at the source."""

    PARK = "park"
    FOLLOW = "follow"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (rollback, runs):
        app.command()(command)


def runs(*, config: ConfigOption = CONFIG_FILE, company: CompanyOption = None, as_json: JsonOption = False) -> None:
    """List the runs: what each wrote into the books, when, for whom, and how much of it was taken back.

    A session is one stay of `serve` or `sync` at work for a company; a rollback is a run of its own. What was written
    before runs were recorded is found by `rollback --since`.

    Example: counterfoil runs --company 1
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.runs import show_runs

        return await show_runs(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


RunOption = Annotated[str | None, typer.Option("--run", metavar="RUN", help="What a run wrote; see `runs`.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="What was written from then on: 2026-11-30T09:00.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="… and before then; in the company's time zone.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Only what came from this connection.")
]
RecordOption = Annotated[
    str | None, typer.Option("--record", metavar="KEY", help="Only this record, document or number.")
]
SalesOption = Annotated[Sales, typer.Option("--sales", help="Void invoices, or let them stand and credit them.")]
DatedOption = Annotated[
    datetime | None,
    typer.Option(
        "--dated",
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="The day of reversing entries and credits; default: that of what they take back.",
    ),
]
LaterOption = Annotated[
    Later, typer.Option("--later", help="Newer changes of these records wait for a person, or follow.")
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the preview: .csv or .json.")]
ApplyOption = Annotated[bool, typer.Option("--apply", help="Do what the preview shows.")]
PreviewOption = Annotated[
    Path | None, typer.Option("--preview", metavar="FILE", help="With --apply: exactly this preview, a .json file.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="With --apply: without a question.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="With --apply: why; it is recorded.")]
UntilShownOption = Annotated[bool, typer.Option("--wait", help="Stay until the books show it; works if nobody serves.")]
PersonalOption = Annotated[bool, typer.Option("--personal", help="Show to whom sent invoices went.")]


def rollback(
    *,
    of_run: RunOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    source: SourceOption = None,
    record: RecordOption = None,
    sales: SalesOption = Sales.VOID,
    dated: DatedOption = None,
    later: LaterOption = Later.PARK,
    out: OutOption = None,
    apply: ApplyOption = False,
    preview: PreviewOption = None,
    yes: YesOption = False,
    reason: ReasonOption = "",
    author: AuthorOption = "",
    wait: UntilShownOption = False,
    personal: PersonalOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back what was written into the books: a preview first, then --apply.

    The preview shows what would be voided, credited, reversed, deleted, made inactive or given its earlier content;
    what stays, and why; the messages that recipients of sent invoices need; and totals by account and currency, before
    and after. It calls nobody and changes nothing.

    With --apply the preview becomes a run of its own. Only documents that are as the preview showed them are touched,
    each exactly once, whatever crashes; the others come back in a new preview. A rollback can be rolled back.

    What is in a closed period stays, unless --dated names a day for an entry that sets it off: no date is moved in
    silence. What was not created by Counterfoil is never deleted. Sent or numbered documents are not deleted either.

    Leaves with 1 if anything has to stay.

    Example: counterfoil rollback --run session-12

    Example: counterfoil rollback --run session-12 --apply --reason "wrong mapping" --wait
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.rollback import Wish, take_back

        day: date | None = dated.date() if dated is not None else None
        wish = Wish(
            run=of_run,
            since=since,
            until=until,
            source=source,
            record=record,
            sales=sales.value,
            dated=day,
            later=later.value,
            out=out,
            apply=apply,
            preview=preview,
            yes=yes,
            reason=reason,
            author=author,
            wait=wait,
            personal=personal,
            as_json=as_json,
        )
        return await take_back(settings, wish)

    run(work, config=config, company=company, as_json=as_json)
