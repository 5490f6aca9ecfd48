"""`explain`: from any document or record to the whole chain behind it."""

from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(explain)


def explain(
    key: Annotated[
        list[str],
        typer.Argument(
            help="A record (hubspot:deal:512), a document (Invoice 145), a document's number, an intent or request id."
        ),
    ],
    *,
    personal: Annotated[bool, typer.Option("--personal", help="Show sealed personal fields too.")] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the whole chain behind a document or record.

    Why a document is in the books, or what became of a record, with positions and instants: source change, decision,
    call, answer, link, what the books showed, payments, and what was written back.

    Example: counterfoil explain Invoice 145
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.explain import explain as begin

        return await begin(settings, " ".join(key), personal=personal, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)
