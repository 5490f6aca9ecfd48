"""Engines in processes of their own, ended by SIGKILL at a named step.

Reads orders from its input, one JSON object a line, and forks a child for each, which runs an engine. Prints how
each ended. Forking saves the second and more that importing everything takes.

An order: `dsn`, `home`, `folder` (the shelf), `emulator` (its ready line), `port` for webhooks, and `kill`: a step's
name, at which of its passes, and how many seconds after it; null to work until all is done.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from counterfoil import plugins
from counterfoil.dispatch.observing import BOOKS, SWEEP
from counterfoil.engine import Engine
from counterfoil.settings import CompanySettings, QuickBooksSettings, Settings, SourceSettings
from counterfoil.state.rows import OPEN_INTENTS, IntentRow
from support.shelf import MAPPING, shelf_only

LEASE_SECONDS = 8.0
TIMEOUT_SECONDS = 2.0
SERVER_SECONDS = 1.0
QUIET_SECONDS = 2.5
GIVE_UP_SECONDS = 60.0


class Killer:
    """Ends this process at a step, and counts all steps until then."""

    def __init__(self, step: str, at: int, delay: float) -> None:
        self._step, self._left, self._delay = step, at, delay

    def __call__(self, step: str) -> None:
        if step != self._step:
            return
        self._left -= 1
        if self._left:
            return
        if self._delay:
            threading.Timer(self._delay, _die).start()
        else:
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def settings_of(order: dict[str, Any]) -> Settings:
    emulator = order["emulator"]
    quickbooks = QuickBooksSettings(
        realm_id=emulator["realm_id"],
        client_id=SecretStr(emulator["client_id"]),
        client_secret=SecretStr(emulator["client_secret"]),
        refresh_token=SecretStr(emulator["refresh_token"]),
        verifier_token=SecretStr(emulator["verifier_token"]),
        base_url=emulator["base_url"],
        unlimited=True,
        timeout_seconds=TIMEOUT_SECONDS,
        server_seconds=SERVER_SECONDS,
    )
    company = CompanySettings(
        company=1,
        name="Shelf & Sons",
        zone="America/New_York",
        quickbooks=quickbooks,
        sources={"shelf": SourceSettings(adapter="shelf", mapping=MAPPING, options={"folder": order["folder"]})},
        poll_seconds=1.0,
        sweep_seconds=1.0,
    )
    return Settings(
        home=Path(order["home"]), dsn=SecretStr(order["dsn"]), lease_seconds=LEASE_SECONDS, companies=(company,)
    )


async def work(order: dict[str, Any]) -> None:
    kill = order["kill"]
    plugins.installed = shelf_only
    settings = settings_of(order)
    engine = Engine(settings, step=Killer(*kill)) if kill else Engine(settings)
    async with engine:
        runner = web.AppRunner(engine.webhooks)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", order["port"]).start()
        engine.start()
        await until_quiet(engine)
        await engine.stop()
        await runner.cleanup()


async def until_quiet(engine: Engine) -> None:
    """Until nothing waits, and nothing new has come although source and books were looked at again since."""
    company, before, end = engine.runners[1], -1, time.monotonic() + GIVE_UP_SECONDS
    moved, quiet = datetime.now(UTC), 0.0
    while time.monotonic() < end:
        await asyncio.sleep(0.2)
        outcomes = {(row[0], row[1]): row[2] for row in await engine.store.records("outcomes", 1)}
        intents = await engine.store.some(IntentRow, "intents_in", 1, sorted(OPEN_INTENTS), 1)
        head = (await engine.store.checkpoint(1)).position
        swept = await engine.store.value("cursor", 1, BOOKS, SWEEP)
        if head != before:
            before, moved, quiet = head, datetime.now(UTC), time.monotonic()
        is_swept = swept is not None and datetime.fromisoformat(swept) > moved + timedelta(seconds=1)
        waits = intents or any(state == "waiting" for state, _ in outcomes)
        if is_swept and not waits and time.monotonic() - quiet > QUIET_SECONDS:
            return
    troubles = company.worker.progress.troubles if company.worker else {}
    raise TimeoutError(f"not done: {company.state} {company.error} {troubles} {outcomes}")


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            sys.stdin.close()
            asyncio.run(work(order))
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
