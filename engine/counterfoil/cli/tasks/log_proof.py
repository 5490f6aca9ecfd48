"""`counterfoil log verify`, `log export` and `log anchor`."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import BinaryIO

from pydantic import SecretStr
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import console, tell, write_json
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.errors import ConfigurationError
from counterfoil.log import AnchorKey, Fault, compare_anchor, read_anchor, write_anchor
from counterfoil.log import export as write_export
from counterfoil.log import verify as verify_chain
from counterfoil.settings import Settings

ANCHOR_KEY = "COUNTERFOIL_ANCHOR_KEY"


async def verify_log(settings: Settings, *, company: int | None, anchor: Path | None, key: str, as_json: bool) -> int:
    """Verify all companies that have a log, or one; 4 if anything is not as it was written."""
    signed = await read_anchor(existing(anchor), anchor_key(settings, key)) if anchor is not None else None
    async with open_state(settings) as opened:
        numbers = [company] if company is not None else await opened.audit.companies()
        heads = await opened.reader.heads(numbers)
        with progress_bars(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), hidden=as_json
        ) as bars:
            tasks = {
                number: bars.add_task(f"company {number}", total=heads[number].position if number in heads else None)
                for number in numbers
            }
            report = await verify_chain(
                opened.reader,
                opened.audit,
                numbers,
                progress=lambda number, position: bars.update(tasks[number], completed=position),
            )
        anchored: tuple[Fault, ...] = await compare_anchor(opened.reader, signed) if signed is not None else ()
        faults = (*report.faults, *anchored)
        for number in sorted({*numbers, *(fault.company for fault in faults)}):
            position = heads[number].position if number in heads else 0
            found = [fault for fault in faults if fault.company == number]
            covered = signed is not None and number in signed.heads
            await opened.standing.record(number, position, found, against_anchor=covered)
    if as_json:
        write_json({"companies": report.companies, "events": report.events, "faults": faults, "intact": not faults})
    else:
        for fault in faults:
            console().print(Text(str(fault), style="red"), soft_wrap=True)
        against = f", and fit the anchor of {signed.at:%Y-%m-%d %H:%M:%S}Z" if signed is not None else ""
        said = f"{report.events:,} events of {_companies(report.companies)}"
        console().print(
            Text(
                f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'} in {said}."
                if faults
                else f"{said} are as they were written{against}."
            )
        )
    return ExitCode.DAMAGE if faults else ExitCode.OK


async def export_log(settings: Settings, *, to: Path | None, after: int, personal: bool, as_json: bool) -> int:
    """Write one company's log to a file or to standard output."""
    if len(settings.companies) != 1:
        raise ConfigurationError("One company's log is exported at a time.", remedy="Say which one with --company.")
    company = settings.companies[0].company
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_state(settings))
        write = _writer(stack, to)
        unseal = opened.codec if personal else None
        report = await write_export(opened.reader, company, write, after=after, unseal=unseal)
    if as_json and to is not None:
        write_json(report)
    else:
        tell(f"{report.events:,} events up to {report.last_position:,}; SHA-256 {report.checksum}.")
    return ExitCode.OK


def _writer(stack: AsyncExitStack, to: Path | None) -> Callable[[bytes], Awaitable[None]]:
    file: BinaryIO = sys.stdout.buffer
    if to is not None:
        try:
            file = stack.enter_context(to.open("wb"))
        except OSError as problem:
            raise ConfigurationError(
                f"{to} cannot be written: {problem.strerror}.", remedy="Name another file."
            ) from None

    async def write(lines: bytes) -> None:
        try:
            await asyncio.to_thread(file.write, lines)
            await asyncio.to_thread(file.flush)
        except OSError as problem:
            if to is None:
                raise
            raise ConfigurationError(
                f"{to} could not be written to its end: {problem.strerror}.",
                remedy="What it holds is not the whole log; make room, or name another file, and begin anew.",
            ) from None

    return write


async def anchor_log(settings: Settings, file: Path, *, key: str, as_json: bool) -> int:
    """Sign the present heads into a file."""
    async with open_state(settings) as opened:
        anchor = await write_anchor(opened.reader, file, anchor_key(settings, key), opened.clock)
    if as_json:
        write_json({"file": file, "at": anchor.at, "companies": len(anchor.heads)})
    else:
        console().print(Text(f"The log of {_companies(len(anchor.heads))} is anchored in {file}."), soft_wrap=True)
    return ExitCode.OK


def existing(path: Path) -> Path:
    """The path of an anchor that is there.

    Raises:
        ConfigurationError: it is not.
    """
    if not path.is_file():
        raise ConfigurationError(f"There is no anchor {path}.", remedy="`counterfoil log anchor` writes one.")
    return path


def _companies(number: int) -> str:
    return "1 company" if number == 1 else f"{number:,} companies"


def anchor_key(settings: Settings, given: str) -> AnchorKey:
    """The key from `env:NAME`, `file:PATH`, or as it stands (from the environment); else the configuration's.

    Raises:
        ConfigurationError, AnchorError: there is none, or it is none.
    """
    if not given and settings.anchor is not None:
        return AnchorKey(settings.anchor.key)
    if given.startswith("env:"):
        given = os.environ.get(given.removeprefix("env:"), "")
    elif given.startswith("file:"):
        path = Path(given.removeprefix("file:"))
        try:
            given = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"The key file {path} cannot be read.", remedy="Correct --key.") from None
    if not given.strip():
        raise ConfigurationError(
            "Anchors are signed, and no key was given.",
            remedy=f"Set {ANCHOR_KEY} to 32 bytes in base64, or give --key file:PATH; keep it away from the database.",
        )
    return AnchorKey(SecretStr(given))
