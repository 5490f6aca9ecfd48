"""All benchmarks, or those that are named: python -m benchmarks [NAME ...] [--json FILE] [--seed N] [--quick]

Each runs in a process of its own, one after the other. The table shows every ratio with its goal; machine, commit,
seed and all figures go to a JSON file, a picture of them beside it. The exit code is 1 if a goal was missed or a
benchmark broke off. `--quick` tries in a minute or two whether they run at all; its figures mean nothing, so only a
benchmark that breaks off counts.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SEED = 20261122
MINUTES_MAX = 40
STOP_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A script of this folder, and its options: of any run, of a whole and of a quick one."""

    script: str
    always: Sequence[str] = ()
    whole: Sequence[str] = ()
    quick: Sequence[str] = ()


BENCHMARKS: Mapping[str, Benchmark] = {
    "append": Benchmark("append.py", quick=("--rounds", "1")),
    "replay": Benchmark(
        "replay.py", whole=("--memory", "1000000"), quick=("--events", "2000", "--rounds", "1", "--memory", "20000")
    ),
    "rebuild": Benchmark("rebuild.py", quick=("--events", "4000", "--slice", "1000", "--rounds", "1")),
    "quickbooks": Benchmark("backlog.py", quick=("--writes", "65")),
    "mixed": Benchmark("backlog.py", always=("--mixed",), quick=("--writes", "200")),
    "limiter": Benchmark("limiter.py", quick=("--minutes", "2", "--wire-minutes", "1")),
    "delay": Benchmark("delay.py", quick=("--samples", "2")),
}


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures (default: results/)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--quick", action="store_true", help="only try whether they run")
    return parser


def run(name: str, seed: int, *, quick: bool) -> dict[str, Any] | None:
    """One benchmark's result, or None if it broke off."""
    benchmark = BENCHMARKS[name]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        chosen = benchmark.quick if quick else benchmark.whole
        command = [
            sys.executable,
            str(HERE / benchmark.script),
            "--seed",
            str(seed),
            "--out",
            str(out),
            *benchmark.always,
            *chosen,
        ]
        problems = _finished(command)
        if not out.exists():
            print(f"{name} broke off:\n{problems}", file=sys.stderr)
            return None
        result: dict[str, Any] = json.loads(out.read_text())
        return result


def _finished(command: Sequence[str]) -> str:
    """Wait for a benchmark to end by itself, and always let it stop its servers; what it complained of."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            return process.communicate(timeout=MINUTES_MAX * 60)[1]
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            return f"It took more than {MINUTES_MAX} minutes.\n{process.communicate(timeout=STOP_SECONDS_MAX)[1]}"
        except KeyboardInterrupt:
            # The terminal has told the benchmark as well.
            process.wait(STOP_SECONDS_MAX)
            raise


def table(results: Sequence[Mapping[str, Any]]) -> Table:
    """Every ratio, what it should be, and whether it is."""
    made = Table(title="Benchmarks")
    made.add_column("benchmark")
    made.add_column("ratio", overflow="fold")
    made.add_column("figure", justify="right")
    made.add_column("goal", justify="right")
    made.add_column("")
    for result in results:
        for goal in result["goals"]:
            least, most = goal["at_least"], goal["at_most"]
            wanted = f"≥ {least}" if least is not None else f"≤ {most}" if most is not None else "stated"
            verdict = "" if wanted == "stated" else "[green]met[/]" if goal["met"] else "[red]missed[/]"
            made.add_row(result["benchmark"], goal["name"], f"{goal['ratio']:.3f}", wanted, verdict)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, show, keep; the exit code."""
    given = options().parse_args(arguments)
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    console = Console()
    results: list[dict[str, Any]] = []
    names = list(dict.fromkeys(given.names)) or list(BENCHMARKS)
    for name in names:
        with console.status(f"{name} …"):
            result = run(name, given.seed, quick=given.quick)
        if result is not None:
            results.append(result)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = given.json or RESULTS / f"{stamp}{'-quick' if given.quick else ''}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    first = results[0] if results else {}
    whole = {
        "at": stamp,
        "commit": first.get("commit"),
        "seed": given.seed,
        "machine": first.get("machine"),
        "quick": given.quick,
        "results": results,
    }
    target.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(table(results))
    picture = target.with_suffix(".svg")
    drawn = subprocess.run([sys.executable, str(HERE / "plot.py"), str(target), str(picture)], check=False)
    console.print(f"figures: {target}", soft_wrap=True)
    if drawn.returncode == 0:
        console.print(f"picture: {picture}", soft_wrap=True)
    missed = [goal for result in results for goal in result["goals"] if not goal["met"]]
    broken = len(results) < len(names) or drawn.returncode != 0
    return 1 if broken or (missed and not given.quick) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
