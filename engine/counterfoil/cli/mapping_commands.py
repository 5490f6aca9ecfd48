"""`mapping check`, `mapping preview`, `mapping init`, `mapping schema`: writing a mapping, and knowing what it does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import home_of, run, run_without_settings

if TYPE_CHECKING:
    from counterfoil.settings import Settings

ConnectionOption = Annotated[
    str | None, typer.Option("--connection", metavar="NAME", help="Only this source; default: all configured.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    mapping = typer.Typer(help="Mapping files.", no_args_is_help=True, rich_markup_mode=None)
    mapping.command("check")(check_mapping)
    mapping.command("preview")(preview_mapping)
    mapping.command("init")(init_mapping)
    mapping.command("schema")(show_schema)
    app.add_typer(mapping, name="mapping")


def check_mapping(
    file: Annotated[
        Path | None, typer.Argument(help="A mapping file; without it, those of the configured sources.")
    ] = None,
    *,
    connection: ConnectionOption = None,
    sample: Annotated[int, typer.Option("--sample", min=1, max=5000, help="Records of each kind to look at.")] = 200,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what a mapping leaves open before it fails at night.

    With a file alone: whether it can be used, and if not, what is wrong in which line and column. Without, or with
    --connection as well: each configured mapping (or the file in its place) is held against both sides. Reads the
    books' lists and a sample of the source, plans it as the engine would, and tells: names that the books do not hold
    (items, accounts, classes, locations, tax codes, terms), kinds, stages and names that the source does not have,
    what the source has and the mapping leaves out, and what would be parked, with the nearest known name.

    Writes nothing, in QuickBooks or at the source. Leaves with 1 if anything is named that does not exist, or would be
    parked.

    Example: counterfoil mapping check --connection hubspot
    """
    if file is not None and connection is None:
        _check_form(file, as_json=as_json)

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.mapping_check import check
        from counterfoil.cli.tasks.mapping_trials import Question

        return await check(settings, Question(connection=connection, file=file, sample=sample), as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def _check_form(file: Path, *, as_json: bool) -> None:
    async def work() -> int:
        from counterfoil.cli.tasks.setup import check_mapping_file

        return check_mapping_file(file, as_json=as_json)

    run_without_settings(work, as_json=as_json)


def preview_mapping(
    file: Annotated[
        Path | None, typer.Argument(help="A mapping file in place of the configured one; needs --connection.")
    ] = None,
    *,
    connection: ConnectionOption = None,
    sample: Annotated[int, typer.Option("--sample", min=1, max=5000, help="Records of each kind to show.")] = 50,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show source records and the QuickBooks documents that they would become, side by side.

    Reads a sample of the source and the books' lists, and plans it as the engine would: what would be created,
    updated, left as it is, passed over, or parked and why. What the log knows already counts.

    Writes nothing, in QuickBooks or at the source. What it shows may be personal: names and addresses as the source has
    them, on this terminal alone.

    Example: counterfoil mapping preview --connection hubspot --sample 50
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.mapping_preview import preview
        from counterfoil.cli.tasks.mapping_trials import Question

        return await preview(settings, Question(connection=connection, file=file, sample=sample), as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def init_mapping(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; the configured file by default, if it is free.")
    ] = None,
    *,
    connection: ConnectionOption = None,
    sample: Annotated[int, typer.Option("--sample", min=1, max=5000, help="Records of each kind to look at.")] = 200,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a first mapping out of what both sides hold.

    Reads a sample of the source (kinds, stages, tax codes, departments, parts of pay runs, projects) and the books'
    lists (accounts, items, terms, tax codes), chooses where the choice is plain, and leaves the rest as a comment with
    the names to choose from. Beside it goes its JSON Schema, for editors. Nothing that exists is replaced.

    Then: counterfoil mapping check.

    Example: counterfoil mapping init hubspot.toml --connection hubspot
    """

    async def work() -> int:
        from counterfoil.cli.tasks.mapping_init import Wish, write_first

        wish = Wish(config=config, company=company, connection=connection, file=file, sample=sample)
        return await write_first(wish, as_json=as_json)

    run_without_settings(work, as_json=as_json, home=home_of(config))


def show_schema(*, as_json: JsonOption = False) -> None:
    """Print the JSON Schema of mapping files, for editors.

    With Taplo or Even Better TOML: save it beside the mapping, and begin that with `#:schema ./mapping.schema.json`.

    Example: counterfoil mapping schema > mapping.schema.json
    """

    async def work() -> int:
        from counterfoil.cli.tasks.mapping_schema import show

        return show(as_json=as_json)

    run_without_settings(work, as_json=as_json)
