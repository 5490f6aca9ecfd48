"""The benchmarks run and give figures of the promised shape; what the figures are is not tested here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RATIOS = {
    "append": {"32 single appenders over 20 companies ÷ raw rows", "32 single appenders over one company ÷ raw rows"},
    "replay": {"light replay ÷ raw cursor", "validated replay ÷ raw cursor"},
    "rebuild": {"rebuild with fold ÷ raw read and decode", "two processes ÷ one"},
    "quickbooks": {"backlog: answers 429"},
    "mixed": {"backlog: answers 429"},
    "limiter": {"least share of the limit that a backlog alone used", "calls that the server would have refused"},
    "delay": {
        "deal won → accepted in the books, from the webhook, p50 s",
        "deal won → accepted in the books, from the webhook, p99 s",
        "payment in the books → written back, from the webhook, p50 s",
        "payment in the books → written back, from the webhook, p99 s",
        "payment right behind another → written back, from the webhook, p99 s",
    },
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    sources = os.pathsep.join(str(ROOT / name) for name in ("engine", "adapters", "schema"))
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": sources},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", RATIOS)
def test_a_quick_run_gives_every_ratio_machine_commit_and_seed(name: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ended = bench(name, "--quick", "--seed", "7", "--json", str(figures))
    assert ended.returncode == 0, ended.stderr
    whole = json.loads(figures.read_text(encoding="utf-8"))
    assert whole["seed"] == 7
    assert whole["quick"] is True
    assert whole["commit"]
    assert set(whole["machine"]) >= {"cpu", "cores", "memory_gib", "system", "python", "load"}
    (result,) = whole["results"]
    assert (result["benchmark"], result["seed"], result["commit"]) == (name, 7, whole["commit"])
    assert {goal["name"] for goal in result["goals"]} >= RATIOS[name]
    assert all(isinstance(goal["ratio"], float) for goal in result["goals"])
    assert result["figures"]
    assert figures.with_suffix(".svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_a_benchmark_that_does_not_exist_is_named() -> None:
    ended = bench("speed")
    assert ended.returncode == 2
    known = "append, replay, rebuild, quickbooks, mixed, limiter, delay"
    assert ended.stderr == f"There is no benchmark speed; there are {known}.\n"


def test_the_least_time_follows_from_the_limits() -> None:
    # Names and transactions. 40 batches of 30 in each minute and 460 single calls beside them, ten of all a second.
    expected = {
        (0, 1): 0,
        (0, 300): 0,
        (0, 301): 1,
        (0, 1_200): 3,
        (0, 1_201): 4,
        (0, 1_660): 49,
        (0, 1_661): 60,
        (500, 0): 49,
        (501, 0): 60,
        (460, 1_200): 49,
        (0, 10_000): 360,
        (900, 9_100): 360,
        (3_000, 0): 349,
        (3_001, 0): 360,
    }
    asked = [list(pair) for pair in expected]
    code = f"import json, least; print(json.dumps([least.least_seconds(*pair) for pair in {asked}]))"
    sources = str(ROOT / "benchmarks")
    said = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": sources}, text=True)
    assert list(expected.values()) == json.loads(said)


def test_the_mixed_backlog_has_records_of_every_kind() -> None:
    code = (
        "import json, random, mixed_source as m; made = m.Maker(10_000, random.Random(7)).make();"
        "print(json.dumps({entity: number for entity, (number, _) in made.expected.items()}))"
    )
    sources = os.pathsep.join(str(ROOT / name) for name in ("benchmarks", "engine", "adapters", "schema"))
    said = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": sources}, text=True)
    made = json.loads(said)
    assert sum(made.values()) == 10_000
    entities = {"Item", "Customer", "Vendor", "Employee", "JournalEntry", "Invoice", "CreditMemo", "Payment"}
    assert set(made) == entities
