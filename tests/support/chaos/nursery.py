"""Forks a process for each command of `counterfoil` that it is told to run: importing everything takes seconds once.

Reads orders from its input, one JSON object a line: `arguments` of the command, `folder` for `NAME.out` and
`NAME.err`, `name` (`NAME.exit` holds its exit code, if it ends by itself), and perhaps `step` and `passes`: at that
pass of that point between two durable steps the process ends itself by SIGKILL, after a line in the file `points`.
Prints the child's process id; children are not waited for.
"""

import functools
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from counterfoil import plugins
from counterfoil.cli.app import main as run_command
from counterfoil.cli.tasks import log, rebuild, serve
from counterfoil.engine import Engine
from support.shelf import shelf_only

COMMANDS = (serve, log, rebuild)
"""Commands import what they need when they run: this has it imported before the fork."""


class Killer:
    """Ends this process at a pass of a step."""

    def __init__(self, step: str, passes: int, told: Path) -> None:
        self._step, self._left, self._told = step, passes, told

    def __call__(self, step: str) -> None:
        if step != self._step:
            return
        self._left -= 1
        if self._left:
            return
        handle = os.open(self._told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, f"{os.getpid()} {time.time():.6f} {step}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def live(order: dict[str, Any]) -> None:
    """Run the command in this process."""
    folder = Path(order["folder"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for descriptor, ending in ((1, "out"), (2, "err")):
        handle = os.open(folder / f"{order['name']}.{ending}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, descriptor)
        os.close(handle)
    plugins.installed = shelf_only
    if order.get("step"):
        killer = Killer(order["step"], order["passes"], folder / "points")
        serve.__dict__["Engine"] = functools.partial(Engine, step=killer)
    sys.argv = ["counterfoil", *order["arguments"]]
    code: object = "?"
    try:
        run_command()
    except SystemExit as end:
        code = end.code
    finally:
        (folder / f"{order['name']}.exit").write_text(f"{code or 0}\n", encoding="ascii")


def main() -> None:
    """Serve orders until the input ends."""
    # Nobody waits for the children: the system may forget them at once.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            sys.stdin.close()
            live(json.loads(line))
            return
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
