"""A skeleton that works as it stands, and a check that tells what is wrong with an adapter."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from counterfoil import plugins
from counterfoil.cli.tasks import adapters
from counterfoil.errors import ConfigurationError
from counterfoil.testing import SourceContract
from support.cli import run_cli
from support.processes import python_environment
from third_party.tillbook.tillbook import Tillbook

CHECKS = sum(name.startswith("test_") for name in dir(SourceContract))


def test_a_new_adapter_passes_its_tests_as_it_stands(tmp_path: Path) -> None:
    written = run_cli("adapters", "new", "harvest_time", "--json", cwd=tmp_path).json()
    folder = tmp_path / "counterfoil-harvest_time"
    assert sorted(str(path.relative_to(tmp_path)) for path in folder.rglob("*") if path.is_file()) == written["files"]
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    assert [
        word for word in ("@name@", "@Title@", "@module@", "@package@") if any(word in text for text in texts)
    ] == []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(
        command, cwd=folder, env=python_environment(), capture_output=True, text=True, check=False, timeout=240
    )
    assert f"{CHECKS} passed" in done.stdout, done.stdout
    tools = (
        ("ruff", "check", "--isolated", "--select=F,B", "."),
        ("mypy", "--strict", "counterfoil_harvest_time"),
    )
    for tool in tools:
        command = [sys.executable, "-m", *tool]
        told = subprocess.run(
            command, cwd=folder, env=python_environment(), capture_output=True, text=True, check=False, timeout=240
        )
        assert told.returncode == 0, told.stdout


@pytest.mark.parametrize(("name", "words"), [("Harvest", "lower-case"), ("../x", "lower-case"), ("csv", "already")])
def test_a_name_that_cannot_be_is_refused(name: str, words: str, tmp_path: Path) -> None:
    done = run_cli("adapters", "new", name, cwd=tmp_path)
    assert (done.code, words in done.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_exists_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"README\.md exists already"):
        adapters.write_skeleton("harvest", tmp_path, as_json=True)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_every_template_is_shipped() -> None:
    folder = resources.files("counterfoil.cli").joinpath("skeleton")
    assert {one.name for one in folder.iterdir()} == set(adapters.FILES.values())


@pytest.mark.parametrize("name", ["csv", "gusto", "hubspot", "pipedrive", "salesforce"])
def test_our_own_adapters_keep_the_form(name: str, tmp_path: Path) -> None:
    assert run_cli("adapters", "check", name, cwd=tmp_path).code == 0


async def said(
    factory: object,
    given: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mapping: Path | None = None,
) -> dict[str, bool]:
    monkeypatch.setattr(adapters, "load", lambda _group, _name: factory)
    await adapters.check("tillbook", given, mapping, as_json=True)
    return {one["check"]: one["ok"] for one in json.loads(capsys.readouterr().out)["checks"]}


SETTINGS = ["base_url=http://localhost:1", "api_key=k", "webhook_secret=s", "stall=7"]


async def test_a_good_adapter_is_called_good(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mapping = tmp_path / "tillbook.toml"
    mapping.write_text(
        '[connection]\nsource = "tillbook"\nzone = "Europe/Vienna"\n[invoice]\nfrom = ["sale", "offer"]\n',
        encoding="utf-8",
    )
    found = await said(Tillbook, SETTINGS, monkeypatch, capsys, mapping)
    assert found.pop("the mapping asks for kinds that it has") is False
    assert all(found.values())


async def test_what_is_wrong_with_an_adapter_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fall(_self: object, _context: object) -> None:
        raise KeyError("api_key")

    wrong = type("Wrong", (Tillbook,), {"name": "another", "write_back": None, "__init__": fall})
    found = await said(wrong, SETTINGS, monkeypatch, capsys)
    assert [check for check, ok in found.items() if not ok] == [
        "its name is that of its entry point",
        "it has every method",
        "a setting that it does not know is told",
        "opens with these settings",
    ]


def test_an_adapter_that_is_not_installed_is_told_with_those_that_are(tmp_path: Path) -> None:
    done = run_cli("adapters", "check", "sugar", cwd=tmp_path)
    assert (done.code, "csv" in done.err) == (2, True)
    assert "csv" in plugins.installed(plugins.SOURCES)


def test_all_installed_adapters_are_checked_where_none_is_named(tmp_path: Path) -> None:
    done = run_cli("adapters", "check", "--json", cwd=tmp_path)
    assert done.code == 0, done.said
    assert [one["adapter"] for one in done.json()["adapters"]] == sorted(plugins.installed(plugins.SOURCES))
    assert all(point["ok"] for one in done.json()["adapters"] for point in one["checks"])
    stray = run_cli("adapters", "check", "--set", "folder=.", cwd=tmp_path)
    assert (stray.code, "Name it." in stray.err) == (2, True)
