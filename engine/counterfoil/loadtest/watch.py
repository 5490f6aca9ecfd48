"""What the log tells of the load: when each change of the made-up source was seen, and when it was done with."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from counterfoil.log import LogReader, RecordedEvent

_ENDINGS = {
    "intent.accepted": "applied",
    "change.unchanged": "unchanged",
    "change.skipped": "skipped",
    "change.parked": "parked",
    "intent.parked": "parked",
}


@dataclass(slots=True)
class Watch:
    """One company's log, followed.

    Attributes:
        made: changes made at the source so far; `done`: of them those that came to an end.
        outcomes: how they ended.
        delays: seconds from the source to the effect in the books, of those that were applied.
    """

    company: int
    position: int = 0
    made: int = 0
    done: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    _told: dict[str, deque[datetime]] = field(default_factory=dict)
    _open: dict[int, datetime] = field(default_factory=dict)

    def tell(self, keys: Sequence[str], at: datetime) -> None:
        """These records were changed at the source now."""
        for key in keys:
            self._told.setdefault(key, deque()).append(at)
        self.made += len(keys)

    def begin(self) -> None:
        """Forget what was counted so far: the load begins."""
        self.made = self.done = 0
        self.outcomes.clear()
        self.delays.clear()

    async def catch_up(self, reader: LogReader) -> list[str]:
        """Take in what is new; the records that were seen."""
        seen: list[str] = []
        while page := await reader.read(self.company, self.position):
            for recorded in page:
                self.position = recorded.position
                if recorded.event_type == "source.observed":
                    seen += self._observed(recorded)
                elif recorded.event_type in _ENDINGS:
                    self._ended(recorded.event_type, recorded.light(), recorded.recorded_at)
        return seen

    def _observed(self, recorded: RecordedEvent) -> list[str]:
        key = recorded.record_key or ""
        told = self._told.get(key)
        if not told:
            return []
        self._open[recorded.position] = told.popleft()
        return [key]

    def _ended(self, event_type: str, body: Mapping[str, Any], at: datetime) -> None:
        since = self._open.pop(int(body["change"]), None)
        if since is None:
            return
        outcome = _ENDINGS[event_type]
        self.done += 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if outcome == "applied":
            self.delays.append((at - since).total_seconds())
