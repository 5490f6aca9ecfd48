"""An engine that is halted and wakes after another took its company over can neither append nor send."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from counterfoil.postgres import Pool
from support.audit import effects_of
from support.postgres import Database
from support.processes import ROOT, python_environment
from support.running import LEASE_SECONDS, Shop, open_shop


@asynccontextmanager
async def halted_engine(shop: Shop, step: str) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """An engine in a process of its own, halted at a step; its process id, and the process that waits for it."""
    script = Path(__file__).with_name("engine_process.py")
    pipe = asyncio.subprocess.PIPE
    errors = (shop.folder / "errors").open("wb")
    driver = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdin=pipe, stdout=pipe, stderr=errors, cwd=ROOT, env=python_environment()
    )
    assert driver.stdin is not None
    assert driver.stdout is not None
    order = {
        "dsn": shop.database.engine_dsn.get_secret_value(),
        "home": str(shop.folder),
        "folder": str(shop.folder),
        "emulator": shop.emulator.ready,
        "port": 0,
        "kill": [step, 1, 0],
        "stop": True,
    }
    driver.stdin.write(json.dumps(order).encode() + b"\n")
    child = int(await driver.stdout.readline())
    try:
        while _state_of(child) != "T":
            await asyncio.sleep(0.05)
        yield child, driver
    finally:
        if _state_of(child) not in ("", "Z"):
            os.kill(child, signal.SIGKILL)
        driver.stdin.close()
        await driver.wait()
        errors.close()


def _state_of(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]


@pytest.mark.slow
@pytest.mark.parametrize("step", ["call.sent", "batch.sent", "fold.computed"])
async def test_a_holder_that_wakes_too_late_does_nothing(
    database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=2, products=1, orders=3)
        async with halted_engine(shop, step) as (stalled, driver):
            async with shop.engine() as engine:
                assert engine.runners[1].state in {"starting", "elsewhere"}
                await asyncio.sleep(LEASE_SECONDS / 4)
                assert engine.runners[1].state == "elsewhere"
                assert effects_of(await shop.control("/journal"), "create", "Invoice", "doc_number").total() == 0
                await shop.until_done()
                calls = (await shop.control("/calls"))["calls"]
                before = (await shop.control("/journal"))["total"]
                epochs = await pool.fetch("select epoch, position from counterfoil_log.events where epoch is not null")
                os.kill(stalled, signal.SIGCONT)
                await asyncio.sleep(LEASE_SECONDS / 2)
                assert (await shop.control("/journal"))["total"] == before
                writes = [call for call in (await shop.control("/calls"))["calls"][len(calls) :] if is_write(call)]
                assert writes == []
            assert driver.stdout is not None
            await driver.stdout.readline()
        newest = max(row["epoch"] for row in epochs)
        first_of_newest = min(row["position"] for row in epochs if row["epoch"] == newest)
        late = await pool.fetchval(
            "select count(*) from counterfoil_log.events where epoch < $1 and position > $2", newest, first_of_newest
        )
        assert late == 0
        await shop.check()


def is_write(call: dict[str, object]) -> bool:
    return call["kind"] not in {"read", "query", "cdc"}
