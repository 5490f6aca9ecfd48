"""Runs kept in a file, one JSON object a line, so that many hours of them can be stopped, resumed, and added up."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from counterfoil.testing.simulation.oracle import Broken
from counterfoil.testing.simulation.world import Plan, Run


def add(file: Path, run: Run) -> None:
    """One more line, written at once."""
    told = asdict(run)
    told["faults"] = [[fault, phase, count] for (fault, phase), count in run.faults.items()]
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(told) + "\n")


def read(file: Path, plans: Sequence[Plan]) -> list[Run]:
    """The runs of these plans that a file holds; none if there is no such file.

    Raises:
        ValueError: a line is no run. A last line that was cut short is taken out: its run is made again.
    """
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    runs = {run.plan: run for run in map(_run, whole.splitlines())}
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return [runs[plan] for plan in plans if plan in runs]


def _run(line: str) -> Run:
    told = json.loads(line)
    try:
        return Run(
            **{
                **told,
                "plan": Plan(**told["plan"]),
                "broken": [Broken(**one) for one in told["broken"]],
                "faults": {(fault, phase): count for fault, phase, count in told["faults"]},
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this line is no run: {line[:80]!r}") from error
