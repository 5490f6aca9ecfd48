"""`make test-sandbox` from end to end: Intuit's own addresses, credentials in the environment, a token kept in a file.

Intuit cannot be reached from here. An emulator with a throw-away authority stands in its place, and the resolver alone
sends the run there: nothing of the journeys, or of what guards them, knows of it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfoil.doctor.sandbox import SandboxRun, read_run
from support.processes import ROOT, python_environment
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow
RUN_SECONDS = 240
RESOLVER = """
import os, socket
_found = socket.getaddrinfo
def getaddrinfo(host, port, *more, **named):
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name.endswith(".intuit.com"):
        host, port = "127.0.0.1", int(os.environ["STAND_IN_PORT"])
    return _found(host, port, *more, **named)
socket.getaddrinfo = getaddrinfo
"""
STRANGER = "9341450000000000001"


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--sample", "craig", "--seed", "11", "--limits", "off", "--tls") as process:
        yield process


def run(
    emulator: EmulatorProcess, folder: Path, *arguments: str, **environment: str
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The command with everything set, and where its report would be."""
    (folder / "resolver").mkdir()
    (folder / "resolver/sitecustomize.py").write_text(RESOLVER, encoding="utf-8")
    token, report = folder / "token", folder / "report.json"
    token.write_text(emulator["refresh_token"], encoding="utf-8")
    base = python_environment()
    given = {
        **base,
        "PYTHONPATH": os.pathsep.join([str(folder / "resolver"), base["PYTHONPATH"]]),
        "STAND_IN_PORT": emulator["base_url"].rpartition(":")[2],
        "SSL_CERT_FILE": emulator["ca_file"],
        "COUNTERFOIL_SANDBOX_CLIENT_ID": emulator["client_id"],
        "COUNTERFOIL_SANDBOX_CLIENT_SECRET": emulator["client_secret"],
        "COUNTERFOIL_SANDBOX_REALM_ID": emulator["realm_id"],
        "COUNTERFOIL_SANDBOX_TOKEN_FILE": str(token),
        "COUNTERFOIL_SANDBOX_REPORT": str(report),
        **environment,
    }
    for name in [name for name in given if name.startswith("PYTEST_")]:
        del given[name]
    command = [sys.executable, "-m", "pytest", "tests/sandbox", "-k", "sandbox]", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    return done, report


def test_every_journey_holds_and_the_token_that_came_anew_is_kept(emulator: EmulatorProcess, tmp_path: Path) -> None:
    emulator.control("/oauth", {"rotate": True})
    done, report = run(emulator, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    held = read_run(report)
    assert isinstance(held, SandboxRun)
    assert (held.realm_id, held.failed) == (emulator["realm_id"], 0)
    assert f" {held.passed} passed" in f" {done.stdout.splitlines()[-1].strip('= ')}"
    assert "skipped" not in done.stdout.splitlines()[-1]
    token = tmp_path / "token"
    kept = token.read_text(encoding="utf-8").strip()
    assert kept != emulator["refresh_token"]
    assert emulator.control("/oauth", {})["refresh_token"] == kept
    assert token.stat().st_mode & 0o077 == 0


def test_a_realm_that_is_no_sandbox_gets_no_journey(emulator: EmulatorProcess, tmp_path: Path) -> None:
    before = emulator.control("/journal")["total"]
    done, report = run(emulator, tmp_path, COUNTERFOIL_SANDBOX_REALM_ID=STRANGER)
    assert done.returncode == 1
    assert f"Realm {STRANGER} is not shown as a sandbox company, so no journey runs against it" in done.stdout
    held = read_run(report)
    assert isinstance(held, SandboxRun)
    assert (held.passed, held.failed > 0) == (0, True)
    assert emulator.control("/journal")["total"] == before


def test_two_processes_do_not_share_the_one_token(emulator: EmulatorProcess, tmp_path: Path) -> None:
    done, report = run(emulator, tmp_path, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" not in done.stdout.splitlines()[-1]
    assert not report.exists()
    assert (tmp_path / "token").read_text(encoding="utf-8") == emulator["refresh_token"]
