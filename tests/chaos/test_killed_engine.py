"""SIGKILL at every named point between two durable steps: nothing is written twice, nothing is lost.

Each lane has a database, books and a source of its own. Before each kill there is new work of every sort, so that
each point is passed; after the last kill an engine works until all is done, and the books are compared with what was
ordered and paid.
"""

import asyncio
import json
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import asyncpg
import pytest

from counterfoil import plugins
from counterfoil.clock import SystemEntropy
from counterfoil.engine import Engine
from counterfoil.keys import master_key
from counterfoil.log import MasterKey
from counterfoil.postgres import create_pool
from counterfoil.settings import Settings
from counterfoil_schema.events.rollbacks import RollbackScope
from support.audit import assert_books_hold, assert_state_adds_up, effects_of, outcomes_of
from support.postgres import Database, Server, fresh_database
from support.processes import ROOT, python_environment
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.rollbacks import Rollbacks, difference, trial_balance
from support.running import GIVE_UP_SECONDS, LEASE_SECONDS, company_settings
from support.sales import Sales
from support.shelf import Shelf, shelf_only

IN_FLIGHT_SECONDS = 0.3
SLOW_SECONDS = Decimal("0.8")

LANES: dict[str, tuple[str, ...]] = {
    "calls": ("call.sent", "call.in flight", "call.answered", "call.settled"),
    "batches": ("batch.sent", "batch.in flight", "batch.answered", "batch.settled"),
    "state": ("lease.acquired", "fold.computed", "fold.saved", "source.recorded", "cursor.saved"),
    "inbound": ("books.recorded", "write_back.sent", "write_back.answered", "write_back.settled"),
    "tokens": ("token.locked", "token.answered", "token.saved"),
}
PASSES = {"lease.acquired": (1, 1, 1), "token.locked": (1, 1, 1), "token.answered": (1, 1, 1), "token.saved": (1, 1, 1)}
USUAL_PASSES = (1, 2, 3)
ROLLBACK_POINTS = (
    ("fold.computed", 2),
    ("batch.sent", 1),
    ("batch.answered", 1),
    ("call.sent", 1),
    ("call.answered", 1),
)
"""A step of the engine that is killed there, and at which of its passes."""


