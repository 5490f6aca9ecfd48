"""`recover`: going on after the database was restored from an older backup."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.log_commands import AnchorKeyOption
from counterfoil.cli.operator_commands import AuthorOption
from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(recover)


def recover(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")] = "",
    author: AuthorOption = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be taken from QuickBooks; record nothing.")
    ] = False,
    anchor: Annotated[
        Path | None, typer.Option("--anchor", metavar="FILE", help="The last anchor; default: the configured one.")
    ] = None,
    key: AnchorKeyOption = "",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where no anchor says that the log has forgotten anything.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option("--since", metavar="TIME", help="When the backup was made, in UTC; default: the log says it."),
    ] = None,
    without_sources: Annotated[
        bool,
        typer.Option("--without-sources", help="Do not read the sources first; for one that cannot be read for long."),
    ] = False,
    without_type: Annotated[
        list[str] | None,
        typer.Option(
            "--without-type",
            metavar="TYPE",
            help="Do not look through this type (TimeActivity), where QuickBooks has it switched off; can be repeated.",
        ),
    ] = None,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on after the database was restored from a backup that is older than the books.

    Such a log has forgotten what was sent after the backup, and would send it again. Its head is shorter than its
    anchor, or has gone another way since, so that the engine sends nothing for the company (`recovering` in
    `counterfoil status`). This command verifies the log, reads from QuickBooks what has changed, gone or been made
    since, and records it: what bears our mark is kept, and is taken in place of a new document as soon as its source
    shows the record again. The sources are read to their end. Then the log is anchored anew, and the engine goes on.

    Nothing is written to QuickBooks. Broken off, it goes on where it stopped; done twice, it does nothing. Stop the
    engine before, and follow ops/runbooks/restored-backup.md.

    Leaves with 0 if all is recovered, or nothing had to be; 1 if a person has to look at something, or after a
    --dry-run that found something to recover; 3 if QuickBooks or a source cannot be read; 4 if the log is damaged.

    Example: counterfoil recover --company 1 --reason "disk failure, backup of 02:00"
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.recover import Wish
        from counterfoil.cli.tasks.recover import recover as begin

        wish = Wish(
            reason=reason,
            author=author,
            dry_run=dry_run,
            anchor=anchor,
            key=key,
            anyway=anyway,
            since=since,
            sources=not without_sources,
            left_out=tuple(without_type or ()),
            as_json=as_json,
        )
        return await begin(settings, wish)

    run(work, config=config, company=company, as_json=as_json)
