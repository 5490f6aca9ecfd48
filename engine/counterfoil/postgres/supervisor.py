"""Starting, joining and stopping one server process; whoever calls holds the data folder's start lock.

Life is told by a real connection; process numbers and lock files are only hints, since numbers are used again.
"""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import asyncpg
from pydantic import SecretStr

from counterfoil.postgres import data_folder
from counterfoil.postgres.account import Account
from counterfoil.postgres.binaries import Binaries
from counterfoil.postgres.connect import reveal
from counterfoil.postgres.data_folder import SUPERUSER, DataFolder
from counterfoil.postgres.errors import EmbeddedPostgresError
from counterfoil.postgres.postmaster import (
    PostmasterFile,
    disarm,
    is_postmaster,
    read_postmaster_file,
    recorded_pid,
)

STOP_SECONDS_MAX: Final = 60.0
IMMEDIATE_STOP_SECONDS_MAX: Final = 10.0
PROBE_SECONDS_MAX: Final = 5.0
SOCKET_ONLY_PORT: Final = 5432
PORT_TRIES_MAX: Final = 5
_POLL_SECONDS: Final = 0.03
_RELAUNCH_SECONDS: Final = 0.2


class Life(Enum):
    """What a connection told."""

    READY = auto()
    NOT_YET = auto()


class _Failure(Enum):
    """Why a server gave up at once, as far as it decides what to do."""

    ORPHANS = auto()
    PORT_TAKEN = auto()
    OTHER = auto()


def socket_dsn(server: PostmasterFile, login: str, database: str) -> SecretStr:
    """A DSN over the socket, which asks for no password: only its owner can open it."""
    query = urlencode({"host": server.socket_folder, "port": server.port})
    return SecretStr(f"postgresql://{quote(login, safe='')}@/{quote(database, safe='')}?{query}")


