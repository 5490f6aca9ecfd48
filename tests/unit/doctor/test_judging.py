"""The ten points: each evidence and what follows from it, one at a time, against a deployment that has all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from counterfoil.doctor import Evidence, judge
from counterfoil.doctor.judging import is_fit, remarks
from counterfoil.doctor.load import LoadRun, keep_run, load_file, read_load
from counterfoil.doctor.sandbox import SandboxRun, read_run

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOUND_RUN = SandboxRun(finished_at=NOW - timedelta(days=2), realm_id="4620816365000000000", passed=14, failed=0)
SOUND_LOAD = LoadRun(finished_at=NOW - timedelta(days=9), times=3.0, seconds=600.0, by_hand=False, keeps_up=True)
SOUND = Evidence(
    now=NOW,
    company=1,
    name="Shop",
    environment="production",
    is_worked_for=True,
    connection="connected",
    token_store="postgres",
    token_stored_at=NOW - timedelta(minutes=20),
    access_expires_at=NOW + timedelta(minutes=40),
    refresh_expires_at=NOW + timedelta(days=99),
    unlimited=False,
    requests_per_minute=500,
    calls_in_minute=12,
    parked=2,
    unexplained=0,
    has_verifier_token=True,
    heard_at={"quickbooks": NOW - timedelta(hours=3)},
    looked_at={"quickbooks": NOW - timedelta(minutes=4), "crm": NOW - timedelta(seconds=30)},
    look_every={"quickbooks": 300.0, "crm": 60.0},
    reconciled_at=NOW - timedelta(days=3),
    telemetry="http://collector:4318",
    anchor="/mnt/anchors/heads.jsonl",
    sandbox=SOUND_RUN,
    load=SOUND_LOAD,
)


def verdicts(evidence: Evidence) -> dict[int, str]:
    return {one.number: one.verdict for one in judge(evidence)}


def test_a_sound_deployment_fails_in_nothing() -> None:
    found = verdicts(SOUND)
    assert list(found) == list(range(1, 11))
    assert [number for number, verdict in found.items() if verdict == "failed"] == []
    assert {number for number, verdict in found.items() if verdict == "warning"} == {8}
    assert is_fit(judge(SOUND))
    assert not is_fit(judge(replace(SOUND, load=None)))


@pytest.mark.parametrize(
    ("number", "verdict", "change", "said"),
    [
        (1, "failed", {"connection": "reconnect"}, "refuses the tokens"),
        (1, "failed", {"token_stored_at": None}, "No tokens"),
        (1, "warning", {"refresh_expires_at": NOW + timedelta(days=13)}, "13 more days"),
        (1, "failed", {"access_expires_at": NOW - timedelta(minutes=1)}, "run out although"),
        (1, "failed", {"sources": {"gusto": True, "crm": False}}, "gusto refuses"),
        (2, "failed", {"unlimited": True}, "switched off"),
        (3, "failed", {"unexplained": 1}, "1 of 2"),
        (4, "failed", {"has_verifier_token": False}, "verifier_token"),
        (4, "failed", {"heard_at": {"crm": NOW}}, "never heard"),
        (4, "warning", {"heard_at": {"quickbooks": NOW - timedelta(days=8)}}, "8 days ago"),
        (5, "failed", {"looked_at": {"quickbooks": NOW}}, "crm was never looked at"),
        (5, "failed", {"looked_at": {"quickbooks": NOW - timedelta(minutes=16), "crm": NOW}}, "16 minutes ago"),
        (5, "failed", {"is_worked_for": False}, "No engine works"),
        (6, "failed", {"sandbox": ""}, "No sandbox_report is configured"),
        (6, "failed", {"sandbox": "There is no report /reports/sandbox.json."}, "There is no report"),
        (6, "failed", {"sandbox": SOUND_RUN.model_copy(update={"failed": 1})}, "1 of 15 journeys failed"),
        (6, "failed", {"sandbox": SOUND_RUN.model_copy(update={"passed": 0})}, "0 of 0 journeys"),
        (6, "warning", {"sandbox": SOUND_RUN.model_copy(update={"finished_at": NOW - timedelta(days=31)})}, "31 days"),
        (7, "failed", {"reconciled_at": None}, "never compared"),
        (7, "failed", {"drifts": 2}, "2 differences last"),
        (7, "warning", {"reconciled_at": NOW - timedelta(days=32)}, "compared"),
        (8, "failed", {"telemetry": None}, "nowhere"),
        (9, "warning", {"anchor": None}, "kept nowhere else"),
        (9, "failed", {"forgetful": "The log has forgotten something."}, "has forgotten something"),
        (10, "failed", {"load": None}, "Nothing shows"),
        (
            10,
            "failed",
            {"load": SOUND_LOAD.model_copy(update={"keeps_up": False})},
            "did not keep up with 3 times",
        ),
        (10, "warning", {"load": SOUND_LOAD.model_copy(update={"by_hand": True})}, "a stated volume"),
        (10, "warning", {"load": SOUND_LOAD.model_copy(update={"times": 2.9})}, "2.9 times"),
        (10, "warning", {"load": SOUND_LOAD.model_copy(update={"seconds": 599.0})}, "for 599 s"),
        (10, "warning", {"load": SOUND_LOAD.model_copy(update={"finished_at": NOW - timedelta(days=93)})}, "93 days"),
    ],
)
def test_each_point_follows_its_evidence(number: int, verdict: str, change: dict[str, Any], said: str) -> None:
    found = {one.number: one for one in judge(replace(SOUND, **change))}
    one = found[number]
    assert one.verdict == verdict
    assert said in one.evidence
    assert one.remedy
    others = {other: held for other, held in verdicts(SOUND).items() if other != number}
    assert {other: found[other].verdict for other in others} == others


def test_a_run_in_the_sandbox_is_read_from_its_report_and_from_nothing_else(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert read_run(report) == f"There is no report {report}."
    report.write_text(SOUND_RUN.model_dump_json(), encoding="utf-8")
    assert read_run(report) == SOUND_RUN
    for text in ("", "[]", '{"passed": 14}', "\x00", '{"finished_at": "2026-11-20", "passed": -1}', "x" * 100_000):
        report.write_text(text, encoding="utf-8")
        assert isinstance(read_run(report), str)
    assert isinstance(read_run(tmp_path), str)


def test_a_load_test_is_read_as_it_was_kept_and_from_nothing_else(tmp_path: Path) -> None:
    path = load_file(tmp_path / "home", 3)
    assert read_load(path) is None
    keep_run(path, SOUND_LOAD)
    assert read_load(path) == SOUND_LOAD
    assert read_load(load_file(tmp_path / "home", 2)) is None
    for text in ("", "[]", '{"times": 3}', "\x00", "x" * 400_000):
        path.write_text(text, encoding="utf-8")
        assert read_load(path) is None
    assert read_load(tmp_path) is None


def test_an_idle_engine_may_have_an_access_token_that_ran_out() -> None:
    idle = replace(SOUND, is_worked_for=False, access_expires_at=NOW - timedelta(hours=3))
    assert verdicts(idle)[1] == "ok"


def test_numbers_that_the_books_do_not_show_are_remarked_upon() -> None:
    numbered = replace(SOUND, numbered=("invoices",))
    assert remarks(replace(numbered, custom_numbers=True)) == []
    assert remarks(replace(numbered, custom_numbers=None)) == []
    assert remarks(replace(SOUND, custom_numbers=False)) == []
    (said,) = remarks(replace(numbered, custom_numbers=False))
    assert "custom transaction numbers are off" in said


def test_sweeps_that_rest_for_want_of_budget_are_not_late() -> None:
    late = replace(SOUND, looked_at={"quickbooks": NOW - timedelta(days=2), "crm": NOW})
    assert {one.number: one.verdict for one in judge(late)}[5] == "failed"
    resting = replace(late, sweeps_stopped_until=NOW + timedelta(days=1))
    one = {one.number: one for one in judge(resting)}[5]
    assert (one.verdict, one.remedy.startswith("See `counterfoil limits`")) == ("warning", True)
