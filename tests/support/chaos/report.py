"""What came out of all rounds together: figures, tables, what broke."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.table import Table

from counterfoil_schema.exact_json import JsonObject, dumps
from support.chaos.figures import percentile
from support.chaos.round import Result

WIDTH: Final = 110


class Report:
    """Adds up rounds.

    Attributes:
        unfinished: of rounds that came to no end, which seed and why.
    """

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.unfinished: list[str] = []

    def add(self, result: Result) -> None:
        """One more."""
        self.results.append(result)

    @property
    def kills(self) -> int:
        """All SIGKILLs."""
        return sum(result.kills for result in self.results)

    @property
    def broken(self) -> list[str]:
        """Everything that was not as promised."""
        return [*self.unfinished, *(f"seed {result.seed}: {one}" for result in self.results for one in result.broken)]

    def counts(self, name: str) -> Counter[str]:
        """One of the results' counters, added up."""
        return sum((Counter(getattr(result, name)) for result in self.results), Counter[str]())

    def recovery(self, what: str | None, *, undisturbed: bool) -> JsonObject:
        """Seconds from kill to first new effect."""
        values = [
            one.seconds
            for result in self.results
            for one in result.recoveries
            if (what is None or one.what == what) and (one.undisturbed or not undisturbed)
        ]
        shares: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
        return {"count": len(values), **{name: f"{percentile(values, share):.1f}" for name, share in shares.items()}}

    def figures(self) -> JsonObject:
        """All figures."""
        results = self.results
        stalls = [stall for result in results for stall in result.stalls]
        return {
            "rounds": len(results),
            "kills": self.kills,
            "kills_of_engines": self.counts("engine_kills").total(),
            "kills_of_postgres": self.counts("postgres_kills").total(),
            "broken": len(self.broken),
            "documents": sum(result.documents for result in results),
            "effects": sum(result.effects for result in results),
            "events": sum(result.events for result in results),
            "lives_of_engines": sum(result.lives for result in results),
            "calls_sent_again": sum(result.calls_repeated for result in results),
            "halted": len(stalls),
            "halted_with_a_write_in_flight": sum(stall.in_flight is not None for stall in stalls),
            "leases_stolen_from_halted": sum(len(stall.stolen) for stall in stalls),
            "halted_and_woken_after_the_theft": sum(bool(stall.stolen) and stall.woken is not None for stall in stalls),
            "disk_full_seconds": f"{sum(result.full_seconds for result in results):.0f}",
            "disk_never_full_because": next((result.disk for result in results if result.disk), ""),
            "postgres_stuck_in_recovery": sum(result.stuck for result in results),
            "bad_seconds": f"{sum(result.bad_seconds for result in results):.0f}",
            "quiet_seconds": f"{sum(result.quiet_seconds for result in results):.0f}",
        }

    def recovery_table(self) -> dict[str, JsonObject]:
        """By what was killed."""
        return {
            "engine, no other kill meanwhile": self.recovery("engine", undisturbed=True),
            "postmaster, no other kill meanwhile": self.recovery("postmaster", undisturbed=True),
            "backend, no other kill meanwhile": self.recovery("backend", undisturbed=True),
            "any, with all that followed": self.recovery(None, undisturbed=False),
        }

    def write_json(self) -> None:
        """Everything as one object on standard output."""
        sys.stdout.write(dumps(self.told()).decode() + "\n")

    def told(self) -> JsonObject:
        """Everything as one object."""
        return {
            "command": " ".join(sys.argv[1:]),
            "seeds": [result.seed for result in self.results],
            "processors": os.cpu_count() or 0,
            **self.figures(),
            "recovery_seconds": {**self.recovery_table()},
            "blows": dict(self.counts("done")),
            "requests": dict(self.counts("proxied")),
            "engine_kills": dict(self.counts("engine_kills")),
            "postgres_kills": dict(self.counts("postgres_kills")),
            "engines_that_ended_by_themselves": dict(self.counts("ends")),
            "broken_promises": [*self.broken],
        }

    def show(self) -> None:
        """Tables for people."""
        console = Console(width=WIDTH if not sys.stdout.isatty() else None, highlight=False)
        table = Table(
            "killed", "count", "p50", "p90", "p99", "max", title="seconds from a kill to the first new effect"
        )
        for name, row in self.recovery_table().items():
            table.add_row(name, *(str(row[column]) for column in ("count", "p50", "p90", "p99", "max")))
        console.print(table)
        table = Table("what", "how often", title="what was done")
        for name in ("done", "proxied", "engine_kills", "postgres_kills", "ends"):
            for what, count in sorted(self.counts(name).items()):
                table.add_row(f"{name.replace('_', ' ')}: {what}", f"{count:,}")
        console.print(table)
        for one in self.broken:
            console.print(f"BROKEN: {one}", markup=False)
        for name, value in self.figures().items():
            console.print(f"{name.replace('_', ' ')}: {value}", markup=False)
