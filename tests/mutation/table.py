"""The table of mutants: promises broken on purpose, read from `mutants.toml`."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
TABLE: Final = Path(__file__).with_name("mutants.toml")
SEEDS: Final = 6
PROMISES: Final = range(1, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One text of a file in the place of another."""

    file: str
    before: str
    after: str

    def problem(self, root: Path) -> str:
        """Why it cannot be made below a folder; empty if it can."""
        path = root / self.file
        if not path.is_file():
            return f"there is no {self.file}"
        count = path.read_text(encoding="utf-8").count(self.before)
        return "" if count == 1 else f"its text stands {count} times in {self.file}"

    def make(self, root: Path) -> None:
        """Make it below a folder.

        Raises:
            ValueError: its text does not stand there exactly once.
        """
        problem = self.problem(root)
        if problem:
            raise ValueError(problem)
        path = root / self.file
        path.write_text(path.read_text(encoding="utf-8").replace(self.before, self.after), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A promise broken.

    Attributes:
        name: what goes wrong, in words.
        promise: the number of the promise.
        changes: what is changed.
        tests: each of these must fail.
        blind: why the simulation cannot see it by nature; empty if it must.
        seeds: how many lives the simulation gets.
    """

    name: str
    promise: int
    changes: Sequence[Change]
    tests: Sequence[str]
    blind: str
    seeds: int


def mutants(table: Path = TABLE) -> list[Mutant]:
    """All of them, in the order of the table."""
    return [_mutant(entry) for entry in tomllib.loads(table.read_text(encoding="utf-8"))["mutant"]]


def _mutant(entry: dict[str, Any]) -> Mutant:
    first = {name: entry[name] for name in ("file", "before", "after")}
    return Mutant(
        name=entry["name"],
        promise=entry["promise"],
        changes=[Change(**change) for change in (first, *entry.get("also", ()))],
        tests=entry["tests"],
        blind=entry.get("blind", ""),
        seeds=entry.get("seeds", SEEDS),
    )
