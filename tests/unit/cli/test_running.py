"""What reaches a user of an error: one sentence, an exit code, and for our own faults a report in a file."""

import json
import logging
import stat
from pathlib import Path

import asyncpg
import pytest
import typer

from counterfoil.cli.exits import code_of
from counterfoil.cli.running import guarded, home_of, quiet_logging, wants_json
from counterfoil.errors import ConfigurationError, CounterfoilError
from counterfoil.log import AnchorBrokenError, AnchorError, LogCorruptError, LogUnavailableError
from counterfoil.postgres import PostgresUnreachableError
from counterfoil.sources import SourceError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConfigurationError("x"), 2),
        (CounterfoilError("x"), 2),
        (PostgresUnreachableError("x"), 3),
        (LogUnavailableError("x"), 3),
        (SourceError("x"), 3),
        (ConnectionRefusedError("x"), 3),
        (asyncpg.ConnectionDoesNotExistError("x"), 3),
        (asyncpg.AdminShutdownError("x"), 3),
        (LogCorruptError("x"), 4),
        (AnchorBrokenError("x"), 4),
        (AnchorError("x"), 2),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("x"), None),
        (asyncpg.UndefinedColumnError("x"), None),
    ],
)
def test_each_error_has_its_exit_code(error: BaseException, expected: int | None) -> None:
    assert expected == code_of(error)


def raising(error: BaseException) -> int:
    raise error


def test_an_expected_error_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = guarded(lambda: raising(ConfigurationError("This is wrong.", remedy="Mend it.")), home=tmp_path)

    assert code == 2
    assert capsys.readouterr().err == "This is wrong. Mend it.\n"
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_a_group_is_told_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("more", [ConfigurationError("This is wrong.")])])

    assert guarded(lambda: raising(group), home=tmp_path) == 2
    assert capsys.readouterr().err == "This is wrong.\n"


def test_an_unexpected_error_leaves_a_report_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = guarded(lambda: raising(ZeroDivisionError("the cause")), home=tmp_path / "home")

    shown = capsys.readouterr()
    assert code == 70
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    report = next((tmp_path / "home").glob("crash-*.txt"))
    assert str(report) in shown.err
    assert "ZeroDivisionError: the cause" in report.read_text(encoding="utf-8")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_programs_read_the_same_error_as_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigurationError("This “is” wrong.", remedy="Mend it.")

    assert guarded(lambda: raising(error), home=tmp_path, as_json=True) == 2

    shown = capsys.readouterr()
    assert shown.err == "This “is” wrong. Mend it.\n"
    assert shown.out.endswith("\n")
    assert json.loads(shown.out) == {"error": {"message": "This “is” wrong.", "remedy": "Mend it."}, "exit": 2}


@pytest.mark.parametrize("error", [ZeroDivisionError("the cause"), KeyboardInterrupt(), ConnectionRefusedError("no")])
def test_programs_read_of_every_error(error: BaseException, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = guarded(lambda: raising(error), home=tmp_path, as_json=True)

    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert told["exit"] == code
    assert told["error"]["message"] == shown.err.rstrip("\n")
    assert "the cause" not in shown.out


@pytest.mark.parametrize(
    ("line", "expected"),
    [("sync --json", True), ("--json sync", True), ("sync", False), ("explain -- --json", False), ("", False)],
)
def test_json_is_asked_for_by_a_word_before_the_bare_dashes(line: str, expected: bool) -> None:
    assert wants_json(line.split()) is expected


def test_leaving_on_purpose_is_no_error(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit):
        guarded(lambda: raising(typer.Exit(3)), home=tmp_path)


def test_a_log_record_with_an_error_takes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        quiet_logging()
        try:
            raising(ValueError("the cause"))
        except ValueError:
            logging.getLogger("asyncio").exception("Task exception was never retrieved\nfuture: <Task>")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

    assert capsys.readouterr().err == "Task exception was never retrieved (ValueError: the cause)\n"


def test_the_home_folder_is_found_even_where_the_rest_is_wrong(tmp_path: Path) -> None:
    config = tmp_path / "counterfoil.toml"
    config.write_text("home = 'data'\nnonsense = 1\n")
    assert tmp_path / "data" == home_of(config)
    config.write_text("home = [")
    assert tmp_path / ".counterfoil" == home_of(config)
    assert tmp_path / ".counterfoil" == home_of(tmp_path / "missing.toml")
