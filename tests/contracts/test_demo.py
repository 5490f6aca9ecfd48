"""`counterfoil demo` as a process: a small company ties out through faults and a kill; a stop leaves nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

SECONDS_MAX = 240
SEED = 5
"""Of this sample's pay run that is approved, one person has a garnishment, and one is paid expenses back."""
DEMO = [sys.executable, "-m", "counterfoil.demo", "--fast"]


def running_in(folder: Path) -> list[str]:
    """Command lines of processes that name this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in line:
                found.append(line)
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "kept"


@pytest.fixture(scope="module")
def report(kept: Path) -> JsonObject:
    command = [*DEMO, "--json", "--seed", str(SEED), "--keep", str(kept)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:] + done.stdout.decode()[-2000:]
    return exact_json.loads_object(done.stdout)


@pytest.mark.slow
def test_it_ties_out_through_every_fault(report: JsonObject) -> None:
    assert report["ties_out"] is True
    checks = report["checks"]
    assert isinstance(checks, list)
    assert [check for check in checks if not (isinstance(check, dict) and check["holds"])] == []
    incidents = report["incidents"]
    assert isinstance(incidents, list)
    assert [one for one in incidents if not (isinstance(one, dict) and one["times"])] == []
    assert (report["kills"], report["live_changes"]) == (1, 18)
    doubts = report["missing_answers"]
    assert isinstance(doubts, dict)
    assert doubts["open"] == 0
    assert int(str(doubts["found"])) > 0


@pytest.mark.slow
def test_what_it_kept_can_be_looked_into(report: JsonObject, kept: Path) -> None:
    command = [sys.executable, "-c", "from counterfoil.cli import main; main()"]
    command += ["explain", "101", "--config", str(kept / "counterfoil.toml")]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert b", number 101 " in done.stdout.splitlines()[0]
    assert running_in(kept) == []


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_no_process_behind(tmp_path: Path, stop: signal.Signals) -> None:
    kept = tmp_path / "kept"
    with subprocess.Popen([*DEMO, "--keep", str(kept)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if b"The engine starts" in line:
                break
        demo.send_signal(stop)
        rest = demo.stderr.read()
        demo.wait(SECONDS_MAX)
    assert demo.returncode == 130
    assert b"Traceback" not in rest
    assert running_in(kept) == []


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = subprocess.run([*DEMO, "--keep", str(tmp_path)], capture_output=True, timeout=60, check=False)
    assert done.returncode != 0
    assert b"not empty" in done.stderr
    assert b"Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
