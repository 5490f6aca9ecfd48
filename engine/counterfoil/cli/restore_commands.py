"""`restore`: a company's books made anew in an empty company of QuickBooks."""

from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.operator_commands import AuthorOption
from counterfoil.cli.options import CONFIG_FILE, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(restore)


def restore(
    *,
    into: Annotated[str, typer.Option("--into", metavar="REALM/COMPANY", help="The new company, with empty books.")],
    source: Annotated[
        int | None,
        typer.Option("--from", metavar="COMPANY", help="Whose log; needed if there are several."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")] = "",
    author: AuthorOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Without a question.")] = False,
    config: ConfigOption = CONFIG_FILE,
    as_json: JsonOption = False,
) -> None:
    """Make a company's books anew, out of its log, in an empty company of QuickBooks.

    Configure a new company, with a number of its own, whose connection is the empty one, with the same sources and
    mapping files. What the sources had shown last is handed over to its log: lists first, documents by date, then
    payments, then payouts. From there on it is work as ever: `counterfoil sync --company NUMBER` plans and sends it,
    within Intuit's limits, each document once however often it is broken off.

    Refused are books that hold anything, that lack what the mappings name, or that are set up otherwise. What people
    entered in the old books themselves, and their edits of documents, are not in the new ones: the documents are
    counted, and the command leaves with 1.

    Example: counterfoil restore --into 9341453908059321/2 --reason "books damaged by an import"
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.restore import Wish
        from counterfoil.cli.tasks.restore import restore as begin

        wish = Wish(into=into, source=source, reason=reason, author=author, yes=yes, as_json=as_json)
        return await begin(settings, wish)

    run(work, config=config, as_json=as_json)