@dataclass(slots=True)
class Supervisor:
    """One data folder's server.

    Args:
        folder: where it lives.
        binaries: its programs, readable for the account.
        account: as whom it runs.
        settings: Postgres settings on top of ours.
        tcp: listen on 127.0.0.1 too.
    """

    folder: DataFolder
    binaries: Binaries
    account: Account
    settings: Mapping[str, str]
    tcp: bool
    _child: subprocess.Popen[bytes] | None = None
    _sockets: Path | None = None

    async def join(self) -> PostmasterFile | None:
        """The server that runs on this folder, once it is ready; None if none does."""
        while self._target() is not None:
            server = read_postmaster_file(self.folder.data)
            if server is not None and await probe(socket_dsn(server, SUPERUSER, "postgres")) is Life.READY:
                return server
            await asyncio.sleep(_POLL_SECONDS)
        return None

    async def launch(self) -> PostmasterFile:
        """Start a server; none is running.

        Raises:
            EmbeddedPostgresError: it does not start; the message has its own reason.
        """
        folder = self.folder
        if not folder.data.exists():
            sync = self.settings.get("fsync") != "off"
            await data_folder.initialise(folder, self.binaries, self.account, sync=sync)
        folder.keep_running.unlink(missing_ok=True)
        data_folder.configure(folder, self.account, self.settings)
        before = data_folder.known_socket_folder(folder)
        sockets = data_folder.socket_folder(before, self.account)
        self._sockets = sockets
        port_tries = 0
        while True:
            log_from = data_folder.log_size(folder)
            self._spawn(sockets, free_port() if self.tcp else SOCKET_ONLY_PORT)
            server = await self._until_ready()
            if server is not None:
                data_folder.remember_socket_folder(folder, sockets)
                return server
            story = data_folder.log_tail(folder, log_from)
            failure = _sort(story)
            port_tries += failure is _Failure.PORT_TAKEN
            if failure is _Failure.OTHER or port_tries >= PORT_TRIES_MAX:
                if str(sockets) != before:
                    data_folder.remove_socket_folder(sockets, self.account)
                raise EmbeddedPostgresError(
                    f"The Postgres in {folder.home} does not start: {data_folder.failure_reason(story)}.",
                    remedy=f"{folder.log} has the whole story.",
                )
            await asyncio.sleep(_RELAUNCH_SECONDS)

    def _spawn(self, sockets: Path, port: int) -> None:
        pid = recorded_pid(self.folder.data)
        if pid is not None and _exists(pid):
            disarm(self.folder.data)
        command = [
            *self.account.prefix,
            str(self.binaries.program("postgres")),
            *("-D", self.account.data_argument(self.folder.data)),
            *("-k", str(sockets)),
            *("-p", str(port)),
            *("-c", f"listen_addresses={'127.0.0.1' if self.tcp else ''}"),
        ]
        log = os.open(self.folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder.data,
                env=data_folder.server_environment(),
                # Ctrl-C in a terminal is for us; we then stop the server in order.
                start_new_session=True,
                user=self.account.switch_uid,
                group=self.account.switch_gid,
                extra_groups=[] if self.account.dropped else None,
            )
        except OSError as error:
            raise EmbeddedPostgresError(f"The embedded Postgres cannot be run ({error.strerror}).") from error
        finally:
            os.close(log)

    async def _until_ready(self) -> PostmasterFile | None:
        """The server's own description once it answers; None if it has given up."""
        child = self._child
        if child is None:
            raise AssertionError("called without a child")
        while child.poll() is None:
            server = read_postmaster_file(self.folder.data)
            if (
                server is not None
                and server.pid == child.pid
                and await probe(socket_dsn(server, SUPERUSER, "postgres")) is Life.READY
            ):
                return server
            await asyncio.sleep(_POLL_SECONDS)
        self._child = None
        return None

    @property
    def launched(self) -> bool:
        """Whether a server that we started is still ours."""
        return self._child is not None

    def _target(self) -> int | None:
        """Process number of the server on this folder, ours or not."""
        self._reap()
        if self._child is not None:
            return self._child.pid
        pid = recorded_pid(self.folder.data)
        return pid if pid is not None and is_postmaster(pid, self.folder.data) else None

    async def stop(self) -> None:
        """Stop the server on this folder, ours or not; nothing happens if none runs.

        Raises:
            EmbeddedPostgresError: it goes on running.
        """
        server = read_postmaster_file(self.folder.data)
        for order, seconds in ((signal.SIGINT, STOP_SECONDS_MAX), (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS_MAX)):
            pid = self._target()
            if pid is None:
                break
            with suppress(TimeoutError, ProcessLookupError):
                os.kill(pid, order)
                async with asyncio.timeout(seconds):
                    await self._until_gone()
        if self._target() is not None:
            raise EmbeddedPostgresError(
                f"The Postgres in {self.folder.home} does not stop.",
                remedy=f"Look into {self.folder.log}; its process number is {self._target()}.",
            )
        sockets = Path(server.socket_folder) if server is not None else self._sockets
        if sockets is not None:
            data_folder.remove_socket_folder(sockets, self.account)
        self.folder.sockets.unlink(missing_ok=True)

    async def _until_gone(self) -> None:
        while True:
            if self._target() is None:
                return
            await asyncio.sleep(_POLL_SECONDS)

    def detach(self) -> None:
        """Leave our child running beyond our own life."""
        if self._child is not None and self._child.poll() is None:
            # Told that it has ended, subprocess neither warns of it nor waits for it; init will reap it.
            self._child.returncode = 0
        self._child = None

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None


async def probe(dsn: SecretStr) -> Life:
    """Whether a server answers: starting, recovering and shutting down are all "not yet"."""
    try:
        connection = await asyncpg.connect(reveal(dsn), timeout=PROBE_SECONDS_MAX)
    except asyncpg.TooManyConnectionsError:
        return Life.READY
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return Life.NOT_YET
    try:
        await connection.fetchval("SELECT 1", timeout=PROBE_SECONDS_MAX)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return Life.NOT_YET
    finally:
        connection.terminate()
    return Life.READY


def _sort(story: str) -> _Failure:
    """What a dead server's log means: orphans of a killed one go by themselves, a port can be another one."""
    if "pre-existing shared memory block" in story:
        return _Failure.ORPHANS
    if "could not bind" in story or "could not create any TCP/IP sockets" in story:
        return _Failure.PORT_TAKEN
    return _Failure.OTHER


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port: int = probe_socket.getsockname()[1]
        return port
