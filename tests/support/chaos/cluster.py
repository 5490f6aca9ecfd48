"""A Postgres of its own that is killed again and again, on a disk that can be filled, and started again each time."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

import asyncpg

from counterfoil.errors import CounterfoilError
from counterfoil.postgres import LOST, EmbeddedPostgres, Names
from counterfoil.postgres.postmaster import is_postmaster, recorded_pid
from counterfoil.postgres.supervisor import SOCKET_ONLY_PORT

DISK_BYTES: Final = 512 * 1024 * 1024
SETTINGS: Final = {
    "shared_buffers": "32MB",
    "max_connections": "150",
    # A small disk: as little of it as can be is for what is written ahead.
    "min_wal_size": "32MB",
    "max_wal_size": "64MB",
}
LOOK_SECONDS: Final = 0.05
START_SECONDS_MAX: Final = 20.0
MOUNT_SECONDS_MAX: Final = 10.0


class SmallDisk:
    """A file system of a fixed size for the length of a block, where this machine allows one to be mounted.

    Attributes:
        refused: why there is none; empty if there is.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.refused = ""

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True)
        mount = shutil.which("mount")
        if mount is None:
            self.refused = "there is no mount command"
            return self
        command = [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "counterfoil-chaos", str(self.place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MOUNT_SECONDS_MAX)
        if done.returncode:
            self.refused = f"no file system can be mounted here: {done.stderr.strip() or done.returncode}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.refused:
            command = ["umount", "-l", str(self.place)]
            subprocess.run(command, capture_output=True, check=False, timeout=MOUNT_SECONDS_MAX)

    @property
    def _ballast(self) -> Path:
        return self.place / "ballast"

    def fill(self) -> None:
        """Take all the space there is."""
        handle = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            for size in (1 << 20, 4096):
                with suppress(OSError):
                    while os.write(handle, bytes(size)) > 0:
                        pass
        finally:
            os.close(handle)

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink(missing_ok=True)


class Cluster:
    """The server; whoever is killed is started again at once.

    Attributes:
        restarts: how often it was started again; refused: how often it did not start, as on a full disk;
            stuck: how often it began to recover and never came to its end; its log is then kept in `told`.
    """

    def __init__(self, home: Path, dice: random.Random, told: Path) -> None:
        self.told = told
        self._server = EmbeddedPostgres(home, names=Names(), settings=SETTINGS, start_seconds_max=START_SECONDS_MAX)
        self._dice = dice
        self._keeper: asyncio.Task[None] | None = None
        self.restarts = 0
        self.refused = 0
        self.stuck = 0

    async def __aenter__(self) -> Self:
        await self._server.start()
        await self._server.prepare()
        self._learn_place()
        self._keeper = asyncio.create_task(self._keep(), name="Postgres")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        await self._server.stop()

    def _learn_place(self) -> None:
        """Where it is now: a server that could not start takes another folder for its socket the next time."""
        self._pid = self._server.pid
        self.admin_dsn = self._server.admin_dsn
        self.engine_dsn = self._server.engine_dsn
        (self._folder,) = parse_qs(urlsplit(self.admin_dsn.get_secret_value()).query)["host"]

    @property
    def socket(self) -> str:
        """Where it listens."""
        return f"{self._folder}/.s.PGSQL.{SOCKET_ONLY_PORT}"

    def kill(self) -> bool:
        """SIGKILL to the server; whether one ran."""
        return _killed(self._pid) if _state_of(self._pid) not in ("", "Z") else False

    async def kill_backend(self) -> bool:
        """SIGKILL to one of the processes that work for an engine; the server then ends all others and recovers."""
        try:
            pids = await self.column("SELECT pid FROM pg_stat_activity WHERE application_name = 'counterfoil'")
        except (*LOST, asyncpg.PostgresError):
            return False
        return bool(pids) and _killed(int(str(self._dice.choice(pids))))

    async def column(self, query: str) -> list[object]:
        """The first column of what a query finds, as the superuser, past every proxy."""
        return [row[0] for row in await self.rows(query)]

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        """What a query finds."""
        connection = await asyncpg.connect(self.admin_dsn.get_secret_value(), timeout=5)
        try:
            return [tuple(row) for row in await connection.fetch(query, timeout=20)]
        finally:
            connection.terminate()

    async def _keep(self) -> None:
        """Start it again whenever it is gone."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if _state_of(self._pid) not in ("", "Z"):
                continue
            began = time.monotonic()
            try:
                await self._server.start()
            except (CounterfoilError, *LOST, asyncpg.PostgresError):
                # A full disk, or killed again on the way up.
                self.refused += 1
                if time.monotonic() - began >= START_SECONDS_MAX:
                    self._end_stuck()
                continue
            self._learn_place()
            self.restarts += 1

    def _end_stuck(self) -> None:
        """A server that does not finish its recovery is ended as an operator would end it, and begins again."""
        data = self._server.folder.data
        pid = recorded_pid(data)
        if pid is not None and is_postmaster(pid, data):
            self.stuck += 1
            shutil.copy(self._server.folder.log, self.told / f"stuck-{self.stuck}.log")
            _killed(pid)

    async def until_ready(self) -> None:
        """Until it answers."""
        async with asyncio.timeout(120):
            while True:
                with suppress(*LOST, asyncpg.PostgresError):
                    if await self.column("SELECT 1"):
                        return
                await asyncio.sleep(LOOK_SECONDS)


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _state_of(pid: int) -> str:
    """One letter, or nothing where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]
