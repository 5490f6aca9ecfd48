"""What QuickBooks was asked, against the least that would have done, and time spent at Intuit's limits. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from counterfoil.demo.changes import Change, ChangePhone, ChangeQuantity
from counterfoil.demo.control import part_of, rows_of, text_of
from counterfoil.demo.expected import Expected
from counterfoil_schema.exact_json import JsonObject

BATCH_ITEMS = 30
_PER_SECOND = 10
_WRITES = ("create", "update", "delete", "void", "batch")
_READS = ("read", "query", "cdc")
_THROTTLED = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Requests to QuickBooks.

    Attributes:
        least_writes: one for each customer and item and each change of one, and batches of thirty for the rest.
        lost: writes whose answer was lost, refused or late on purpose, and the repetitions that this costs.
        refused: answers 429, and those of them that the emulator was told to give.
        peaks: the most in any sliding window, with Intuit's limit.
        resting_seconds: after a 429, until the next call.
        full_seconds: seconds in which no further call was allowed.
    """

    writes: int
    least_writes: int
    reads: int
    refused: int
    refused_on_purpose: int
    peaks: Mapping[str, tuple[int, int]]
    resting_seconds: float
    full_seconds: int


def count_calls(
    stats: JsonObject, calls: JsonObject, expected: Expected, changes: Sequence[Change], bursts: int
) -> Calls:
    """Figures from the emulator's own counts and from its list of calls."""
    requests = part_of(stats, "requests")
    limits = part_of(stats, "limits")
    peaks = part_of(stats, "peaks")
    resting, full = _waits(rows_of(calls, "calls"))
    refused = sum(1 for call in rows_of(calls, "calls") if text_of(call, "status") == str(_THROTTLED))
    return Calls(
        writes=sum(_number(requests, kind) for kind in _WRITES),
        least_writes=least_writes(expected, changes),
        reads=sum(_number(requests, kind) for kind in _READS),
        refused=refused,
        refused_on_purpose=bursts,
        peaks={
            "in 60 s": (_number(peaks, "requests_in_60s"), _number(limits, "requests_per_minute")),
            "in one second": (_number(peaks, "requests_in_1s"), _number(limits, "requests_per_second")),
            "batches in 60 s": (_number(peaks, "batches_in_60s"), _number(limits, "batches_per_minute")),
            "at once": (_number(peaks, "at_once"), _number(limits, "concurrent")),
        },
        resting_seconds=resting,
        full_seconds=full,
    )


def least_writes(expected: Expected, changes: Sequence[Change]) -> int:
    """The fewest writing calls that bring the books where they must be, with thirty transactions in a batch."""
    phones = sum(isinstance(change, ChangePhone) for change in changes)
    quantities = sum(isinstance(change, ChangeQuantity) for change in changes)
    singles = len(expected.customers) + expected.items + phones
    return singles + _batches(len(expected.invoices) + len(expected.entries)) + _batches(quantities)


def _batches(transactions: int) -> int:
    return -(-transactions // BATCH_ITEMS)


def _waits(calls: Sequence[JsonObject]) -> tuple[float, int]:
    """Seconds of rest after refusals, and seconds in which the limit of a second was reached."""
    resting = 0.0
    per_second: dict[int, int] = {}
    refused_at: float | None = None
    for call in calls:
        at = datetime.fromisoformat(text_of(call, "time")).timestamp()
        if text_of(call, "status") == str(_THROTTLED):
            refused_at = at
            continue
        if refused_at is not None:
            resting += max(0.0, at - refused_at)
            refused_at = None
        per_second[int(at)] = per_second.get(int(at), 0) + 1
    return resting, sum(1 for count in per_second.values() if count >= _PER_SECOND)


def _number(counts: JsonObject, name: str) -> int:
    found = counts.get(name, 0)
    return found if isinstance(found, int) else 0
