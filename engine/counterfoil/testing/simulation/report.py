"""What came out of many runs: figures, the table of fault by phase, and how to repeat what failed."""

import sys
from collections import Counter
from typing import Final

from rich.console import Console
from rich.table import Table

from counterfoil.testing.simulation.oracle import Broken
from counterfoil.testing.simulation.phases import SENDING
from counterfoil.testing.simulation.tally import BUSY, CELLS, MACHINE, READING, SERVER, WIRE, empty_cells, least
from counterfoil.testing.simulation.world import Run
from counterfoil_schema.exact_json import JsonObject, dumps

YEAR_SECONDS: Final = 365.25 * 86_400.0
WIDTH: Final = 130
BROKEN_SHOWN_MAX: Final = 50


class Report:
    """Adds up runs.

    Args:
        minimum: how often each cell must be hit.
    """

    def __init__(self, minimum: int = 0) -> None:
        self.minimum = minimum
        self.counts: Counter[tuple[str, str]] = Counter()
        self.broken: list[tuple[Run, Broken]] = []
        self.runs: list[Run] = []
        self.real_seconds = 0.0

    def add(self, run: Run) -> None:
        """One more run."""
        self.runs.append(run)
        self.counts.update(run.faults)
        self.broken += [(run, one) for one in run.broken]

    @property
    def faults(self) -> int:
        """All that were injected."""
        return self.counts.total()

    @property
    def thinnest(self) -> int:
        """How often the cell was hit that was hit least."""
        return least(self.counts)

    def figures(self) -> JsonObject:
        """The figures of all runs together."""
        simulated = sum(run.simulated_seconds for run in self.runs)
        computing = sum(run.real_seconds for run in self.runs)
        years = simulated / YEAR_SECONDS
        return {
            "runs": len(self.runs),
            "faults": self.faults,
            "cells": sum(len(phases) for phases in CELLS.values()),
            "least_hits_of_a_cell": self.thinnest,
            "minimum": self.minimum,
            "broken": len(self.broken),
            "events": sum(run.events for run in self.runs),
            "effects": sum(run.effects for run in self.runs),
            "steps": sum(run.steps for run in self.runs),
            "simulated_years": f"{years:.4f}",
            "real_seconds": f"{self.real_seconds:.0f}",
            "computing_seconds": f"{computing:.0f}",
            "simulated_years_per_real_minute": f"{years / max(self.real_seconds, 1e-9) * 60:.5f}",
            "simulated_years_per_minute_of_one_process": f"{years / max(computing, 1e-9) * 60:.5f}",
        }

    def write_json(self) -> None:
        """Everything as one object on standard output."""
        cells: JsonObject = {fault: {phase: self.counts[fault, phase] for phase in CELLS[fault]} for fault in CELLS}
        told: JsonObject = {
            **self.figures(),
            "table": cells,
            "broken_promises": [
                {"seed": run.plan.seed, "hours": str(run.plan.hours), "promise": one.promise, "what": one.what}
                for run, one in self.broken
            ],
            "traces": {str(run.plan.seed): run.trace for run in self.runs},
        }
        sys.stdout.write(dumps(told).decode() + "\n")

    def show(self) -> None:
        """Tables for people."""
        console = Console(width=WIDTH if not sys.stdout.isatty() else None, highlight=False)
        console.print(self._requests())
        console.print(self._machines())
        console.print(self._others())
        for run, one in self.broken[:BROKEN_SHOWN_MAX]:
            console.print(f"BROKEN by seed {run.plan.seed}: {one}", markup=False)
        for seed, hours in sorted({(run.plan.seed, run.plan.hours) for run, _ in self.broken}):
            console.print(f'Again: make simulate ARGS="--seed {seed} --hours {hours}"', markup=False)
        for fault, phase, count in empty_cells(self.counts, self.minimum):
            console.print(f"Hit {count} times, less than {self.minimum}: {fault}, {phase}", markup=False)
        if len(self.runs) == 1:
            console.print(f"Trace {self.runs[0].trace}", markup=False)
        for name, value in self.figures().items():
            console.print(f"{name.replace('_', ' ')}: {value}", markup=False)

    def _requests(self) -> Table:
        """Faults of requests, by what was asked for."""
        phases = (*SENDING, *READING, "token refresh")
        table = Table("fault", *phases, title="requests to QuickBooks")
        for fault in (*WIRE, *SERVER):
            table.add_row(fault, *(f"{self.counts[fault, one]:,}" if one in CELLS[fault] else "" for one in phases))
        return table

    def _machines(self) -> Table:
        """What happened to machines, by what they were doing."""
        table = Table("doing", *MACHINE, title="machines and tokens")
        for phase in BUSY:
            table.add_row(phase, *(f"{self.counts[fault, phase]:,}" for fault in MACHINE))
        return table

    def _others(self) -> Table:
        """Everything that has one cell."""
        table = Table("fault", "phase", "hits", title="sources, deliveries and people")
        for fault, phases in CELLS.items():
            if len(phases) == 1:
                table.add_row(fault, phases[0], f"{self.counts[fault, phases[0]]:,}")
        return table
