"""Where reading goes on: in the middle of the lists, or after an event.

The newest event is noted before the lists are read, so whatever changes meanwhile is announced after it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from counterfoil_schema.exact_json import dumps, loads_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in the reading of one kind.

    Args:
        after: uuid of the event noted; None where Gusto held none.
        at: when `after` was the newest: events are kept for thirty days only.
        page: the page of the list that comes next, from 1.
        start: the first check date of the window being read (payrolls only).
        total: how many rows the list had when its first page was read; another number means that rows moved.
    """

    phase: Literal["list", "events"]
    after: str | None
    at: datetime
    page: int = 1
    start: date | None = None
    total: int | None = None

    def text(self) -> str:
        """As it is stored."""
        return dumps(
            {
                "phase": self.phase,
                "after": self.after,
                "at": self.at.isoformat(),
                "page": self.page,
                "start": self.start.isoformat() if self.start is not None else None,
                "total": self.total,
            }
        ).decode()


def parse(text: str | None) -> Cursor | None:
    """A stored cursor; None where there is none, or none that this release can read: then all is read again."""
    if text is None:
        return None
    try:
        stored = loads_object(text)
        phase, after, page, start, total = (stored.get(name) for name in ("phase", "after", "page", "start", "total"))
        at = datetime.fromisoformat(str(stored["at"]))
        first = date.fromisoformat(start) if isinstance(start, str) else None
    except (KeyError, ValueError):
        return None
    if (after is not None and not isinstance(after, str)) or at.tzinfo is None:
        return None
    if phase == "events":
        return Cursor(phase="events", after=after, at=at)
    if phase != "list" or not isinstance(page, int) or not (total is None or isinstance(total, int)):
        return None
    return Cursor(phase="list", after=after, at=at, page=page, start=first, total=total)
