"""What the server's own lock file says, and whether it is still true."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE_NAME: Final = "postmaster.pid"
_PS_SECONDS_MAX: Final = 5.0


@dataclass(frozen=True, slots=True)
class PostmasterFile:
    """The lines of `postmaster.pid` that matter (Postgres source: miscadmin.h, LOCK_FILE_LINE_*)."""

    pid: int
    port: int
    socket_folder: str
    listen_address: str


def read_postmaster_file(data: Path) -> PostmasterFile | None:
    """The file's content; None if there is none, or one that is still being written."""
    try:
        lines = (data / FILE_NAME).read_text(encoding="utf-8", errors="replace").split("\n")
        found = PostmasterFile(
            pid=abs(int(lines[0])),
            port=int(lines[3]),
            socket_folder=lines[4].strip(),
            listen_address=lines[5].strip(),
        )
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return found if found.socket_folder else None


def recorded_pid(data: Path) -> int | None:
    """The process number in the file, also where the rest is not written yet."""
    try:
        return abs(int((data / FILE_NAME).read_text(encoding="utf-8", errors="replace").split("\n")[0]))
    except (FileNotFoundError, ValueError):
        return None


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether the process lives, is no zombie, and works in that data folder: numbers are used again."""
    if sys.platform == "linux":
        return not _is_zombie(pid) and _works_in(pid, data)
    return _looks_like_postgres(pid)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    # The command stands in brackets and may hold any character; the state follows the last of them.
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}


def _works_in(pid: int, data: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except OSError:
        return False


def _looks_like_postgres(pid: int) -> bool:
    done = subprocess.run(
        ["/bin/ps", "-o", "state=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_PS_SECONDS_MAX,
    )
    state, _, command = done.stdout.strip().partition(" ")
    return bool(state) and not state.startswith("Z") and "postgres" in command


def disarm(data: Path) -> None:
    """Make a stale file harmless without taking from Postgres the check that it hangs on it.

    The file names a process that is none of ours but exists (its number was used again, or it is a zombie), and so
    the server would refuse to start. Deleting the file would also delete the key of the shared memory by which the
    server notices orphaned backends still at work on the data. Postgres ignores a file that names its own parent:
    so that is what it will name.
    """
    path = data / FILE_NAME
    _, newline, rest = path.read_text(encoding="utf-8", errors="replace").partition("\n")
    path.write_text(f"{os.getpid()}{newline}{rest}", encoding="utf-8")
