"""Stops plans that would void or delete too much of the books, and has a person asked.

Counted are the last hours, so that a source that loses its records page by page is stopped like one that loses them
at once. What a person has approved does not count again.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeGuard

from counterfoil.dispatch.decided import Decided
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.dispatch.watched import BOOKS
from counterfoil.planning.breaker import DEACTIVATED, BreakerRule, Gone, sentence, takes_away
from counterfoil.ports import Clock
from counterfoil.state.rows import ChangeRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import IntentPlanned, IntentWithdrawn

LOOKED_UP_EVERY = timedelta(minutes=10)
"""How old the answer may be to where in the log the counted hours begin."""

Group = Sequence[tuple[ChangeRow, Decided]]


class Breaker:
    """The breaker of one company.

    Args:
        hours: how far back is counted.
    """

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        events: EventSource,
        view: ViewLoader,
        clock: Clock,
        rule: BreakerRule,
        hours: float,
    ) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._view = view
        self._clock = clock
        self._rule = rule
        self._back = timedelta(hours=hours)
        self._begin: tuple[float, int] | None = None

    async def held(self, group: Group, head: int) -> list[tuple[ChangeRow, Decided]]:
        """The decisions, in which whatever the breaker stops waits for approval.

        Args:
            group: decisions that are appended together.
            head: where the state stands.
        """
        wanted = Counter(event.entity for _, decided in group for event in decided.events if _takes_away(event))
        if not wanted:
            return list(group)
        known = await self._known(group, head)
        told: dict[str, str] = {}
        for entity, more in wanted.items():
            stops, gone, there = known.get(entity, Gone()).with_more(self._rule, more)
            if stops:
                told[entity] = sentence(entity, gone, there, self._rule)
        return [
            (change, replace(decided, events=[_hold(event, told) for event in decided.events]))
            for change, decided in group
        ]

    async def _known(self, group: Group, head: int) -> dict[str, Gone]:
        withdrawn = [
            event.intent_id for _, decided in group for event in decided.events if isinstance(event, IntentWithdrawn)
        ]
        rows = await self._store.records(
            "taken_away",
            self._company,
            await self._counted_from(head),
            await self._view.body_hash(DEACTIVATED),
            withdrawn,
            [change.position for change, _ in group],
        )
        return {
            row["entity"]: Gone(
                there=row["there"], planned=row["planned"], carried_out=row["carried_out"], pending=row["pending"]
            )
            for row in rows
        }

    async def _counted_from(self, head: int) -> int:
        """The last position before the counted hours: found by halves, since events stand in order of time."""
        now = self._clock.monotonic()
        if self._begin is not None and now - self._begin[0] < LOOKED_UP_EVERY.total_seconds():
            return self._begin[1]
        since = self._clock.now() - self._back
        before, after = 0, head + 1
        while after - before > 1:
            middle = (before + after) // 2
            recorded = await self._events.recorded_at(self._company, middle)
            before, after = (middle, after) if recorded.recorded_at < since else (before, middle)
        self._begin = (now, before)
        return before


def _takes_away(event: Event) -> TypeGuard[IntentPlanned]:
    return (
        isinstance(event, IntentPlanned) and event.target == BOOKS and takes_away(event.operation, event.body.fields())
    )


def _hold(event: Event, told: dict[str, str]) -> Event:
    if not _takes_away(event) or event.entity not in told:
        return event
    remark = " ".join(part for part in (told[event.entity], event.remark) if part)
    return event.model_copy(update={"review": True, "breaker": True, "remark": remark})
