"""The command: every mutant, one after the other, and who caught it."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from mutation.control import controls
from mutation.table import ROOT, mutants
from mutation.trial import Result, try_mutant

WELL, MISSED, USAGE = 0, 1, 2
WIDTH: Final = 160
_EPILOG: Final = """\
examples:
  make mutate                                     all of them: an hour
  make mutate ARGS="--only 'float for money'"     one; give --only again for more
  python -m mutation --tests --json               the tests alone (with tests/ in PYTHONPATH)

exit codes: 0 everybody saw what they must see, 1 something was missed, or a control failed, 2 wrong usage."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m mutation",
        description=(
            "Breaks each promise on purpose, in copies, and shows that the tests and the simulation each catch it. "
            "Before that, controls: an unchanged copy passes, and one that cannot be imported fails."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--only", action="append", default=[], metavar="NAME", help="this one alone, by its name")
    made.add_argument("--tests", action="store_true", help="the tests alone")
    made.add_argument("--simulation", action="store_true", help="the simulation alone")
    made.add_argument("--no-controls", action="store_true", help="without the controls")
    made.add_argument("--list", action="store_true", help="the names, and nothing else")
    made.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return made


def main(arguments: Sequence[str]) -> int:
    """Try them, show, and say by the exit code whether all were caught."""
    made = parser()
    given = made.parse_args(list(arguments))
    every = mutants()
    unknown = set(given.only) - {one.name for one in every}
    if unknown:
        made.error(f"no mutant is called {', '.join(map(repr, sorted(unknown)))}; --list shows their names")
    chosen = [one for one in every if not given.only or one.name in given.only]
    if given.list:
        sys.stdout.writelines(f"{one.promise:2}  {one.name}\n" for one in chosen)
        return WELL
    failed = [f"{one.name}: {change.problem(ROOT)}" for one in chosen for change in one.changes if change.problem(ROOT)]
    failed += [] if given.no_controls else controls()
    for trouble in failed:
        sys.stderr.write(f"Control: {trouble}\n")
    results: list[Result] = []
    for one in [] if failed else chosen:
        result = try_mutant(one, tests=not given.simulation, simulation=not given.tests)
        results.append(result)
        sys.stderr.write(f"{_line(result)}\n")
    if given.json:
        sys.stdout.write(json.dumps({"controls": failed, "mutants": [_told(one) for one in results]}, indent=1) + "\n")
    else:
        _show(results)
    return WELL if not failed and all(one.is_well for one in results) else MISSED


def _line(result: Result) -> str:
    mutant = result.mutant
    return (
        f"{mutant.promise:2} {mutant.name}: tests {result.tests} ({result.test_words}); "
        f"simulation {result.simulation} ({result.words}); {result.seconds:.0f} s"
    )


def _told(result: Result) -> dict[str, object]:
    return {
        "promise": result.mutant.promise,
        "name": result.mutant.name,
        "tests": result.tests,
        "tests_said": result.test_words,
        "simulation": result.simulation,
        "simulation_said": result.words,
        "seconds": round(result.seconds),
    }


def _show(results: Sequence[Result]) -> None:
    table = Table("", "mutant", "tests", "simulation", "what the simulation says")
    for one in results:
        table.add_row(str(one.mutant.promise), one.mutant.name, one.tests, one.simulation, one.words)
    console = Console(width=WIDTH if not sys.stdout.isatty() else None, highlight=False)
    console.print(table)
    tests = sum(one.tests == "caught" for one in results)
    seen = sum(one.simulation in {"caught", "no end"} for one in results)
    blind = sum(one.simulation == "blind" for one in results)
    console.print(f"{len(results)} mutants: {tests} caught by tests, {seen} by the simulation, blind to {blind}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
