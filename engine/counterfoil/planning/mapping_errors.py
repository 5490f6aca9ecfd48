"""Turns what is wrong with a mapping into sentences with line, key and the nearest known name."""

import re
import tomllib
from collections.abc import Sequence
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


class Places:
    """Line numbers of tables and keys in a TOML text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        table: Path = ()
        quotes = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if quotes:
                quotes = "" if quotes in line else quotes
                continue
            stripped = line.strip()
            if stripped.startswith("["):
                table = _header(stripped)
                self._keep(table, number)
            elif "=" in stripped and not stripped.startswith("#"):
                key, _, value = stripped.partition("=")
                self._keep((*table, *_path(f"{key} = 0")), number)
                quotes = _left_open(value)

    def _keep(self, path: Path, number: int) -> None:
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], number)

    def line(self, path: Path) -> int | None:
        """The line of a key, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return None

    def at(self, path: Path) -> str:
        """`line 12: `, or nothing where the place is unknown."""
        number = self.line(path)
        return f"line {number}: " if number is not None else ""


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
    return f"{says}; known are {', '.join(known)}." if len(known) <= few else f"{says}."


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
        found.setdefault(places.at(path) + says, number)
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
