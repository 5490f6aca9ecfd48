"""`counterfoil demo`, where the package has it."""

import importlib
import inspect
import sys
from collections.abc import Sequence

import typer

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.running import quiet_logging, run_application

_MODULE = "counterfoil.demo.command"


def demonstrate(arguments: Sequence[str]) -> int:
    """Run the demonstration with its own arguments; its exit code."""
    try:
        module = importlib.import_module(_MODULE)
    except ModuleNotFoundError as missing:
        if missing.name is None or not _MODULE.startswith(missing.name):
            raise
        sys.stderr.write("This release has no demonstration.\n")
        return ExitCode.USAGE
    quiet_logging()
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name="demo", help=inspect.getdoc(module.demo))(module.demo)
    return run_application(app, arguments, "counterfoil demo")
