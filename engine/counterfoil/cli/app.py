"""The application: every command by name, and the entry point."""

import sys

import typer

from counterfoil.cli import (
    adapter_commands,
    books_commands,
    check_commands,
    connection_commands,
    deadletter_commands,
    loadtest_commands,
    log_commands,
    mapping_commands,
    onboard_commands,
    operator_commands,
    privacy_commands,
    reconcile_commands,
    recover_commands,
    restore_commands,
    rollback_commands,
    setup_commands,
    shadow_commands,
    work_commands,
)
from counterfoil.cli.exits import EXPLAINED
from counterfoil.cli.running import run_application

OVERVIEW = f"""\
Keeps CRM and HR systems in step with QuickBooks through an append-only event log: each change is recorded before
anything else happens, reaches the books exactly once, and can be explained afterwards.

Begin with `counterfoil demo`, which needs nothing, or with `counterfoil init` in an empty folder. Each command has
its own --help with an example.

{EXPLAINED}"""


def make_app() -> typer.Typer:
    """The application with all its commands."""
    app = typer.Typer(
        name="counterfoil",
        help=OVERVIEW,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for group in (
        work_commands,
        connection_commands,
        operator_commands,
        rollback_commands,
        books_commands,
        check_commands,
        loadtest_commands,
        adapter_commands,
        mapping_commands,
        onboard_commands,
        privacy_commands,
        reconcile_commands,
        shadow_commands,
        restore_commands,
        recover_commands,
        setup_commands,
    ):
        group.register(app)
    app.add_typer(deadletter_commands.make_app(), name="deadletters")
    app.add_typer(log_commands.make_app(), name="log")
    return app


def main() -> None:
    """Entry point of `counterfoil`."""
    sys.exit(run_application(make_app(), sys.argv[1:]))
