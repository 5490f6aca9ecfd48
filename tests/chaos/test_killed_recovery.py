"""SIGKILL at every named point of a recovery: nothing is sent before its end, and that is as if nothing had been."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from counterfoil.postgres import Pool
from support.backups import back_up, needs_own_programs
from support.postgres import Database, Server, admin_connection
from support.processes import ROOT, python_environment
from support.recovering import KEY, anchored, effects, put_back, run_on
from support.running import Shop, open_shop

POINTS = (
    ("recovery.begun", 1),
    ("books.recorded", 1),
    ("recovery.swept", 1),
    ("recovery.found", 1),
    ("recovery.found", 2),
    ("source.recorded", 1),
    ("recovery.ended", 1),
)
"""A step, and at which of its passes."""

BEGUN = "select count(*) from counterfoil_log.events where event_type = 'recovery.begun'"


async def recover_until(shop: Shop, kill: tuple[str, int] | None) -> int:
    """The exit code of a recovery; negative for the signal that ended it."""
    order = {
        "dsn": shop.database.engine_dsn.get_secret_value(),
        "home": str(shop.folder),
        "folder": str(shop.folder),
        "emulator": shop.emulator.ready,
        "anchor": str(shop.folder / "anchor.json"),
        "key": KEY.get_secret_value(),
        "kill": kill,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("recover_process.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=python_environment(),
    )
    _, errors = await asyncio.wait_for(process.communicate(json.dumps(order).encode() + b"\n"), 120)
    assert process.returncode in (0, -9), errors.decode()[-3000:]
    return process.returncode


async def end_lease(shop: Shop) -> None:
    """The time that the dead process' lease still had passes at once."""
    async with admin_connection(shop.database) as admin:
        await admin.execute("UPDATE counterfoil_log.leases SET expires_at = clock_timestamp()")


async def refused(shop: Shop) -> None:
    """An engine that is started in between sends nothing."""
    async with shop.engine(anchored(shop), webhooks=False) as engine, asyncio.timeout(60):
        while engine.runners[1].state != "recovering":
            await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_recovery_killed_at_any_point_goes_on(
    postgres_server: Server, database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_own_programs()
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        sales = shop.sales
        sales.open(customers=3, products=2, orders=10)
        await run_on(shop)
        await back_up(database, tmp_path / "books.dump")
        customer = sales.add_customer()
        sales.add_product()
        for _ in range(5):
            sales.add_order(customer)
        for number in ("1001", "1002"):
            sales.edit_order(number)
        await run_on(shop)
        sent = await effects(shop)
        sales.add_order(customer)

        async with put_back(shop, postgres_server, tmp_path / "books.dump") as again:
            for point in POINTS:
                assert await recover_until(again, point) == -9, point
                await end_lease(again)
                await refused(again)
                assert await effects(again) == sent
            assert await recover_until(again, None) == 0
            assert await effects(again) == sent
            # Killed after the last event and before the new anchor, it was begun once more.
            assert await again.pool.fetchval(BEGUN) == 2
            await run_on(again)
            await again.check()
