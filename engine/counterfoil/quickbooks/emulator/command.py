"""`counterfoil emulator quickbooks`: the emulator as a process."""

import asyncio
import signal
import sys
from collections.abc import Sequence

from counterfoil.quickbooks.emulator.options import options_from
from counterfoil.quickbooks.emulator.server import QuickBooksEmulator
from counterfoil_schema.exact_json import JsonObject, dumps

PORT_TAKEN = 2


async def serve(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        argv: the arguments after `quickbooks`.

    Returns:
        0 after a clean stop, 2 if it could not listen.
    """
    try:
        options, as_json = options_from(argv)
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 0
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with QuickBooksEmulator(options) as emulator:
            line = emulator.ready_line()
            sys.stdout.write((dumps(line).decode() if as_json else _words(line)) + "\n")
            sys.stdout.flush()
            await stop.wait()
    except OSError as error:
        sys.stderr.write(f"The emulator cannot listen on {options.host}: {error}. Choose another --port.\n")
        return PORT_TAKEN
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


def _words(line: JsonObject) -> str:
    shown = [f"QuickBooks Online emulator at {line['base_url']}, company {line['realm_id']}; stop it with Ctrl-C."]
    shown += [f"  {name.replace('_', ' ')}: {line[name]}" for name in line if name not in {"base_url", "realm_id"}]
    return "\n".join(shown)
