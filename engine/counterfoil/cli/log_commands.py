"""`log tail | show | verify | export | anchor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings

PersonalOption = Annotated[bool, typer.Option("--personal", help="Open sealed personal fields too.")]
AnchorKeyOption = Annotated[
    str,
    typer.Option(
        "--key",
        envvar="COUNTERFOIL_ANCHOR_KEY",
        show_envvar=True,
        help="The key that signs anchors: env:NAME or file:PATH, or itself in the environment variable; "
        "default: the configuration's.",
    ),
]


def make_app() -> typer.Typer:
    """The sub-commands."""
    app = typer.Typer(help="The event log: look, verify, export, anchor.", no_args_is_help=True, rich_markup_mode=None)
    for command in (tail, show, verify, export, anchor):
        app.command()(command)
    return app


def tail(
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many events to begin with.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new one until stopped.")] = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the last events of the log, one a line.

    Example: counterfoil log tail --follow
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.log import tail as begin

        return await begin(settings, lines=lines, follow=follow, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def show(
    position: Annotated[
        str, typer.Argument(help="The event's position in its company's log; or company and position, as 1:145.")
    ],
    *,
    personal: PersonalOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print one event whole: envelope, body, link.

    Example: counterfoil log show 145 --company 1
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.log import place_of
        from counterfoil.cli.tasks.log import show as begin

        return await begin(*place_of(settings, position), personal=personal, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def verify(
    *,
    against: Annotated[Path | None, typer.Option("--anchor", help="An anchor to compare with as well.")] = None,
    key: AnchorKeyOption = "",
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute the chain over every event; leaves with 4 if anything was changed, removed, inserted or swapped.

    The verdict is kept: an engine sends nothing for a company whose log is not as it was written, until this finds
    nothing there any more.

    Example: counterfoil log verify --anchor /mnt/elsewhere/anchor.json --key file:anchor.key
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.log_proof import verify_log

        return await verify_log(settings, company=company, anchor=against, key=key, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def export(
    *,
    to: Annotated[Path | None, typer.Option("--to", help="The file; default: standard output.")] = None,
    after: Annotated[int, typer.Option("--after", min=0, help="Begin behind this position.")] = 0,
    personal: PersonalOption = False,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a company's log as JSON lines; equal logs give equal bytes. Sealed parts stay sealed without --personal.

    Example: counterfoil log export --company 1 --to company-1.jsonl
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.log_proof import export_log

        return await export_log(settings, to=to, after=after, personal=personal, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def anchor(
    file: Annotated[Path, typer.Argument(help="Where to; best where the database's owner cannot write.")],
    *,
    key: AnchorKeyOption = "",
    config: ConfigOption = CONFIG_FILE,
    as_json: JsonOption = False,
) -> None:
    """Sign the present heads of all companies into a file, so that later rewriting or truncation shows.

    Example: COUNTERFOIL_ANCHOR_KEY=... counterfoil log anchor /mnt/elsewhere/anchor.json
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.log_proof import anchor_log

        return await anchor_log(settings, file, key=key, as_json=as_json)

    run(work, config=config, as_json=as_json)
