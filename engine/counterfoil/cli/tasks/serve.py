"""`counterfoil serve`: keeps the companies in step until told to stop."""

import asyncio
import signal
import sys

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import tell, write_json
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.http.server import WEBHOOKS, serving
from counterfoil.settings import Settings

_STOPPING = (signal.SIGTERM, signal.SIGINT)


async def serve(settings: Settings, *, host: str, port: int, as_json: bool) -> int:
    """Run engine and web server until SIGTERM or SIGINT; what is under way then ends first."""
    if not settings.companies:
        raise ConfigurationError(
            "No company is configured.", remedy="Add a [company.1] to the configuration (`counterfoil init` shows one)."
        )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)
    try:
        async with Engine(settings) as engine:
            for warning in engine.warnings:
                tell(warning)
            async with serving(engine, host, port) as url:
                engine.start()
                _announce(settings, url, as_json=as_json)
                await _until(stop, engine)
                await engine.stop()
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
    return ExitCode.OK


async def _until(stop: asyncio.Event, engine: Engine) -> None:
    """Until told to stop, or until the work ends by an error, which is raised."""
    tasks: set[asyncio.Task[object]] = {
        asyncio.create_task(stop.wait(), name="stop"),
        asyncio.create_task(engine.wait(), name="work"),
    }
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()


def _announce(settings: Settings, url: str, *, as_json: bool) -> None:
    companies = [one.company for one in settings.companies]
    if as_json:
        write_json({"url": url, "webhooks": f"{url}{WEBHOOKS}", "companies": companies})
        return
    names = ", ".join(one.name for one in settings.companies) or "no company"
    sys.stdout.write(f"Counterfoil keeps {names} in step; webhooks at {url}{WEBHOOKS}; stop it with Ctrl-C.\n")
    sys.stdout.flush()
