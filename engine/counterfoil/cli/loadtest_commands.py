"""`loadtest`: a deployment's own volume, times some number, against the emulator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings

DEFAULT_SECONDS = 600.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(loadtest)


def loadtest(
    *,
    times: Annotated[float, typer.Option("--times", min=0.01, max=100_000, help="How many times the volume.")] = 3.0,
    hours: Annotated[float, typer.Option("--hours", min=0, max=24, help="Of load; adds to --minutes.")] = 0.0,
    minutes: Annotated[float, typer.Option("--minutes", min=0, max=1440, help="Of load; ten if neither is given.")] = 0,
    days: Annotated[int, typer.Option("--days", min=1, max=3660, help="How far back the log is looked at.")] = 30,
    orders_per_hour: Annotated[
        float | None,
        typer.Option("--orders-per-hour", min=0.01, max=1_000_000, help="State the volume; the log is not looked at."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides the made-up records and their instants.")] = 1,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page to open there.")] = None,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a multiple of the deployment's own volume against the QuickBooks emulator.

    The volume is the busiest hour of the week as the log recorded it: changes, the documents that they called for, new
    ones and changes of old ones, and the lines of a document. Made-up records of that shape go through an engine of the
    same release, in a temporary folder, with a Postgres of its own, into emulated books with Intuit's limits on.

    The log is read once; nothing else of the deployment is touched, and its books and sources are never called. May run
    beside an engine, better on another machine: it takes what processor there is.

    Shows the backlog, the seconds from a change to its effect, what of the limits was used, answers 429, memory, and
    how many times the volume the limits would bear. Leaves with 1 unless every company keeps up.

    Example: counterfoil loadtest --times 3 --minutes 30 --html load.html
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.loadtest.command import Wish
        from counterfoil.loadtest.command import loadtest as begin

        wish = Wish(
            times=times,
            seconds=hours * 3600 + minutes * 60 or DEFAULT_SECONDS,
            days=days,
            seed=seed,
            orders_per_hour=orders_per_hour,
            html=html,
            as_json=as_json,
        )
        return await begin(settings, wish)

    run(work, config=config, company=company, as_json=as_json)
