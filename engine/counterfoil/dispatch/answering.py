"""A person's answer to a change on both sides: taken up, it is recorded, and the change is decided afresh."""

from collections.abc import Sequence

from counterfoil.dispatch.view import EventSource
from counterfoil.planning.merge import CONFLICT
from counterfoil.state.rows import ChangeRow, RequestRow
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import ChangeReopened, ConflictAnswer, ConflictAnswered, IntentParked
from counterfoil_schema.events.receipts import OperatorRequested


async def answered(events: EventSource, request: RequestRow, changes: Sequence[ChangeRow]) -> list[Event] | str:
    """The decisions, or in words why there are none.

    The answer is about the versions that the person saw: should a side have changed since, the merge asks again.
    """
    asked = await events.event_at(request.company, request.position)
    if not isinstance(asked, OperatorRequested) or asked.keep is None or asked.parked is None:
        return "It does not say which side to keep, or of which conflict."
    parked = (await events.recorded_many(request.company, [asked.parked])).get(asked.parked)
    seen = await parked.event() if parked is not None else None
    if not isinstance(seen, IntentParked) or seen.change not in {row.position for row in changes}:
        return f"No conflict of {request.record_key} was parked at {asked.parked}."
    chosen = [one for one in seen.conflicts if not asked.fields or one.field in asked.fields]
    if not chosen:
        return f"The conflict at {asked.parked} is about other fields."
    answer = ConflictAnswered(
        change=seen.change,
        record_key=seen.record_key,
        person=seen.person,
        parked=asked.parked,
        answers=tuple(
            ConflictAnswer(field=one.field, keep=asked.keep, base=one.base, source=one.source, books=one.books)
            for one in chosen
        ),
        author=request.author,
        reason=asked.reason or "",
    )
    whose = "source's" if asked.keep == "source" else "books'"
    reason = f"{request.author} chose the {whose} version."
    reopened = [
        ChangeReopened(change=row.position, record_key=row.record_key, reason=reason)
        for row in changes[-1:]
        if row.state == "parked" and row.code == CONFLICT
    ]
    return [answer, *reopened]
