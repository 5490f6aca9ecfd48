"""A host holds the engine as the README shows it: the very lines printed there are run here."""

import asyncio
import importlib.util
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from counterfoil import Engine, LogError, Names, Pool, RecordedEvent, Settings, load_settings, migrate
from counterfoil.log import Append, NewEvent
from counterfoil.postgres import ensure_login, open_postgres
from counterfoil_schema.events.receipts import CompanyRegistered
from support.postgres import Database, Server, admin_connection, fresh_database
from support.processes import python_environment
from support.quickbooks_emulator import EmulatorProcess, emulator_process

ROOT = Path(__file__).resolve().parents[2]
BOUND_SECONDS = 120.0

CONFIGURATION = """
[company.1]
name = "Shop"
zone = "America/New_York"

[company.1.quickbooks]
realm_id = "{realm_id}"
client_id = "{client_id}"
client_secret = "env:SHOP_SECRET"
refresh_token = "{refresh_token}"
verifier_token = "{verifier_token}"
base_url = "{base_url}"
unlimited = true

[company.1.source.shop]
adapter = "csv"
mapping = "shop.toml"
folder = "."
"""
MAPPING = """
[connection]
source = "csv"
zone = "America/New_York"
currency = "USD"

[product]
income_account = "Sales of Product Income"
type = "NonInventory"

[csv.customer]
file = "customers.csv"
record = "customer"
id = "id"
columns = { name = "name" }

[csv.product]
file = "products.csv"
record = "product"
id = "id"
columns = { name = "name" }

[csv.order]
file = "orders.csv"
record = "invoice"
id = "id"
constants = { status = "ordered", won = true }
columns = { customer = "customer", dated = "date", number = "id" }

[csv.order.lines]
file = "lines.csv"
key = "order"
id = "line"
columns = { product = "product", quantity = "quantity", unit_price = "price" }
"""
FILES = {
    "shop.toml": MAPPING,
    "customers.csv": "id,name\nada,Ada Lovelace Ltd\nbob,Bob's Bikes\n",
    "products.csv": "id,name\nbell,Bell\n",
    "orders.csv": "id,customer,date\n5001,ada,2026-01-31\n5002,bob,2026-02-28\n5003,ada,2026-02-28\n",
    "lines.csv": "order,line,product,quantity,price\n5001,1,bell,3,9.90\n5002,1,bell,1,9.90\n5003,1,bell,2,12.50\n",
}
INVOICED = {"shop:order:5001", "shop:order:5002", "shop:order:5003"}
WRITTEN = {"shop:customer:ada", "shop:customer:bob", "shop:product:bell", *INVOICED}


def example(containing: str) -> str:
    """The README's example that contains a text."""
    examples: list[str] = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (found,) = [one for one in examples if containing in one]
    return found


