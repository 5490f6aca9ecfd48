"""Tells sources of what is parked, on the very records, and takes it back once it is resolved."""

from collections.abc import Sequence

from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.view import EventSource
from counterfoil.dispatch.write_back_plans import WriteBackPlans
from counterfoil.log import Guard, StaleDecisionError
from counterfoil.state.rows import ChangeRow, RecordRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import IntentWithdrawn

CHANGES_PER_TURN = 50


class Teller:
    """Plans the notes of one company: each hangs on the source's own change, whose trace it continues."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        mappings: Mappings,
        plans: WriteBackPlans,
        connections: Sequence[str],
        in_flight: InFlight,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._mappings = mappings
        self._plans = plans
        self._connections = connections
        self._in_flight = in_flight

    async def tell(self, head: int) -> bool:
        """Plan what is to be told; returns whether anything was. `head` is where the state stands."""
        beginnings = [f"{name}:{rest}" for name in self._connections for rest in await self._kinds(name)]
        if not beginnings:
            return False
        company = self._session.company
        changes = await self._store.some(ChangeRow, "changes_to_tell", company, beginnings, CHANGES_PER_TURN)
        found = await self._events.recorded_many(company, [change.position for change in changes])
        events: list[tuple[Event, str | None]] = []
        for change in changes:
            events.extend((event, found[change.position].trace) for event in await self._note(change))
        if not events:
            return False
        keys = tuple(dict.fromkeys(change.record_key for change in changes))
        try:
            await self._session.decide_each(events, guard=Guard(keys, head))
        except StaleDecisionError:
            return True  # fold what is new, then look again
        # Rows still call these ready until the next fold.
        self._in_flight.land(event.intent_id for event, _ in events if isinstance(event, IntentWithdrawn))
        return True

    async def _kinds(self, connection: str) -> Sequence[str]:
        """How the keys of sales go on whose source wants to be told; those of all its records where it names none."""
        held = await self._mappings.held(connection)
        if held is None or held.mapping.write_back.problem is None:
            return ()
        return [f"{kind}:" for kind in held.mapping.invoice.from_kinds] or [""]

    async def _note(self, change: ChangeRow) -> Sequence[Event]:
        rows = await self._store.intents_of(self._session.company, change.record_key)
        ordinal = sum(row.change == change.position for row in rows)
        record = await self._store.one(RecordRow, self._session.company, change.record_key)
        content = record.content_hash if record is not None else ""
        return await self._plans.plan(change, change.record_key, ordinal, record=content, note=True) or ()
