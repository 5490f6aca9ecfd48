"""`counterfoil emulator gusto`: the emulator as a process of its own."""

from collections.abc import Sequence
from dataclasses import asdict

from counterfoil.emulating.command import options_from, parser_of, serve_until_stopped
from counterfoil_adapters.gusto.emulator.server import EmulatorOptions, GustoEmulator

PAUSE_SECONDS = 1.0


async def serve(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; 1 where the port is taken."""
    given = parser_of("gusto", "Gusto's API, emulated.").parse_args(list(argv))
    options = EmulatorOptions(**{**asdict(options_from(given)), "webhook_pause_seconds": PAUSE_SECONDS})
    return await serve_until_stopped(lambda: GustoEmulator(options), "Gusto", options.port, as_json=given.json)
