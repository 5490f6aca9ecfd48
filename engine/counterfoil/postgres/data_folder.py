"""The folder that an embedded server lives in: made once, whole or not at all, and configured at each start."""

import asyncio
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counterfoil.postgres.account import Account
from counterfoil.postgres.binaries import Binaries
from counterfoil.postgres.errors import EmbeddedPostgresError
from counterfoil.postgres.postmaster import read_postmaster_file

SUPERUSER: Final = "postgres"
SOCKET_PREFIX: Final = "counterfoil-pg-"
# sockaddr_un holds 108 bytes with the closing zero; Postgres appends "/.s.PGSQL.65535".
SOCKET_PATH_BYTES_MAX: Final = 107
_SOCKET_NAME_BYTES: Final = len("/.s.PGSQL.65535")
INITDB_SECONDS_MAX: Final = 120.0
BUILTIN_LOCALES_SINCE: Final = 17
LOG_BYTES_MAX: Final = 10_000_000

SETTINGS: Final[Mapping[str, str]] = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "15min",
    "wal_level": "replica",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Short statements by the thousand: compiling them costs more than it saves.
    "jit": "off",
    "autovacuum": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    # A statement's text may hold personal data or a password; the server's log shall have neither.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "logging_collector": "off",
}

# The socket's folder is open to its owner alone, who may read the data anyway; over TCP a password is asked for,
# and the superuser is not let in at all.
_HBA: Final = f"""\
local all all trust
host all {SUPERUSER} all reject
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside the folder that was named to us.

    `data` is what Postgres calls its data directory; the rest is ours.
    """

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def start_lock(self) -> Path:
        return self.home / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.home / "users.lock"

    @property
    def keep_running(self) -> Path:
        return self.home / "keep_running"

    @property
    def sockets(self) -> Path:
        return self.home / "sockets"

    @property
    def password(self) -> Path:
        return self.home / "password"

    @property
    def programs(self) -> Path:
        return self.home / "programs"

    def data_owner(self) -> int | None:
        """Number of the user that the data belongs to; None if there is none yet."""
        try:
            return self.data.stat().st_uid
        except FileNotFoundError:
            return None

    def major(self) -> int | None:
        """Release that the data was made with; None if there is none yet."""
        try:
            return int((self.data / "PG_VERSION").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None


def prepare_home(folder: DataFolder) -> None:
    """Make the home folder and shorten an overlong log.

    Raises:
        EmbeddedPostgresError: it cannot be made or written to.
    """
    try:
        folder.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.log.exists() and folder.log.stat().st_size > LOG_BYTES_MAX:
            folder.log.replace(folder.log.with_suffix(".log.1"))
        folder.start_lock.touch(mode=0o600)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The data folder {folder.home} cannot be used ({error.strerror}).",
            remedy="Name a folder that this user may write to.",
        ) from error


