"""Every command teaches: what it does, an example, output for programs; help answers without loading the rest."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from counterfoil.cli.app import make_app
from support.cli import command_names, run_cli
from support.processes import python_environment

COMMANDS = command_names(typer.main.get_command(make_app()))


def test_there_are_commands() -> None:
    assert {"sync", "serve", "demo", "explain", "log verify", "emulator"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command: str) -> None:
    shown = CliRunner().invoke(make_app(), [*command.split(), "--help"], prog_name="counterfoil")

    assert shown.exit_code == 0
    words = " ".join(shown.output.split())
    assert "Example:" in words
    assert f"counterfoil {command}" in words.partition("Example:")[2]
    assert "--json" in words


def test_the_whole_says_what_exit_codes_mean(tmp_path: Path) -> None:
    shown = run_cli("--help", cwd=tmp_path)

    assert shown.code == 0
    words = " ".join(shown.out.split())
    for code in ("0 all is well", "1 something", "2 the command line", "3 Postgres", "4 damage", "70 an error"):
        assert code in words
    assert run_cli(cwd=tmp_path).code == 2


def test_help_loads_nothing_that_takes_long() -> None:
    code = (
        "import sys; from counterfoil.cli.app import make_app; make_app(); "
        "print([name for name in ('asyncpg', 'aiohttp', 'pydantic', 'opentelemetry', 'cryptography') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=python_environment(), capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == "[]"


def test_version(tmp_path: Path) -> None:
    assert run_cli("version", "--json", cwd=tmp_path).json()["version"].count(".") == 2


def test_the_adapters_are_listed(tmp_path: Path) -> None:
    names = [one["name"] for one in run_cli("adapters", "list", "--json", cwd=tmp_path).json()["adapters"]]
    assert names == ["bamboohr", "csv", "gusto", "hubspot", "pipedrive", "salesforce"]
