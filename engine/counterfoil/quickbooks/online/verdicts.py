"""What the dispatcher does about each outcome of a call: the fault table's kinds become next steps."""

from collections.abc import Mapping
from typing import Literal

from counterfoil.dispatch.books import Call, Done, Lost, Outcome, Refused
from counterfoil.quickbooks.online.faults import Fault, FaultKind
from counterfoil.quickbooks.online.outcomes import (
    Accepted,
    BatchAnswered,
    BatchOutcome,
    NotSent,
    NotSentKind,
    Rejected,
    Uncertain,
    WriteOutcome,
)

Then = Literal["retry", "refetch", "adopt", "park", "reconnect"]
_RAW_CHARACTERS_MAX = 10_000


def verdict(outcome: WriteOutcome) -> Outcome:
    """What a single write's outcome means."""
    match outcome:
        case Accepted():
            return Done(document=outcome.document, intuit_tid=outcome.intuit_tid)
        case Rejected():
            return _rejected(outcome)
        case Uncertain():
            return Lost(reason=outcome.reason)
        case NotSent():
            return _not_sent(outcome)


def batch_verdicts(call: Call, outcome: BatchOutcome) -> Mapping[str, Outcome]:
    """What a batch's outcome means for each of its intents."""
    if not isinstance(outcome, BatchAnswered):
        whole = verdict(outcome)
        return {item.intent_id: whole for item in call.items}
    return {item.intent_id: verdict(outcome.items[item.batch_id or ""]) for item in call.items}


def _rejected(outcome: Rejected) -> Outcome:
    fault = outcome.fault
    step = _next_step(fault.kind)
    if step is None:
        # Passing trouble is no proof that nothing happened: evidence settles it.
        return Lost(reason=f"{fault.plain} ({fault.code})")
    return Refused(
        code=fault.code,
        kind=fault.kind.value,
        reason=_words(fault),
        outside=f"{fault.plain} ({fault.code})",
        fix=fault.fix,
        then=step,
        intuit_tid=outcome.intuit_tid,
        raw=outcome.raw.decode("utf-8", errors="replace")[:_RAW_CHARACTERS_MAX],
    )


def _next_step(kind: FaultKind) -> Then | None:
    match kind:
        case FaultKind.RETRY | FaultKind.LOOK_UP:
            return None
        case FaultKind.THROTTLED | FaultKind.PAUSE_REALM | FaultKind.REGROUP:
            return "retry"
        case FaultKind.REFETCH:
            return "refetch"
        case FaultKind.ADOPT:
            return "adopt"
        case FaultKind.RECONNECT:
            return "reconnect"
        case FaultKind.PARK:
            return "park"


def _words(fault: Fault) -> str:
    # Of a stale object QuickBooks says who else was at work on it.
    detail = "" if fault.kind is FaultKind.REFETCH else fault.detail or fault.message
    return f"{fault.plain} (QuickBooks {fault.code}: {detail})" if detail else f"{fault.plain} ({fault.code})"


def _not_sent(outcome: NotSent) -> Refused:
    reconnect = outcome.kind is NotSentKind.RECONNECT
    return Refused(
        code=f"not-sent-{outcome.kind.value}",
        kind=outcome.kind.value,
        reason=f"Nothing was sent: {outcome.reason}",
        fix="Connect QuickBooks again." if reconnect else "Nothing: it is sent later.",
        then="reconnect" if reconnect else "retry",
        retry_after=outcome.retry_after_seconds,
        unsent=True,
    )
