"""`doctor`: whether a deployment is fit for real books. `limits`: how it stands inside Intuit's.

`rebuild`: whether the state is what the log says. `totals`: whether source, log and books come to the same."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(doctor)
    app.command()(limits)
    app.command()(totals)
    app.command()(rebuild)


def doctor(*, config: ConfigOption = CONFIG_FILE, company: CompanyOption = None, as_json: JsonOption = False) -> None:
    """Check ten points before real books are touched.

    Tokens, limits, errors, webhooks, polling, sandbox tests, reconciliation, alerts, rollback, load: each with the
    evidence found in the configuration and the database, and with what to do. What this release cannot do yet fails.
    Leaves with 1 unless every point is met.

    Calls nobody and changes nothing; may run beside an engine, and sees most while one works.

    Example: counterfoil doctor --json
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.doctor import doctor as examine

        return await examine(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def totals(*, config: ConfigOption = CONFIG_FILE, company: CompanyOption = None, as_json: JsonOption = False) -> None:
    """Show what source, log and books come to, by currency and kind of document.

    Of the documents that came from a source: what the source wants, what QuickBooks answered, and what they were last
    seen to come to, with the difference and the worth in home money. Leaves with 1 if anything differs.

    Calls nobody and changes nothing; may run beside an engine.

    Example: counterfoil totals --json
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.totals import totals as show

        return await show(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def limits(*, config: ConfigOption = CONFIG_FILE, company: CompanyOption = None, as_json: JsonOption = False) -> None:
    """Show how each company stands inside Intuit's limits.

    Calls in the minute, who waits, answers 429, metered reads with the month's forecast, and when a backlog ends at
    the earliest. Leaves with 1 if the month comes to more metered reads than Intuit's free tier allows.

    Calls nobody and changes nothing; may run beside an engine, which shows its figures every second.

    Example: counterfoil limits --json
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.limits import limits as show

        return await show(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def rebuild(
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare only; the live tables stay as they are.")] = False,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, help="Rebuild so many companies side by side; default: one for each core."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="POSITION|TIME", help="Show the state at that point instead; writes no table."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="With --as-of: write every row there, as JSON lines.")
    ] = None,
    worker: Annotated[bool, typer.Option("--worker", hidden=True)] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fold the log afresh beside the tables, compare row for row, and put right what differs.

    Works beside an engine, which goes on: it stands still only for the comparison at the end, and begins anew if rows
    were put right. Goes on where an attempt that broke off had come to. Takes no lease, reads no source and no books.
    Several companies are rebuilt side by side; one that cannot be holds up no other.

    Leaves with 0 if the tables hold what the log says when it ends, and with 4 if they do not: rows differ (--check),
    or the log itself is damaged or ends too early. Then nothing was changed.

    With --as-of nothing is compared: the log is folded up to a position, or to the last one recorded by an instant, and
    what it comes to there is shown: outcomes, links, documents, totals.

    Example: counterfoil rebuild --as-of 2026-03-31T18:00:00Z --company 1
    """

    if to is not None and as_of is None:
        raise typer.BadParameter("--to goes with --as-of.")
    if as_of is not None and (check or processes is not None):
        raise typer.BadParameter("--as-of compares nothing: leave out --check and --processes.")

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks import as_of as past
        from counterfoil.cli.tasks import rebuild, rebuild_workers

        if as_of is not None:
            return await past.show(settings, as_of, to=to, as_json=as_json)

        if worker:
            return await rebuild_workers.work(settings, check=check)
        return await rebuild.rebuild(settings, config=config, check=check, processes=processes, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json or worker)
