"""Plans what a source is to hold of its record: what became of its invoice in the books, or why there is none."""

from collections.abc import Sequence

from counterfoil.dispatch.ids import intent_id
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.mappings import HeldMapping, Mappings
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.planning.types import PLANNER_VERSION, Link
from counterfoil.planning.write_back import problem_text, problem_values, write_back_values
from counterfoil.state.rows import IN_FLIGHT, ChangeRow, IntentRow, RecordRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    ChangeParked,
    Inputs,
    IntentParked,
    IntentPlanned,
    IntentRejected,
    IntentWithdrawn,
)
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import split_key


class WriteBackPlans:
    """Write-backs of one company, whatever gives rise to them."""

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        events: EventSource,
        view: ViewLoader,
        mappings: Mappings,
        in_flight: InFlight,
    ) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._view = view
        self._mappings = mappings
        self._in_flight = in_flight

    async def plan(
        self, change: ChangeRow, owner: str, ordinal: int, *, record: str, note: bool = False
    ) -> list[Event] | None:
        """What it takes for the source to hold what is true of a record of its own now.

        None while another write-back of the record is under way; nothing where it was told the same before and this
        is no `note` (which hangs on the record's own change, to say how that stands).

        Args:
            change: what gives rise to it.
            owner: the key of the source's record.
            ordinal: tells write-backs of one change apart.
            record: the hash of what the change brought.
        """
        connection, kind, _ = split_key(owner)
        held = await self._mappings.held(connection)
        if held is None:
            return []
        problem = await self._problem(owner)
        link = await self._view.link(owner)
        whole = link is not None and link.entity == "Invoice"
        values = await self._values(held, link, problem)
        if not values:
            return []
        wanted = await self._view.body_hash(values)
        rows = await self._store.intents_of(self._company, owner)
        earlier = [
            row
            for row in rows
            if row.target == connection and row.state != "withdrawn" and (whole or row.operation == "note")
        ]
        if earlier and earlier[-1].content_hash == wanted and not note:
            return []
        if any(row.state in IN_FLIGHT or row.intent_id in self._in_flight for row in earlier):
            return None
        planned = IntentPlanned(
            change=change.position,
            record_key=owner,
            intent_id=intent_id(self._company, connection, owner, change.position, ordinal),
            target=connection,
            entity=kind,
            operation="note" if note else "write_back",
            body=Document.of(kind, values),
            content_hash=wanted,
            lane="live",
            problem=bool(problem) and held.mapping.write_back.problem is not None,
            inputs=Inputs(record=record, mapping=held.digest, planner=PLANNER_VERSION, preferences=""),
        )
        return [*_overtaken(earlier, change), planned]

    async def _values(self, held: HeldMapping, link: Link | None, problem: str) -> JsonObject:
        if link is None or link.entity != "Invoice":
            return dict(problem_values(held.mapping, problem))
        # All of them, so that it can be seen whether the source holds them, whoever planned them.
        settlement = await self._view.settlement(link.document_id)
        return dict(write_back_values(held.mapping, link.latest, settlement, link.status, problem))

    async def _problem(self, owner: str) -> str:
        """Why the record as last observed is parked, fit for its source; the empty text if it is not."""
        record = await self._store.one(RecordRow, self._company, owner)
        newest = await self._store.one(ChangeRow, self._company, str(record.position)) if record else None
        if newest is None or newest.state != "parked":
            return ""
        return problem_text(await self._outside(newest), newest.fix)

    async def _outside(self, change: ChangeRow) -> str:
        """The reason without what is another party's: what the books say may name others, what we say of it may not."""
        rows = await self._store.intents_of_changes(self._company, change.record_key)
        refused = [
            row.settled
            for row in rows
            if row.change == change.position and row.state == "parked" and row.operation != "note"
        ]
        position = max((at for at in refused if at is not None), default=change.decided)
        event = await self._events.event_at(self._company, position) if position is not None else None
        match event:
            case IntentRejected() | IntentParked():
                return event.outside or f"QuickBooks cannot take it ({event.code})."
            case ChangeParked():
                return event.outside or event.reason
            case _:
                return change.reason


def _overtaken(earlier: Sequence[IntentRow], change: ChangeRow) -> list[Event]:
    return [
        IntentWithdrawn(
            change=row.change,
            record_key=row.record_key,
            intent_id=row.intent_id,
            code="superseded",
            reason=f"Newer values for the same record, {change.position}, overtook these.",
        )
        for row in earlier
        if row.state in {"ready", "held", "reconnect"}
    ]
