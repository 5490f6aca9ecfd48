"""Tidiness as a test: what every file must be, however good the rest of it is."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from counterfoil.postgres import Names, load_query
from counterfoil.postgres.migrations import shipped_migrations

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("engine", "adapters", "schema")
MODULE_LINES_MAX = 500
MODULE_LINES_MEDIAN_MAX = 150
FUNCTION_LINES_MAX = 70
BINARY = {".png", ".ico", ".woff2", ".gz", ".zip"}

# A bracket in each word keeps this file from naming what it forbids.
FORBIDDEN = {
    "a path of one machine": re.compile(r"/[w]ork/\w|/[r]oot/\w|/[h]ome/\w|/[t]mp/cf\b|/[o]pt/(?:wheels|pypi)"),
    "a package registry's address": re.compile(r"py[p]i\.org|python[h]osted\.org|registry\.[n]pmjs|proxy\.[g]olang"),
    # Not three X: that is the code for no currency.
    "a mark of unfinished work": re.compile(r"\b(?:TO[D]O|FIX[M]E)\b"),
    "a word about how the project is made": re.compile(
        r"\b(?:c[l]aude|a[n]thropic|c[h]atgpt|o[p]enai|c[o]pilot|l[l]ms?|language [m]odels?|sub-?[a]gents?)\b"
        r"|(?<!user[-_ ])\b[a]gents?\b|(?-i:\b[A]I\b)",
        re.IGNORECASE,
    ),
}
SILENCED = re.compile(r"#\s*(?:type:\s*[i]gnore|pyright:|[n]oqa|pragma:\s*no\s*[c]over|mypy:|[r]uff:)")


@cache
def tracked_files() -> tuple[Path, ...]:
    """What is in version control, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    if done.returncode != 0:
        pytest.skip("not a git work tree")
    return tuple(path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file())


def python_files(*roots: str) -> list[Path]:
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py" and (not roots or path.relative_to(ROOT).parts[0] in roots)
    ]


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{shown(path)}: {node.name} has {length} lines"


def test_no_top_folder_is_a_package() -> None:
    """Else `import schema` from here would hide somebody's package of that name."""
    assert [shown(path) for path in ROOT.glob("*/__init__.py")] == []


def test_each_source_root_holds_one_package() -> None:
    for root in SOURCE_ROOTS:
        packages = {path.relative_to(ROOT).parts[1] for path in python_files(root)}
        assert len(packages) == 1
        assert packages.pop().startswith("counterfoil")


def test_no_module_is_long() -> None:
    assert [shown(path) for path in python_files() if line_count(path) > MODULE_LINES_MAX] == []


def test_modules_are_short_as_a_rule() -> None:
    lengths = sorted(line_count(path) for path in python_files(*SOURCE_ROOTS))
    assert lengths[len(lengths) // 2] <= MODULE_LINES_MEDIAN_MAX


def test_no_function_is_long() -> None:
    assert [line for path in python_files() for line in long_functions(path)] == []


def test_no_file_says_what_is_nobodys_business() -> None:
    found: list[str] = []
    for path in tracked_files():
        if path.suffix in BINARY:
            continue
        text = path.read_text(encoding="utf-8")
        for name, pattern in FORBIDDEN.items():
            found += [f"{shown(path)}: {name}: {match[0]!r}" for match in pattern.finditer(text)]
    assert found == []


def test_no_checker_is_silenced() -> None:
    found = [
        f"{shown(path)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if SILENCED.search(line)
    ]
    assert found == []


def test_there_is_one_kind_of_lock_file() -> None:
    names = {path.name for path in tracked_files()}
    assert set() == names & {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9_.\-\[\]]+)==([^\s;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pins_with_hashes_and_nothing_else(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("-")] == []
    for number, line in enumerate(lines):
        if not line.startswith(" "):
            assert "==" in line
            assert lines[number + 1].strip().startswith("--hash=sha256:")


def test_users_get_the_versions_that_are_tested() -> None:
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime
    assert {name: version for name, version in runtime.items() if development.get(name) != version} == {}


def test_every_sql_file_loads() -> None:
    folder = resources.files("counterfoil_schema")
    for file in folder.joinpath("queries").iterdir():
        text = load_query(file.name.removesuffix(".sql"), Names("other"))
        assert text.strip()
        assert "counterfoil_" not in text
        assert ";" not in re.sub(r"--[^\n]*|'[^']*'", "", text.strip()).rstrip(";"), (
            f"{file.name}: one statement a file"
        )
    assert shipped_migrations()


@pytest.mark.parametrize("script", [".ci/run"])
def test_scripts_may_be_executed(script: str) -> None:
    assert (ROOT / script).stat().st_mode & 0o111
