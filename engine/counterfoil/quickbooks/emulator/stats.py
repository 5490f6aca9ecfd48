"""What was asked of the emulator: counts, and a bounded log of calls."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime

from counterfoil_schema.exact_json import JsonObject

CALLS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request to the accounting API and how it was answered."""

    sequence: int
    at: datetime
    method: str
    path: str
    kind: str
    entity: str
    request_id: str
    items: int
    status: int
    outcome: str
    intuit_tid: str

    def as_json(self) -> JsonObject:
        return {
            "sequence": self.sequence,
            "time": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "kind": self.kind,
            "entity": self.entity,
            "request_id": self.request_id,
            "items": self.items,
            "status": self.status,
            "outcome": self.outcome,
            "intuit_tid": self.intuit_tid,
        }


class Stats:
    """Counters and calls."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.writes = 0
        self.item_faults = 0
        self.metered_reads = 0
        self._month = ""
        self._metered_in_month = 0
        self.throttled_by: Counter[str] = Counter()
        self._calls: deque[CallRecord] = deque(maxlen=CALLS_MAX)
        self._sequence = 0

    def meter(self, now: datetime) -> None:
        """A read that Intuit bills."""
        month = now.strftime("%Y-%m")
        self._metered_in_month = self.metered_in_month(now) + 1
        self._month = month
        self.metered_reads += 1

    def metered_in_month(self, now: datetime) -> int:
        """Billed reads since the month began."""
        return self._metered_in_month if now.strftime("%Y-%m") == self._month else 0

    def count(self, kind: str) -> None:
        self.requests[kind] += 1

    def next_call(self) -> int:
        self._sequence += 1
        return self._sequence

    def record(self, call: CallRecord) -> None:
        self._calls.append(call)

    def calls(self, after: int, limit: int) -> list[JsonObject]:
        """Calls with a higher number than `after`, oldest first."""
        found: list[JsonObject] = []
        for call in self._calls:
            if call.sequence > after:
                found.append(call.as_json())
                if len(found) >= limit:
                    break
        return found
