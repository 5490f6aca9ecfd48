"""`erase`, `export`: what a person has a right to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.operator_commands import AuthorOption
from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings

PersonArgument = Annotated[
    str, typer.Argument(help='A customer, vendor or employee: hubspot:contact:12, "Customer 58", "Employee 7".')
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(erase)
    app.command("export")(export_person)


def erase(
    person: PersonArgument,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it only what would happen is shown.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded for good, so name nobody in it.")] = "",
    author: AuthorOption = "",
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a person here: destroy the keys under which everything personal of theirs is sealed.

    Found across all sources and the books, by links and merges. The log stays as it is, and verifies; amounts, dates,
    numbers and accounts stay. Shows first what becomes unreadable, what stays, and what backups still hold. It cannot
    be taken back. QuickBooks and the sources are not written to: they are asked by whoever answers for them.

    Example: counterfoil erase hubspot:contact:12 --apply --reason "request 2026-31"
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.erase import Asked
        from counterfoil.cli.tasks.erase import erase as begin

        return await begin(settings, Asked(person, apply, author, reason, as_json))

    run(work, config=config, company=company, as_json=as_json)


def export_person(
    person: PersonArgument,
    *,
    out: Annotated[Path, typer.Option("--out", help="The JSON file to write; it must not be there yet.")],
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that is held on a person into a JSON file that only you can read.

    Who the person is in each source and in the books, links, documents, and every event about them with its personal
    parts opened. Of calls and deliveries that others share, only the person's own part.

    Example: counterfoil export hubspot:contact:12 --out person.json
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.export_person import export

        return await export(settings, person, out, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)
