"""`counterfoil demo`: a company's CRM and payroll arrive in QuickBooks, whatever goes wrong on the way."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli.exits import ExitCode
from counterfoil.clock import SystemClock
from counterfoil.demo.collect import collect
from counterfoil.demo.findings import Findings, find
from counterfoil.demo.processes import finished
from counterfoil.demo.progress import Show
from counterfoil.demo.report import console_for, print_report
from counterfoil.demo.report_json import as_json
from counterfoil.demo.run import Director, Script, make_script
from counterfoil.demo.stage import set_up
from counterfoil.errors import ConfigurationError
from counterfoil.settings import CONFIG_FILE
from counterfoil_schema import exact_json


def demo(
    *,
    json_output: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    seed: Annotated[int, typer.Option(help="Decides the sample company and everything that happens to it.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Keep log, configuration and output in this folder (new or empty).")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="A small company, without Intuit's limits: half a minute.")
    ] = False,
) -> int:
    """Show a sample company's HubSpot and Gusto arriving in QuickBooks, to the cent.

    Everything runs on this machine: Postgres, emulators of the three services, and the engine at Intuit's real
    limits. Answers are lost, calls are refused, the engine is killed, and people change things on both sides. Ends
    with a report, and with 0 only if everything ties out. Takes three to four minutes.

    Example: counterfoil demo --seed 7 --keep my-demo
    """
    try:
        code = asyncio.run(_demo(json_output=json_output, seed=seed, keep=keep, fast=fast))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("Stopped; everything that the demo had started has ended.\n")
        code = ExitCode.INTERRUPTED
    if code:
        raise typer.Exit(code)
    return code


async def _demo(*, json_output: bool, seed: int, keep: Path | None, fast: bool) -> int:
    script = make_script(seed, fast=fast)
    with ending_in_order(), _folder(keep) as home:
        findings, chain = await play(script, home, explain=keep is None)
        if json_output:
            text = exact_json.dumps(as_json(findings, seed=seed, home="" if keep is None else str(home))).decode()
            sys.stdout.write(text + "\n")
        else:
            print_report(findings, console_for())
            _print_how_to_go_on(script, home if keep is not None else None, chain)
        return findings.exit_code


async def play(script: Script, home: Path, *, explain: bool) -> tuple[Findings, str]:
    """Play a script in a folder; the findings, and one document's chain if asked for.

    Raises:
        DemoError: something could not be started.
    """
    clock = SystemClock()
    with Show(clock, script.whole) as show:
        show.say("Postgres, and emulators of QuickBooks, HubSpot and Gusto with a sample company.")
        async with set_up(home, script.sample, seed=script.seed, limits=not script.fast) as stage:
            director = Director(stage, script, show, clock)
            await director.play()
            show.say("Nothing moves any more. Reading books, sources and log, and comparing.")
            findings = find(await collect(stage, script, director.course, director.tally))
            chain = ""
            if explain:
                arguments = ["explain", _sample_number(script), "--config", str(home / CONFIG_FILE)]
                _, chain = await finished("explain", arguments, home)
    return findings, chain


def _sample_number(script: Script) -> str:
    """The number of the invoice that a bookkeeper added a line to: its chain has something of everything."""
    return next(one.number for one in script.expected.invoices.values() if one.added)


def _print_how_to_go_on(script: Script, home: Path | None, chain: str) -> None:
    out = sys.stdout
    if home is not None:
        out.write("\nLook into it:\n")
        out.write(f"  counterfoil explain {_sample_number(script)} --config {home / CONFIG_FILE}\n")
        out.write(f"  counterfoil parked --config {home / CONFIG_FILE}\n")
        out.write(f"  counterfoil log tail --config {home / CONFIG_FILE}\n")
        return
    out.write(f"\nWhy invoice number {_sample_number(script)} is as it is (`counterfoil explain`):\n\n{chain}\n")
    out.write("\nRun it again with --keep FOLDER to look into log and state yourself.\n")


@contextmanager
def _folder(keep: Path | None) -> Generator[Path]:
    """The folder asked for, or one that goes away again."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="counterfoil-demo-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    home = keep.resolve()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise ConfigurationError(f"{keep} is there already, and not empty.", remedy="Name a new folder with --keep.")
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigurationError(
            f"{keep} cannot be made: {problem.strerror}.", remedy="Name a folder that can be written with --keep."
        ) from None
    yield home


@contextmanager
def ending_in_order() -> Generator[None]:
    """SIGTERM ends the task as Ctrl-C does: what was started is ended too."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
