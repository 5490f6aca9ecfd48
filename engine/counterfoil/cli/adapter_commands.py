"""`adapters setup`: what write-back needs at a source. `adapters new`, `list`, `check`: writing one of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run, run_without_settings

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    adapters = typer.Typer(help="Source adapters.", no_args_is_help=True, rich_markup_mode=None)
    adapters.command("setup")(set_up)
    adapters.command("new")(new_adapter)
    adapters.command("list")(list_adapters)
    adapters.command("check")(check_adapter)
    app.add_typer(adapters, name="adapters")


def set_up(
    connection: Annotated[
        str | None, typer.Argument(metavar="[CONNECTION]", help="Only this source; default: all configured.")
    ] = None,
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Set up what is missing; without it, only say what is.")
    ] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set up at a source what write-back needs (properties, custom fields), or its webhooks.

    Tells of each that the mapping's [write_back] names whether it is there, missing, or there and not fit, and which
    scopes the token needs. With --apply it makes the missing ones, and nothing else: what is there is never changed.
    Safe to repeat, and safe beside a running `counterfoil serve`.

    Leaves with 1 while something is missing or not fit.

    Example: counterfoil adapters setup hubspot --apply
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.source_setup import set_up_sources

        return await set_up_sources(settings, connection, apply=apply, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def new_adapter(
    name: Annotated[str, typer.Argument(help="The source's name: lower-case letters, digits, underscores.")],
    folder: Annotated[Path | None, typer.Argument(help="Where to; ./counterfoil-NAME by default.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Write a source adapter to begin with, in a package of its own.

    It works as it stands: an adapter over REST with paging, a cursor, webhooks and write-back; a stub of its source;
    tests that inherit the contract of all sources, faults included. Put the source's real paths and fields in place
    of those, and keep the tests green. Nothing that exists is replaced.

    Then: cd counterfoil-NAME, pip install -e . --group test, pytest -rs.

    Example: counterfoil adapters new harvest
    """

    async def work() -> int:
        from counterfoil.cli.tasks.adapters import write_skeleton

        return write_skeleton(name, folder, as_json=as_json)

    run_without_settings(work, as_json=as_json)


def list_adapters(*, as_json: JsonOption = False) -> None:
    """List the installed source adapters.

    Those of other packages are found by their entry point `counterfoil.sources`.

    Example: counterfoil adapters list
    """

    async def work() -> int:
        from counterfoil.cli.tasks.adapters import show_adapters

        return show_adapters(as_json=as_json)

    run_without_settings(work, as_json=as_json)


def check_adapter(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="An installed adapter; default: all of them.")
    ] = None,
    *,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting to open it with; repeatable.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="A mapping to check its kinds against.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether installed adapters keep the form of all sources; 1 where one does not.

    Looks at the entry point, its name, its methods, what it says to settings that are missing or unknown, its kinds,
    and whether a mapping asks for kinds that it does not have. Nothing is sent anywhere; what it does with a source is
    for the contract to test (counterfoil.testing.SourceContract).

    Example: counterfoil adapters check csv --set folder=. --mapping csv.toml
    """

    async def work() -> int:
        from counterfoil.cli.tasks.adapters import check

        return await check(name, settings or [], mapping, as_json=as_json)

    run_without_settings(work, as_json=as_json)
