"""What all benchmarks share: where and when they ran, interleaved slices, a result as JSON.

Two sides of a comparison take turns in short slices, so that whatever else the machine does hits both alike; the
figure is the median of the ratios of neighbouring slices.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio and what it must reach; no threshold for one that is stated only."""

    name: str
    ratio: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether it is within its thresholds."""
        return (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )


@dataclass(slots=True)
class Result:
    """One benchmark's figures."""

    benchmark: str
    seed: int
    settings: Mapping[str, object]
    figures: dict[str, object] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)

    def as_json(self) -> str:
        """With machine, commit and time."""
        fields = {
            "benchmark": self.benchmark,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "seed": self.seed,
            "machine": machine(),
            "settings": dict(self.settings),
            "figures": self.figures,
            "goals": [{**asdict(goal), "met": goal.met} for goal in self.goals],
        }
        return json.dumps(fields, indent=2, default=str)


def commit() -> str:
    """The commit that is checked out, with a mark if files differ from it."""
    git = ["git", "-C", str(ROOT)]
    try:
        name = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+changes" if changed.stdout.strip() else "")


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line)
        model = next(lines, "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


@dataclass(frozen=True, slots=True)
class Slice:
    """One turn of one side: operations done, seconds passed, CPU seconds of this process and of the server."""

    operations: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds


class Stopwatch:
    """Measures from when it is made. CPU time is steadier than wall time where others use the machine, too.

    Args:
        server_pid: the server whose processes' CPU time counts, too; 0 for none.
    """

    def __init__(self, server_pid: int) -> None:
        self._server_pid = server_pid
        self._cpu = self._cpu_seconds()
        self._started = time.perf_counter()

    def slice(self, operations: int) -> Slice:
        """What was measured up to now."""
        seconds = time.perf_counter() - self._started
        return Slice(operations, seconds, self._cpu_seconds() - self._cpu)

    def _cpu_seconds(self) -> float:
        return time.process_time() + (tree_cpu_seconds(self._server_pid) if self._server_pid else 0.0)


def tree_cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children, those that have ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # Numbered from the state: 1 is the parent, 11 to 14 are own and ended children's times.
        if stat.parent.name == str(pid):
            ticks += sum(int(field) for field in fields[11:15])
        elif fields[1] == str(pid):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Slices:
    """The turns of several sides."""

    turns: Mapping[str, Sequence[Slice]]

    def rate(self, side: str) -> float:
        """The median rate of a side, in operations a second."""
        return statistics.median(turn.rate for turn in self.turns[side])

    def ratios(self, side: str, reference: str) -> list[float]:
        """A side's rate over the reference's, turn by turn."""
        pairs = zip(self.turns[side], self.turns[reference], strict=True)
        return [one.rate / other.rate for one, other in pairs]

    def ratio(self, side: str, reference: str) -> float:
        """The median of the turns' ratios."""
        return statistics.median(self.ratios(side, reference))

    def cpu_microseconds(self, side: str) -> float:
        """CPU time of an operation, client and server together."""
        turns = self.turns[side]
        return sum(turn.cpu_seconds for turn in turns) / sum(turn.operations for turn in turns) * 1e6

    def figures(self, reference: str) -> dict[str, object]:
        """All sides against one."""
        return {
            side: {
                "per_second": round(self.rate(side)),
                "ratio": round(self.ratio(side, reference), 3),
                "ratio_range": [round(pick(self.ratios(side, reference)), 3) for pick in (min, max)],
                "cpu_us": round(self.cpu_microseconds(side), 1),
                "cpu_ratio": round(self.cpu_microseconds(reference) / self.cpu_microseconds(side), 3),
            }
            for side in self.turns
        }


async def interleaved(sides: Mapping[str, Callable[[], Awaitable[Slice]]], *, rounds: int, warm_ups: int = 1) -> Slices:
    """Run the sides in turns."""
    turns: dict[str, list[Slice]] = {side: [] for side in sides}
    for number in range(warm_ups + rounds):
        for side, run_side in sides.items():
            turn = await run_side()
            if number >= warm_ups:
                turns[side].append(turn)
    return Slices(turns)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def forget_peak_memory() -> None:
    """From here on the peak counts anew, from what is held now (Linux: clear_refs, since 4.0)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mib() -> float:
    """The most memory that this process has held, since the peak was last forgotten."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def arguments(description: str) -> argparse.ArgumentParser:
    """Options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dsn", default="", help="superuser DSN of a server to use; default: an embedded one")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=None, help="write the JSON here as well")
    return parser


def finish(result: Result, out: Path | None) -> int:
    """Print the result; 1 if a goal was missed."""
    text = result.as_json()
    print(text)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
    for goal in result.goals:
        if not goal.met:
            print(f"missed: {goal.name} = {goal.ratio:.3f}", file=sys.stderr)
    return 0 if all(goal.met for goal in result.goals) else 1


def run(main: Callable[[], Awaitable[int]]) -> None:
    """Run a benchmark to its exit code."""

    async def whole() -> int:
        return await main()

    sys.exit(asyncio.run(whole()))
