"""getUpdated and getDeleted: which ids changed in a span of whole minutes, and how far the answer can be trusted."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from counterfoil_adapters.salesforce.emulator.errors import OrgError
from counterfoil_adapters.salesforce.emulator.org import Org
from counterfoil_adapters.salesforce.emulator.values import instant_text, parse_instant

UPDATED_DAYS = 30
IDS_MAX = 600_000
MINUTE = timedelta(minutes=1)


class Replication:
    """Both calls on one org. `ids_max`: above it the span must be narrowed."""

    def __init__(self, org: Org, ids_max: int = IDS_MAX) -> None:
        self._org = org
        self.ids_max = ids_max

    def updated(self, name: str, query: Mapping[str, str]) -> dict[str, object]:
        """Ids of what was made or changed, without what is deleted by now."""
        start, end = self._span(query, UPDATED_DAYS)
        rows = self._org.table(name).rows.values()
        ids = [row.id for row in rows if row.deleted_at is None and not row.held and start <= row.stamp < end]
        self._bounded(ids)
        return {"ids": ids, "latestDateCovered": instant_text(self._covered(end))}

    def deleted(self, name: str, query: Mapping[str, str]) -> dict[str, object]:
        """What was deleted, the recycle bin emptied or not."""
        start, end = self._span(query, self._org.history_days)
        earliest = self._org.now() - timedelta(days=self._org.history_days)
        rows = self._org.table(name).rows.values()
        gone = [
            {"id": row.id, "deletedDate": instant_text(row.deleted_at)}
            for row in rows
            if row.deleted_at is not None and start <= row.deleted_at < end
        ]
        self._bounded(gone)
        return {
            "deletedRecords": gone,
            "earliestDateAvailable": instant_text(earliest),
            "latestDateCovered": instant_text(self._covered(end)),
        }

    def _covered(self, end: datetime) -> datetime:
        """The start of the oldest transaction under way, if that is earlier: what it changes comes under that stamp."""
        return min([end, self._org.now(), *self._org.held_since])

    def _span(self, query: Mapping[str, str], days: int) -> tuple[datetime, datetime]:
        try:
            start, end = (parse_instant(query[name]).replace(second=0, microsecond=0) for name in ("start", "end"))
        except (KeyError, ValueError):
            raise OrgError("INVALID_REPLICATION_DATE", "start and end must be dates with a time and a zone") from None
        if end <= start:
            raise OrgError("INVALID_REPLICATION_DATE", "startDate before endDate by more than one minute is required")
        if start < self._org.now() - timedelta(days=days) - MINUTE:
            raise OrgError("INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
        return start, end

    def _bounded(self, found: list[str] | list[dict[str, str]]) -> None:
        if len(found) > self.ids_max:
            raise OrgError("EXCEEDED_ID_LIMIT", f"The number of ids exceeds {self.ids_max}; use a shorter time span")
