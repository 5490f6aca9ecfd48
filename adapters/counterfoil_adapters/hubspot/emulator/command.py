"""`counterfoil emulator hubspot`: serves until told to stop."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from counterfoil.emulating.command import options_from, parser_of, serve_until_stopped
from counterfoil_adapters.hubspot.emulator.server import EmulatorOptions, HubSpotEmulator


async def serve(argv: Sequence[str]) -> int:
    """Run the emulator until SIGTERM or SIGINT; the exit code.

    The first line on standard output says where it listens and with which secrets, with `--json` as one object.
    """
    arguments = _parser().parse_args(argv)
    options = EmulatorOptions(**asdict(options_from(arguments)), classic_webhooks=arguments.webhook_form == "classic")
    return await serve_until_stopped(lambda: HubSpotEmulator(options), "HubSpot", options.port, as_json=arguments.json)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("hubspot", "A HubSpot account to test with.")
    parser.add_argument("--webhook-form", choices=("object", "classic"), default="object", help="names of the events")
    return parser
