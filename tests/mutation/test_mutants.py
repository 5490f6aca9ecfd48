"""The table of mutants does not rot: each still applies, its tests are there, and no promise is without one."""

import re
import sys
import time
from pathlib import Path

import pytest

from mutation.table import PROMISES, ROOT, Change, Mutant, mutants
from mutation.trial import copy_with, imported_from, run_bounded, run_tests, try_tests

MUTANTS = mutants()
MUTANTS_MIN = 25
SAMPLE = ("what is observed passes for unchanged", "what we create bears no mark")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_mutant_still_applies_and_its_tests_are_there(mutant: Mutant) -> None:
    assert [change.problem(ROOT) for change in mutant.changes] == [""] * len(mutant.changes)
    assert all(change.before != change.after for change in mutant.changes)
    assert mutant.tests
    for test in mutant.tests:
        file, *names = test.split("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        contract = (ROOT / "engine/counterfoil/testing/log_contract.py").read_text(encoding="utf-8")
        assert all(re.search(rf"(def|class) {name}\b", text + contract) for name in names), test


def test_each_promise_is_broken_by_some_mutant_and_no_two_are_called_alike() -> None:
    assert {one.promise for one in MUTANTS} == {*PROMISES}
    assert len({one.name for one in MUTANTS}) == len(MUTANTS) >= MUTANTS_MIN


def test_the_simulation_sees_more_than_it_is_blind_to() -> None:
    blind = [one for one in MUTANTS if one.blind]
    assert len(blind) * 3 < len(MUTANTS)


def test_what_comes_to_no_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], stdout=open('child', 'w'))"

    assert run_bounded([sys.executable, "-c", parent], tmp_path, 3.0) is None
    number = int((tmp_path / "child").read_text())
    stat = Path(f"/proc/{number}/stat")
    for _ in range(100):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.1)
    else:
        pytest.fail(f"process {number} lives on")


def test_a_text_that_is_not_there_is_said() -> None:
    change = Change(file="pyproject.toml", before="no such text", after="")
    assert change.problem(ROOT) == "its text stands 0 times in pyproject.toml"
    with pytest.raises(ValueError, match="stands 0 times"), copy_with([change]):
        pass
    assert Change(file="no.py", before="", after="").problem(ROOT) == "there is no no.py"


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_is_caught_in_a_copy_that_is_imported_and_passes_without(name: str) -> None:
    mutant = next(one for one in MUTANTS if one.name == name)
    with copy_with([]) as place:
        assert imported_from(place).is_relative_to(place)
        assert run_tests(place, mutant.tests)[0] == 0
        mutant.changes[0].make(place)
        assert try_tests(place, mutant)[0] == "caught"
