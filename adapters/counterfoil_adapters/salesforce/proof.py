"""Asks Salesforce how far its answers are complete, and what was deleted: getUpdated, getDeleted.

A row that a long transaction wrote becomes visible under a stamp that a sweep has passed already. `latestDateCovered`
stays at the start of the oldest transaction under way; so no sweep begins behind it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from counterfoil.sources.http import RefusedError
from counterfoil.sources.port import Removed, SourceChange, Unreadable
from counterfoil.sources.since import Handed
from counterfoil_adapters.salesforce.client import Replicated, SalesforceClient, codes_of, literal
from counterfoil_adapters.salesforce.cursor import Cursor
from counterfoil_adapters.salesforce.normalise import removed
from counterfoil_adapters.salesforce.plans import MASTER, Plan
from counterfoil_adapters.salesforce.sweep import STAMP
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

UPDATED_MAX = timedelta(days=29)
DELETED_MAX = timedelta(days=14, hours=23)
"""Salesforce answers for 30 and 15 days; a little less, so that the call still fits when it arrives."""

MINUTE = timedelta(minutes=1)
NARROWINGS_MAX = 20
Ask = Callable[[str, datetime, datetime], Awaitable[Replicated]]


class Proof:
    """For one connection.

    Args:
        every: how long to wait between two questions.
        handed: what was handed over lately; deletions that a sweep saw are not told twice.
    """

    def __init__(self, client: SalesforceClient, every: timedelta, handed: Handed) -> None:
        self._client = client
        self._every = every
        self._handed = handed

    async def prove(self, plan: Plan, held: Cursor) -> tuple[Cursor, list[SourceChange]]:
        """What was deleted since the cursor, and the cursor with how far that holds."""
        now = self._client.server_now()
        if now - held.asked < self._every:
            return held, []
        name = plan.shape.object
        updated = await self._ask(self._client.updated, name, max(held.proven, now - UPDATED_MAX), now)
        start = max(held.deleted, now - DELETED_MAX)
        deleted = await self._ask(self._client.deleted, name, start, now)
        gone = await self._gone(plan, deleted.rows if deleted is not None else ())
        earliest = max(start, deleted.earliest) if deleted is not None and deleted.earliest is not None else start
        if earliest > held.deleted:
            gone.append(_unknown(plan, held.deleted, earliest))
        return replace(
            held,
            proven=updated.covered if updated is not None else held.proven,
            deleted=deleted.covered if deleted is not None else held.deleted,
            asked=now,
        ), gone

    async def _ask(self, ask: Ask, name: str, start: datetime, end: datetime) -> Replicated | None:
        """One of the calls, over a shorter span where there is too much; None where no whole minute has passed."""
        for _ in range(NARROWINGS_MAX):
            if _minute(end) <= _minute(start):
                return None
            try:
                return await ask(name, start, end)
            except RefusedError as error:
                if "EXCEEDED_ID_LIMIT" not in codes_of(error.body):
                    raise
                end = start + max((end - start) / 2, MINUTE)
        return None

    async def _gone(self, plan: Plan, rows: Sequence[JsonObject]) -> list[SourceChange]:
        told = {str(row.get("id")): str(row.get("deletedDate")) for row in rows}
        news = [one for one in told if self._handed.is_news(f"gone:{plan.shape.object}:{one}", "")]
        if not news:
            return []
        columns = f"Id, {STAMP}, IsDeleted" + (f", {MASTER}" if MASTER in plan.select else "")
        shown = await self._client.by_ids(columns, plan.shape.object, "Id", news, deleted=True)
        rows_by_id = {str(row.get("Id")): row for row in shown}
        changes: list[SourceChange] = []
        for one in news:
            row = rows_by_id.get(one)
            if row is None:
                evidence = f"Salesforce lists {plan.shape.object} {one} as deleted at {told[one]}."
                changes.append(Removed(kind=plan.shape.kind, source_id=one, evidence=evidence))
            elif row.get("IsDeleted") is True:
                changes.append(removed(plan.shape, row))
            # Else somebody brought it back: the sweep shows it.
        return changes


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _unknown(plan: Plan, start: datetime, end: datetime) -> Unreadable:
    """Nobody can say any more what was deleted in a span: a person must know."""
    name, span = plan.shape.object, f"{literal(start)} to {literal(end)}"
    return Unreadable(
        kind=plan.shape.kind,
        source_id=f"deletions {span}",
        place=f"Salesforce, {name} records deleted {span}",
        problem=f"Salesforce no longer says which {name} records were deleted from {span}; nobody read them in time.",
        fix=f"Compare {name} with the books for that time; skip this entry afterwards.",
        raw=exact_json.dumps({"object": name, "start": literal(start), "end": literal(end)}).decode(),
    )
