"""The embedded server between processes that come, go and die. All servers and processes here are real."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from counterfoil.postgres import EmbeddedPostgres, EmbeddedPostgresError, connected
from counterfoil.postgres.postmaster import FILE_NAME, read_postmaster_file
from support.processes import is_running, running_script

SETTINGS = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "30"}

# Joins or starts the server, prepares it, says what it found, and waits for its input to close.
USER = """
import asyncio, json, sys
from pathlib import Path
from counterfoil.postgres import EmbeddedPostgres

async def main():
    settings = {"fsync": "off", "shared_buffers": "16MB"}
    server = EmbeddedPostgres(Path(sys.argv[1]), settings=settings, keep_running="keep" in sys.argv)
    async with server:
        report = await server.prepare()
        print(json.dumps({"pid": server.pid, "applied": list(report.applied)}), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def server_at(home: Path, **settings: str) -> EmbeddedPostgres:
    return EmbeddedPostgres(home, settings={**SETTINGS, **settings})


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder whose path is too long for a socket; nothing runs there afterwards."""
    folder = tmp_path / ("long" * 30) / "home"
    assert len(str(folder)) > 107
    yield folder
    await server_at(folder).shut_down()


async def count_rows(server: EmbeddedPostgres) -> int:
    async with connected(server.admin_dsn) as connection:
        number: int = await connection.fetchval("SELECT count(*) FROM kept")
        return number


async def make_rows(server: EmbeddedPostgres) -> None:
    async with connected(server.admin_dsn) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 7) AS n")


async def test_a_server_starts_from_nothing_keeps_data_and_leaves_nothing_behind(home: Path) -> None:
    async with server_at(home) as server:
        await make_rows(server)
        pid, sockets = server.pid, Path(read_socket_folder(home))
        assert len(os.fsencode(sockets / ".s.PGSQL.65535")) <= 107
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not is_running(pid)
    assert not sockets.exists()
    assert not (home / "data" / FILE_NAME).exists()
    async with server_at(home) as server:
        assert await count_rows(server) == 7


def read_socket_folder(home: Path) -> str:
    lock_file = read_postmaster_file(home / "data")
    assert lock_file is not None
    return lock_file.socket_folder


async def test_the_last_user_stops_the_server_and_not_the_first(home: Path) -> None:
    first, second = server_at(home), server_at(home)
    await first.start()
    await second.start()
    assert first.pid == second.pid
    pid = first.pid
    await first.stop()
    async with connected(second.admin_dsn) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await second.stop()
    assert not is_running(pid)


def test_processes_that_start_at_once_share_one_server_and_migrate_once(home: Path) -> None:
    with (
        running_script(USER, [str(home)]) as one,
        running_script(USER, [str(home)]) as two,
        running_script(USER, [str(home)]) as three,
    ):
        answers = [script.line() for script in (one, two, three)]
        assert len({answer["pid"] for answer in answers}) == 1
        applied = [name for answer in answers if isinstance(answer["applied"], list) for name in answer["applied"]]
        assert "0001_roles_and_schemas" in applied
        assert len(set(applied)) == len(applied)
        assert [one.finish(), two.finish()] == [0, 0]
        pid = answers[0]["pid"]
        assert isinstance(pid, int)
        assert is_running(pid)
        assert three.finish() == 0
        assert not is_running(pid)


async def test_a_killed_user_leaves_a_server_that_the_next_one_joins_and_stops(home: Path) -> None:
    with running_script(USER, [str(home)]) as script:
        pid = script.line()["pid"]
        script.kill()
    assert isinstance(pid, int)
    assert is_running(pid)
    async with server_at(home) as server:
        assert pid == server.pid
    assert not is_running(pid)


async def test_a_killed_server_comes_back_at_the_same_address_with_all_that_it_acknowledged(home: Path) -> None:
    async with server_at(home) as server:
        async with connected(server.admin_dsn) as connection:
            await connection.execute("CREATE TABLE kept (n int)")
        acknowledged = 0
        killed, dsn = server.pid, server.admin_dsn

        async def write() -> None:
            nonlocal acknowledged
            async with connected(dsn) as connection:
                while True:
                    await connection.execute("INSERT INTO kept VALUES (1)")
                    acknowledged += 1

        writer = asyncio.create_task(write())
        while acknowledged < 50 and not writer.done():
            await asyncio.sleep(0)
        os.kill(killed, signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)):
            await writer
        await server.start()
        assert server.pid != killed
        assert dsn == server.admin_dsn
        # One more may have been written whose answer was lost.
        assert await count_rows(server) in {acknowledged, acknowledged + 1}


@pytest.mark.parametrize("lock_file", ["left behind", "taken along"])
async def test_a_start_that_fails_in_between_does_not_change_the_address(home: Path, lock_file: str) -> None:
    """Whoever used the server that died goes on with the address that it had: no start may take that away."""
    async with server_at(home) as used:
        await make_rows(used)
        address, killed = used.admin_dsn, used.pid
        os.kill(killed, signal.SIGKILL)
        while is_running(killed):
            await asyncio.sleep(0.02)
        if lock_file == "taken along":
            # As Postgres does when it gives up by itself, on a full disk for one.
            (home / "data" / FILE_NAME).unlink()
        with pytest.raises(EmbeddedPostgresError, match="does not start"):
            await server_at(home, shared_buffers="nonsense").start()
        async with server_at(home) as again:
            assert again.admin_dsn == address
            assert await count_rows(used) == 7


async def test_a_stale_lock_file_is_seen_through_when_its_number_is_used_again(home: Path) -> None:
    async with server_at(home) as server:
        await make_rows(server)
        os.kill(server.pid, signal.SIGKILL)
    with subprocess.Popen(["sleep", "1000"]) as stranger:
        try:
            lock_file = home / "data" / FILE_NAME
            lines = lock_file.read_text().split("\n")
            lock_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            async with server_at(home) as server:
                assert await count_rows(server) == 7
            assert stranger.poll() is None
        finally:
            stranger.kill()


async def test_a_zombie_is_not_taken_for_a_server(home: Path) -> None:
    with running_script(USER, [str(home), "keep"]) as parent:
        pid = parent.line()["pid"]
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
        while is_running(pid):
            await asyncio.sleep(0.01)
        # Its parent lives and does not wait for it, so the number still exists.
        os.kill(pid, 0)
        async with server_at(home) as server:
            assert server.pid != pid
            async with connected(server.admin_dsn) as connection:
                assert await connection.fetchval("SELECT count(*) FROM counterfoil_log.migrations") > 0


async def test_a_recovering_server_is_waited_for_within_a_bound(home: Path) -> None:
    async with server_at(home) as server:
        await make_rows(server)
    # A standby that takes no readers is "in recovery" for as long as we like.
    (home / "data" / "standby.signal").touch()
    hurried = EmbeddedPostgres(home, settings={**SETTINGS, "hot_standby": "off"}, start_seconds_max=2)
    with pytest.raises(EmbeddedPostgresError, match="not ready after 2 s") as caught:
        await hurried.start()
    assert "recovering" in caught.value.remedy
    patient = server_at(home)
    waiting = asyncio.create_task(patient.start())
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    assert not done
    lock_file = read_postmaster_file(home / "data")
    assert lock_file is not None
    (home / "data" / "promote").touch()
    os.kill(lock_file.pid, signal.SIGUSR1)
    await waiting
    try:
        assert lock_file.pid == patient.pid
        assert await count_rows(patient) == 7
    finally:
        await patient.stop()


async def test_a_server_may_be_left_running_and_shut_down_later(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=SETTINGS, keep_running=True) as server:
        pid = server.pid
    assert is_running(pid)
    async with server_at(home) as server:
        assert pid == server.pid
    assert is_running(pid)
    await server_at(home).shut_down()
    assert not is_running(pid)


async def test_a_cancelled_start_leaves_no_server(home: Path) -> None:
    async with server_at(home):
        pass
    (home / "data" / "standby.signal").touch()
    starting = asyncio.create_task(server_at(home, hot_standby="off").start())
    while (lock_file := read_postmaster_file(home / "data")) is None:
        await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not is_running(lock_file.pid)
    assert not Path(lock_file.socket_folder).exists()


async def test_a_server_that_cannot_start_says_why_and_takes_its_socket_folder_along(home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError) as caught:
        await server_at(home, wal_buffers="nonsense").start()
    assert "wal_buffers" in caught.value.message
    assert str(home / "server.log") in caught.value.remedy
    async with server_at(home) as server:
        await make_rows(server)


async def test_a_half_made_data_folder_is_made_anew(home: Path) -> None:
    (home / "data.new.killed").mkdir(parents=True)
    (home / "data.new.killed" / "PG_VERSION").write_text("18\n")
    async with server_at(home) as server:
        await make_rows(server)
    assert not list(home.glob("data.new.*"))


async def test_several_servers_live_side_by_side(tmp_path: Path) -> None:
    async with server_at(tmp_path / "one") as one, server_at(tmp_path / "two") as two:
        await make_rows(one)
        assert one.pid != two.pid
        async with connected(two.admin_dsn) as connection:
            assert await connection.fetchval("SELECT to_regclass('kept')") is None


async def test_an_overlong_temporary_folder_is_passed_over(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("t" * 120)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    async with server_at(home) as server:
        await make_rows(server)
        assert not read_socket_folder(home).startswith(str(long))


def reached(home: Path, point: str) -> bool:
    """Whether a starting server has come so far."""
    match point:
        case "initialising":
            return any(home.glob("data.new.*"))
        case "initialised":
            return (home / "data").exists()
        case "launched":
            return (home / "data" / FILE_NAME).exists()
        case _:
            return read_postmaster_file(home / "data") is not None


@pytest.mark.parametrize("point", ["initialising", "initialised", "launched", "described"])
async def test_a_starter_killed_on_the_way_is_no_hindrance(home: Path, point: str) -> None:
    with running_script(USER, [str(home)]) as script:
        while not reached(home, point):
            assert script.process.poll() is None
            await asyncio.sleep(0)
        script.kill()
    async with server_at(home) as server:
        await make_rows(server)
        assert await count_rows(server) == 7


async def test_coming_and_going_at_once_never_pulls_the_server_from_under_anybody(home: Path) -> None:
    code = """
import asyncio, json, sys
from pathlib import Path
from counterfoil.postgres import EmbeddedPostgres, connected

async def main():
    answers = 0
    for _ in range(6):
        server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off", "shared_buffers": "16MB"})
        async with server, connected(server.admin_dsn) as connection:
            for _ in range(5):
                answers += await connection.fetchval("SELECT 1")
    print(json.dumps({"answers": answers}), flush=True)

asyncio.run(main())
"""
    with (
        running_script(code, [str(home)]) as one,
        running_script(code, [str(home)]) as two,
        running_script(code, [str(home)]) as three,
    ):
        assert [script.line()["answers"] for script in (one, two, three)] == [30, 30, 30]
    assert read_postmaster_file(home / "data") is None
