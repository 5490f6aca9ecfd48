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
    check: Annotated[
        bool, typer.Option("--check", help="Compare only; the one mode of this release, and the default.")
    ] = True,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the tables with a fresh fold of the log.

    Row for row; leaves with 4 if any differs.

    Takes no lease and changes nothing; may run beside an engine, which it follows up to where that one has folded.

    Example: counterfoil rebuild --check --company 1
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.rebuild import check_rebuild

        return await check_rebuild(settings, as_json=as_json)

    del check
    run(work, config=config, company=company, as_json=as_json)
