"""`counterfoil recover` in a process of its own, ended by SIGKILL at a named step.

Reads one order from its input, as JSON: `dsn`, `home`, `folder`, `emulator` (its ready line), `anchor`, `key`, and
`kill`: a step's name and at which of its passes; null to work to the end.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from counterfoil import plugins
from counterfoil.cli.tasks.recover import recover
from counterfoil.settings import AnchorSettings, Settings
from support.recovering import WISH
from support.running import LEASE_SECONDS, company_settings
from support.shelf import shelf_only


class Killer:
    """Ends this process at one pass of a step."""

    def __init__(self, step: str, at: int) -> None:
        self._step, self._left = step, at

    def __call__(self, step: str) -> None:
        self._left -= step == self._step
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


async def work(order: dict[str, Any]) -> int:
    plugins.installed = shelf_only
    company = company_settings(order["emulator"], Path(order["folder"]))
    settings = Settings(
        home=Path(order["home"]),
        dsn=SecretStr(order["dsn"]),
        lease_seconds=LEASE_SECONDS,
        companies=(company,),
        anchor=AnchorSettings(file=Path(order["anchor"]), key=SecretStr(order["key"])),
    )
    step, at = order["kill"] or ("never", 1)
    return await recover(settings, WISH, step=Killer(step, at))


if __name__ == "__main__":
    sys.exit(asyncio.run(work(json.loads(sys.stdin.readline()))))
