"""Takes up what operators asked for: approve, retry, skip, map, resolve. They ask; the holder of the lease decides."""

from collections.abc import Sequence

from counterfoil.dispatch.adopting import Adopter
from counterfoil.dispatch.answering import answered
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.rollback.again import asked_again
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.view import EventSource
from counterfoil.state.rows import IN_FLIGHT, ChangeRow, IntentRow, RequestRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    ChangeReopened,
    ChangeSkipped,
    IntentApproved,
    IntentResumed,
    IntentWithdrawn,
    RequestTaken,
)

REQUESTS_PER_TURN = 50
NOTES_PER_RECORD = 50
_MOVING = IN_FLIGHT | {"refetch", "adopt"}


class RequestTaker:
    """Decides the open requests of one company."""

    def __init__(
        self, *, session: Session, store: StateStore, events: EventSource, in_flight: InFlight, adopter: Adopter
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._in_flight = in_flight
        self._adopter = adopter

    async def take(self, head: int) -> bool:
        """Decide open requests; returns whether there were any. `head` is where the state stands.

        Of several about one record, or one document, only the first: the next is decided on what became of it.
        """
        company = self._session.company
        requests = await self._store.some(RequestRow, "open_requests", company, REQUESTS_PER_TURN)
        met: set[str] = set()
        for request in requests:
            about = {request.record_key, request.document or request.record_key}
            if met.isdisjoint(about):
                await self._session.decide(await self._decide(request, head))
            met |= about
        return bool(requests)

    async def _decide(self, request: RequestRow, head: int) -> list[Event]:
        changes = await self._store.some(ChangeRow, "changes_of_record", self._session.company, request.record_key)
        intents = await self._store.intents_of_changes(self._session.company, request.record_key)
        moving = [row for row in intents if row.state in _MOVING or row.intent_id in self._in_flight]
        intents = [row for row in intents if row.intent_id not in self._in_flight]
        notes = await self._store.some(
            IntentRow, "refused_notes", self._session.company, request.record_key, 0, NOTES_PER_RECORD
        )
        if request.intent_id is not None:
            intents = [row for row in intents if row.intent_id == request.intent_id]
        outcome = "Nothing to do: no such record waits."
        match request.action:
            case "approve":
                decisions = _approve(request, intents)
            case "retry":
                decisions = asked_again(request, changes, intents) or _retry(request, changes, notes)
            case "skip":
                decisions = _skip(request, changes, intents, notes)
            case "resolve":
                found = await answered(self._events, request, changes)
                decisions, outcome = ([], found) if isinstance(found, str) else (found, "")
            case "map" if moving:
                decisions, outcome = (
                    [],
                    "Something of it may be on its way into the books: ask again once it has ended.",
                )
            case "map":
                adopted = await self._adopter.adopt(request)
                decisions, outcome = ([], adopted) if isinstance(adopted, str) else ([adopted], "")
            case _:
                decisions = []
        if decisions:
            many = "1 decision" if len(decisions) == 1 else f"{len(decisions)} decisions"
            outcome = f"{many}, as the log stood at {head}"
        taken = RequestTaken(
            change=request.position, record_key=request.record_key, request=request.position, outcome=outcome
        )
        return [*decisions, taken]


def _approve(request: RequestRow, intents: Sequence[IntentRow]) -> list[Event]:
    return [
        IntentApproved(change=row.change, record_key=row.record_key, intent_id=row.intent_id, author=request.author)
        for row in intents
        if row.state == "held"
    ]


def _retry(request: RequestRow, changes: Sequence[ChangeRow], notes: Sequence[IntentRow]) -> list[Event]:
    reason = f"{request.author} asked for another try."
    reopened: list[Event] = [
        ChangeReopened(change=row.position, record_key=row.record_key, reason=reason)
        for row in changes[-1:]
        if row.state == "parked"
    ]
    # What is decided afresh is told afresh; a note by itself goes out again as it was.
    return reopened or [
        IntentResumed(change=row.change, record_key=row.record_key, intent_id=row.intent_id, reason=reason)
        for row in notes
    ]


def _skip(
    request: RequestRow, changes: Sequence[ChangeRow], intents: Sequence[IntentRow], notes: Sequence[IntentRow]
) -> list[Event]:
    reason = f"{request.author} decided that it is not to be carried over."
    waiting = [row for row in intents if row.state in {"held", "ready", "parked"} and row.operation != "note"]
    if waiting:
        return [_withdrawn(row, reason) for row in waiting]
    skipped: list[Event] = [
        ChangeSkipped(change=row.position, record_key=row.record_key, code="operator", reason=reason)
        for row in changes[-1:]
        if row.state == "parked"
    ]
    return skipped or [_withdrawn(row, reason) for row in notes]


def _withdrawn(row: IntentRow, reason: str) -> Event:
    return IntentWithdrawn(
        change=row.change, record_key=row.record_key, intent_id=row.intent_id, code="operator", reason=reason
    )
