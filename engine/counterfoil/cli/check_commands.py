"""`doctor`: whether a deployment is fit for real books. `limits`: how it stands inside Intuit's.

`rebuild`: whether the state is what the log says. `totals`: whether source, log and books come to the same."""

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

    Example: counterfoil rebuild --check --company 1
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks import rebuild, rebuild_workers

        if worker:
            return await rebuild_workers.work(settings, check=check)
        return await rebuild.rebuild(settings, config=config, check=check, processes=processes, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json or worker)
