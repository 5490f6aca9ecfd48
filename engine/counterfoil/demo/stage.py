"""Everything that the demo needs around the engine: emulators loaded with the sample, the folder, the log."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from counterfoil.cli.opening import Opened, open_state
from counterfoil.demo.control import Control, text_of
from counterfoil.demo.home import COMPANY, free_port, write_home
from counterfoil.demo.loading import books_preparation, gusto_load, hubspot_load
from counterfoil.demo.people import People
from counterfoil.demo.processes import Child, launch, launched
from counterfoil.demo.sample import Sample
from counterfoil.settings import CONFIG_FILE
from counterfoil_schema.exact_json import JsonObject

NAMES = ("quickbooks", "hubspot", "gusto")


@dataclass(slots=True)
class Stage:
    """The scene.

    Attributes:
        engine: the engine's process, while there is one.
    """

    home: Path
    port: int
    quickbooks: Control
    hubspot: Control
    gusto: Control
    people: People
    opened: Opened
    engine: Child | None = None
    starts: int = 0

    async def start_engine(self) -> None:
        """Start it, and wait until it takes webhooks."""
        self.starts += 1
        arguments = ["serve", "--config", str(self.home / CONFIG_FILE), "--port", str(self.port), "--json"]
        self.engine = await launch("engine" if self.starts == 1 else f"engine-{self.starts}", arguments, self.home)
        await self.engine.ready()

    async def kill_engine(self) -> None:
        """SIGKILL."""
        if self.engine is not None:
            await self.engine.kill()

    async def stop_engine(self) -> None:
        """Let it end in order."""
        if self.engine is not None:
            await self.engine.stop()


@asynccontextmanager
async def set_up(home: Path, sample: Sample, *, seed: int, limits: bool) -> AsyncGenerator[Stage]:
    """The scene for the length of a block; whatever was started is ended, in whatever way the block ends.

    Raises:
        DemoError: something does not start.
    """
    port = free_port()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        ready = await asyncio.gather(*(_emulator(stack, name, home, port, seed=seed, limits=limits) for name in NAMES))
        connections: dict[str, JsonObject] = dict(zip(NAMES, ready, strict=True))
        quickbooks, hubspot, gusto = (
            Control(http, text_of(one, "control_url"), name) for name, one in connections.items()
        )
        people = People(hubspot, quickbooks, sample)
        await quickbooks.post("/preferences", {"SalesFormsPrefs": {"CustomTxnNumbers": True}})
        await people.prepare(books_preparation(sample))
        await hubspot.post("/load", hubspot_load(sample))
        await gusto.post("/load", gusto_load(sample))
        settings = await asyncio.to_thread(write_home, home, connections, limits=limits)
        opened = await stack.enter_async_context(open_state(settings))
        stage = Stage(home, port, quickbooks, hubspot, gusto, people, opened)
        stack.push_async_callback(stage.stop_engine)
        yield stage


async def _emulator(stack: AsyncExitStack, name: str, home: Path, port: int, *, seed: int, limits: bool) -> JsonObject:
    path = "quickbooks" if name == "quickbooks" else f"sources/{COMPANY}/{name}"
    arguments = ["emulator", name, "--port", "0", "--json", "--seed", str(seed)]
    arguments += ["--limits", "on" if limits else "off"]
    arguments += ["--webhook-url", f"http://127.0.0.1:{port}/webhooks/{path}"]
    return await stack.enter_async_context(launched(name, arguments, home))
