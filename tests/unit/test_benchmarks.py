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
    "quickbooks": {"backlog of invoices: answers 429", "backlog of invoices: batches ÷ least"},
    "limiter": {"least share of the limit that a backlog alone used", "calls that the server would have refused"},
    "delay": {
        "deal won → accepted in the books, from the webhook, p50 s",
        "deal won → accepted in the books, from the webhook, p99 s",
        "payment in the books → written back, from the webhook, p50 s",
        "payment in the books → written back, from the webhook, p99 s",
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
    assert ended.stderr == "There is no benchmark speed; there are append, replay, quickbooks, limiter, delay.\n"


def test_the_least_time_follows_from_the_limits() -> None:
    # 40 in the first minute, ten of them a second; then 40 in each minute that begins.
    expected = {1: 0.0, 10: 0.0, 11: 1.0, 40: 3.0, 41: 60.0, 80: 63.0, 334: 481.0}
    code = f"import backlog, json; print(json.dumps([backlog.least_seconds(n) for n in {list(expected)}]))"
    sources = os.pathsep.join(str(ROOT / name) for name in ("benchmarks", "engine", "adapters", "schema"))
    said = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": sources}, text=True)
    assert list(expected.values()) == json.loads(said)
