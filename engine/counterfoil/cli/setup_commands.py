"""`init`, `migrate`, `version`: before and around the work."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, ConfigOption, JsonOption
from counterfoil.cli.running import run, run_without_settings

if TYPE_CHECKING:
    from counterfoil.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command()(migrate)
    app.command()(version)


def init(
    folder: Annotated[Path, typer.Argument(help="Where to; made if missing.")] = Path(),
    *,
    source: Annotated[str, typer.Option("--source", help="csv, hubspot, gusto or bamboohr.")] = "csv",
    as_json: JsonOption = False,
) -> None:
    """Write a configuration and a mapping to begin with.

    Both with comments; nothing that exists is replaced.

    Example: counterfoil init books --source hubspot
    """

    async def work() -> int:
        from counterfoil.cli.tasks.setup import write_example

        return write_example(folder, source, as_json=as_json)

    run_without_settings(work, as_json=as_json)


def migrate(*, config: ConfigOption = CONFIG_FILE, as_json: JsonOption = False) -> None:
    """Bring the database up to this release.

    Its tables and roles; safe to repeat, and safe for several at once.

    Uses COUNTERFOIL_ADMIN_DSN, else COUNTERFOIL_DSN, else the embedded Postgres in the home folder.

    Example: COUNTERFOIL_ADMIN_DSN=postgresql://postgres@db/books counterfoil migrate
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.setup import migrate_database

        return await migrate_database(settings, as_json=as_json)

    run(work, config=config, as_json=as_json)


def version(*, as_json: JsonOption = False) -> None:
    """Print the version.

    Example: counterfoil version
    """

    async def work() -> int:
        from counterfoil.cli.tasks.setup import show_version

        return show_version(as_json=as_json)

    run_without_settings(work, as_json=as_json)
