"""A Pipedrive company to test with: `counterfoil emulator pipedrive`, or `async with PipedriveEmulator()`."""

from collections.abc import Sequence

from counterfoil.emulating import options_from, serve_until_stopped
from counterfoil.emulating.command import parser_of
from counterfoil_adapters.pipedrive.emulator.limits import BURST, DAILY
from counterfoil_adapters.pipedrive.emulator.server import PipedriveEmulator

__all__ = ["PipedriveEmulator", "serve"]


async def serve(argv: Sequence[str]) -> int:
    """Run the emulator until SIGTERM or SIGINT; the exit code."""
    parser = parser_of("pipedrive", "A Pipedrive company to test with.")
    parser.add_argument("--burst", type=int, default=BURST, help="requests in any two seconds for each token")
    parser.add_argument("--daily-tokens", type=int, default=DAILY, help="the company's budget for a day")
    try:
        given = parser.parse_args(list(argv))
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 0
    options = options_from(given)

    def opened() -> PipedriveEmulator:
        return PipedriveEmulator(options, burst=given.burst, daily=given.daily_tokens)

    return await serve_until_stopped(opened, "Pipedrive", options.port, as_json=given.json)
