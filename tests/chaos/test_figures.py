"""Schedules and figures of the storm, worked out by hand."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from support.chaos.figures import late_decisions, late_writes, percentile, recoveries
from support.chaos.fleet import Death
from support.chaos.schedule import KILLS, KINDS, WEIGHTS, blows, fate
from support.chaos.witness import Sent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sent(seconds: float, request_id: str, deadline: float = 2.0) -> Sent:
    return Sent(at(seconds), 1, request_id, deadline)


def test_a_seed_gives_the_same_storm_again_and_another_seed_another() -> None:
    assert blows(4, 200, gap_seconds=2.0) == blows(4, 200, gap_seconds=2.0)
    assert blows(4, 200, gap_seconds=2.0) != blows(5, 200, gap_seconds=2.0)


def test_every_kind_comes_among_the_first_and_as_often_as_its_weight_in_the_end() -> None:
    made = blows(1, 100, gap_seconds=2.0)
    assert {blow.kind for blow in made[: len(KINDS)]} == set(KINDS)
    assert Counter(blow.kind for blow in made) == WEIGHTS
    assert sum(WEIGHTS[kind] for kind in KILLS) == 72


def test_lives_end_by_themselves_as_often_as_told() -> None:
    dice = random.Random(1)
    assert {fate(dice, 0.0) for _ in range(50)} == {None}
    assert all(fate(dice, 1.0) for _ in range(50))


def test_recovery_runs_to_the_first_effect_that_was_sent_after_the_kill() -> None:
    deaths = [Death(at(10), "at random", (1,))]
    calls = {1: [sent(9.5, "old"), sent(18.0, "new")]}
    # The old one was on its way when its sender died; that it lands is no recovery.
    effects = {1: [(at(10.2), "old"), (at(18.3), "new")]}
    (found,) = recoveries(deaths, calls, effects)
    assert (found.what, found.company, found.undisturbed) == ("engine", 1, True)
    assert round(found.seconds, 6) == 8.3


def test_a_call_that_is_sent_again_after_the_kill_counts_from_then() -> None:
    deaths = [Death(at(10), "postmaster", (1, 2))]
    calls = {1: [sent(9.5, "same"), sent(14.0, "same")], 2: [sent(11.0, "x")]}
    effects = {1: [(at(14.5), "same")], 2: [(at(11.1), "x")]}
    assert [(one.company, round(one.seconds, 6)) for one in recoveries(deaths, calls, effects)] == [(1, 4.5), (2, 1.1)]


def test_another_kill_of_the_same_company_meanwhile_disturbs_it() -> None:
    deaths = [Death(at(10), "at random", (1,)), Death(at(12), "backend", (1,)), Death(at(13), "at random", (2,))]
    calls = {1: [sent(20, "a")], 2: [sent(15, "b")]}
    effects = {1: [(at(20.5), "a")], 2: [(at(15.5), "b")]}
    found = [(one.what, one.company, one.undisturbed) for one in recoveries(deaths, calls, effects)]
    assert found == [("engine", 1, False), ("backend", 1, True), ("engine", 2, True)]


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.9, 0.99, 1.0)] == [50.0, 90.0, 99.0, 100.0]
    assert percentile([7.0], 0.5) == 7.0
    assert percentile([], 0.99) == 0.0


def test_a_write_outside_of_every_recorded_calls_time_is_found() -> None:
    calls = [sent(0, "a"), sent(30, "a"), sent(50, "b")]
    allowed = timedelta(seconds=1)
    in_time = [(at(0.5), "a"), (at(2.9), "a"), (at(31), "a"), (at(53), "b")]
    assert [*late_writes(calls, in_time, allowed)] == []
    late = [(at(3.1), "a"), (at(29.9), "a"), (at(53.1), "b"), (at(1), "unknown")]
    assert len([*late_writes(calls, late, allowed)]) == 4


def test_a_decision_of_an_epoch_that_had_ended_is_found() -> None:
    fenced = [(1, 4), (2, None), (3, 4), (4, 6), (5, None), (6, 6)]
    assert late_decisions(fenced, 4, 6) == []
    assert late_decisions(fenced, 4, 7) == []
    assert late_decisions([*fenced, (7, 4), (8, 6), (9, 4)], 4, 6) == [7, 9]
    # Another had held it in between, and it was taken from that one.
    assert late_decisions([(1, 4), (2, 5), (3, 4), (4, 6)], 4, 5) == [3]
