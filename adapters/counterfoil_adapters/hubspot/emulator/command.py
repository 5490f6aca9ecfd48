"""`counterfoil emulator hubspot`: serves until told to stop."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from counterfoil_adapters.hubspot.emulator.server import EmulatorOptions, HubSpotEmulator
from counterfoil_schema import exact_json


async def serve(argv: Sequence[str]) -> int:
    """Run the emulator until SIGTERM or SIGINT; the exit code.

    The first line on standard output says where it listens and with which secrets, with `--json` as one object.
    """
    arguments = _parser().parse_args(argv)
    options = EmulatorOptions(
        port=arguments.port,
        seed=arguments.seed,
        limits=arguments.limits == "on",
        webhook_url=arguments.webhook_url,
        classic_webhooks=arguments.webhook_form == "classic",
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with HubSpotEmulator(options) as emulator:
            _print(emulator, as_json=arguments.json)
            await stop.wait()
    except OSError as error:
        sys.stderr.write(f"The HubSpot emulator cannot listen on port {options.port}: {error.strerror}.\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="counterfoil emulator hubspot", description="A HubSpot account to test with.")
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0 takes a free one")
    parser.add_argument("--json", action="store_true", help="announce as one line of JSON")
    parser.add_argument("--seed", type=int, default=1, help="decides every secret and id")
    parser.add_argument("--limits", choices=("on", "off"), default="on", help="enforce HubSpot's rate limits")
    parser.add_argument("--webhook-url", default=None, help="where webhooks go from the start")
    parser.add_argument("--webhook-form", choices=("object", "classic"), default="object", help="names of the events")
    return parser


def _print(emulator: HubSpotEmulator, *, as_json: bool) -> None:
    announcement = emulator.announcement()
    if as_json:
        sys.stdout.write(exact_json.dumps(announcement).decode() + "\n")
    else:
        for name, value in announcement.items():
            sys.stdout.write(f"{name:14} {value}\n")
    sys.stdout.flush()
