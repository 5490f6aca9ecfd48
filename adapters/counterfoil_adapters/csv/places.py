"""Which files a kind is read from: one, or all whose names fit a pattern. Blocking where it looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterfoil.errors import ConfigurationError
from counterfoil.sources import SourceError
from counterfoil_adapters.csv.mapping import Kind

SETTINGS = ("folder", "file", "rejected", "settle_seconds")
_WILD = frozenset("*?")


@dataclass(frozen=True, slots=True)
class KindFiles:
    """The main files of a kind and those of its lines, as names or patterns in one folder."""

    folder: Path
    main: str
    lines: str | None = None

    def found(self) -> tuple[Sequence[Path], Sequence[Path]]:
        """The files that are there now, in the order of their names.

        Raises:
            SourceError: no file fits a pattern; a single file that is missing is told by whoever opens it.
        """
        return self._fitting(self.main), self._fitting(self.lines) if self.lines is not None else ()

    def none_left(self) -> bool:
        """Whether the main files are those of a pattern, and none is there: somebody takes away what was read."""
        return bool(_WILD.intersection(self.main)) and self.folder.is_dir() and not self._matching(self.main)

    def _fitting(self, name: str) -> Sequence[Path]:
        if not _WILD.intersection(name):
            return (self.folder / name,)
        fitting = self._matching(name)
        if not fitting:
            raise SourceError(
                f"No file in {self.folder} is called {name}.",
                remedy="Put one there, or correct the pattern in the mapping; no record is deleted meanwhile.",
            )
        return fitting

    def _matching(self, pattern: str) -> list[Path]:
        return sorted(path for path in self.folder.glob(pattern) if path.is_file() and not path.name.startswith("."))


def locate(settings: Mapping[str, object], kinds: Mapping[str, Kind]) -> Mapping[str, KindFiles]:
    """The files of each kind.

    Raises:
        ConfigurationError: an unknown setting, none of `folder` and `file`, both, or a kind without a file.
    """
    for key in settings:
        if key not in SETTINGS:
            raise ConfigurationError(
                f'A csv connection has no setting "{key}"; known are {", ".join(SETTINGS[:-1])} and {SETTINGS[-1]}.',
                remedy="Correct or remove it; how the files are read stands in the mapping, under [csv].",
            )
    folder, single = settings.get("folder"), settings.get("file")
    if isinstance(single, str | Path) and not folder:
        return _all_in_one(Path(single).expanduser(), kinds)
    if not isinstance(folder, str | Path) or single:
        raise ConfigurationError(
            "A csv connection needs either folder or file in its settings.",
            remedy='Set folder = "…" to the folder that holds the files.',
        )
    base = Path(folder).expanduser()
    located: dict[str, KindFiles] = {}
    for name, kind in kinds.items():
        if kind.file is None:
            raise ConfigurationError(
                f"[csv.{name}] does not name its file.", remedy=f'Add file = "{name}s.csv", or whatever it is called.'
            )
        located[name] = KindFiles(base, kind.file, kind.lines.file if kind.lines else None)
    return located


def folder_read(settings: Mapping[str, object]) -> Path | None:
    """The folder that is read, by the settings alone; None where they name none."""
    folder, single = settings.get("folder"), settings.get("file")
    if isinstance(folder, str | Path):
        return Path(folder).expanduser()
    return Path(single).expanduser().parent if isinstance(single, str | Path) else None


def _all_in_one(path: Path, kinds: Mapping[str, Kind]) -> Mapping[str, KindFiles]:
    named = [kind.file for kind in kinds.values()] + [kind.lines.file for kind in kinds.values() if kind.lines]
    others = sorted({name for name in named if name is not None and name != path.name})
    if others:
        raise ConfigurationError(
            f"The connection names the single file {path.name}, the mapping also {', '.join(others)}.",
            remedy="Set folder instead of file in the connection's settings.",
        )
    return dict.fromkeys(kinds, KindFiles(path.parent, path.name))
