"""`counterfoil adapters new`, `list` and `check`."""

import asyncio
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import aiohttp
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapping import Mapping as ParsedMapping
from counterfoil.planning.mapping import parse_mapping
from counterfoil.plugins import EMULATORS, SOURCES, installed, load
from counterfoil.sources import SourceAdapter, SourceContext, SourceError

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
FILES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "@module@/__init__.py": "__init__.py.txt",
    "@module@/adapter.py": "adapter.py.txt",
    "@module@/stub.py": "stub.py.txt",
    "tests/test_@name@.py": "test_adapter.py.txt",
}
"""What a skeleton consists of, and the template of each file."""

METHODS = ("kinds", "changes", "read", "receive", "write_back", "same_values")
UNKNOWN_SETTING = "setting_that_nobody_knows"


@dataclass(frozen=True, slots=True)
class Checked:
    """One point, and what was found."""

    check: str
    ok: bool
    said: str


def write_skeleton(name: str, folder: Path | None, *, as_json: bool) -> int:
    """Write the package of a new adapter; refuses a folder that holds any of its files."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a source.", remedy="Use lower-case letters, digits and underscores."
        )
    if name in installed(SOURCES):
        raise ConfigurationError(f"There is a source called {name} already.", remedy="Choose another name.")
    title = "".join(part.capitalize() for part in name.split("_") if part)
    words = {"name": name, "Title": title, "module": f"counterfoil_{name}", "package": f"counterfoil-{name}"}
    root = folder if folder is not None else Path(f"counterfoil-{name}")
    targets = {root / _filled(target, words): template for target, template in FILES.items()}
    there = [target for target in targets if target.exists()]
    if there:
        raise ConfigurationError(f"{there[0]} exists already, and is not replaced.", remedy="Choose another folder.")
    for target, template in targets.items():
        text = resources.files("counterfoil.cli").joinpath("skeleton", template).read_text("utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(text, words), encoding="utf-8")
    if as_json:
        write_json({"folder": root, "files": sorted(str(target) for target in targets)})
        return ExitCode.OK
    for target in sorted(targets):
        console().print(Text(str(target)))
    console().print(Text(f"Then: cd {root}, pip install -e . --group test, pytest -rs."))
    return ExitCode.OK


def show_adapters(*, as_json: bool) -> int:
    """List the installed adapters, and which of them has an emulator."""
    emulators = installed(EMULATORS)
    points = installed(SOURCES)
    if as_json:
        found = [{"name": name, "from": point.value, "emulator": name in emulators} for name, point in points.items()]
        write_json({"adapters": sorted(found, key=lambda one: str(one["name"]))})
        return ExitCode.OK
    shown = table("Source adapters", "name", "from", "emulator")
    for name in sorted(points):
        add_row(shown, name, points[name].value, "yes" if name in emulators else "")
    console().print(shown)
    return ExitCode.OK


async def check(name: str | None, given: Sequence[str], mapping: Path | None, *, as_json: bool) -> int:
    """Hold an installed adapter, or all of them, to the form of all sources, without a call to anybody."""
    if name is None:
        if given or mapping is not None:
            raise ConfigurationError("--set and --mapping belong to one adapter.", remedy="Name it.")
        found = {one: await _checked(one, (), None) for one in sorted(installed(SOURCES))}
    else:
        found = {name: await _checked(name, given, mapping)}
    good = {one: all(point.ok for point in points) for one, points in found.items()}
    if as_json:
        told = [{"adapter": one, "ok": good[one], "checks": points} for one, points in found.items()]
        write_json(told[0] if name is not None else {"ok": all(good.values()), "adapters": told})
    else:
        for one, points in found.items():
            shown = table(f"The adapter {one}", "", "check", "found")
            for point in points:
                add_row(shown, "ok" if point.ok else "NO", point.check, point.said)
            console().print(shown)
    return ExitCode.OK if all(good.values()) else ExitCode.UNSETTLED


async def _checked(name: str, given: Sequence[str], mapping: Path | None) -> list[Checked]:
    factory = load(SOURCES, name)
    found = [*_form(name, factory), await _unknown_setting(name, factory, given)]
    text = await asyncio.to_thread(mapping.read_text, "utf-8") if mapping is not None else ""
    table_of = tomllib.loads(text, parse_float=Decimal)
    async with aiohttp.ClientSession() as http:
        try:
            async with factory(_context(name, _settings(given), table_of, http)) as adapter:
                kinds = _kinds(adapter)
                found += [Checked("opens with these settings", ok=True, said=""), kinds]
                if mapping is not None and kinds.ok:
                    found.append(_mapped(adapter, parse_mapping(text, file=str(mapping)), str(mapping)))
        except (ConfigurationError, SourceError) as told:
            # Told in words, as it should be: what is missing can be given by --set.
            found.append(Checked("opens with these settings", ok=not given, said=str(told)))
        except Exception as fell:
            found.append(Checked("opens with these settings", ok=False, said=f"{type(fell).__name__}: {fell}"))
    return found


def _form(name: str, factory: Any) -> list[Checked]:
    own = getattr(factory, "name", None)
    lacks = (method for method in METHODS if not callable(getattr(factory, method, None)))
    missing = list(lacks) if isinstance(factory, type) else []
    personal = getattr(factory, "personal_kinds", ())
    return [
        Checked("its name is that of its entry point", ok=own == name, said="" if own == name else f"name is {own!r}"),
        Checked("it has every method", ok=not missing, said=f"without {', '.join(missing)}" if missing else ""),
        Checked("personal_kinds are names", ok=all(isinstance(one, str) for one in personal), said=", ".join(personal)),
    ]


async def _unknown_setting(name: str, factory: Any, given: Sequence[str]) -> Checked:
    what = "a setting that it does not know is told"
    settings = {**_settings(given), UNKNOWN_SETTING: "x"}
    async with aiohttp.ClientSession() as http:
        try:
            async with factory(_context(name, settings, {}, http)):
                return Checked(what, ok=False, said="it is passed over in silence: a typing error would be, too")
        except ConfigurationError as told:
            return Checked(what, ok=True, said=told.message)
        except Exception as fell:
            return Checked(what, ok=False, said=f"{type(fell).__name__}: {fell}")


def _kinds(adapter: SourceAdapter) -> Checked:
    kinds = list(adapter.kinds())
    odd = [kind for kind in kinds if not isinstance(kind, str) or not kind or ":" in kind]
    ok = bool(kinds) and not odd and len(set(kinds)) == len(kinds)
    return Checked("its kinds are named, once each", ok=ok, said=", ".join(map(str, kinds)) or "none")


def _mapped(adapter: SourceAdapter, mapping: ParsedMapping, file: str) -> Checked:
    """A section's `from` must name kinds that the source has."""
    known = set(adapter.kinds())
    asked = {kind for section in vars(mapping).values() for kind in getattr(section, "from_kinds", ())}
    missing = sorted(asked - known)
    said = f"{file} asks for {', '.join(missing)}; there are {', '.join(sorted(known))}" if missing else ""
    return Checked("the mapping asks for kinds that it has", ok=not missing, said=said)


def _settings(given: Sequence[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    wrong = [key for key, equals, _ in pairs if not equals or not key]
    if wrong:
        raise ConfigurationError(f"--set {wrong[0]} has no value.", remedy="Write --set KEY=VALUE.")
    return {key: value for key, _, value in pairs}


def _context(
    name: str, settings: Mapping[str, Any], mapping: Mapping[str, Any], http: aiohttp.ClientSession
) -> SourceContext:
    return SourceContext(
        connection=name,
        settings=settings,
        mapping=mapping,
        http=http,
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
