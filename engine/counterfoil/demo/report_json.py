"""The same report for programs: amounts as texts with two decimals, so that no reader makes floats of them."""

from collections.abc import Iterable

from counterfoil.demo.findings import Findings
from counterfoil.demo.loading import decimal
from counterfoil.demo.ties import Tie
from counterfoil_schema.exact_json import JsonObject, JsonValue


def as_json(findings: Findings, *, seed: int, home: str) -> JsonObject:
    """Everything, nothing shortened."""
    evidence = findings.evidence
    calls, course = evidence.calls, evidence.course
    return {
        "ties_out": findings.ties_out,
        "seed": seed,
        "home": home,
        "read": dict(evidence.read),
        "live_changes": course.changes_told,
        "observed": evidence.observed,
        "outcomes": {
            "total": evidence.outcomes.total,
            **evidence.outcomes.counts,
            "reasons": [
                {"state": one.state, "code": one.code, "changes": one.changes} for one in evidence.outcomes.reasons
            ],
        },
        "totals": {
            "month": _ties(findings.months),
            "customer": _ties(findings.customers),
            "account": _ties(findings.accounts),
            "pay_run": _ties(findings.pay_runs),
        },
        "incidents": [{"what": title, "times": times} for title, times in course.incidents],
        "missing_answers": {
            ending: sum(one.ending == ending for one in evidence.doubts)
            for ending in ("found", "repeated", "sent again", "open")
        },
        "refusals": [
            {"code": code, "then": then, "times": times} for (code, then), times in sorted(evidence.refusals.items())
        ],
        "parked": [
            {"record": one.record_key, "code": one.code, "cause": one.reason, "fix": one.fix} for one in evidence.parked
        ],
        "waiting_for_approval": [
            {
                "record": one.record_key,
                "number": one.doc_number,
                "amount": None if one.amount is None else str(one.amount),
            }
            for one in evidence.held
        ],
        "calls": {
            "writes": calls.writes,
            "least_writes": calls.least_writes,
            "reads": calls.reads,
            "answers_429": calls.refused,
            "answers_429_ordered": calls.refused_on_purpose,
            "peaks": {name: {"most": most, "limit": limit} for name, (most, limit) in calls.peaks.items()},
            "sources": {
                name: {"made": made, "refused": refused} for name, (made, refused) in evidence.source_calls.items()
            },
            "resting_seconds": f"{calls.resting_seconds:.1f}",
            "full_seconds": calls.full_seconds,
        },
        "seconds": {name: f"{seconds:.1f}" for name, seconds in course.seconds.items()},
        "kills": course.kills,
        "log": {"events": evidence.verified.events, "faults": [str(fault) for fault in evidence.verified.faults]},
        "checks": [
            {"what": one.title, "expected": one.expected, "found": one.found, "holds": one.holds}
            for one in findings.checks
        ],
    }


def _ties(ties: Iterable[Tie]) -> JsonValue:
    return [
        {
            "name": tie.name,
            "expected": decimal(tie.expected),
            "source": None if tie.source is None else decimal(tie.source),
            "added_in_books": decimal(tie.added),
            "log": None if tie.log is None else decimal(tie.log),
            "books": decimal(tie.books),
            "holds": tie.holds,
        }
        for tie in ties
    ]
