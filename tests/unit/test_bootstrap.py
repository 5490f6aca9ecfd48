"""The bootstrap script: what it says when something is missing, when it does its work again, and its exit codes."""

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "ops" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, at work in a folder of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for kind in ("runtime", "dev"):
        (tmp_path / f"{kind}.txt").write_text(f"{kind}==1 \\\n    --hash=sha256:00\n")
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "SCRATCH": tmp_path / ".counterfoil",
        "LOG": tmp_path / ".counterfoil" / "bootstrap.log",
        "BIN": tmp_path / ".venv" / "bin",
        "PYTHON": tmp_path / ".venv" / "bin" / "python",
        "REQUIREMENTS": {kind: tmp_path / f"{kind}.txt" for kind in ("runtime", "dev")},
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.chdir(tmp_path)
    return module


def stamped(module: ModuleType, kind: str) -> None:
    (module.BIN / "python").touch()
    (module.VENV / f"{kind}.stamp").write_text(module.stamp_of(kind))


def test_it_parses_on_pythons_that_it_refuses_and_needs_nothing_installed() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", SCRIPT, "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_an_old_python_gets_one_line(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 10, 2))
    with pytest.raises(SystemExit) as caught:
        bootstrap.main(["run"])
    assert caught.value.code == 1


def test_a_python_without_venv_gets_one_line_with_the_packages_name(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find_spec = importlib.util.find_spec

    def without_ensurepip(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "ensurepip" else find_spec(name, package)

    monkeypatch.setattr("importlib.util.find_spec", without_ensurepip)
    monkeypatch.setattr(bootstrap, "find_uv", lambda: None)
    with pytest.raises(SystemExit) as caught:
        bootstrap.ensure("runtime")
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert f"apt install python3.{sys.version_info[1]}-venv" in said
    assert said.count("\n") == 1


def test_a_stamp_holds_until_requirements_or_packaging_change(bootstrap: ModuleType, tmp_path: Path) -> None:
    assert not bootstrap.is_stamped("runtime")
    stamped(bootstrap, "runtime")
    assert bootstrap.is_stamped("runtime")
    assert not bootstrap.is_stamped("dev")
    (tmp_path / "runtime.txt").write_text("runtime==2\n")
    assert not bootstrap.is_stamped("runtime")
    stamped(bootstrap, "runtime")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert not bootstrap.is_stamped("runtime")


def test_the_environment_for_development_serves_users_too(bootstrap: ModuleType) -> None:
    stamped(bootstrap, "dev")
    assert bootstrap.is_stamped("runtime")


def test_an_environment_without_its_python_counts_for_nothing(bootstrap: ModuleType) -> None:
    stamped(bootstrap, "dev")
    (bootstrap.BIN / "python").unlink()
    assert not bootstrap.is_stamped("dev")


def test_failing_steps_are_named_and_the_others_run(bootstrap: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    for name, code in {"one": 0, "two": 3, "three": 0, "four": 1}.items():
        program = bootstrap.BIN / name
        program.write_text(f"#!/bin/sh\necho ran {name}\nexit {code}\n")
        program.chmod(0o755)
    assert bootstrap.steps({name: [name] for name in ("one", "two", "three", "four")}) == 1
    said = capfd.readouterr().out
    assert [f"ran {name}" for name in ("one", "two", "three", "four")] == [
        line for line in said.splitlines() if line.startswith("ran")
    ]
    assert said.splitlines()[-1] == "failed: two, four"
    assert bootstrap.steps({"one": ["one"]}) == 0


def test_a_failing_installation_shows_the_end_of_its_log(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.SCRATCH.mkdir()
    with pytest.raises(SystemExit) as caught:
        bootstrap.noisily([sys.executable, "-c", "print('the reason'); raise SystemExit(9)"], "It went wrong.")
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert "the reason" in said
    assert f"It went wrong. The whole story is in {bootstrap.LOG}." in said


def test_a_folder_that_cannot_be_written_gets_one_line(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.SCRATCH.write_text("in the way")
    with pytest.raises(SystemExit) as caught:
        bootstrap.ensure("runtime")
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert str(bootstrap.ROOT) in said
    assert said.count("\n") == 1


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    # Stopped, as from a terminal, where it looks for uv.
    project = tmp_path / "project"
    (project / "ops").mkdir(parents=True)
    (project / "ops" / "bootstrap.py").write_bytes(SCRIPT.read_bytes())
    (project / "ops" / "run.py").write_text(
        "import os, signal, runpy, sys\n"
        "sys.argv = ['ops/bootstrap.py', 'setup']\n"
        "import shutil\n"
        "shutil.which = lambda _: os.kill(os.getpid(), signal.SIGINT)\n"
        "runpy.run_path(os.path.join(os.path.dirname(__file__), 'bootstrap.py'), run_name='__main__')\n"
    )
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        (project / name).write_text("")
    done = subprocess.run(
        [sys.executable, project / "ops" / "run.py"], capture_output=True, text=True, check=False, cwd=project
    )
    assert done.returncode == 130
    assert done.stderr == "Stopped.\n"


def test_every_make_target_is_a_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    for target in ("run", "test", "check", "bench", "lock", "snapshot", "setup"):
        assert f" {target}" in makefile
        assert f"\n  {target} " in done.stderr
