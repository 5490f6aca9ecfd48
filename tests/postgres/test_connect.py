"""What people are told when Postgres cannot be used: what happened, what to do, and never a password."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from counterfoil.errors import ConfigurationError, CounterfoilError
from counterfoil.postgres import (
    DatabaseMissingError,
    Names,
    Pool,
    PostgresTooOldError,
    PostgresUnreachableError,
    connect,
    create_pool,
    describe_dsn,
    open_postgres,
)
from support.postgres import Database

SECRET = "s3cret-p4ssword"


def message(kind: bytes, body: bytes) -> bytes:
    """One message of the Postgres protocol."""
    return kind + struct.pack("!i", len(body) + 4) + body


@asynccontextmanager
async def fake_server(*answers: bytes, silent: bool = False) -> AsyncIterator[int]:
    """A server that answers every start-up with these messages, or accepts and says nothing; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not silent:
                (length,) = struct.unpack("!i", await reader.readexactly(4))
                request = await reader.readexactly(length - 4)
                if request[:4] == struct.pack("!i", 80877103):
                    writer.write(b"N")
                    continue
                writer.write(b"".join(answers))
                await writer.drain()
                break
            await reader.read()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def error_answer(code: str, text: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": text}
    return message(b"E", b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0")


READY = message(b"R", struct.pack("!i", 0)) + message(b"Z", b"I")


def dsn_at(port: int) -> str:
    return f"postgresql://someone:{SECRET}@127.0.0.1:{port}/books"


async def refusal(dsn: str, *, connect_seconds_max: float = 10, starting_seconds_max: float = 10) -> CounterfoilError:
    with pytest.raises(CounterfoilError) as caught:
        await connect(dsn, connect_seconds_max=connect_seconds_max, starting_seconds_max=starting_seconds_max)
    assert SECRET not in str(caught.value)
    assert caught.value.remedy
    # Nothing of the driver's own error, which may quote the address, is printed beneath.
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value


async def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = await refusal(dsn_at(port))
    assert isinstance(error, PostgresUnreachableError)
    assert f"127.0.0.1:{port}" in error.message


async def test_a_name_that_does_not_resolve() -> None:
    error = await refusal(f"postgresql://someone:{SECRET}@no-such-host.invalid/books")
    assert isinstance(error, PostgresUnreachableError)
    assert "no-such-host.invalid" in error.message


async def test_a_socket_folder_that_is_not_there() -> None:
    error = await refusal(f"postgresql://someone:{SECRET}@/books?host=/no/such/folder")
    assert isinstance(error, PostgresUnreachableError)
    assert "/no/such/folder" in error.message


async def test_something_that_accepts_and_never_answers() -> None:
    async with fake_server(silent=True) as port:
        error = await refusal(dsn_at(port), connect_seconds_max=0.3)
    assert isinstance(error, PostgresUnreachableError)
    assert "does not answer in time" in error.message


async def test_a_server_that_stays_in_recovery_is_waited_for_within_a_bound() -> None:
    async with fake_server(error_answer("57P03", "the database system is in recovery mode")) as port:
        error = await refusal(dsn_at(port), starting_seconds_max=0.5)
    assert isinstance(error, PostgresUnreachableError)
    assert "in recovery mode" in error.message


async def test_a_server_that_is_too_old() -> None:
    old = message(b"R", struct.pack("!i", 0)) + message(b"S", b"server_version\x0014.9\0") + message(b"Z", b"I")
    async with fake_server(old) as port:
        error = await refusal(dsn_at(port))
    assert isinstance(error, PostgresTooOldError)
    assert "version 14" in error.message


async def test_a_missing_database(database: Database) -> None:
    error = await refusal(database.server.dsn("no_such_books").get_secret_value())
    assert isinstance(error, DatabaseMissingError)
    assert "'no_such_books'" in error.message


@pytest.mark.parametrize(
    "dsn",
    [
        f"mysql://someone:{SECRET}@host/books",
        f"host=localhost password={SECRET}",
        f"postgresql://someone:{SECRET}@host:port/books",
        f"postgresql://someone:{SECRET}@host/books?sslmode=nonsense",
        "",
    ],
)
async def test_an_address_that_is_none(dsn: str) -> None:
    assert isinstance(await refusal(dsn), ConfigurationError)


@pytest.mark.parametrize(
    ("dsn", "user", "place", "database"),
    [
        ("postgresql://a:b@host:1/books", "a", "host:1", "books"),
        ("postgres://a%40x:b@host/bo%20oks", "a@x", "host:5432", "bo oks"),
        ("postgresql://a@/books?host=%2Frun%2Fx&port=7", "a", "/run/x:7", "books"),
        ("postgresql://a@[::1]:7/", "a", "::1:7", ""),
    ],
)
def test_an_address_is_described_without_its_password(dsn: str, user: str, place: str, database: str) -> None:
    target = describe_dsn(dsn)
    assert (user, place, database) == (target.user, target.place, target.database)


async def test_the_pool_keeps_its_role_and_limits_from_one_use_to_the_next(pool: Pool) -> None:
    for _ in range(2):
        async with pool.acquire() as connection:
            row = await connection.fetchrow(
                "SELECT current_user::text AS role, current_setting('TimeZone') AS zone, "
                "current_setting('idle_in_transaction_session_timeout') AS idle, "
                "current_setting('application_name') AS name"
            )
            assert row is not None
            assert tuple(row.values()) == ("counterfoil_engine", "UTC", "1min", "counterfoil tests")
            async with connection.transaction():
                await connection.execute("SET LOCAL TimeZone = 'Europe/Berlin'")


async def test_a_transaction_left_open_is_undone_when_its_connection_is_given_back(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("BEGIN")
        await connection.execute("SET LOCAL TimeZone = 'Europe/Berlin'")
        backend = await connection.fetchval("SELECT pg_backend_pid()")
    async with pool.acquire() as connection:
        row = await connection.fetchrow("SELECT pg_backend_pid(), current_setting('TimeZone')")
        assert row is not None
        assert tuple(row.values()) == (backend, "UTC")
        assert not connection.is_in_transaction()


async def test_a_pool_on_nothing_says_so() -> None:
    with pytest.raises(PostgresUnreachableError):
        await create_pool("postgresql://someone@127.0.0.1:1/books", Names())


async def test_a_server_named_by_settings_is_migrated_and_looked_at(empty_database: Database, tmp_path: Path) -> None:
    async with open_postgres(
        dsn=empty_database.admin_dsn, admin_dsn=None, home=tmp_path / "unused", names=empty_database.names
    ) as server:
        assert server.applied[0] == "0001_roles_and_schemas"
        assert not server.embedded
        assert any("superuser" in warning for warning in server.warnings)
    assert not (tmp_path / "unused").exists()


async def test_without_settings_the_embedded_server_is_made_ready(tmp_path: Path) -> None:
    async with open_postgres(dsn=None, admin_dsn=None, home=tmp_path / "home", names=Names("own_books")) as server:
        assert server.embedded
        assert server.warnings == ()
        pool = await create_pool(server.engine_dsn, server.names)
        try:
            assert await pool.fetchval("SELECT current_user::text") == "own_books_engine"
            assert await pool.fetchval("SELECT count(*) FROM own_books_log.migrations") == len(server.applied)
        finally:
            await pool.close()
