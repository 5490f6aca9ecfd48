"""What the documents name is there: files, tests, make targets, commands, decisions numbered once."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from counterfoil.settings import (
    AnchorSettings,
    BreakerSettings,
    CompanySettings,
    QuickBooksSettings,
    Settings,
    TelemetrySettings,
    WebhookSettings,
)

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "engine").glob("*.md"),
        *(ROOT / "adapters").glob("*.md"),
        *(ROOT / "ops").rglob("*.md"),
    ]
)
ROOMS = (ROOT, ROOT / "engine/counterfoil", ROOT / "schema/counterfoil_schema", ROOT / "adapters/counterfoil_adapters")
SUFFIXES = (".py", ".md", ".toml", ".sql", ".yaml")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """The text without its fenced examples."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def names_of_tests() -> frozenset[str]:
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "engine/counterfoil/testing").rglob("*.py")]
    found = [re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")) for path in files]
    return frozenset(name for names in found for name in names)


def commands_of(app: typer.Typer, before: str = "") -> Iterator[str]:
    """Every command of the command line, as it is typed."""
    for command in app.registered_commands:
        assert command.callback is not None
        yield before + (command.name or command.callback.__name__).replace("_", "-")
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from commands_of(group.typer_instance, f"{before}{group.name} ")


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_links_lead_somewhere(document: Path) -> None:
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose(document))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_files_that_are_named_exist(document: Path) -> None:
    named = [word for word in re.findall(r"`([\w./-]+/[\w./-]*)`", prose(document)) if word[0] != "."]
    files = [word for word in named if word.endswith((*SUFFIXES, "/"))]
    bases = (document.parent, *ROOMS)
    assert [word for word in files if not any((base / word).exists() for base in bases)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_tests_that_are_named_exist(document: Path) -> None:
    assert set(re.findall(r"`(test_\w+)`", document.read_text(encoding="utf-8"))) - names_of_tests() == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_make_targets_that_are_named_exist(document: Path) -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z]+)", text)) - set(targets[0].split()) == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_commands_that_are_named_exist(document: Path) -> None:
    from counterfoil.cli.app import make_app

    known = set(commands_of(make_app()))
    found = re.findall(
        r"(?:`|^|\s\$ )counterfoil ([a-z]+(?: [a-z]+)?)", document.read_text(encoding="utf-8"), re.MULTILINE
    )
    wrong = [words for words in found if words not in known and words.split()[0] not in known]
    assert wrong == []


def test_every_command_stands_in_the_readme() -> None:
    from counterfoil.cli.app import make_app

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [
        name for name in commands_of(make_app()) if f"`{name}" not in text and f"`counterfoil {name}" not in text
    ] == []


def test_decisions_are_numbered_once_and_in_form() -> None:
    records = sorted((ROOT / "ops" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert list(range(1, len(records) + 1)) == numbers
    for path, number in zip(records, numbers, strict=True):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. "), shown(path)
        headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], shown(path)
        assert "\nStatus: " in text, shown(path)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (Settings, ""),
        (CompanySettings, "company.1"),
        (QuickBooksSettings, "company.1.quickbooks"),
        (BreakerSettings, "company.1.breaker"),
        (TelemetrySettings, "telemetry"),
        (AnchorSettings, "anchor"),
        (WebhookSettings, "webhooks"),
    ],
)
def test_every_setting_stands_in_the_readme(model: type[BaseModel], table: str) -> None:
    """The README's example of a configuration file holds each key once, and no other."""
    (example,) = re.findall(
        r"^```toml\n(# counterfoil\.toml.*?)^```$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    uncommented = re.sub(r"^# (\w+ = |\[)", r"\1", example, flags=re.MULTILINE)
    tables: Any = tomllib.loads(uncommented)
    for name in filter(None, table.split(".")):
        tables = tables[name]
    keys = {name for name, value in tables.items() if not isinstance(value, dict)}
    nested = {"anchor", "companies", "telemetry", "tokens", "company", "quickbooks", "sources", "webhooks"} | {
        "breaker"
    }
    assert set(model.model_fields) - nested == keys - nested