def example_as_module(containing: str, folder: Path) -> ModuleType:
    """The same, imported."""
    path = folder / "readme_example.py"
    path.write_text(example(containing), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("readme_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_first_example_has_twelve_lines_at_most() -> None:
    assert len([line for line in example("asyncio.run").splitlines() if line.strip()]) <= 12


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess) -> Path:
    """A folder with a configuration file, a mapping, and three orders."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "counterfoil.toml").write_text(CONFIGURATION.format(**emulator.ready), encoding="utf-8")
    return tmp_path


def accepted(lines: list[str]) -> set[str]:
    """The records of the lines that say that an intent was accepted."""
    return {words[3] for words in map(str.split, lines) if words[2] == "intent.accepted"}


def invoices_in_the_books(emulator: EmulatorProcess) -> dict[str, str]:
    """Id by number of the invoices whose creation stands in the emulator's journal; each number once."""
    effects = emulator.control("/journal")["effects"]
    assert isinstance(effects, list)
    found: dict[str, str] = {}
    for effect in effects:
        assert isinstance(effect, dict)
        if effect["entity"] == "Invoice" and effect["operation"] == "create":
            assert effect["doc_number"] not in found
            found[str(effect["doc_number"])] = str(effect["id"])
    return found


async def running_leases(pool: Pool, names: Names) -> int:
    """How many leases have not run out."""
    found: int = await pool.fetchval(f"SELECT count(*) FROM {names.log_schema}.leases WHERE expires_at > now()")
    return found


async def test_the_twelve_lines_run_as_a_program(shop: Path, emulator: EmulatorProcess) -> None:
    """With the embedded Postgres; a Ctrl-C drains, and gives the lease back."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-u",
        "-c",
        example("asyncio.run"),
        cwd=shop,
        env=python_environment({"SHOP_SECRET": emulator["client_secret"]}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            while not accepted(lines) >= WRITTEN:
                line = (await process.stdout.readline()).decode()
                assert line, f"the program has ended after {lines}"
                lines.append(line)
            process.send_signal(signal.SIGINT)
            lines += (await process.stdout.read()).decode().splitlines()
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    positions = [line.split()[1] for line in lines]
    assert [str(number) for number in range(1, len(lines) + 1)] == positions
    assert {"5001", "5002", "5003"} == invoices_in_the_books(emulator).keys()
    async with (
        open_postgres(dsn=None, admin_dsn=None, home=shop / ".counterfoil" / "postgres", names=Names()) as server,
        asyncpg.create_pool(server.engine_dsn.get_secret_value(), min_size=1, max_size=1) as pool,
    ):
        assert await running_leases(pool, server.names) == 0


@pytest.fixture
async def host_database(postgres_server: Server) -> AsyncIterator[tuple[Database, Names]]:
    """A host's database, migrated under a name of the host's choice."""
    names = Names("host_books")
    async with fresh_database(postgres_server, migrated=False) as fresh:
        await migrate(fresh.admin_dsn, names)
        async with admin_connection(fresh) as admin:
            await ensure_login(admin, names, "host_login", "told only to the host")
        yield fresh, names


@asynccontextmanager
async def serving(host: web.Application) -> AsyncIterator[str]:
    """The host's own server; gives its address."""
    runner = web.AppRunner(host)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def eventually(holds: Callable[[], Awaitable[Any]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not await holds():
            await asyncio.sleep(0.05)


async def all_until(engine: Engine, after: dict[int, int], position: int) -> list[RecordedEvent]:
    """What a consumer is given up to a position."""
    events = []
    async with asyncio.timeout(BOUND_SECONDS):
        async for recorded in engine.events(after=after):
            events.append(recorded)
            if recorded.position >= position:
                break
    return events


async def test_a_host_with_a_pool_a_schema_and_a_server_of_its_own(
    shop: Path, emulator: EmulatorProcess, host_database: tuple[Database, Names]
) -> None:
    database, names = host_database
    loaded = load_settings(shop / "counterfoil.toml", {"SHOP_SECRET": emulator["client_secret"]})
    settings = loaded.model_copy(update={"prefix": names.prefix})
    mount_counterfoil = example_as_module("cleanup_ctx", shop).mount_counterfoil
    dsn = database.login_dsn("host_login", "told only to the host").get_secret_value()
    host = web.Application()
    async with asyncpg.create_pool(dsn, min_size=0, max_size=10) as pool:
        engine: Engine = mount_counterfoil(host, settings, pool)
        async with serving(host) as address, aiohttp.ClientSession() as client:
            await eventually(lambda: is_ready(client, address))
            await eventually(lambda: is_written(engine))
            await takes_signed_deliveries(client, address, emulator, engine)
            head = (await engine.reader.heads([1]))[1].position
            first = await all_until(engine, {}, head // 2)
            rest = await all_until(engine, {1: first[-1].position}, head)
            assert [*range(1, head + 1)] == [recorded.position for recorded in (*first, *rest)]
            assert await running_leases(pool, names) == 1
        assert engine.runners[1].state == "ended"
        assert await running_leases(pool, names) == 0
        assert not pool.is_closing()
    assert {"5001", "5002", "5003"} == invoices_in_the_books(emulator).keys()


async def test_what_was_opened_is_closed_even_if_stopping_fails(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise RuntimeError("the work ended badly")

    engine = Engine(Settings(home=tmp_path, dsn=database.engine_dsn, admin_dsn=database.admin_dsn))
    with pytest.raises(RuntimeError, match="ended badly"):
        async with engine:
            monkeypatch.setattr(engine, "stop", fail)
    registered = CompanyRegistered(name="Late", zone="UTC", home_currency="USD")
    with pytest.raises(LogError):
        await engine.log.append(Append(1, [NewEvent(registered)]))


async def is_ready(client: aiohttp.ClientSession, address: str) -> bool:
    """Whether the engine says so; it lives in any case."""
    async with client.get(f"{address}/counterfoil/health") as answer:
        assert answer.status == 200
        assert (await answer.json())["live"] is True
    async with client.get(f"{address}/counterfoil/ready") as answer:
        assert (await answer.json())["ready"] is (answer.status == 200)
        return answer.status == 200


async def is_written(engine: Engine) -> bool:
    """Whether all records of the shop are in the books."""
    head = (await engine.reader.heads([1]))[1].position
    events = [recorded async for recorded in engine.reader.stream(1)]
    assert len(events) >= head
    return {one.record_key for one in events if one.event_type == "intent.accepted"} >= WRITTEN


async def takes_signed_deliveries(
    client: aiohttp.ClientSession, address: str, emulator: EmulatorProcess, engine: Engine
) -> None:
    """A forged delivery is refused; the emulator's own, about what a bookkeeper has changed, is recorded and read."""
    webhook = f"{address}/counterfoil/quickbooks"
    async with client.post(webhook, data=b"[]", headers={"intuit-signature": "AAAA"}) as answer:
        assert answer.status == 401
    invoice = invoices_in_the_books(emulator)["5001"]
    await asyncio.to_thread(emulator.control, "/webhooks", {"url": webhook, "gather_seconds": 0})
    change = {"operation": "update", "id": invoice, "body": {"PrivateNote": "paid in cash?"}}
    await asyncio.to_thread(emulator.control, "/books/Invoice", change)

    async def is_seen() -> bool:
        bodies = [one.light() async for one in engine.reader.stream(1) if one.event_type == "books.observed"]
        return any((body["how"], body["document_id"]) == ("webhook", invoice) for body in bodies)

    await eventually(is_seen)
    assert "webhook.received" in {one.event_type async for one in engine.reader.stream(1)}
