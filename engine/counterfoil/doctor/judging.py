"""Judges the ten points that must hold before a deployment touches real books. Pure.

What this release cannot do yet fails, and says so: a point is not taken as met because nobody can see it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from counterfoil.doctor.evidence import Evidence

Verdict = Literal["ok", "warning", "failed"]

QUICKBOOKS = "quickbooks"
REFRESH_DAYS_MIN = 14
SILENT_AFTER = timedelta(days=7)
SANDBOX_OLD = timedelta(days=30)
RECONCILED_OLD = timedelta(days=31)
LOAD_OLD = timedelta(days=92)
LOAD_TIMES_MIN = 3.0
LOAD_SECONDS_MIN = 600.0
LOOKS_MISSED_MAX = 3
LATE_AT_LEAST = timedelta(minutes=5)
MINUTES_TOLD_MAX = 120
HOURS_TOLD_MAX = 48


@dataclass(frozen=True, slots=True)
class Finding:
    """One point: what is asked, how it stands, what shows it, and what to do.

    `remedy` is empty where nothing needs doing.
    """

    number: int
    point: str
    verdict: Verdict
    evidence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    verdict: Verdict
    evidence: str
    remedy: str = ""


def judge(evidence: Evidence) -> list[Finding]:
    """All ten points, in their order."""
    return [
        Finding(number, point, seen.verdict, seen.evidence, seen.remedy)
        for number, (point, look) in enumerate(_POINTS, start=1)
        for seen in (look(evidence),)
    ]


def remarks(evidence: Evidence) -> list[str]:
    """What is no point of the list and will surprise somebody all the same."""
    if evidence.custom_numbers is not False or not evidence.numbered:
        return []
    said = (
        f"The mapping numbers {' and '.join(evidence.numbered)}, but custom transaction numbers are off in QuickBooks: "
        "its forms may not show our numbers, and its own, which count on by themselves, may meet one of ours (6140). "
        "Switch on custom transaction numbers in QuickBooks' sales settings."
    )
    return [said]


def is_fit(findings: Sequence[Finding]) -> bool:
    """Whether no point failed."""
    return all(one.verdict != "failed" for one in findings)


def _tokens(seen: Evidence) -> _Seen:
    connect = "Run `counterfoil connect quickbooks`."
    if seen.connection == "reconnect":
        return _Seen("failed", "QuickBooks refuses the tokens; everything queued waits.", connect)
    if seen.token_stored_at is None:
        return _Seen("failed", f"No tokens are stored in {seen.token_store}.", connect)
    refusing = sorted(name for name, refuses in seen.sources.items() if refuses)
    if refusing:
        named = ", ".join(refusing)
        remedy = f"Connect {named} again, and put the new refresh_token into the configuration."
        return _Seen("failed", f"{named} refuses the tokens that it gave; it is not read meanwhile.", remedy)
    stored = f"Kept in {seen.token_store}, last renewed {_ago(seen.now, seen.token_stored_at)}"
    if seen.sources:
        stored += f"; those of {', '.join(sorted(seen.sources))} in postgres, sealed"
    if seen.refresh_expires_at is not None:
        days = (seen.refresh_expires_at - seen.now).days
        stored += f"; without use they last {days} more days"
        if days < REFRESH_DAYS_MIN:
            return _Seen("warning", f"{stored}.", "Let the engine run, or connect again before they end.")
    if seen.is_worked_for and seen.access_expires_at is not None and seen.access_expires_at < seen.now:
        return _Seen("failed", f"{stored}; the access token has run out although an engine works.", "See its log.")
    return _Seen("ok", f"{stored}.")


def _limits(seen: Evidence) -> _Seen:
    used = f"{seen.calls_in_minute} of {seen.requests_per_minute} calls in the last minute"
    if seen.unlimited:
        return _Seen("failed", f"The limiter is switched off ({used}).", "Remove `unlimited` from the configuration.")
    return _Seen("ok", f"Every call passes the limiter, whose stamps survive a restart: {used}.")


def _errors(seen: Evidence) -> _Seen:
    if seen.unexplained:
        reason = f"{seen.unexplained} of {seen.parked} parked changes have no reason."
        return _Seen("failed", reason, "Report this with `counterfoil parked --json`.")
    return _Seen("ok", f"Every refusal is an event in the log; {seen.parked} parked changes, each with its reason.")


def _webhooks(seen: Evidence) -> _Seen:
    if not seen.has_verifier_token:
        return _Seen(
            "failed",
            "There is no verifier_token, so notifications of QuickBooks are refused.",
            "Copy it from the app's webhooks page at developer.intuit.com into the configuration.",
        )
    heard = seen.heard_at.get(QUICKBOOKS)
    if heard is None:
        return _Seen("failed", "QuickBooks was never heard.", "Subscribe the address at which this engine listens.")
    told = f"QuickBooks was heard {_ago(seen.now, heard)}"
    if seen.now - heard > SILENT_AFTER:
        return _Seen("warning", f"{told}.", "Change something in the books and see whether it arrives.")
    return _Seen("ok", f"{told}.")


def _fallback(seen: Evidence) -> _Seen:
    late: list[str] = []
    told: list[str] = []
    for connection, every in sorted(seen.look_every.items()):
        looked = seen.looked_at.get(connection)
        if looked is None:
            late.append(f"{connection} was never looked at")
            continue
        told.append(f"{connection} {_ago(seen.now, looked)}")
        if connection == QUICKBOOKS and seen.sweeps_stopped_until is not None:
            continue
        if seen.is_worked_for and seen.now - looked > max(LATE_AT_LEAST, timedelta(seconds=every * LOOKS_MISSED_MAX)):
            late.append(f"{connection} was last looked at {_ago(seen.now, looked)}, every {every:g} s is set")
    if late:
        return _Seen("failed", f"{'; '.join(late)}.", "Start the engine, and see `counterfoil status`.")
    if not seen.is_worked_for:
        return _Seen(
            "failed", f"No engine works for it. Last looked at: {', '.join(told)}.", "Run `counterfoil serve`."
        )
    if seen.sweeps_stopped_until is not None:
        return _Seen(
            "warning",
            f"The month's metered reads leave none for sweeps until {seen.sweeps_stopped_until:%Y-%m-%d %H:%M} UTC. "
            f"Last looked at: {', '.join(told)}.",
            "See `counterfoil limits`; raise metered_reads_per_month if Intuit's plan has more.",
        )
    return _Seen("ok", f"Lost notifications are caught: {', '.join(told)}.")


def _sandbox(seen: Evidence) -> _Seen:
    run = "Run `make test-sandbox` in CI with the keys of a sandbox company"
    if isinstance(seen.sandbox, str):
        told = seen.sandbox or "No sandbox_report is configured."
        return _Seen(
            "failed",
            f"Nothing shows that the journeys were run against Intuit's sandbox. {told}",
            f"{run}, and name the report that it leaves as sandbox_report.",
        )
    last = seen.sandbox
    company = f"sandbox company {last.realm_id}, {_ago(seen.now, last.finished_at)}"
    if last.failed or not last.passed:
        return _Seen(
            "failed",
            f"{last.failed} of {last.passed + last.failed} journeys failed: {company}.",
            "See what it printed.",
        )
    held = f"{last.passed} journeys held: {company}."
    if seen.now - last.finished_at > SANDBOX_OLD:
        return _Seen("warning", held, f"{run}, at least once in {SANDBOX_OLD.days} days: Intuit changes things.")
    return _Seen("ok", held)


def _reconciliation(seen: Evidence) -> _Seen:
    run = "Run `counterfoil reconcile`"
    if seen.reconciled_at is None:
        return _Seen(
            "failed", "Source, log and books were never compared whole.", f"{run}, and leave `reconcile_days` above 0."
        )
    when = f"Source, log and books were compared {_ago(seen.now, seen.reconciled_at)}"
    if seen.drifts:
        return _Seen("failed", f"{when}; {seen.drifts:,} differences last.", f"{run}: it says what to do about each.")
    if seen.now - seen.reconciled_at > RECONCILED_OLD:
        return _Seen(
            "warning", f"{when}.", f"{run} before each month's end; `reconcile_days` makes it do so by itself."
        )
    return _Seen("ok", f"{when}; no difference lasts.")


def _alerts(seen: Evidence) -> _Seen:
    if seen.telemetry is None:
        return _Seen(
            "failed",
            "Traces and metrics go nowhere.",
            "Set `otlp_endpoint` under [telemetry], and alert on parked changes, lag and the age of tokens.",
        )
    return _Seen(
        "warning",
        f"Metrics go to {seen.telemetry}; whether anybody is woken by them cannot be seen from here.",
        "Alert on parked changes, lag and the age of tokens.",
    )


def _rollback(seen: Evidence) -> _Seen:
    if seen.forgetful:
        return _Seen("failed", seen.forgetful, "Follow ops/runbooks/restored-backup.md.")
    plan = "`counterfoil rollback` previews and takes back what was written"
    if seen.anchor is None:
        return _Seen(
            "warning",
            f"{plan}; the signed heads of the log, by which a back-up is judged, are kept nowhere else.",
            "Set [anchor], and walk through the rollback runbook once on the emulator.",
        )
    return _Seen("ok", f"{plan}; the signed heads of the log go to {seen.anchor}.", "")


def _load(seen: Evidence) -> _Seen:
    run = f"Run `counterfoil loadtest --times {LOAD_TIMES_MIN:g}`"
    last = seen.load
    if last is None:
        return _Seen("failed", "Nothing shows that a multiple of the own volume was tried.", f"{run}.")
    whose = "a stated volume" if last.by_hand else "the own volume"
    told = f"{last.times:g} times {whose} for {last.seconds:,.0f} s, {_ago(seen.now, last.finished_at)}"
    if not last.keeps_up:
        return _Seen("failed", f"It did not keep up with {told}.", "Follow ops/runbooks/loadtest.md.")
    if last.by_hand or last.times < LOAD_TIMES_MIN or last.seconds < LOAD_SECONDS_MIN:
        return _Seen("warning", f"It kept up with {told}.", f"{run} for ten minutes, on the volume that the log holds.")
    if seen.now - last.finished_at > LOAD_OLD:
        return _Seen("warning", f"It kept up with {told}.", f"{run} again: volumes grow.")
    return _Seen("ok", f"It kept up with {told}.")


_POINTS: tuple[tuple[str, Callable[[Evidence], _Seen]], ...] = (
    ("Tokens are stored safely and refreshed", _tokens),
    ("Calls are limited and back off", _limits),
    ("Errors are recorded with their reason", _errors),
    ("Webhooks arrive", _webhooks),
    ("Polling catches what webhooks lose", _fallback),
    ("Tests run against a sandbox", _sandbox),
    ("Books and sources are reconciled", _reconciliation),
    ("Somebody is alerted", _alerts),
    ("There is a plan for rolling back", _rollback),
    ("The load was tried", _load),
)


def _ago(now: datetime, then: datetime) -> str:
    minutes = max(0, int((now - then).total_seconds() // 60))
    if minutes < 1:
        return "less than a minute ago"
    if minutes < MINUTES_TOLD_MAX:
        return f"{minutes} minutes ago"
    hours = minutes // 60
    return f"{hours} hours ago" if hours < HOURS_TOLD_MAX else f"{hours // 24} days ago"