@dataclass
class Lane:
    """One company whose engine is killed again and again."""

    name: str
    database: Database
    emulator: EmulatorProcess
    driver: asyncio.subprocess.Process
    folder: Path
    sales: Sales
    port: int
    hits: Counter[str] = field(default_factory=Counter)

    async def control(self, path: str, body: object = None) -> dict[str, Any]:
        return await asyncio.to_thread(self.emulator.control, path, body)

    async def run(self, kill: Sequence[object] | None) -> int:
        """One life of an engine; its exit code, negative for the signal that ended it."""
        order = {
            "dsn": self.database.engine_dsn.get_secret_value(),
            "home": str(self.folder),
            "folder": str(self.folder),
            "emulator": self.emulator.ready,
            "port": self.port,
            "kill": kill,
        }
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.write(json.dumps(order).encode() + b"\n")
        await self.driver.stdout.readline()  # the process id
        code = int(await asyncio.wait_for(self.driver.stdout.readline(), 240))
        if code not in (0, -9):
            pytest.fail(f"{self.name}, {kill}: ended by {code}: {(self.folder / 'errors').read_text()[-3000:]}")
        return code

    async def kill_at(self, point: str, passes: int) -> None:
        """Let an engine run into a SIGKILL at a point."""
        place, _, _ = point.partition(".")
        step, delay = (f"{place}.sent", IN_FLIGHT_SECONDS) if point.endswith("in flight") else (point, 0)
        for at in (passes, 1, 1):
            # A token that rotates in an answer that is never stored is lost for good, by Intuit's rules: then
            # somebody must connect again. So it rotates only where it is sure to be stored before the kill.
            await self.stir(rotate=point == "token.saved")
            if delay:
                fault = {"kind": "slow", "seconds": SLOW_SECONDS, "count": 3}
                await self.control("/faults", {**fault, "batch": True} if place == "batch" else fault)
            if await self.run([step, at, delay]) == -9:
                self.hits[point] += 1
                await self.end_lease()
                return
        pytest.fail(f"{self.name}: {point} was never passed")

    async def end_lease(self) -> None:
        """The time that the dead engine's lease still had passes at once."""
        connection = await asyncpg.connect(self.database.admin_dsn.get_secret_value())
        try:
            await connection.execute("UPDATE counterfoil_log.leases SET expires_at = clock_timestamp()")
        finally:
            await connection.close()

    async def stir(self, *, rotate: bool) -> None:
        """New work of every sort: names, orders, an edit, a payment, a token that no longer counts."""
        sales = self.sales
        customer = sales.add_customer()
        sales.add_product()
        for _ in range(3):
            sales.add_order(customer)
        known = (await self.control("/state?entity=Invoice"))["Invoice"]
        paid = [invoice for invoice in known if not sales.orders[str(invoice["DocNumber"])].paid]
        for invoice in paid[:2]:
            await self._pay(invoice, Decimal("0.50"))
        for invoice in paid[2:4]:
            sales.edit_order(str(invoice["DocNumber"]))
        await self.control("/oauth", {"expire_access": True, "rotate": rotate})

    async def _pay(self, invoice: dict[str, Any], amount: Decimal) -> None:
        linked = [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
        payment = {
            "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
            "TotalAmt": amount,
            "Line": [{"Amount": amount, "LinkedTxn": linked}],
        }
        await self.control("/books/Payment", {"body": payment})
        self.sales.orders[str(invoice["DocNumber"])].paid += amount

    async def check(self) -> None:
        """Everything ties out."""
        pool = await create_pool(self.database.engine_dsn, self.database.names, application_name="audit")
        try:
            outcomes = await outcomes_of(pool, self.database.names)
            assert {"applied", "unchanged", "skipped"} >= {state for state, _ in outcomes}, outcomes
            master = MasterKey(master_key(None, self.folder, SystemEntropy()), SystemEntropy())
            await assert_state_adds_up(pool, self.database.names, master)
        finally:
            await pool.close()
        assert_books_hold(self.sales, await self.control("/journal"), await self.control("/totals"))
        shown = self.sales.shelf.shown()
        wanted = self.sales.expected_values()
        held = {number: {name: shown.get(number, {}).get(name) for name in of} for number, of in wanted.items()}
        wrong = {number: (of, held[number]) for number, of in wanted.items() if held[number] != of}
        assert wrong == {}


@asynccontextmanager
async def open_lane(name: str, server: Server, folder: Path) -> AsyncIterator[Lane]:
    folder.mkdir()
    script = Path(__file__).with_name("engine_process.py")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(fresh_database(server))
        process = emulator_process("--limits", "off")
        emulator = await asyncio.to_thread(stack.enter_context, process)
        errors = stack.enter_context((folder / "errors").open("wb"))
        driver = await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=python_environment(),
        )
        stack.push_async_callback(_end, driver)
        port = _free_port()
        lane = Lane(name, database, emulator, driver, folder, Sales(Shelf(folder)), port)
        await lane.control("/webhooks", {"url": f"http://127.0.0.1:{port}/quickbooks"})
        yield lane


