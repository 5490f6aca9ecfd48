"""As whom the embedded server runs, and who gets in: root, an ordinary user, TCP, platforms without programs."""

import base64
import hashlib
import hmac
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from pydantic import SecretStr

from counterfoil.postgres import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    EmbeddedUnavailableError,
    PostgresLoginError,
    connected,
    describe_dsn,
)
from counterfoil.postgres.account import Account, Mode, choose_account, readable_binaries
from counterfoil.postgres.binaries import Binaries, find_binaries
from counterfoil.postgres.postmaster import read_postmaster_file
from counterfoil.postgres.roles import scram_verifier
from support.processes import is_running, python_environment, running_script

SETTINGS = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "30"}
NAMELESS_USER = 54321
NAMED_USER = pwd.getpwnam("daemon").pw_uid

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def namespaces_allowed(user: int | None = None) -> bool:
    command = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "true"]
    if shutil.which("unshare") is None:
        return False
    groups: list[int] | None = None if user is None else []
    done = subprocess.run(command, check=False, capture_output=True, user=user, group=user, extra_groups=groups)
    return done.returncode == 0


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path / "closed" / "home"
    await EmbeddedPostgres(tmp_path / "closed" / "home").shut_down()


def modes_of(folder: Path) -> list[int]:
    return [path.stat().st_mode for path in (folder, *folder.parents)]


async def use(server: EmbeddedPostgres) -> int:
    """Write and read in two starts; the user number of the server's process."""
    async with server:
        async with connected(server.admin_dsn) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        pid = server.pid
        uid = Path(f"/proc/{pid}").stat().st_uid if sys.platform == "linux" else -1
    assert not is_running(pid)
    async with server, connected(server.admin_dsn) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7
    return uid


@as_root
@pytest.mark.skipif(not namespaces_allowed(), reason="user namespaces are not allowed here")
async def test_root_runs_it_in_a_user_namespace_and_the_files_stay_roots(home: Path) -> None:
    home.parent.mkdir(mode=0o700)
    before = modes_of(home.parent)
    await use(EmbeddedPostgres(home, settings=SETTINGS, mode=Mode.NAMESPACE))
    assert before == modes_of(home.parent)
    assert {path.stat().st_uid for path in home.rglob("*")} == {0}


@as_root
async def test_root_runs_it_as_an_account_without_rights_that_need_not_pass_the_parents(home: Path) -> None:
    home.parent.mkdir(mode=0o700)
    before = modes_of(home.parent)
    uid = await use(EmbeddedPostgres(home, settings=SETTINGS, mode=Mode.DROPPED))
    assert uid != 0
    assert before == modes_of(home.parent)
    # Found again by whom its files belong to, not by what would be chosen today.
    assert (Mode.DROPPED, uid) == (choose_account(uid).mode, choose_account(uid).uid)


@as_root
def test_programs_that_the_account_cannot_read_are_copied_once(tmp_path: Path) -> None:
    original = find_binaries()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = closed / "site" / original.root.parent.name
    shutil.copytree(original.root, package / original.root.name)
    shutil.copytree(f"{original.root.parent}.libs", f"{package}.libs")
    hidden = Binaries(original.major, package / original.root.name)
    account = choose_account(None, Mode.DROPPED)
    record = tmp_path / "programs"
    copy = readable_binaries(hidden, account, record)
    folder = Path(record.read_text())
    try:
        assert copy.root != hidden.root
        assert copy == readable_binaries(hidden, account, record)
        for program in ("postgres", "initdb", "pg_dump"):
            subprocess.run(
                [copy.program(program), "--version"],
                check=True,
                capture_output=True,
                user=account.uid,
                group=account.gid,
                extra_groups=[],
                cwd="/",
            )
        assert folder.stat().st_uid == 0
        assert not [path for path in folder.rglob("*") if path.stat().st_mode & 0o022 and not path.is_symlink()]
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(folder)


def interpreter_for(uid: int) -> str | None:
    """A Python that this user may run, with which our dependencies load."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}"):
        try:
            done = subprocess.run(
                [python, "-c", "import asyncpg, counterfoil.postgres"],
                user=uid,
                group=uid,
                extra_groups=[],
                env=python_environment({"HOME": "/"}),
                cwd="/",
                check=False,
                capture_output=True,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


@as_root
@pytest.mark.parametrize("user", [NAMED_USER, NAMELESS_USER])
def test_an_ordinary_user_runs_it_as_himself(user: int) -> None:
    if user == NAMELESS_USER and not namespaces_allowed(user):
        pytest.skip("user namespaces are not allowed here")
    python = interpreter_for(user)
    if python is None:
        pytest.skip("no Python here that an ordinary user may run")
    code = """
