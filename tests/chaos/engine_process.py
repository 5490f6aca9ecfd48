"""Engines in processes of their own, ended by SIGKILL at a named step.

Reads orders from its input, one JSON object a line, and forks a child for each, which runs an engine. Prints the
child's process id, then how it ended. Forking saves the second and more that importing everything takes.

An order: `dsn`, `home`, `folder` (the shelf), `emulator` (its ready line), `port` for webhooks, and `kill`: a step's
name, at which of its passes, and how many seconds after it; null to work until all is done. With `stop`, the child
is halted there instead.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from pydantic import SecretStr

from counterfoil import plugins
from counterfoil.engine import Engine
from counterfoil.settings import Settings
from support.running import LEASE_SECONDS, Rest, company_settings
from support.shelf import Shelf, shelf_only

QUIET_SECONDS = 2.5
GIVE_UP_SECONDS = 150.0


class Killer:
    """Ends this process at a step, and counts all steps until then."""

    def __init__(self, step: str, at: int, delay: float, end: signal.Signals) -> None:
        self._step, self._left, self._delay, self._end = step, at, delay, end

    def __call__(self, step: str) -> None:
        if step != self._step:
            return
        self._left -= 1
        if self._left:
            return
        if self._delay:
            threading.Timer(self._delay, os.kill, (os.getpid(), self._end)).start()
        else:
            os.kill(os.getpid(), self._end)


async def work(order: dict[str, Any]) -> None:
    kill = order["kill"]
    plugins.installed = shelf_only
    company = company_settings(order["emulator"], Path(order["folder"]))
    settings = Settings(
        home=Path(order["home"]), dsn=SecretStr(order["dsn"]), lease_seconds=LEASE_SECONDS, companies=(company,)
    )
    end = signal.SIGSTOP if order.get("stop") else signal.SIGKILL
    step, at, delay = kill or ("never", 0, 0)
    engine = Engine(settings, step=Killer(step, at, delay, end))
    async with engine:
        runner = web.AppRunner(engine.webhooks)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", order["port"]).start()
        # Deliveries to the life before this one failed, and would be tried again only after many seconds.
        subscriber = {"url": f"http://127.0.0.1:{order['port']}/quickbooks"}
        async with ClientSession() as http, http.post(order["emulator"]["control_url"] + "/webhooks", json=subscriber):
            engine.start()
        await until_quiet(engine, Path(order["folder"]))
        await engine.stop()
        await runner.cleanup()


async def until_quiet(engine: Engine, folder: Path) -> None:
    """Until nothing waits, and nothing new has come although source and books were looked at again since."""

    async def head() -> int:
        heads = await engine.reader.heads([1])
        return heads[1].position if heads else 0

    rest = Rest(engine.store, Shelf(folder), head)
    await rest.reached(still_seconds=QUIET_SECONDS, give_up_seconds=GIVE_UP_SECONDS)


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            sys.stdin.close()
            asyncio.run(work(order))
            return
        _say(child)
        _, status = os.waitpid(child, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
