"""`counterfoil emulator`: somebody else's service, on this machine."""

import sys
from collections.abc import Sequence

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import write_json
from counterfoil.plugins import EMULATORS, installed, load


async def emulate(name: str, arguments: Sequence[str]) -> int:
    """Run an installed emulator with its own arguments; its exit code."""
    serve = load(EMULATORS, name)
    code: int = await serve(list(arguments))
    return code


def list_emulators(*, as_json: bool) -> int:
    """Print the names of the installed emulators."""
    names = sorted(installed(EMULATORS))
    if as_json:
        write_json({"emulators": names})
    else:
        sys.stdout.write("\n".join(names) + "\n")
    return ExitCode.OK
