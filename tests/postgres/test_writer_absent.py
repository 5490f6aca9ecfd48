"""A replay cannot reach anybody: nothing of what it stands on holds a client, and without sockets it gives the same."""

import asyncio
import gc
import subprocess
import sys
import types
from collections.abc import AsyncIterator, Iterator

import aiohttp
import asyncpg
import pytest

from counterfoil.cli.opening import open_state
from counterfoil.connections import Connected
from counterfoil.quickbooks.online.books import OnlineBooks
from counterfoil.recovery import Rebuilding
from counterfoil.recovery.as_of import state_at
from counterfoil.sources.http import SourceHttp
from support.cli import environment_of
from support.postgres import Server
from support.rebuilt import Books, Synced, copied, drop, synced_shop

CLIENTS = (aiohttp.ClientSession, aiohttp.BaseConnector, Connected, OnlineBooks, SourceHttp)
NOT_ENTERED = (
    type,
    types.ModuleType,
    types.BuiltinFunctionType,
    types.CodeType,
    types.FrameType,
    # What the driver and the loop hold is theirs: sockets to Postgres, and nothing that speaks HTTP.
    asyncpg.Pool,
)


def reachable(*roots: object) -> Iterator[object]:
    """Every object that these hold, at any remove; through closures and methods, not through a module's globals."""
    seen: dict[int, object] = {}
    waiting = [*roots]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, NOT_ENTERED):
            continue
        seen[id(one)] = one
        yield one
        if isinstance(one, types.FunctionType):
            waiting += [cell.cell_contents for cell in one.__closure__ or ()]
            waiting += [*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()]
        else:
            waiting += gc.get_referents(one)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Synced]:
    with synced_shop(tmp_path_factory.mktemp("absent"), postgres_server) as shop:
        yield shop


@pytest.fixture
async def books(synced: Synced) -> AsyncIterator[Books]:
    copy = await copied(synced)
    try:
        yield copy
    finally:
        await drop(copy)


async def test_nothing_that_a_replay_stands_on_holds_a_client(books: Books) -> None:
    async with open_state(books.settings) as opened:
        work = Rebuilding(pool=opened.pool, names=opened.names, reader=opened.reader, clock=opened.clock)
        past = state_at(opened.pool, opened.names, opened.reader, opened.clock, 1, 1, own=opened.pool)
        held = list(reachable(work, past, opened))

    assert any(one is opened.reader for one in held), "the walk goes somewhere"
    assert [one for one in held if isinstance(one, CLIENTS)] == []


async def test_the_walk_would_find_a_client() -> None:
    async with aiohttp.ClientSession() as session:

        async def call() -> None:
            await session.get("http://127.0.0.1:9")

        hidden = {"somewhere": [lambda: call]}
        assert any(one is session for one in reachable(hidden))


FORBIDDING = """
import sys

reached = []

def forbid(event, arguments):
    if event in {"socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}:
        address = arguments[0] if event == "socket.getaddrinfo" else arguments[-1]
        if not (ALLOWED and isinstance(address, str | bytes) and event == "socket.connect"):
            reached.append((event, address))
            raise PermissionError(f"{event} {address!r} is forbidden")

sys.addaudithook(forbid)
"""

COMMAND = """
from counterfoil.cli.app import main
sys.argv = ["counterfoil", *sys.argv[1:]]
try:
    main()
finally:
    assert reached == [], reached
"""


def without_sockets(books: Books, *arguments: str) -> str:
    """Run a command that may connect to Postgres' Unix socket and to nothing else."""
    ended = subprocess.run(
        [sys.executable, "-c", "ALLOWED = True\n" + FORBIDDING + COMMAND, *arguments],
        cwd=books.shop.folder,
        env=environment_of(books.shop.environment),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


async def test_a_replay_without_sockets_gives_the_same_tables(books: Books) -> None:
    if "host=" not in books.database.engine_dsn.get_secret_value():
        pytest.skip("this Postgres is reached by TCP")
    await books.execute("delete from counterfoil_state.links", "update counterfoil_state.changes set state = 'parked'")

    said = await asyncio.to_thread(without_sockets, books, "rebuild", "--company", "1", "--processes", "1")
    await asyncio.to_thread(without_sockets, books, "rebuild", "--as-of", "20", "--company", "1", "--json")

    assert "The tables hold what the log says now" in said
    assert (await books.rebuild(check=True)).same


IN_MEMORY = """
import asyncio
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.log import Append, EventCodec, NewEvent
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil.testing.memory_state import MemoryStateStore, fold_afresh
from counterfoil_schema.events.receipts import CompanyRegistered, MappingRecorded

async def replay():
    sys.addaudithook(forbid)
    clock, entropy = SystemClock(), SystemEntropy()
    log = MemoryLog(EventCodec(MemoryKeyring(entropy), clock=clock, entropy=entropy), clock=clock)
    events = [CompanyRegistered(name="Shop", zone="UTC", home_currency="USD")]
    events += [MappingRecorded(connection="shop", digest=str(number), text="") for number in range(5)]
    live = MemoryStateStore()
    for event in events:
        await log.append(Append(1, [NewEvent(event)]))
        await live.fold(1, await log.read(1, after=(await live.checkpoint(1)).position))
    fresh = await fold_afresh(log, 1)
    assert fresh.rows(1) == live.rows(1) and len(fresh.rows(1)) == 2, fresh.rows(1)
    assert reached == []

asyncio.run(replay())
"""


def test_in_memory_a_replay_needs_no_socket_at_all() -> None:
    # The loop has a pair of its own; whatever is opened after it began is refused.
    forbidding = FORBIDDING.replace("sys.addaudithook(forbid)", "").replace(
        'if event in {"socket.connect"', 'if event == "socket.__new__" or event in {"socket.connect"'
    )
    ended = subprocess.run(
        [sys.executable, "-c", "ALLOWED = False\n" + forbidding + IN_MEMORY],
        env=environment_of(None),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
