"""`sync`, `serve`, `status`, `emulator`, `demo`: what does the work."""

from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, CompanyOption, ConfigOption, JsonOption
from counterfoil.cli.running import run, run_without_settings, wants_json

if TYPE_CHECKING:
    from counterfoil.settings import Settings

_PASSED_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sync)
    app.command()(serve)
    app.command()(status)
    app.command(context_settings=_PASSED_ON)(emulator)
    app.command(context_settings={**_PASSED_ON, "help_option_names": []})(demo)


def sync(
    *,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read the sources from the start; what is known is not recorded twice.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Leave with 1 if anything is parked.")] = False,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="Stop after that long, finished or not.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring every company up to date once, and report.

    Reads all sources and the books, decides every change, sends what is to be sent, and ends when nothing is left
    that would move by itself. A second run changes nothing and makes no writing call.

    Example: counterfoil sync --company 1 --strict
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.sync import SyncOptions
        from counterfoil.cli.tasks.sync import sync as begin

        options = SyncOptions(full=full, strict=strict, timeout_seconds=timeout, as_json=as_json)
        return await begin(settings, options)

    run(work, config=config, company=company, as_json=as_json)


def serve(
    *,
    config: ConfigOption = CONFIG_FILE,
    company: CompanyOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on for webhooks.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8484,
    as_json: JsonOption = False,
) -> None:
    """Keep every company in step until stopped (SIGTERM or Ctrl-C).

    Polls the sources, takes webhooks at /webhooks/quickbooks and /webhooks/sources/COMPANY/CONNECTION, and answers
    /health and /ready. Prints one line when it is ready. When stopped it begins nothing new, lets what is under way
    end, and leaves with 0.

    Example: counterfoil serve --port 8484
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.serve import serve as begin

        return await begin(settings, host=host, port=port, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def status(*, config: ConfigOption = CONFIG_FILE, company: CompanyOption = None, as_json: JsonOption = False) -> None:
    """Show how every company stands, without calling anybody.

    The five outcomes of everything observed, how far the log is folded, what counts against Intuit's limits in this
    minute, how old the QuickBooks token is, and what is parked.

    Example: counterfoil status --json
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.status import status as begin

        return await begin(settings, as_json=as_json)

    run(work, config=config, company=company, as_json=as_json)


def emulator(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which one: quickbooks, hubspot, gusto, …")] = None,
    *,
    list_them: Annotated[bool, typer.Option("--list", help="Print the installed emulators.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run an emulator of QuickBooks, or of a source, on this machine.

    Whatever follows the name goes to the emulator; with --json it prints one line of JSON when it is ready, and
    serves until SIGTERM or Ctrl-C.

    Example: counterfoil emulator quickbooks --port 0 --json
    """
    asked = as_json or wants_json(context.args)

    async def work() -> int:
        from counterfoil.cli.tasks.emulator import emulate, list_emulators

        if list_them or name is None:
            return list_emulators(as_json=as_json)
        return await emulate(name, context.args, as_json=asked)

    run_without_settings(work, as_json=asked)


def demo(context: typer.Context) -> None:
    """Watch a sample company arrive in QuickBooks, faults and all.

    Needs no configuration; everything runs on this machine.

    Postgres, emulators with a sample company, live changes, lost answers, throttling and a killed process, and a
    report whether everything ties out. Takes some minutes.

    Example: counterfoil demo --json
    """
    from counterfoil.cli.tasks.demo import demonstrate

    raise typer.Exit(demonstrate(context.args))
