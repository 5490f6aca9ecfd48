"""The demo's processes: each in a group of its own, output to files, ended by id."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from counterfoil.demo.errors import DemoError
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

PROGRAM = (sys.executable, "-c", "from counterfoil.cli import main; main()")
"""Our own command line, under the Python that runs this."""

READY_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 30.0
_LOOK_SECONDS = 0.05


class Child:
    """One process that says with a line of JSON when it is ready."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, out: Path, errors: Path) -> None:
        self.name = name
        self._process = process
        self._out = out
        self._errors = errors

    async def ready(self) -> JsonObject:
        """Its first line.

        Raises:
            DemoError: it ended, or said nothing in time.
        """
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                while True:
                    text = await asyncio.to_thread(self._out.read_text, encoding="utf-8")
                    line, newline, _ = text.partition("\n")
                    if newline:
                        return exact_json.loads_object(line)
                    if self._process.returncode is not None:
                        break
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            pass
        said = (await asyncio.to_thread(self._errors.read_text, encoding="utf-8", errors="replace")).strip()
        raise DemoError(
            f"The process “{self.name}” did not get ready: {said[-500:] or 'it said nothing'}",
            remedy=f"Its output is in {self._errors.parent}.",
        )

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await self._process.wait()

    async def said(self) -> str:
        """What it printed."""
        texts = [await asyncio.to_thread(path.read_text, encoding="utf-8") for path in (self._out, self._errors)]
        return "\n".join(text.strip() for text in texts if text.strip())

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def kill(self) -> None:
        """End it at once, as a power failure would."""
        self._signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end; kill it if it does not."""
        if self._process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    def _signal(self, number: signal.Signals) -> None:
        # The process leads a group of its own, so that what it started ends with it.
        if self._process.returncode is None:
            os.killpg(self._process.pid, number)


async def launch(name: str, arguments: Sequence[str], folder: Path) -> Child:
    """Start our own command line with these arguments.

    Nothing of ours in the environment reaches it: `COUNTERFOIL_DSN` would lead it to a deployment's own database.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERFOIL_")}
    out, errors = folder / f"{name}.out", folder / f"{name}.log"
    with out.open("wb") as stdout, errors.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    return Child(name, process, out, errors)


@asynccontextmanager
async def launched(name: str, arguments: Sequence[str], folder: Path) -> AsyncGenerator[JsonObject]:
    """A process for the length of a block; gives its first line."""
    child = await launch(name, arguments, folder)
    try:
        yield await child.ready()
    finally:
        await child.stop()


async def finished(name: str, arguments: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run our own command line to its end; exit code and what it printed."""
    child = await launch(name, arguments, folder)
    try:
        code = await child.wait()
    finally:
        await child.stop()
    return code, await child.said()
