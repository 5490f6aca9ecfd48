"""The operational tables in memory: cursors of reading, and what a company's limiter keeps for a restart."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from counterfoil.testing.memory_tables import Columns
from counterfoil_schema import exact_json

_GAUGES: Final = (
    "metered",
    "used",
    "allowed",
    "ceiling",
    "waiting",
    "throttled",
    "waited_seconds",
    "paused_until",
    "saved_at",
)


class OperationalTables:
    """Cursors, stamps and gauges of all companies; statements are named as their files are."""

    def __init__(self) -> None:
        self._cursors: dict[tuple[int, str, str], str] = {}
        self._stamps: dict[int, str] = {}
        self._gauges: dict[int, Mapping[str, Any]] = {}
        self._statements: Mapping[str, Callable[..., None]] = {
            "forget_cursors": self._forget_cursors,
            "save_cursor": self._save_cursor,
            "save_gauges": self._save_gauges,
            "save_stamps": self._save_stamps,
        }
        self._queries: Mapping[str, Callable[..., Sequence[Columns]]] = {
            "gauges": self._gauges_of,
            "metered_elsewhere": self._metered_elsewhere,
        }
        self._values: Mapping[str, Callable[..., str | None]] = {
            "cursor": lambda *place: self._cursors.get(place),
            "stamps": self._stamps.get,
        }

    def execute(self, query: str, *arguments: object) -> None:
        """Run a statement."""
        self._statements[query](*arguments)

    def records(self, query: str, *arguments: object) -> Sequence[Columns]:
        """What a query gives."""
        return self._queries[query](*arguments)

    def value(self, query: str, *arguments: object) -> str | None:
        """The single value that a query gives, or None."""
        return self._values[query](*arguments)

    def _save_cursor(self, company: int, connection: str, kind: str, cursor: str, _moved_at: datetime) -> None:
        self._cursors[company, connection, kind] = cursor

    def _forget_cursors(self, company: int) -> None:
        for place in [one for one in self._cursors if one[0] == company and one[1] != "quickbooks"]:
            del self._cursors[place]

    def _save_stamps(self, company: int, stamps: str, _saved_at: datetime) -> None:
        self._stamps[company] = stamps

    def _save_gauges(self, company: int, *values: object) -> None:
        self._gauges[company] = dict(zip(_GAUGES, values, strict=True))

    def _gauges_of(self, company: int) -> Sequence[Columns]:
        kept = self._gauges.get(company)
        return [] if kept is None else [Columns(kept)]

    def _metered_elsewhere(self, month: str, since: datetime, company: int) -> Sequence[Columns]:
        others = [kept for number, kept in self._gauges.items() if number != company]
        spent = sum(int(Decimal(str(exact_json.loads_object(one["metered"]).get(month, 0)))) for one in others)
        return [Columns({"spent": spent, "companies": sum(one["saved_at"] > since for one in others)})]