async def initialise(folder: DataFolder, binaries: Binaries, account: Account, *, sync: bool) -> None:
    """Make a new data directory: beside its place first, then moved there, so that half of one never counts."""
    for leftover in folder.home.glob("data.new.*"):
        await asyncio.to_thread(shutil.rmtree, leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="data.new.", dir=folder.home))
    if account.dropped:
        os.chown(fresh, account.uid, account.gid)
    locale = (
        ("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if binaries.major >= BUILTIN_LOCALES_SINCE else ()
    )
    process = await asyncio.create_subprocess_exec(
        *account.prefix,
        str(binaries.program("initdb")),
        f"--pgdata={account.data_argument(fresh)}",
        f"--username={SUPERUSER}",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        *locale,
        "--data-checksums",
        "--no-instructions",
        *(() if sync else ("--no-sync",)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=fresh,
        env=server_environment(),
        user=account.switch_uid,
        group=account.switch_gid,
        extra_groups=[] if account.dropped else None,
    )
    try:
        async with asyncio.timeout(INITDB_SECONDS_MAX):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
        raise EmbeddedPostgresError(
            f"A new data folder cannot be made in {folder.home} ({_last_line(output.decode(errors='replace'))}).",
            remedy="Check free space and access rights there, or name another folder.",
        )
    await asyncio.to_thread(fresh.rename, folder.data)


def configure(folder: DataFolder, account: Account, overrides: Mapping[str, str]) -> None:
    """Write the server's settings and access rules anew, so that they are always ours."""
    settings = {**SETTINGS, **overrides}
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    for name, text in (("postgresql.conf", "\n".join(lines) + "\n"), ("pg_hba.conf", _HBA)):
        path = folder.data / name
        path.write_text(text, encoding="utf-8")
        if account.dropped:
            os.chown(path, account.uid, account.gid)


def server_environment() -> dict[str, str]:
    """Only what the programs need: a stray PGDATA or PGPORT of the user must not reach them."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}


def known_socket_folder(folder: DataFolder) -> str | None:
    """Where the socket was before, as somebody who uses the server may still believe; None after a stop in order.

    Postgres takes its own lock file along when it gives up by itself, on a full disk for one.
    """
    stale = read_postmaster_file(folder.data)
    if stale is not None:
        return stale.socket_folder
    try:
        return folder.sockets.read_text(encoding="utf-8")
    except OSError:
        return None


def remember_socket_folder(folder: DataFolder, sockets: Path) -> None:
    """Keep in mind where it is; on a full disk the address may change with the next start, and nothing else."""
    with suppress(OSError):
        folder.sockets.write_text(str(sockets), encoding="utf-8")


def socket_folder(previous: str | None, account: Account) -> Path:
    """A folder for the socket: short, ours alone; the one used before if it is still fit, so that DSNs stay good.

    Raises:
        EmbeddedPostgresError: every place for temporary folders has too long a path.
    """
    if previous and is_own_socket_folder(Path(previous), account):
        for stale in Path(previous).iterdir():
            stale.unlink(missing_ok=True)
        return Path(previous)
    candidates = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")
    for parent in candidates:
        if parent is None or not os.access(parent, os.W_OK | os.X_OK):
            continue
        length = len(os.fsencode(parent)) + 1 + len(SOCKET_PREFIX) + 8 + _SOCKET_NAME_BYTES
        if length > SOCKET_PATH_BYTES_MAX or (account.dropped and not _open_to_others(Path(parent))):
            continue
        folder = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=parent))
        if account.dropped:
            os.chown(folder, account.uid, account.gid)
        return folder
    raise EmbeddedPostgresError(
        "There is no folder for the database's socket: every temporary folder is closed or has too long a path.",
        remedy="Set TMPDIR to a short path, such as /tmp.",
    )


def _open_to_others(folder: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def is_own_socket_folder(folder: Path, account: Account) -> bool:
    """Whether a folder named in a lock file is one that we made: nothing else is ever reused or removed."""
    if not folder.name.startswith(SOCKET_PREFIX):
        return False
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and not status.st_mode & 0o077


def remove_socket_folder(folder: Path, account: Account) -> None:
    """Remove it if it is ours; whatever does not go is left to the system's own cleaning."""
    if is_own_socket_folder(folder, account):
        shutil.rmtree(folder, ignore_errors=True)


def log_tail(folder: DataFolder, start: int) -> str:
    """What the server has written to its log since that byte."""
    try:
        with folder.log.open("rb") as file:
            file.seek(start)
            return file.read(LOG_BYTES_MAX).decode(errors="replace")
    except FileNotFoundError:
        return ""


def log_size(folder: DataFolder) -> int:
    """Length of the server's log in bytes."""
    return folder.log.stat().st_size if folder.log.exists() else 0


def failure_reason(text: str) -> str:
    """The line of a server's log that says why it gave up."""
    lines = text.splitlines()
    numbers = [number for number, line in enumerate(lines) if "FATAL:" in line or "PANIC:" in line]
    if not numbers:
        return _last_line(text)
    last = numbers[-1]
    # What is wrong with a setting stands in the line before.
    telling = lines[last - 1] if "contains errors" in lines[last] and last > 0 else lines[last]
    return telling.partition(": ")[2].strip()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
