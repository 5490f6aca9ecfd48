"""Controls: that a copy is what runs, and that a copy without a change passes."""

from typing import Final

from mutation.table import Change, Mutant, mutants
from mutation.trial import copy_with, imported_from, run_tests, try_simulation

SAYS: Final = "a copy is what runs"
UNIMPORTABLE: Final = Change(
    file="engine/counterfoil/__init__.py", before="__all__ = [", after=f'raise RuntimeError("{SAYS}")\n\n__all__ = ['
)
NOTHING: Final = Mutant(name="nothing", promise=0, changes=(), tests=(), blind="", seeds=2)


def controls() -> list[str]:
    """What is wrong with the trials themselves; empty if nothing is."""
    return [trouble for trouble in (_unchanged(), _unimportable()) if trouble]


def _unchanged() -> str:
    """In a copy without a change, which is imported, all tests of the table pass, and the simulation finds nothing."""
    tests = sorted({test for one in mutants() for test in one.tests})
    with copy_with(()) as place:
        found = imported_from(place)
        if not found.is_relative_to(place):
            return f"the engine was imported from {found}, and not from the copy"
        code, words = run_tests(place, tests)
        if code != 0:
            return f"an unchanged copy does not pass: {words}"
        verdict, words = try_simulation(place, NOTHING)
        return "" if verdict == "missed" else f"the simulation says of an unchanged copy: {words}"


def _unimportable() -> str:
    """A copy that cannot be imported fails, in tests and in the simulation, and says why."""
    with copy_with([UNIMPORTABLE]) as place:
        code, _ = run_tests(place, [mutants()[0].tests[0]])
        verdict, words = try_simulation(place, NOTHING)
    if code == 0:
        return "tests pass in a copy that cannot be imported"
    return "" if verdict == "cannot run" and SAYS in words else f"a copy that cannot be imported lives: {words}"
