"""Turns what is wrong with a mapping into sentences with line, column, key and the nearest known name."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from counterfoil.errors import ConfigurationError

Path = tuple[str, ...]


class MappingError(ConfigurationError):
    """A mapping file that cannot be used; `problems` holds one sentence per mistake."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.file = file
        self.problems = tuple(problems)
        said = "\n".join(f"{file}, {problem}" for problem in self.problems)
        super().__init__(said, remedy="\nCorrect the mapping; nothing is planned with it until then.")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1, of a key or a table's head; `value` is the column of what is assigned."""

    line: int
    column: int
    value: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class Places:
    """Where tables, keys and values stand in a TOML text."""

    def __init__(self, text: str) -> None:
        self._text = text.splitlines()
        self._places: dict[Path, Place] = {}
        self._assigned: set[Path] = set()
        table: Path = ()
        quotes = ""
        for number, line in enumerate(self._text, start=1):
            if quotes:
                quotes = "" if quotes in line else quotes
                continue
            stripped = line.strip()
            begin = len(line) - len(line.lstrip()) + 1
            if stripped.startswith("["):
                table = _header(stripped)
                self._keep(table, Place(number, begin, begin))
            elif "=" in stripped and not stripped.startswith("#"):
                key, _, value = line.partition("=")
                blanks = len(value) - len(value.lstrip())
                path = (*table, *_path(f"{key} = 0"))
                self._assigned.add(path)
                self._keep(path, Place(number, begin, len(key) + blanks + 2))
                quotes = _left_open(value)

    def _keep(self, path: Path, place: Place) -> None:
        for length in range(1, len(path) + 1):
            self._places.setdefault(path[:length], place)

    def __contains__(self, path: Path) -> bool:
        """Whether a key is written, by itself or inside of an inline table."""
        return path in self._places or any(path[:length] in self._assigned for length in range(1, len(path)))

    def of(self, path: Path) -> Place | None:
        """The place of a key, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return None

    def of_value(self, path: Path, value: object) -> Place | None:
        """The place of what is assigned to a key, or of one text in a list of several."""
        key = self.of(path)
        if key is None:
            return None
        taken = {place.line for place in self._places.values() if place.line > key.line}
        end = min(taken, default=len(self._text) + 1)
        for number in range(key.line, end):
            begin = key.value - 1 if number == key.line else 0
            for quote in ('"', "'"):
                found = self._text[number - 1].find(f"{quote}{value}{quote}", begin)
                if found >= 0:
                    return Place(number, found + 1, found + 1)
        return Place(key.line, key.value, key.value)

    def of_text(self, value: str) -> Place | None:
        """The place of the first key or text of this name that is written anywhere; None where there is none."""
        try:
            path = _path_to(tomllib.loads("\n".join(self._text)), value)
        except tomllib.TOMLDecodeError:
            path = None
        return self.of_value(path, value) if path is not None else None

    def line(self, path: Path) -> int | None:
        """The line of a key, or of the nearest table around it."""
        place = self.of(path)
        return place.line if place is not None else None

    def at(self, path: Path) -> str:
        """`line 12, column 1: `, or nothing where the place is unknown."""
        place = self.of(path)
        return f"{place}: " if place is not None else ""

    def at_value(self, path: Path, value: object) -> str:
        """The same of a value."""
        place = self.of_value(path, value)
        return f"{place}: " if place is not None else ""


def _path_to(table: Any, value: str) -> Path | None:
    """The keys down to a text; of several the first."""
    for key, inner in table.items():
        if value in (key, inner) or (isinstance(inner, list) and value in inner):
            return (key,)
        below = _path_to(inner, value) if isinstance(inner, dict) else None
        if below is not None:
            return (key, *below)
    return None


def _left_open(value: str) -> str:
    for quotes in ('"""', "'''"):
        if value.count(quotes) == 1:
            return quotes
    return ""


def _header(line: str) -> Path:
    return _path(line)


def _path(fragment: str) -> Path:
    """The keys that a header or an assignment names; the TOML reader itself takes them apart."""
    try:
        inner: Any = tomllib.loads(fragment)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(inner, dict) and inner:
        key = next(iter(inner))
        path.append(key)
        inner = inner[key]
        if isinstance(inner, list):
            break
    return tuple(path)


def unknown_name(says: str, name: str, known: Sequence[str]) -> str:
    """A sentence with the nearest known name, or with all of them where they are few."""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(name.casefold(), list(folded), n=1)
    if near:
        return f'{says}; did you mean "{folded[near[0]]}"?'
    few = 12
    return f"{says}; known are {', '.join(known)}." if 0 < len(known) <= few else f"{says}."


def syntax_problem(error: tomllib.TOMLDecodeError) -> str:
    """What the TOML reader says, with the line in front."""
    says = str(error)
    place = re.search(r"\s*\(at line (\d+), column (\d+)\)", says)
    if place is None:
        return f"this is not TOML: {says}"
    return f"line {place.group(1)}, column {place.group(2)}: this is not TOML: {says[: place.start()]}"


def problems_of(error: ValidationError, model: type[BaseModel], places: Places) -> tuple[str, ...]:
    """One sentence per mistake, in the order of the file."""
    found: dict[str, int] = {}
    for mistake in error.errors():
        path = tuple(str(part) for part in mistake["loc"] if not _is_branch(str(part)))
        number = places.line(path) or 0
        context = mistake.get("ctx", {})
        says = _sentence(mistake["type"], path, mistake["msg"], mistake["input"], context, model)
        is_key = mistake["type"] in {"extra_forbidden", "missing"}
        place = places.at(path) if is_key else places.at_value(path, mistake["input"])
        found.setdefault(place + says, number)
    return tuple(sorted(found, key=lambda says: found[says]))


def _is_branch(part: str) -> bool:
    """Whether a part of the place is the validator's own note and not a key of the file."""
    return part == "[key]" or part.startswith(("literal[", "tuple[", "function-"))


def _sentence(
    kind: str, path: Path, message: str, value: object, context: dict[str, Any], model: type[BaseModel]
) -> str:
    table, key = f"[{'.'.join(path[:-1])}]", path[-1]
    if kind == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        if len(path) == 1:
            return unknown_name(f"there is no section [{key}]", key, known)
        return unknown_name(f'{table} has no key "{key}"', key, known)
    if kind == "missing":
        return f"[{key}] is missing" if len(path) == 1 else f'{table} lacks "{key}"'
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return unknown_name(f'{table} {key} cannot be "{value}"', str(value), allowed)
    return f"{table} {key} = {value!r}: {message.removeprefix('Value error, ')}"


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the table at this path may have."""
    current: Any = model
    for part in path:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            values = [a for a in get_args(current) if isinstance(a, type) and issubclass(a, BaseModel)]
            current = values[-1] if values else None
            continue
        names = {field.alias or name: field for name, field in current.model_fields.items()}
        current = names[part].annotation if part in names else None
    if not (isinstance(current, type) and issubclass(current, BaseModel)):
        return []
    return sorted(field.alias or name for name, field in current.model_fields.items())
