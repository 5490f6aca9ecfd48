"""`counterfoil emulator`: somebody else's service, on this machine."""

import sys
from collections.abc import Sequence

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import write_error, write_json
from counterfoil.plugins import EMULATORS, installed, load


async def emulate(name: str, arguments: Sequence[str], *, as_json: bool) -> int:
    """Run an installed emulator with its own arguments; its exit code."""
    serve = load(EMULATORS, name)
    try:
        code: int = await serve(list(arguments))
    except SystemExit as leave:  # argparse has told on standard error what it did not understand
        code = leave.code if isinstance(leave.code, int) else ExitCode.OK
    if code and as_json:
        write_error(f"The emulator {name} could not serve.", "Standard error says why.", code)
    return code


def list_emulators(*, as_json: bool) -> int:
    """Print the names of the installed emulators."""
    names = sorted(installed(EMULATORS))
    if as_json:
        write_json({"emulators": names})
    else:
        sys.stdout.write("\n".join(names) + "\n")
    return ExitCode.OK
