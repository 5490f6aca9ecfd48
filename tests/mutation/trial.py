"""One mutant tried: a copy with its change, in which its tests run and the simulation lives."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from mutation.table import ROOT, Change, Mutant

COPIED: Final = ("engine", "adapters", "schema", "tests", "pyproject.toml")
IMPORTED: Final = ("engine", "adapters", "schema", "tests")
TEST_SECONDS_MAX: Final = 240.0
SIMULATION_SECONDS_MAX: Final = 300.0
HOURS: Final = "0.3"

Verdict = Literal["caught", "missed", "no end", "not run", "blind", "cannot run"]
PYTEST_FAILED: Final = 1
"""Of pytest's exit codes the one that says that a test failed: nothing else counts as a catch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a mutant.

    Attributes:
        tests, simulation: whether they caught it.
        test_words, words: what pytest and the simulation said.
    """

    mutant: Mutant
    tests: Verdict
    simulation: Verdict
    test_words: str
    words: str
    seconds: float

    @property
    def is_well(self) -> bool:
        """Whether everybody who must see it has seen it."""
        return self.tests in {"caught", "not run"} and self.simulation in {"caught", "no end", "blind", "not run"}


@contextmanager
def copy_with(changes: Sequence[Change]) -> Iterator[Path]:
    """A copy of all that is imported, with some changes; gone afterwards."""
    with TemporaryDirectory(prefix="counterfoil-mutant-") as folder:
        place = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place / name)
            else:
                shutil.copy2(ROOT / name, place / name)
        for change in changes:
            change.make(place)
        yield place


def surroundings(place: Path) -> dict[str, str]:
    """An environment in which a copy is imported, by subprocesses too, whatever is installed."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(place / name) for name in IMPORTED)}


def imported_from(place: Path) -> Path:
    """Where Python finds the engine in a copy's surroundings."""
    asked = subprocess.run(
        [sys.executable, "-c", "import counterfoil.cli.app as app; print(app.__file__)"],
        env=surroundings(place),
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(asked.stdout.strip())


def run_bounded(command: Sequence[str], place: Path, seconds: float) -> subprocess.CompletedProcess[str] | None:
    """What a command in a copy came to; None if it came to no end. Nothing that it started outlives it."""
    with subprocess.Popen(
        command,
        cwd=place,
        env=surroundings(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A group of its own: a life that goes on for ever is a child of the simulation's.
        start_new_session=True,
    ) as process:
        try:
            told, failed = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, told, failed)


def run_tests(place: Path, tests: Sequence[str]) -> tuple[int | None, str]:
    """Pytest's exit code over some tests in a copy, None if it came to no end; and its last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout", "90", *tests]
    done = run_bounded(command, place, TEST_SECONDS_MAX)
    if done is None:
        return None, f"no end after {TEST_SECONDS_MAX:.0f} s"
    return done.returncode, (done.stdout.strip() or done.stderr.strip()).splitlines()[-1]


def try_tests(place: Path, mutant: Mutant) -> tuple[Verdict, str]:
    """Whether each of the mutant's tests fails."""
    words = ""
    for test in mutant.tests:
        code, words = run_tests(place, [test])
        if code is None:
            return "no end", f"{test}: {words}"
        if code != PYTEST_FAILED:
            return "missed" if code == 0 else "cannot run", f"{test}: {words}"
    return "caught", words


def try_simulation(place: Path, mutant: Mutant) -> tuple[Verdict, str]:
    """Whether the judge sees it in one of so many lives; and which promise it calls broken."""
    command = [sys.executable, "-m", "counterfoil.testing.simulation", "--jobs", "1", "--hours", HOURS]
    command += ["--seeds", str(mutant.seeds), "--until-broken", "--json"]
    done = run_bounded(command, place, SIMULATION_SECONDS_MAX)
    if done is None:
        return "no end", f"no end after {SIMULATION_SECONDS_MAX:.0f} s"
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return "cannot run", done.stderr.strip()[-300:]
    broken = list(dict.fromkeys(one["promise"] for one in told["broken_promises"]))
    if not broken:
        return "missed", f"{told['runs']} lives, {told['faults']} faults"
    return "caught", f"{', '.join(broken)} (life {told['runs']})"


def try_mutant(mutant: Mutant, *, tests: bool = True, simulation: bool = True) -> Result:
    """Copy, change, run both."""
    began = time.monotonic()
    seen: Verdict = "not run"
    judged: Verdict = "blind" if mutant.blind else "not run"
    test_words, words = "", mutant.blind
    with copy_with(mutant.changes) as place:
        if tests:
            seen, test_words = try_tests(place, mutant)
        if simulation and not mutant.blind:
            judged, words = try_simulation(place, mutant)
    seconds = time.monotonic() - began
    return Result(mutant=mutant, tests=seen, simulation=judged, test_words=test_words, words=words, seconds=seconds)
