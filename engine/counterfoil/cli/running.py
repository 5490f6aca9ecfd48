"""Runs a command: what it raises becomes a sentence and an exit code; what nobody expected, a report in a file.

The sentence goes to standard error. With --json the error stands on standard output as well, as the last line.
"""

import asyncio
import itertools
import logging
import os
import select
import sys
import tempfile
import tomllib
import traceback
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, runtime_checkable

import typer

from counterfoil.cli.exits import ExitCode, code_of, first_of, said
from counterfoil.clock import SystemEntropy

if TYPE_CHECKING:
    from counterfoil.settings import Settings

_REPORT_RIGHTS = 0o600
Work = Callable[["Settings"], Coroutine[Any, Any, int]]


@runtime_checkable
class _Misused(Protocol):
    """What typer raises for a command line that it cannot read."""

    exit_code: int

    def show(self) -> None: ...

    def format_message(self) -> str: ...


def run(work: Work, *, config: Path, as_json: bool, company: int | None = None) -> NoReturn:
    """Load the settings, run the command with them, and leave with its exit code."""

    async def begin() -> int:
        from counterfoil.settings import load_settings

        settings = await asyncio.to_thread(load_settings, config)
        return await work(_only(settings, company))

    run_without_settings(begin, as_json=as_json, home=home_of(config))


def run_without_settings(
    begin: Callable[[], Coroutine[Any, Any, int]], *, as_json: bool, home: Path | None = None
) -> NoReturn:
    """Run a command that needs no settings, and leave with its exit code."""
    quiet_logging()
    raise typer.Exit(guarded(lambda: asyncio.run(begin()), home=home, as_json=as_json))


def run_application(app: typer.Typer, arguments: Sequence[str], name: str | None = None) -> int:
    """Run the command that a command line names; its exit code."""
    given = list(arguments)

    def work() -> int:
        ended = app(given, prog_name=name, standalone_mode=False)
        return ended if isinstance(ended, int) else ExitCode.OK

    return guarded(work, as_json=wants_json(given))


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line, understood or not, asks for JSON."""
    return "--json" in itertools.takewhile(lambda one: one != "--", arguments)


def guarded(work: Callable[[], int], *, home: Path | None = None, as_json: bool = False) -> int:
    """The exit code of some work; whatever it raises is told, never shown as a traceback."""
    try:
        return int(work())
    except (typer.Exit, typer.Abort):
        raise
    except (Exception, KeyboardInterrupt, asyncio.CancelledError) as raised:
        if isinstance(first_of(raised), BrokenPipeError) and _nobody_reads():
            return ExitCode.INTERRUPTED
        code, message, remedy = _told(raised, home or Path(".counterfoil"))
        if as_json:
            from counterfoil.cli.output import write_error

            write_error(message, remedy, code)
        return code


def _nobody_reads() -> bool:
    """Whether the reader of standard output has left, as `| head` does; what is left to print is then dropped."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return False
    looking = select.poll()
    looking.register(number, select.POLLOUT)
    if not any(seen & (select.POLLERR | select.POLLHUP) for _, seen in looking.poll(0)):
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    return True


def _told(raised: BaseException, home: Path) -> tuple[int, str, str]:
    """Exit code, message and remedy of an error, which is thereby told on standard error."""
    from counterfoil.errors import CounterfoilError

    error = first_of(raised)
    if isinstance(error, _Misused):
        error.show()
        return ExitCode.USAGE, error.format_message(), "Look at its --help, which shows an example."
    code = code_of(error)
    sentence = said(error) if code is not None else report_crash(raised, home)
    sys.stderr.write(sentence + "\n")
    if isinstance(error, CounterfoilError) and code is not None:
        return code, error.message, error.remedy
    return (ExitCode.BUG if code is None else code), sentence, ""


def report_crash(error: BaseException, home: Path) -> str:
    """Keep the traceback in a file of the home folder; the sentence that names it."""
    identity = SystemEntropy().token_bytes(4).hex()
    text = "".join(traceback.format_exception(error))
    for folder in (home, Path(tempfile.gettempdir())):
        path = folder / f"crash-{identity}.txt"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _REPORT_RIGHTS)
        except OSError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        return (
            f"Something went wrong inside Counterfoil (error {identity}, {type(first_of(error)).__name__}). "
            f"What was recorded is safe. Please report it with {path}."
        )
    return f"Something went wrong inside Counterfoil (error {identity}), and no report could be written."


def home_of(config: Path) -> Path:
    """The home folder that a configuration names, as far as it can be read."""
    try:
        home = tomllib.loads(config.read_text(encoding="utf-8")).get("home")
    except (OSError, ValueError):
        home = None
    return config.absolute().parent / (home if isinstance(home, str) else ".counterfoil")


class _OneLine(logging.Formatter):
    """A record in one line; what it carries of an error is named, not traced."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        shown = record.getMessage().partition("\n")[0]
        return f"{shown} ({type(error).__name__}: {error})" if error is not None else shown


def quiet_logging(level: int = logging.WARNING) -> None:
    """What the libraries have to say goes to standard error, a line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _only(settings: "Settings", company: int | None) -> "Settings":
    """The settings with one company, or all of them."""
    from counterfoil.errors import ConfigurationError

    if company is None:
        return settings
    chosen = tuple(one for one in settings.companies if one.company == company)
    if not chosen:
        known = ", ".join(str(one.company) for one in settings.companies) or "none"
        raise ConfigurationError(
            f"Company {company} is not configured; configured are: {known}.", remedy="Correct the number."
        )
    return settings.model_copy(update={"companies": chosen})
