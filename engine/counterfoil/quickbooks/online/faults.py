"""What Intuit's faults mean for us: every known code with its class, plain words and a remedy.

Codes, texts and remedies follow Intuit's page of error codes (developer.intuit.com, "Error codes"); 6210 is a
closed period, 6240 a duplicate name, 6140 a duplicate document number, 2050 a length out of range.
"""

from dataclasses import dataclass
from enum import Enum

from counterfoil.quickbooks.online.fault_table import FAULT_ROWS, HTTP_ROWS, TRANSIENT_DETAIL, FaultRow

TEXT_LENGTH_MAX = 1_000


class FaultKind(Enum):
    """What the dispatcher does about a fault."""

    RETRY = "retry"
    """Passing trouble, and no proof that nothing happened: the same body under the same request id, later."""
    REFETCH = "refetch"
    """Stale object: read it afresh, merge, send again."""
    ADOPT = "adopt"
    """The name or number exists already: look it up, inactive records included, then adopt or park."""
    RECONNECT = "reconnect"
    """The connection is no longer allowed: a person must connect QuickBooks again."""
    PAUSE_REALM = "pause_realm"
    """The whole company cannot be reached at present: stop sending to it for a while."""
    THROTTLED = "throttled"
    """Too many calls: nobody sends to this realm for a minute."""
    REGROUP = "regroup"
    """The batch was too large, so nothing of it happened: its items go out again in smaller ones."""
    LOOK_UP = "look_up"
    """The request id was used before: find out what it did."""
    PARK = "park"
    """Permanent until somebody changes something: kept aside with its cause and fix."""


_KINDS = {kind.value: kind for kind in FaultKind}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as Intuit stated it, and what it means.

    Attributes:
        code: Intuit's code without leading zeros ("6240"), or "http-503" where the body carried none.
        http_status: the status of the answer that carried it; for an item of a batch, that of the batch.
        kind: what to do about it.
        message: Intuit's short text.
        detail: Intuit's long text, together with any further errors of the same answer.
        element: the field that Intuit names, or "".
        plain: what happened, in words for a bookkeeper.
        fix: what to do about it, in one sentence.
    """

    code: str
    http_status: int
    kind: FaultKind
    message: str
    detail: str
    element: str
    plain: str
    fix: str

    def __str__(self) -> str:
        return f"QuickBooks fault {self.code}: {self.plain} {self.fix}"


def fault_from(*, code: str, http_status: int, message: str = "", detail: str = "", element: str = "") -> Fault:
    """Classify one error. An unknown code parks, so that nothing loops on what it does not understand."""
    short = _short_code(code)
    row = _row(short, http_status)
    kind = _KINDS[row.kind]
    text = f"{message} {detail}".lower()
    if short == "6000" and any(marker in text for marker in TRANSIENT_DETAIL):
        kind = FaultKind.RETRY
    return Fault(
        code=short or f"http-{http_status}",
        http_status=http_status,
        kind=kind,
        message=_clean(message),
        detail=_clean(detail),
        element=_clean(element),
        plain=row.plain,
        fix=row.fix,
    )


def _row(code: str, http_status: int) -> FaultRow:
    """The row of a code; the HTTP status decides where it speaks more clearly than the code."""
    if http_status in {401, 429}:
        by_status = HTTP_ROWS[http_status]
        known = FAULT_ROWS.get(code)
        return known if known is not None and known.kind == by_status.kind else by_status
    if code in FAULT_ROWS:
        return FAULT_ROWS[code]
    if http_status in HTTP_ROWS:
        return HTTP_ROWS[http_status]
    return FaultRow(
        "park",
        f"QuickBooks refused the request with a code that is not in the table ({code or f'HTTP {http_status}'}).",
        "Read QuickBooks' own text, correct the record or the mapping, then retry it by hand.",
    )


def _short_code(code: str) -> str:
    """Intuit writes the same code as 3200 and as 003200."""
    cleaned = _clean(code).strip()[:20]
    return cleaned.lstrip("0") or ("0" if cleaned else "")


def _clean(text: str) -> str:
    """Text fit for logs: of bounded length, without control characters or halves of surrogate pairs."""
    bounded = text[:TEXT_LENGTH_MAX].encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() or c == " " else " " for c in bounded)
