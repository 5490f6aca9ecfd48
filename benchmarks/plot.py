"""A picture of a run's figures: python benchmarks/plot.py FIGURES.json PICTURE.svg"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WRITES_PER_MINUTE = 40 * 30 + 460
OK, MISSED, STATED = "#2a7f4f", "#b3392f", "#7a8794"


def bars(axes: Axes, result: Mapping[str, Any]) -> None:
    """Ratios, each with the mark that it must reach."""
    goals = list(reversed(result["goals"]))
    for place, goal in enumerate(goals):
        mark = goal["at_least"] if goal["at_least"] is not None else goal["at_most"]
        colour = STATED if mark is None else OK if goal["met"] else MISSED
        axes.barh(place, goal["ratio"], color=colour, height=0.6)
        if mark is not None:
            axes.plot([mark, mark], [place - 0.4, place + 0.4], color="black", linewidth=1.5)
        axes.text(goal["ratio"], place, f" {goal['ratio']:.2f}", va="center", fontsize=7)
    axes.set_yticks(range(len(goals)), [goal["name"] for goal in goals], fontsize=6)
    axes.set_title(f"{result['benchmark']}: ratios (black: goal)", fontsize=9)
    axes.margins(x=0.15)


def backlog(axes: Axes, result: Mapping[str, Any]) -> None:
    """Documents in the books over time, beside what the limits allow."""
    figures = result["figures"]
    curve = figures["curve"]
    axes.step([at for at, _ in curve], [count for _, count in curve], where="post", color=OK, label="in the books")
    minutes = int(figures["least_seconds"] // 60) + 1
    allowed = [min(figures["writes"], WRITES_PER_MINUTE * (minute + 1)) for minute in range(minutes)]
    axes.step([60 * minute for minute in range(minutes)], allowed, where="post", color="black", label="allowed")
    axes.set_xlabel("seconds", fontsize=7)
    axes.set_ylabel("documents", fontsize=7)
    axes.legend(fontsize=7)
    axes.set_title(f"{result['benchmark']}: a backlog at Intuit's limits", fontsize=9)


def delays(axes: Axes, result: Mapping[str, Any]) -> None:
    """What share of the samples was done after how long."""
    for name, label in (("out", "deal won → accepted"), ("back", "payment → written back")):
        ordered = sorted(result["figures"][name]["all_ms"])
        shares = [(number + 1) / len(ordered) for number in range(len(ordered))]
        axes.step(ordered, shares, where="post", label=label)
    axes.set_xlabel("milliseconds from the webhook", fontsize=7)
    axes.set_ylabel("share of samples", fontsize=7)
    axes.set_xlim(left=0)
    axes.legend(fontsize=7)
    axes.set_title("delay when idle", fontsize=9)


PANELS = {
    "append": bars,
    "replay": bars,
    "rebuild": bars,
    "quickbooks": backlog,
    "mixed": backlog,
    "limiter": bars,
    "delay": delays,
}


def draw(whole: Mapping[str, Any], target: Path) -> None:
    """One panel for each benchmark of the run."""
    results: Sequence[Mapping[str, Any]] = whole["results"]
    figure = Figure(figsize=(9, 2.6 * max(1, len(results))), layout="constrained")
    for number, result in enumerate(results, start=1):
        axes = figure.add_subplot(len(results), 1, number)
        axes.tick_params(labelsize=7)
        PANELS[result["benchmark"]](axes, result)
    machine = whole["machine"] or {}
    told = f"{machine.get('cpu')}, {machine.get('cores')} cores · commit {str(whole['commit'])[:12]} · {whole['at']}"
    figure.suptitle(told, fontsize=8)
    figure.savefig(target)


if __name__ == "__main__":
    mpl.use("Agg")
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
