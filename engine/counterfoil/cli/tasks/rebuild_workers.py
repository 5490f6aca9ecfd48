"""Rebuilding several companies: one after the other in this process, or side by side in processes of their own.

A worker is this command itself. It reads the number of a company from standard input, rebuilds that company, tells
how far it is and what came of it, a line of JSON each, and reads the next number; it ends with its input, and so with
its parent.
"""

import asyncio
import gc
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.cli.exits import ExitCode, code_of, first_of, said
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import write_json
from counterfoil.recovery import Difference, Rebuilding, RebuildReport
from counterfoil.settings import Settings

LINE_BYTES_MAX = 16 * 1024 * 1024
END_SECONDS_MAX = 10.0
COLLECTED_AFTER = (100_000, 50, 1_000)
Shown = Callable[[int, int, int], None]
"""Told company, events folded, and events in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A company that could not be rebuilt, and with which exit code that is told."""

    company: int
    message: str
    exit: int

    def __str__(self) -> str:
        return f"Company {self.company}: {self.message}"


Outcome = RebuildReport | Failure


async def one_by_one(opened: Opened, companies: Sequence[int], *, check: bool, shown: Shown) -> list[Outcome]:
    """Rebuild companies in this process; one that fails holds up no other."""
    # Tens of thousands of rows stay at hand for long: looking through them all for cycles costs a fifth of the time.
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    work = Rebuilding(pool=opened.pool, names=opened.names, reader=opened.reader, clock=opened.clock)
    return [await _outcome(work, company, check=check, shown=shown) for company in companies]


async def _outcome(work: Rebuilding, company: int, *, check: bool, shown: Shown) -> Outcome:
    def progress(done: int, total: int) -> None:
        shown(company, done, total)

    try:
        return await work.rebuild(company, check=check, progress=progress)
    except Exception as raised:
        error = first_of(raised)
        code = code_of(error)
        if code is None:
            raise
        return Failure(company=company, message=said(error), exit=int(code))


async def in_processes(
    companies: Sequence[int], workers: int, *, config: Path, check: bool, shown: Shown
) -> list[Outcome]:
    """Rebuild companies in so many processes, each taking the next one when it has done with one."""
    waiting = [*reversed(companies)]
    outcomes: dict[int, Outcome] = {}

    async def employ() -> None:
        command = [sys.executable, "-m", "counterfoil.cli", "rebuild", "--worker", "--config", str(config)]
        process = await asyncio.create_subprocess_exec(
            *command, *(["--check"] if check else []), stdin=PIPE, stdout=PIPE, limit=LINE_BYTES_MAX
        )
        try:
            while waiting and process.returncode is None:
                company = waiting.pop()
                outcomes[company] = await _ask(process, company, shown)
        finally:
            await _end(process)

    async with asyncio.TaskGroup() as tasks:
        for number in range(workers):
            tasks.create_task(employ(), name=f"rebuild worker {number}")
    return [outcomes.get(company) or _lost(company) for company in companies]


def _lost(company: int) -> Failure:
    message = "No process was left to rebuild it. Nothing was changed; run the command again."
    return Failure(company=company, message=message, exit=ExitCode.BUG)


async def _ask(process: Process, company: int, shown: Shown) -> Outcome:
    """Have one company rebuilt."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("a worker has pipes")
    with suppress(ConnectionError):
        process.stdin.write(b"%d\n" % company)
        await process.stdin.drain()
    while line := await process.stdout.readline():
        told: Mapping[str, Any] = json.loads(line)
        if "done" in told:
            shown(company, told["done"], told["total"])
        elif "report" in told:
            return _report(told["report"])
        elif "failure" in told:
            return Failure(**told["failure"])
        elif "error" in told:
            return Failure(company=company, message=_words(told["error"]), exit=told["exit"])
    code = await process.wait()
    message = f"The process that rebuilt it ended with {code}. Nothing was changed; run the command again."
    return Failure(company=company, message=message, exit=ExitCode.BUG)


def _words(error: Mapping[str, str]) -> str:
    return f"{error['message']} {error['remedy']}".rstrip()


def _report(told: Mapping[str, Any]) -> RebuildReport:
    differences = tuple(Difference(**{**one, "key": tuple(one["key"])}) for one in told["differences"])
    return RebuildReport(**{**told, "differences": differences})


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(END_SECONDS_MAX):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def work(settings: Settings, *, check: bool) -> int:
    """Be a worker."""

    def shown(company: int, done: int, total: int) -> None:
        write_json({"company": company, "done": done, "total": total})

    async with open_state(settings) as opened:
        while line := await asyncio.to_thread(sys.stdin.readline):
            (outcome,) = await one_by_one(opened, [int(line)], check=check, shown=shown)
            write_json({"failure" if isinstance(outcome, Failure) else "report": outcome})
    return ExitCode.OK
