"""An embedded Postgres: the programs from a wheel, under a supervisor of our own.

One server per data folder, any number of processes that use it: whoever comes first starts it, whoever leaves last
stops it. Who uses it is told by file locks, which the system drops when a process dies, however it dies; so a server
whose users were all killed is joined by the next one, and stopped when that one leaves.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from pydantic import SecretStr

from counterfoil.postgres import data_folder
from counterfoil.postgres.account import Mode, choose_account, readable_binaries
from counterfoil.postgres.binaries import find_binaries
from counterfoil.postgres.connect import connected
from counterfoil.postgres.data_folder import SUPERUSER, DataFolder
from counterfoil.postgres.errors import EmbeddedPostgresError
from counterfoil.postgres.locks import FileLock
from counterfoil.postgres.migrations import MigrationReport, migrate
from counterfoil.postgres.names import Names, quote_identifier
from counterfoil.postgres.postmaster import PostmasterFile
from counterfoil.postgres.roles import ensure_login
from counterfoil.postgres.supervisor import Supervisor, socket_dsn

START_SECONDS_MAX: Final = 120.0
_PASSWORD_BYTES: Final = 24


class EmbeddedPostgres:
    """A running server for the length of an `async with` block.

    Args:
        home: folder of the server; made if missing. Its path may be long.
        names: names of schemas, roles, database and login.
        tcp: listen on 127.0.0.1 too (any free port, password needed), for tools that know no sockets.
        keep_running: leave the server running when the last user goes; `shut_down` stops it.
        settings: Postgres settings on top of ours.
        major: release for a new data folder, 18 or 16; the newest if not given.
        mode: how to run as root, instead of finding out.
        start_seconds_max: how long to wait for a server that starts or recovers.

    Raises (on entry):
        EmbeddedUnavailableError: there are no programs for this platform.
        EmbeddedPostgresError: the server cannot be started or does not get ready; the remedy says what to do.
    """

    def __init__(
        self,
        home: Path,
        *,
        names: Names | None = None,
        tcp: bool = False,
        keep_running: bool = False,
        settings: Mapping[str, str] | None = None,
        major: int | None = None,
        mode: Mode | None = None,
        start_seconds_max: float = START_SECONDS_MAX,
    ) -> None:
        self.folder = DataFolder(home.absolute())
        self.names = names or Names()
        self._tcp = tcp
        self._keep_running = keep_running
        self._settings = dict(settings or {})
        self._major = major
        self._mode = mode
        self._start_seconds_max = start_seconds_max
        self._start_lock = FileLock(self.folder.start_lock)
        self._users_lock = FileLock(self.folder.users_lock)
        self._supervisor: Supervisor | None = None
        self._running: PostmasterFile | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """Process number of the server."""
        return self._server.pid

    @property
    def admin_dsn(self) -> SecretStr:
        """The superuser on our database, over the socket."""
        return self.dsn(SUPERUSER, self.names.prefix)

    @property
    def engine_dsn(self) -> SecretStr:
        """The engine's login on our database, over the socket; the login exists after `prepare`."""
        return self.dsn(self.names.login, self.names.prefix)

    @property
    def engine_tcp_dsn(self) -> SecretStr:
        """The engine's login on our database over TCP, with its password.

        Raises:
            EmbeddedPostgresError: the server does not listen on TCP.
        """
        server = self._server
        if not server.listen_address:
            raise self._no_tcp()
        return SecretStr(
            f"postgresql://{self.names.login}:{quote(self._password(), safe='')}"
            f"@{server.listen_address}:{server.port}/{self.names.prefix}"
        )

    def dsn(self, login: str, database: str) -> SecretStr:
        """Any login on any database, over the socket."""
        return socket_dsn(self._server, login, database)

    async def start(self) -> None:
        """Start the server, or join the one that runs; call it again to revive one that died.

        Raises: see the class.
        """
        try:
            async with asyncio.timeout(self._start_seconds_max) as limit:
                await asyncio.to_thread(data_folder.prepare_home, self.folder)
                async with self._start_lock.exclusively():
                    try:
                        await self._start_locked()
                    except BaseException:
                        # Nothing stays half done. Only where time is up the server goes on: stopped in the middle
                        # of a long recovery, it would have to begin it again.
                        if self._supervisor is not None and self._supervisor.launched and not limit.expired():
                            await self._supervisor.stop()
                        raise
        except TimeoutError:
            self._abandon()
            raise EmbeddedPostgresError(
                f"The Postgres in {self.folder.home} is not ready after {self._start_seconds_max:g} s.",
                remedy="It may be recovering from a crash, which goes on meanwhile: "
                f"look into {self.folder.log} and start again.",
            ) from None
        except BaseException:
            self._abandon()
            raise

    async def _start_locked(self) -> None:
        supervisor = self._supervisor = self._supervisor or await self._make_supervisor()
        self._running = await supervisor.join() or await supervisor.launch()
        if self._tcp and not self._running.listen_address:
            raise self._no_tcp()
        if not self._users_lock.held:
            await self._users_lock.acquire(shared=True)
        if self._keep_running:
            self.folder.keep_running.touch()
        await self._ensure_database()

    async def _make_supervisor(self) -> Supervisor:
        existing = self.folder.major()
        binaries = find_binaries(existing if existing is not None else self._major)
        account = await asyncio.to_thread(choose_account, self.folder.data_owner(), self._mode)
        binaries = await asyncio.to_thread(readable_binaries, binaries, account, self.folder.programs)
        return Supervisor(self.folder, binaries, account, self._settings, self._tcp)

    async def prepare(self) -> MigrationReport:
        """Bring the database up to this release and set up the engine's login; safe to repeat.

        Raises:
            MigrationError: see `migrate`.
        """
        report = await migrate(self.admin_dsn, self.names)
        password = self._password() if self._tcp else None
        async with connected(self.admin_dsn, application_name="counterfoil set-up") as connection:
            await ensure_login(connection, report.names, self.names.login, password)
        return report

    async def stop(self) -> None:
        """Leave the server; the last user to leave stops it, unless it is to keep running.

        Raises:
            EmbeddedPostgresError: the server goes on running.
        """
        self._users_lock.release()
        self._running = None
        if self._supervisor is None:
            return
        async with self._alone():
            if not self.folder.keep_running.exists() and self._users_lock.try_acquire():
                try:
                    await self._supervisor.stop()
                finally:
                    self._users_lock.release()
        self._abandon()

    async def shut_down(self) -> None:
        """Stop the server whoever uses it, one that was left running included.

        Raises:
            EmbeddedPostgresError: the server goes on running.
        """
        self._users_lock.release()
        self._running = None
        if not self.folder.data.exists():
            return
        async with self._alone():
            supervisor = self._supervisor or await self._make_supervisor()
            await supervisor.stop()
            self.folder.keep_running.unlink(missing_ok=True)
        self._abandon()

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        """Nobody else starts or stops the server meanwhile."""
        try:
            async with asyncio.timeout(self._start_seconds_max):
                await self._start_lock.acquire()
        except TimeoutError:
            raise EmbeddedPostgresError(
                f"Another process has been starting or stopping the Postgres in {self.folder.home} "
                f"for more than {self._start_seconds_max:g} s.",
                remedy="It is left as it is.",
            ) from None
        try:
            yield
        finally:
            self._start_lock.release()

    def _abandon(self) -> None:
        self._users_lock.release()
        self._running = None
        if self._supervisor is not None:
            self._supervisor.detach()
            self._supervisor = None

    async def _ensure_database(self) -> None:
        """Our own database, made once."""
        async with connected(self.dsn(SUPERUSER, "postgres"), application_name="counterfoil set-up") as connection:
            exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
            if not await connection.fetchval(exists, self.names.prefix):
                await connection.execute(f"CREATE DATABASE {quote_identifier(self.names.prefix)}")

    def _password(self) -> str:
        """The engine login's password for TCP, made once and kept beside the data."""
        path = self.folder.password
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(_PASSWORD_BYTES), encoding="ascii")
        return path.read_text(encoding="ascii")

    @property
    def _server(self) -> PostmasterFile:
        if self._running is None:
            raise EmbeddedPostgresError("The embedded Postgres is not running.", remedy="Enter its block first.")
        return self._running

    def _no_tcp(self) -> EmbeddedPostgresError:
        return EmbeddedPostgresError(
            f"The Postgres in {self.folder.home} runs without TCP.",
            remedy="Stop whatever uses it, and start it with TCP.",
        )
