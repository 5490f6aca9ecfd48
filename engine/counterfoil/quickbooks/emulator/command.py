"""`counterfoil emulator quickbooks`: the emulator as a process."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from counterfoil.quickbooks.emulator.options import options_from
from counterfoil.quickbooks.emulator.server import QuickBooksEmulator
from counterfoil.quickbooks.emulator.snapshot import SnapshotError
from counterfoil_schema.exact_json import JsonObject, dumps

UNUSABLE = 2


async def serve(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        argv: the arguments after `quickbooks`.

    Returns:
        0 after a clean stop, 2 if it could not listen, or could not read or write a saved state.
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
            if options.save:
                _save(options.save, emulator.state())
    except SnapshotError as error:
        sys.stderr.write(f"{options.load}: {error}\n")
        return UNUSABLE
    except OSError as error:
        if error.filename:
            sys.stderr.write(f"The emulator cannot use {error.filename}: {error.strerror}.\n")
        else:
            sys.stderr.write(f"The emulator cannot listen on {options.host}: {error}. Choose another --port.\n")
        return UNUSABLE
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


def _save(path: str, state: JsonObject) -> None:
    """Whole or not at all."""
    beside = Path(f"{path}.new")
    beside.write_bytes(dumps(state))
    beside.replace(path)


def _words(line: JsonObject) -> str:
    shown = [f"QuickBooks Online emulator at {line['base_url']}, company {line['realm_id']}; stop it with Ctrl-C."]
    shown += [f"  {name.replace('_', ' ')}: {line[name]}" for name in line if name not in {"base_url", "realm_id"}]
    return "\n".join(shown)
