"""The simulation: promises hold in bad weather, a seed is the same run again, and the judge sees what is broken."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from counterfoil.testing.simulation import kept
from counterfoil.testing.simulation.command import main, run_safely, runs_of
from counterfoil.testing.simulation.evidence import Absence, Evidence, Moment
from counterfoil.testing.simulation.oracle import judge
from counterfoil.testing.simulation.phases import PHASES, phase_here
from counterfoil.testing.simulation.report import Report
from counterfoil.testing.simulation.tally import ALWAYS, CELLS, SERVER, WIRE
from counterfoil.testing.simulation.weather import RULES, WIRES
from counterfoil.testing.simulation.world import Plan, witness

# A share that is always the same: `make simulate` goes on with others.
PLANS = [Plan(seed, 0.3) for seed in range(200, 208)]
SECONDS = 150.0
ONE_RUN = "from counterfoil.testing.simulation.world import Plan, run_plan; print(run_plan(Plan(5, 0.05)).trace)"


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_no_promise_is_broken_whatever_goes_wrong() -> None:
    report = Report()
    for run in runs_of(PLANS, jobs=2, seconds=SECONDS):
        report.add(run)
    assert [f"seed {run.plan.seed}: {one}" for run, one in report.broken] == []
    assert report.runs
    assert report.faults > 100


@pytest.mark.timeout(600)
def test_a_seed_is_the_same_run_again_in_another_process() -> None:
    """Under another seed of hashes: nothing rests on the order of a set."""
    traces = []
    for hashes in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        done = subprocess.run(
            [sys.executable, "-c", ONE_RUN], env=environment, capture_output=True, text=True, check=True
        )
        traces.append(done.stdout.strip())
    assert traces[0] == traces[1] != ""


def test_the_table_names_what_there_is() -> None:
    assert WIRES == WIRE
    assert set(RULES) == set(SERVER)
    assert {phase for phases in CELLS.values() for phase in phases} - {ALWAYS} <= set(PHASES)


async def _innermost() -> str:
    return phase_here()


async def _as(module: str, inner: Callable[[], Any]) -> str:
    """What is seen from within a frame of a module."""

    async def outer() -> str:
        return str(await inner())

    return str(await FunctionType(outer.__code__, {"__name__": module}, closure=outer.__closure__)())


@pytest.mark.parametrize(
    ("modules", "phase"),
    [
        (["dispatch.acquaintance", "dispatch.observing", "dispatch.observing"], "meeting the books"),
        (["dispatch.sweeping", "dispatch.observing"], "reading books"),
        (["dispatch.worker", "dispatch.settle"], "settling"),
        (["dispatch.acquaintance", "dispatch.observing", "quickbooks.online.access"], "token refresh"),
        (["dispatch.worker"], "main loop"),
        (["planning.plan"], "idle"),
    ],
)
async def test_a_phase_is_what_the_innermost_frame_says_and_reading_is_for_whoever_asked(
    modules: list[str], phase: str
) -> None:
    inner: Callable[[], Any] = _innermost
    for module in reversed(modules):
        inner = partial(_as, f"counterfoil.{module}", inner)
    assert await inner() == phase


def test_runs_are_kept_and_not_run_again(tmp_path: Path) -> None:
    plan, file = Plan(3, 0.02), tmp_path / "runs.jsonl"
    run = run_safely(plan)
    assert kept.read(file, [plan]) == []
    kept.add(file, run)
    whole = file.read_text()
    file.write_text(whole + whole[:40])
    assert kept.read(file, [plan, Plan(4, 0.02)]) == [run]
    assert kept.read(file, [Plan(3, 0.5)]) == []
    kept.add(file, run)
    assert file.read_text() == whole * 2


def test_a_file_of_something_else_is_no_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.txt"
    file.write_text('{"no": "run"}\n')
    with pytest.raises(SystemExit) as ended:
        main(["--seeds", "1", "--keep", str(file)])
    assert ended.value.code == 2
    assert "notes.txt cannot be read as the runs of an earlier command" in capsys.readouterr().err
    assert file.read_text() == '{"no": "run"}\n'


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """A run in which nothing is broken."""
    found, _ = witness(Plan(3, 0.02))
    assert judge(found) == []
    return found


def _effect(seen: Evidence, **changes: Any) -> Evidence:
    """One effect of ours is another."""
    place = next(number for number, one in enumerate(seen.effects) if one["app"] == "api")
    effects = [*seen.effects]
    effects[place] = {**effects[place], **changes}
    return replace(seen, effects=effects)


def _twice(seen: Evidence) -> Evidence:
    created = next(one for one in seen.effects if (one["app"], one["operation"]) == ("api", "create"))
    return replace(seen, effects=[*seen.effects, created])


def _lines_of_another(seen: Evidence) -> Evidence:
    number, order = next(iter(seen.orders.items()))
    lines = [(name, quantity + 1, price) for name, quantity, price in order.lines]
    return replace(seen, orders={**seen.orders, number: replace(order, lines=lines)})


def _a_cent_more(seen: Evidence) -> Evidence:
    number, order = next(iter(seen.orders.items()))
    return replace(seen, orders={**seen.orders, number: replace(order, total=order.total + Decimal("0.01"))})


def _later_calls(seen: Evidence) -> Evidence:
    return replace(seen, calls=[replace(call, at=call.at + timedelta(hours=1)) for call in seen.calls])


def _crowd(seen: Evidence) -> Evidence:
    instant, kind = seen.requests[0]
    crowd = [(instant + timedelta(milliseconds=number), kind) for number in range(11)]
    return replace(seen, rate="both", requests=[*seen.requests, *crowd])


def _causes_of_others(seen: Evidence) -> Evidence:
    calls = [replace(call, items=[replace(item, change=1) for item in call.items]) for call in seen.calls]
    return replace(seen, calls=calls)


def _another_row(seen: Evidence) -> Evidence:
    return replace(seen, kept_rows=dict([*seen.kept_rows.items()][1:]))


def _decided(seen: Evidence, **changes: Any) -> Evidence:
    """One decision is another."""
    place = next(number for number, one in enumerate(seen.events) if one.event_type == "intent.planned")
    events = [*seen.events]
    events[place] = events[place]._replace(**changes)
    return replace(seen, events=events)


def _another_id(seen: Evidence) -> Evidence:
    call = next(one for one in seen.calls if len(one.items) == 1)
    return replace(seen, calls=[*seen.calls, replace(call, position=len(seen.events), request_id="another")])


def _another_body(seen: Evidence) -> Evidence:
    call = next(one for one in seen.calls if len(one.items) == 1)
    again = replace(call, items=[replace(call.items[0], body=b"{}")])
    return replace(seen, calls=[*seen.calls, again])


def _absent_at_once(seen: Evidence) -> Evidence:
    call = seen.calls[0]
    return replace(seen, absences=[Absence(call.at + timedelta(seconds=59), call.items[0].intent_id, call.request_id)])


def _planned_late(seen: Evidence) -> Evidence:
    """The first plan comes after a newer state of its record."""
    place = next(number for number, one in enumerate(seen.events) if one.event_type == "intent.planned")
    observed = next(one for one in seen.events if one.position == seen.events[place].cause)
    newer = observed._replace(position=seen.events[place].position)
    return replace(seen, events=[*seen.events[:place], newer, *seen.events[place:]])


def _passed_for_applied(seen: Evidence) -> Evidence:
    return replace(seen, moments=[Moment({7: "applied"}, frozenset({7}))])


BREAKINGS: dict[str, tuple[str, Callable[[Evidence], Evidence]]] = {
    "an effect without a call": ("recorded first", lambda seen: _effect(seen, request_id="nobody's")),
    "an effect before its call": ("recorded first", _later_calls),
    "a value for the desk without a call": ("recorded first", lambda seen: replace(seen, tellings=[])),
    "another id for the same body": ("one id", _another_id),
    "another body under the same id": ("one id", _another_body),
    "absence before its time": ("absent in time", _absent_at_once),
    "a change applied before its intents": ("no silence", _passed_for_applied),
    "a decision without a lease": ("ordered", lambda seen: _decided(seen, epoch=None)),
    "a plan of what is overtaken": ("overtaken", _planned_late),
    "a decision without a cause": ("explainable", lambda seen: _decided(seen, cause=None)),
    "a delivery that is not in the log": ("recorded first", lambda seen: replace(seen, acknowledged=[b"gone"])),
    "a document twice": ("one effect", _twice),
    "a document of nobody": ("one effect", lambda seen: _effect(seen, name="Nobody's n9", doc_number="9")),
    "a lost update": ("nothing lost", _lines_of_another),
    "nothing told": ("nothing lost", lambda seen: replace(seen, shown={})),
    "a change without an outcome": ("no silence", lambda seen: replace(seen, changes=seen.changes[1:])),
    "a row that the log does not give": ("state is derived", _another_row),
    "a gap": ("ordered", lambda seen: replace(seen, events=seen.events[1:])),
    "too many calls in a second": ("inside the limits", _crowd),
    "a refusal for too many": ("inside the limits", lambda seen: replace(seen, throttled={"concurrent": 1})),
    "a cent too much": ("to the cent", _a_cent_more),
    "a name in the clear": ("secrets stay secret", lambda seen: replace(seen, said=[seen.personal[0]])),
    "a token in the clear": ("secrets stay secret", lambda seen: replace(seen, said=[seen.secrets[0]])),
    "a wrong cause": ("explainable", _causes_of_others),
    "a delete": ("absence is not deletion", lambda seen: _effect(seen, operation="delete")),
}


@pytest.mark.parametrize(("promise", "breaking"), BREAKINGS.values(), ids=BREAKINGS)
def test_the_judge_sees_each_promise_broken(
    promise: str, breaking: Callable[[Evidence], Evidence], evidence: Evidence
) -> None:
    assert promise in {one.promise for one in judge(breaking(evidence))}
