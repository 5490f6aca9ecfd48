"""`counterfoil emulator gusto`: the emulator as a process of its own."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from counterfoil_adapters.gusto.emulator.server import EmulatorOptions, GustoEmulator
from counterfoil_schema.exact_json import dumps


def options(argv: Sequence[str]) -> tuple[EmulatorOptions, bool]:
    """The command line's options, and whether to say them as JSON."""
    parser = argparse.ArgumentParser(prog="counterfoil emulator gusto", description="Gusto's API, emulated.")
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="ids and tokens follow from it")
    parser.add_argument("--limits", choices=("on", "off"), default="on", help="200 requests a minute, or none")
    parser.add_argument("--webhook-url", default=None, help="deliver webhooks there from the start")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    given = parser.parse_args(list(argv))
    made = EmulatorOptions(port=given.port, seed=given.seed, limits=given.limits == "on", webhook_url=given.webhook_url)
    return made, given.json


async def serve(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; 1 where the port is taken."""
    made, as_json = options(argv)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with GustoEmulator(made) as emulator:
            ready = emulator.ready()
            lines = dumps(ready).decode() if as_json else "\n".join(f"{k}: {v}" for k, v in ready.items())
            sys.stdout.write(lines + "\n")
            sys.stdout.flush()
            await stop.wait()
    except OSError as error:
        sys.stderr.write(f"The Gusto emulator cannot listen on port {made.port}: {error.strerror}.\n")
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0
