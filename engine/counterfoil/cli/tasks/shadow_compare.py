"""`counterfoil shadow --compare`: two files of plans held against each other, such as those of two planner versions.

The files are read line by line, in whatever order each is; of the first one only where its lines begin is kept, sixteen
bytes a record.
"""

import asyncio
import hashlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Final

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.line_files import head_of, opened, records_of
from counterfoil.cli.tasks.shadow_lines import EXPORT, VERSION
from counterfoil.errors import ConfigurationError
from counterfoil.planning.outcome import named
from counterfoil.planning.shadow import leaves
from counterfoil.planning.values import same, words
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

REMEDY: Final = "`counterfoil shadow --export FILE` writes one."
INPUTS: Final = ("record", "mapping", "planner", "preferences", "rates")


@dataclass(slots=True, kw_only=True)
class Compared:
    """What two exports come to.

    Attributes:
        inputs: for each kind of input, of how many records it is another; with none, only the planner's code differs.
        shown: the first records that differ: key, and paths with the values of both.
    """

    show: int
    records: int = 0
    only_before: int = 0
    only_after: int = 0
    differing: int = 0
    inputs: Counter[str] = field(default_factory=Counter)
    unexplained: int = 0
    shown: list[tuple[str, list[tuple[str, JsonValue, JsonValue]]]] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether both hold the same plans of the same records."""
        return not (self.differing or self.only_before or self.only_after)

    def pair(self, before: JsonObject, after: JsonObject) -> None:
        """One record that both hold."""
        self.records += 1
        moved = [name for name in INPUTS if not same(_inputs(before).get(name), _inputs(after).get(name))]
        self.inputs.update(moved)
        paths = differing(before, after)
        if paths:
            self.differing += 1
            self.unexplained += not moved
            self._keep(str(after["record_key"]), paths)

    def alone(self, line: JsonObject, *, before: bool) -> None:
        """One record that only one of them holds."""
        self.only_before += before
        self.only_after += not before
        here: JsonValue = line.get("outcome")
        self._keep(str(line["record_key"]), [("outcome", here if before else None, None if before else here)])

    def _keep(self, key: str, paths: list[tuple[str, JsonValue, JsonValue]]) -> None:
        if len(self.shown) < self.show:
            self.shown.append((key, paths))


def differing(before: JsonObject, after: JsonObject) -> list[tuple[str, JsonValue, JsonValue]]:
    """In what two plans of a record differ: path, before, after; inputs and positions are no part of them."""
    left, right = (dict(leaves(_plan(line), by_line=True)) for line in (before, after))
    paths = [*right, *(path for path in left if path not in right)]
    return [(path, left.get(path), right.get(path)) for path in paths if not same(left.get(path), right.get(path))]


def _plan(line: JsonObject) -> JsonObject:
    return {name: value for name, value in line.items() if name not in ("inputs", "position", "record_key")}


def _inputs(line: JsonObject) -> JsonObject:
    held = line.get("inputs")
    return held if isinstance(held, dict) else {}


async def compare_exports(before: Path, after: Path, *, show: int, as_json: bool) -> int:
    """Show in what two exports differ; 1 if they do.

    Raises:
        ConfigurationError: one of them is no export, is cut, or cannot be held against the other.
    """
    found = await asyncio.to_thread(compared, before, after, show)
    if as_json:
        write_json(_as_json(found))
    else:
        _show(found, before, after)
    return ExitCode.OK if found.is_same else ExitCode.UNSETTLED


def compared(before: Path, after: Path, show: int) -> Compared:
    """What two exports come to; see `compare_exports`."""
    found = Compared(show=show)
    with opened(before, REMEDY) as one, opened(after, REMEDY) as other:
        left, right = (
            head_of(file, path, kind=EXPORT, version=VERSION, remedy=REMEDY)
            for file, path in ((one, before), (other, after))
        )
        for name in ("company", "connection", "personal"):
            if not same(left.get(name), right.get(name)):
                raise ConfigurationError(
                    f"{before} and {after} cannot be compared: {name} is {words(left.get(name))} in one and "
                    f"{words(right.get(name))} in the other.",
                    remedy="Export both from the same company and connection, both with --personal or without.",
                )
        index = _Index(one, before)
        for line, _ in records_of(other, after, kind=EXPORT, remedy=REMEDY):
            held = index.take(str(line["record_key"]))
            if held is None:
                found.alone(line, before=False)
            else:
                found.pair(held, line)
        for rest in index.rest():
            found.alone(rest, before=True)
    return found


class _Index:
    """Where each record's line begins in a file."""

    def __init__(self, file: BufferedReader, path: Path) -> None:
        self._file = file
        hashes, places = array("Q"), array("Q")
        for line, place in records_of(file, path, kind=EXPORT, remedy=REMEDY):
            hashes.append(_hash(str(line["record_key"])))
            places.append(place)
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        self._hashes = array("Q", (hashes[number] for number in order))
        self._places = array("Q", (places[number] for number in order))
        self._taken = bytearray(len(order))

    def take(self, key: str) -> JsonObject | None:
        """The line of a record; None where there is none."""
        wanted = _hash(key)
        number = bisect_left(self._hashes, wanted)
        while number < len(self._hashes) and self._hashes[number] == wanted:
            line = self._line(number)
            if line["record_key"] == key:
                self._taken[number] = 1
                return line
            number += 1
        return None

    def rest(self) -> Iterator[JsonObject]:
        """The lines that nobody took."""
        return (self._line(number) for number, taken in enumerate(self._taken) if not taken)

    def _line(self, number: int) -> JsonObject:
        self._file.seek(self._places[number])
        return exact_json.loads_object(self._file.readline())


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def _as_json(found: Compared) -> dict[str, object]:
    return {
        "records": found.records,
        "only_before": found.only_before,
        "only_after": found.only_after,
        "differing": found.differing,
        "unexplained": found.unexplained,
        "inputs": {name: found.inputs[name] for name in INPUTS},
        "changes": [
            {
                "record_key": key,
                "fields": [{"path": path, "before": before, "after": after} for path, before, after in paths],
            }
            for key, paths in found.shown
        ],
        "left_out": found.differing + found.only_before + found.only_after - len(found.shown),
    }


def _show(found: Compared, before: Path, after: Path) -> None:
    out = console()
    if found.shown:
        shown = table(f"{before} and {after}", "record", "", ">before", ">after")
        for key, paths in found.shown:
            for number, (path, left, right) in enumerate(paths):
                values = ("" if value is None else words(value) for value in (left, right))
                add_row(shown, named(key) if not number else "", path, *values)
        out.print(shown)
        out.print()
    moved = ", ".join(f"{name} of {found.inputs[name]:,}" for name in INPUTS if found.inputs[name]) or "none"
    out.print(
        Text(
            f"Of {found.records:,} records in both, {found.differing:,} are planned otherwise, {found.unexplained:,} "
            f"of them from equal inputs; {found.only_before:,} are only in {before.name}, {found.only_after:,} only in "
            f"{after.name}. Inputs that differ: {moved}."
        ),
        soft_wrap=True,
    )