async def _end(driver: asyncio.subprocess.Process) -> None:
    assert driver.stdin is not None
    driver.stdin.close()
    await driver.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def run_lane(name: str, server: Server, folder: Path) -> Counter[str]:
    async with open_lane(name, server, folder) as lane:
        lane.sales.open()
        for turn in range(len(USUAL_PASSES)):
            for point in LANES[name]:
                await lane.kill_at(point, PASSES.get(point, USUAL_PASSES)[turn])
        assert await lane.run(None) == 0
        await lane.check()
        return lane.hits


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_kill_at_any_point_loses_and_doubles_nothing(
    postgres_server: Server, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with asyncio.TaskGroup() as lanes:
        running = [lanes.create_task(run_lane(name, postgres_server, tmp_path / name)) for name in LANES]
    hits = sum((lane.result() for lane in running), Counter[str]())
    points = [point for lane in LANES.values() for point in lane]
    table = "\n".join(f"{point:24}{hits[point]}" for point in points)
    record_property("table", f"SIGKILL at              hits\n{table}")
    assert dict.fromkeys(points, 3) == dict(hits)


async def until_work_waits_for_a_person(lane: Lane, engine: Engine) -> None:
    """Until the grant is known to be dead, and what is queued waits for it."""
    pool = await create_pool(lane.database.engine_dsn, lane.database.names, application_name="watch")
    try:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while True:
                # Without a connection the books are not known to be the right ones, and nothing is decided.
                waiting = [why for state, why in await outcomes_of(pool, lane.database.names) if state == "waiting"]
                if engine.connected(1).access.reconnect_needed and waiting:
                    return
                await asyncio.sleep(0.2)
    finally:
        await pool.close()


@pytest.mark.slow
async def test_a_rotated_token_that_is_lost_with_its_process_costs_a_consent_and_nothing_else(
    postgres_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL when Intuit has rotated the token and the store does not hold it yet: nobody can bring it back."""
    monkeypatch.setattr(plugins, "installed", shelf_only)
    async with open_lane("tokens", postgres_server, tmp_path / "tokens") as lane:
        lane.sales.open()
        assert await lane.run(None) == 0
        await lane.stir(rotate=True)
        assert await lane.run(["token.answered", 1, 0]) == -9
        await lane.end_lease()
        company = company_settings(lane.emulator, lane.folder)
        settings = Settings(
            home=lane.folder, dsn=lane.database.engine_dsn, lease_seconds=LEASE_SECONDS, companies=(company,)
        )
        asked = (await lane.control("/stats"))["token_refreshes"]
        async with Engine(settings) as engine, aiohttp.ClientSession() as browser:
            engine.start()
            await until_work_waits_for_a_person(lane, engine)
            begun = await engine.consent.begin(1, "http://localhost/callback")
            async with browser.get(begun.url, allow_redirects=False) as answer:
                fields = parse_qs(urlsplit(answer.headers["Location"]).query)
            await engine.consent.finish({name: values[0] for name, values in fields.items()})
            await engine.stop()
        # The dead token was tried, and no other was given out for it.
        assert (await lane.control("/stats"))["token_refreshes"] == asked
        assert await lane.run(None) == 0
        await lane.check()


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_kill_while_a_rollback_goes_out_takes_nothing_back_twice(
    postgres_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "installed", shelf_only)
    async with open_lane("rollback", postgres_server, tmp_path / "rollback") as lane:
        empty = trial_balance(lane.emulator)
        lane.sales.open(customers=4, products=3, orders=40)
        assert await lane.run(None) == 0
        await _ask(lane)
        killed = 0
        for step, at in ROLLBACK_POINTS:
            code = await lane.run([step, at, 0])
            if code == 0:
                break
            killed += 1
            await lane.end_lease()
        assert killed >= 3
        assert await lane.run(None) == 0
        voided = effects_of(await lane.control("/journal"), "void", "Invoice", "doc_number")
        assert voided == Counter(dict.fromkeys(lane.sales.orders, 1))
        assert difference(trial_balance(lane.emulator), empty) == {}
        assert await _inactive(lane, "Customer") == 4


async def _ask(lane: Lane) -> None:
    """Apply the preview of everything, as the command does it: nobody works for the company meanwhile."""
    company = company_settings(lane.emulator, lane.folder)
    settings = Settings(
        home=lane.folder, dsn=lane.database.engine_dsn, lease_seconds=LEASE_SECONDS, companies=(company,)
    )
    async with Engine(settings) as engine:
        rollbacks = Rollbacks(engine)
        scope = RollbackScope(source="shelf")
        preview, policy = await rollbacks.preview(scope)
        assert preview.plan.refusals == ()
        await rollbacks.request(scope, preview, policy)


async def _inactive(lane: Lane, entity: str) -> int:
    held: list[dict[str, Any]] = (await lane.control(f"/state?entity={entity}"))[entity]
    return sum(one["DisplayName"].startswith("Customer c") and not one["Active"] for one in held)