import asyncio, json, sys
from pathlib import Path
from counterfoil.postgres import EmbeddedPostgres, connected

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1]), tcp=True) as server:
        report = await server.prepare()
        async with connected(server.engine_tcp_dsn) as connection:
            login = await connection.fetchval("SELECT session_user::text")
        print(json.dumps({"pid": server.pid, "applied": list(report.applied), "login": login}), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
    # pytest's own folders are closed to others.
    home = Path(tempfile.mkdtemp())
    os.chown(home, user, user)
    try:
        with running_script(code, [str(home)], python=python, uid=user) as script:
            answer = script.line()
            pid = answer["pid"]
            assert isinstance(pid, int)
            assert Path(f"/proc/{pid}").stat().st_uid == user
            assert answer["login"] == "counterfoil_login"
            assert script.finish() == 0
        assert not is_running(pid)
    finally:
        shutil.rmtree(home)


def test_an_ordinary_user_is_told_whose_data_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(EmbeddedPostgresError, match="belongs to the user with number 4711"):
        choose_account(4711)


def test_a_named_user_stays_as_he_is_and_a_nameless_one_without_namespaces_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: NAMED_USER)
    assert Account(Mode.OWN, NAMED_USER, os.getegid()) == choose_account(NAMED_USER)
    monkeypatch.setattr("os.geteuid", lambda: NAMELESS_USER)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EmbeddedPostgresError, match=f"no name for the user with number {NAMELESS_USER}"):
        choose_account(None)


async def test_over_tcp_the_engine_needs_its_password_and_the_superuser_is_not_let_in(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=SETTINGS, tcp=True) as server:
        await server.prepare()
        good = server.engine_tcp_dsn.get_secret_value()
        async with connected(good) as connection:
            assert await connection.fetchval("SELECT session_user::text") == "counterfoil_login"
        place = describe_dsn(good).place
        assert place.startswith("127.0.0.1:")
        with pytest.raises(PostgresLoginError) as caught:
            async with connected(SecretStr(f"postgresql://counterfoil_login:wrong-secret@{place}/counterfoil")):
                pass
        assert "wrong-secret" not in str(caught.value)
        assert "counterfoil_login" in str(caught.value)
        with pytest.raises(PostgresLoginError):
            async with connected(f"postgresql://postgres:anything@{place}/counterfoil"):
                pass
        assert server.folder.password.stat().st_mode & 0o777 == 0o600


async def test_without_tcp_nothing_listens_and_whoever_wants_it_is_told(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=SETTINGS) as server:
        lock_file = read_postmaster_file(home / "data")
        assert lock_file is not None
        assert lock_file.listen_address == ""
        with pytest.raises(EmbeddedPostgresError, match="runs without TCP"):
            await EmbeddedPostgres(home, tcp=True).start()
        async with connected(server.admin_dsn) as connection:
            assert await connection.fetchval("SHOW listen_addresses") == ""


def test_a_platform_without_programs_gets_one_line_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_found(name: str, package: str | None = None) -> ModuleSpec | None:
        return None

    monkeypatch.setattr("counterfoil.postgres.binaries.find_spec", nothing_found)
    with pytest.raises(EmbeddedUnavailableError) as caught:
        find_binaries()
    assert "\n" not in str(caught.value)
    assert "Set COUNTERFOIL_DSN" in caught.value.remedy


async def test_the_older_release_works_and_is_kept_to(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=SETTINGS, major=16) as server:
        await server.prepare()
    async with EmbeddedPostgres(home, settings=SETTINGS) as server, connected(server.admin_dsn) as connection:
        assert connection.get_server_version().major == 16


def test_a_password_leaves_us_only_as_its_verifier() -> None:
    """By the example of RFC 7677, section 3, where "pencil" gives this proof and this signature."""
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = base64.b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    exchange = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}".encode()
    scheme, iterations_and_salt, keys = scram_verifier("pencil", base64.b64decode(salt)).split("$")
    stored_key, server_key = (base64.b64decode(part) for part in keys.split(":"))
    assert ("SCRAM-SHA-256", f"4096:{salt}") == (scheme, iterations_and_salt)
    assert signature == hmac.digest(server_key, exchange, "sha256")
    client_signature = hmac.digest(stored_key, exchange, "sha256")
    client_key = bytes(one ^ other for one, other in zip(proof, client_signature, strict=True))
    assert stored_key == hashlib.sha256(client_key).digest()


async def test_secrets_do_not_show(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=SETTINGS, tcp=True) as server:
        await server.prepare()
        password = server.folder.password.read_text()
        assert password not in repr(server.engine_tcp_dsn)
        assert password not in server.folder.log.read_text()
