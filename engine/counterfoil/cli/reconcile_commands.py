"""`reconcile`: whether source, log and books agree, document by document."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.operator_commands import AuthorOption, WaitOption
from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconcile)


def reconcile(
    *,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="Only what is dated in this month.")
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Only this type (Invoice); can be given again.")
    ] = None,
    without_sources: Annotated[
        bool, typer.Option("--without-sources", help="Do not read the sources: their records count as last observed.")
    ] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Show what a repair would do.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="With --repair: have it done.")] = False,
    author: AuthorOption = "",
    wait: WaitOption = False,
    personal: Annotated[bool, typer.Option("--personal", help="Show personal values, such as addresses.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write sums and differences there.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page to open there.")] = None,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare source, log and books.

    Counts and totals by type, month, party, account and currency, then field by field where they differ: what is
    missing in the books, changed, voided, doubled, or made by nobody of this log; what the source shows and the log
    does not know. Each with record, document, field, both values, amount, and what to do. It is recorded once.

    Reads every document of the types in use, a thousand a metered read, in the lane that yields to all others; may run
    beside an engine. What could not be read is named, and never called missing.

    With --repair shows what can be mended, and how; with --repair --apply has it planned, by whoever works for the
    company, like any other change: what is the source's is restored, what is the books' own is left alone.

    Leaves with 1 if anything differs, with 3 if something could not be compared.

    Example: counterfoil reconcile --month 2026-03 --html march.html
    """

    if (apply or wait) and not (repair and (apply or not wait)):
        raise typer.BadParameter("--apply goes with --repair, and --wait with --apply.")

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.reconcile import Options
        from counterfoil.cli.tasks.reconcile import reconcile as compare

        options = Options(
            month=month,
            types=tuple(types or ()),
            sources=not without_sources,
            repair=repair,
            apply=apply,
            author=author,
            wait=wait,
            personal=personal,
            csv=csv,
            html=html,
            as_json=as_json,
        )
        return await compare(settings, options)

    run(work, config=config, company=company, as_json=as_json)
