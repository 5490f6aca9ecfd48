"""The adapter on the page about writing adapters passes the contract shown there, as it stands."""

import re
import subprocess
import sys
from pathlib import Path

from counterfoil.testing import SourceContract
from counterfoil.testing.sources.steady import SteadyContract
from support.processes import python_environment

ROOT = Path(__file__).resolve().parents[2]
STEADY = [name for name in dir(SteadyContract) if name.startswith("test_")]
CHECKS = [name for name in dir(SourceContract) if name.startswith("test_")]


def write_files(folder: Path) -> None:
    """Every example of the page that begins with its file's name."""
    text = (ROOT / "adapters" / "README.md").read_text(encoding="utf-8")
    for name, code in re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(code, encoding="utf-8")


def run_contract(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "."]
    return subprocess.run(
        command, cwd=folder, env=python_environment(), capture_output=True, text=True, check=False, timeout=120
    )


def test_the_adapter_on_the_page_keeps_the_contract(tmp_path: Path) -> None:
    write_files(tmp_path)
    assert {"clientlist.py", "test_clientlist.py"} == {path.name for path in tmp_path.iterdir()}
    done = run_contract(tmp_path)
    # A file has no webhooks, no write-back and no network: what is left of the contract is in SteadyContract, and more.
    assert "failed" not in done.stdout, done.stdout
    passed, skipped = (int(re.findall(rf"(\d+) {word}", done.stdout)[0]) for word in ("passed", "skipped"))
    assert passed >= len(STEADY)
    assert passed + skipped == len(CHECKS)


def test_the_contract_there_fails_an_adapter_that_misses_edits(tmp_path: Path) -> None:
    write_files(tmp_path)
    adapter = tmp_path / "clientlist.py"
    code = adapter.read_text(encoding="utf-8")
    adapter.write_text(code.replace('version=str(row["changed"])', 'version="1"'), encoding="utf-8")
    done = run_contract(tmp_path)
    assert "test_an_edit_is_seen_from_the_last_cursor" in done.stdout
    assert re.search(r"\b[1-9]\d* failed", done.stdout)
