"""As whom the embedded server runs: Postgres refuses to run as root.

An ordinary user runs it as himself; where the machine has no name for him (a container started with any number),
in a user namespace in which he has one, as initdb insists. Root runs it in a user namespace too, where root appears
as somebody else and the files stay root's; where namespaces are not allowed (most containers), as an existing
account without rights. Then neither the data folder's parents nor the programs need be open to that account: it
starts inside the data folder, and gets a copy of the programs if it cannot read them. No folder that is not ours
changes its mode.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from counterfoil.postgres.binaries import Binaries
from counterfoil.postgres.errors import EmbeddedPostgresError

if sys.platform != "win32" or TYPE_CHECKING:
    import pwd

COPY_PREFIX: Final = "counterfoil-programs-"
_PROBE_SECONDS_MAX: Final = 10.0
# Existing accounts without rights, best first; initdb insists on one that has a name.
_ACCOUNTS: Final = ("postgres", "nobody", "daemon")


class Mode(StrEnum):
    """How the server's programs are started."""

    OWN = "own"
    NAMESPACE = "namespace"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server's programs run as, seen from outside.

    Attributes:
        mode: how they get there.
        uid, gid: owner of the data folder as the rest of the machine sees it.
        prefix: what is put before each command.
    """

    mode: Mode
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    @property
    def dropped(self) -> bool:
        """Whether it is another user than we are."""
        return self.mode is Mode.DROPPED

    @property
    def switch_uid(self) -> int | None:
        """What to tell subprocess about the user; None to stay who we are."""
        return self.uid if self.dropped else None

    @property
    def switch_gid(self) -> int | None:
        """The same for the group."""
        return self.gid if self.dropped else None

    def data_argument(self, data: Path) -> str:
        """The data folder as the programs, started inside it, should be told."""
        if self.dropped and sys.platform == "linux":
            # Leads there without passing through parents that the account may not enter.
            return "/proc/self/cwd"
        return str(data)


def choose_account(data_owner: int | None, wanted: Mode | None = None) -> Account:
    """The account to use for a data folder that belongs to `data_owner`, or for a new one.

    Raises:
        EmbeddedPostgresError: the folder is somebody else's, or root finds no way to be somebody else.
    """
    own = os.geteuid()
    if own != 0:
        if data_owner not in {None, own}:
            raise EmbeddedPostgresError(
                f"The data folder belongs to the user with number {data_owner}, not to this one ({own}).",
                remedy="Run as that user, or name another data folder.",
            )
        return _ordinary(own)
    stand_in = _stand_in()
    namespace = Account(Mode.NAMESPACE, 0, 0, _namespace_of(stand_in))
    if data_owner == 0 or wanted is Mode.NAMESPACE:
        if not _works((*namespace.prefix, "true")):
            raise EmbeddedPostgresError(
                "The data folder belongs to root, and user namespaces are not allowed here.",
                remedy="Name another data folder, allow user namespaces, or run as an ordinary user.",
            )
        return namespace
    if data_owner is not None:
        return Account(Mode.DROPPED, data_owner, _group_of(data_owner))
    if wanted is None and _works((*namespace.prefix, "true")):
        return namespace
    return Account(Mode.DROPPED, stand_in.pw_uid, stand_in.pw_gid)


def _ordinary(own: int) -> Account:
    try:
        pwd.getpwuid(own)
    except KeyError:
        prefix = _namespace_of(_stand_in())
        if not _works((*prefix, "true")):
            raise EmbeddedPostgresError(
                f"This machine has no name for the user with number {own}, and Postgres insists on one.",
                remedy="Run as a user with a name, or set COUNTERFOIL_DSN to a Postgres 15 or newer.",
            ) from None
        return Account(Mode.NAMESPACE, own, os.getegid(), prefix)
    return Account(Mode.OWN, own, os.getegid())


def _namespace_of(stand_in: "pwd.struct_passwd") -> tuple[str, ...]:
    """A command prefix that makes us appear as that account; to the rest of the machine we stay who we are."""
    return ("unshare", "--user", f"--map-user={stand_in.pw_uid}", f"--map-group={stand_in.pw_gid}", "--")


def _stand_in() -> "pwd.struct_passwd":
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedPostgresError(
        f"Postgres does not run as root, and there is none of the accounts {', '.join(_ACCOUNTS)}.",
        remedy="Run as an ordinary user.",
    )


def _group_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid


def _works(command: tuple[str, ...], uid: int | None = None, gid: int | None = None) -> bool:
    """Whether a command can be run and says yes."""
    try:
        done = subprocess.run(
            command,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            cwd="/",
            capture_output=True,
            check=False,
            timeout=_PROBE_SECONDS_MAX,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def readable_binaries(binaries: Binaries, account: Account, record: Path) -> Binaries:
    """The programs where the account can run them: in place, or a copy whose place is kept in `record`.

    Raises:
        EmbeddedPostgresError: they cannot be copied to where the account may run them.
    """
    if not account.dropped or _runs(binaries, account):
        return binaries
    if record.exists():
        folder = Path(record.read_text(encoding="utf-8"))
        copy = _inside(folder, binaries)
        if copy.root.is_dir() and folder.stat().st_uid == 0 and _runs(copy, account):
            return copy
    folder = Path(tempfile.mkdtemp(prefix=COPY_PREFIX))
    copy = _inside(folder, binaries)
    shutil.copytree(binaries.root, copy.root, symlinks=True, ignore=shutil.ignore_patterns("include"))
    # The programs look for their libraries beside the package, three folders up.
    libraries = binaries.root.parent.with_name(f"{binaries.root.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    _open_to_all(folder)
    if not _runs(copy, account):
        shutil.rmtree(folder, ignore_errors=True)
        raise EmbeddedPostgresError(
            f"The account number {account.uid} cannot run the embedded Postgres, not even a copy in {folder.parent}.",
            remedy="Set TMPDIR to a folder from which programs may be run, or run as an ordinary user.",
        )
    record.write_text(str(folder), encoding="utf-8")
    return copy


def _inside(folder: Path, binaries: Binaries) -> Binaries:
    return Binaries(binaries.major, folder / binaries.root.parent.name / binaries.root.name)


def _runs(binaries: Binaries, account: Account) -> bool:
    return _works((str(binaries.program("postgres")), "--version"), account.uid, account.gid)


def _open_to_all(folder: Path) -> None:
    """Let everybody read and enter the copy that we have just made."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
