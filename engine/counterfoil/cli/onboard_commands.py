"""`onboard`: the first day in books that are kept already."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.operator_commands import AuthorOption
from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(onboard)


def onboard(
    *,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--start",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Post nothing dated before; written as [start] into mappings that name none.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Where the review goes; default: onboarding-COMPANY.csv.")
    ] = None,
    apply: Annotated[Path | None, typer.Option("--apply", metavar="FILE", help="Do what a reviewed file says.")] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Let documents go out from here on; the first run only previews.")
    ] = False,
    undo: Annotated[
        list[str] | None,
        typer.Option(
            "--undo", metavar="RECORD|FILE", help="Take an adoption back, or all of an applied file; may be repeated."
        ),
    ] = None,
    author: AuthorOption = "",
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin in books that are kept already, in three steps; the second can be undone.

    Without --apply or --approve: reads the sources and the books (customers, vendors, employees, items, invoices that
    are open or young) and writes a CSV file with a row for each record: what in QuickBooks may stand for it, by id,
    number, e-mail, name or a name alike, with a score, and a decision: adopt, create, skip or ask. What you decided in
    an earlier file is kept. Warns where another app seems to post the same. Leaves with 1 if anything is to decide.

    With --apply FILE: records what the file says. Adopting links, and writes nothing to QuickBooks; where both sides
    differ, the next sync shows it (`review`, `parked`). Every wrong row is named by its line, and then nothing is done.

    With --approve: the first run in production plans everything and sends nothing, until somebody approves it here.

    With --undo RECORD (shop:customer:17), or the file that was applied: what was adopted stands for it no longer, and
    it is undecided. Only where nothing has been written since that rests on it; else it is said what does.

    Example: counterfoil onboard --start 2026-11-01
    """
    if sum((apply is not None, approve, bool(undo), start is not None or file is not None)) > 1:
        raise typer.BadParameter("--apply, --approve, --undo and --start or --file are steps of their own.")

    async def work(settings: "Settings") -> int:
        if approve:
            from counterfoil.cli.tasks.onboard_approval import approve as record

            return await record(settings, author, as_json=as_json)
        if apply is not None:
            from counterfoil.cli.tasks.onboard_apply import apply as take

            return await take(settings, apply, author, as_json=as_json)
        if undo:
            from counterfoil.cli.tasks.onboard_undo import undo as take_back

            return await take_back(settings, undo, author, as_json=as_json)
        from counterfoil.cli.tasks.onboard import Wish, review

        day = start.date() if start is not None else None
        return await review(settings, Wish(config=config, file=file, start=day, as_json=as_json))

    run(work, config=config, company=company, as_json=as_json)
