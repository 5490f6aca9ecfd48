"""`connect`, `disconnect`, `keys`: what a deployment's secrets need a person for."""

from typing import TYPE_CHECKING, Annotated

import typer

from counterfoil.cli.options import CONFIG_FILE, ConfigOption, JsonOption
from counterfoil.cli.running import run

if TYPE_CHECKING:
    from counterfoil.settings import Settings

CompanyNumber = Annotated[
    int | None, typer.Option("--company", metavar="NUMBER", help="Which company; needed if several are configured.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    connecting = typer.Typer(help="Connect the books.", no_args_is_help=True, rich_markup_mode=None)
    connecting.command("quickbooks")(connect_quickbooks)
    app.add_typer(connecting, name="connect")
    disconnecting = typer.Typer(help="Disconnect the books.", no_args_is_help=True, rich_markup_mode=None)
    disconnecting.command("quickbooks")(disconnect_quickbooks)
    app.add_typer(disconnecting, name="disconnect")
    keys = typer.Typer(help="The master key.", no_args_is_help=True, rich_markup_mode=None)
    keys.command("rotate")(rotate_keys)
    app.add_typer(keys, name="keys")


def connect_quickbooks(
    *,
    company: CompanyNumber = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where the answer is taken; 0: any.")] = 8790,
    redirect_uri: Annotated[
        str | None,
        typer.Option("--redirect-uri", metavar="URL", help="The registered address, if it is not this computer's."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page, or only print it.")] = True,
    seconds: Annotated[float, typer.Option("--wait", min=1, max=900, help="Seconds to wait for consent.")] = 600.0,
    config: ConfigOption = CONFIG_FILE,
    as_json: JsonOption = False,
) -> None:
    """Connect QuickBooks, for the first time or again.

    Opens Intuit's consent page and takes the answer at http://localhost:PORT/callback, which must be registered with
    the app in Intuit's portal. Where only https is allowed (production), give the registered address as
    --redirect-uri and let it lead to that port.

    Works beside a running `counterfoil serve`, which goes on by itself.

    Example: counterfoil connect quickbooks --company 1
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.connect import Asking, connect

        asking = Asking(port=port, redirect_uri=redirect_uri, browser=browser, seconds=seconds)
        return await connect(settings, company, asking, as_json=as_json)

    run(work, config=config, as_json=as_json)


def disconnect_quickbooks(
    *,
    company: CompanyNumber = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the tokens even if Intuit cannot be reached.")
    ] = False,
    config: ConfigOption = CONFIG_FILE,
    as_json: JsonOption = False,
) -> None:
    """End the connection to QuickBooks and forget its tokens.

    The log, the links and everything queued stay; the books stay as they are.

    Example: counterfoil disconnect quickbooks --company 1
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.connect import disconnect

        return await disconnect(settings, company, forget=forget, as_json=as_json)

    run(work, config=config, as_json=as_json)


def rotate_keys(*, config: ConfigOption = CONFIG_FILE, as_json: JsonOption = False) -> None:
    """Put all keys and tokens under a new master key.

    Safe to interrupt and to repeat; the old key opens what it wrapped until all is done. Restart `counterfoil serve`
    when it asks for that.

    Example: counterfoil keys rotate
    """

    async def work(settings: "Settings") -> int:
        from counterfoil.cli.tasks.keys import rotate

        return await rotate(settings, as_json=as_json)

    run(work, config=config, as_json=as_json)
