"""Makes recorded calls and records how they end. `sent` is durable before the first byte leaves."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from counterfoil.dispatch.books import Books, Done, Lost, Outcome, Refused
from counterfoil.dispatch.outbox import Outgoing
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.steps import Step
from counterfoil.planning.lines import line_links
from counterfoil.planning.outcome import named
from counterfoil.planning.tie_out import OFF, Compared, compare, told
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    CallItem,
    CallSent,
    ChangeParked,
    IntentAccepted,
    IntentRejected,
    IntentUncertain,
    LineLink,
)
from counterfoil_schema.exact_json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimits:
    """Bounds of one call and of one intent's tries; seconds unless said otherwise."""

    timeout_seconds: float = 30.0
    margin_seconds: float = 2.0
    attempts_max: int = 8


Anchored = Callable[[int], Awaitable[None]]
"""Waits until the company's log is anchored outside up to a position."""


def _nobody() -> None:
    """Nobody asks when it leaves."""


async def not_anchored(position: int) -> None:
    """Nothing is kept outside."""
    del position


class Sender:
    """Sends the calls of one company under its lease."""

    def __init__(
        self,
        *,
        session: Session,
        books: Books,
        limits: SendingLimits,
        instruments: Instruments,
        step: Step,
        anchored: Anchored = not_anchored,
    ) -> None:
        self._anchored = anchored
        self._session = session
        self._books = books
        self._limits = limits
        self._instruments = instruments
        self._step = step

    async def send(
        self, outgoing: Outgoing, *, traces: Mapping[str, str | None], leaves: Callable[[], None] = _nobody
    ) -> Mapping[str, Outcome]:
        """Record the call, make it, record how it ended; returns one outcome for each intent.

        Args:
            traces: by intent, the trace of its plan. The call's own span belongs to the first and is linked to the
                others; how each intent ended is told in its own trace.
            leaves: called when there is a slot for it and before it is recorded; until then it may be cancelled.

        Raises:
            LeaseLostError: before the call, nothing was sent; after it, the next holder settles it.
        """
        ids = [item.intent_id for item in outgoing.items]
        parents = [traces.get(one) for one in ids]
        attributes = {"items": len(ids)}
        with self._instruments.span("counterfoil.send", parents[0], attributes, parents) as span:
            async with self._books.slot(outgoing.call) as slot:
                leaves()
                # Counted from before the recording, so that the recorded instant bounds it from above.
                deadline = self._session.deadline(self._limits.timeout_seconds, self._limits.margin_seconds)
                await self._record_sent(outgoing, span.trace)
                outcomes = await self._books.send(outgoing.call, slot=slot, deadline=deadline)
            self._step(f"{_kind(outgoing)}.answered")
            events = self.settlements(outgoing.call.request_id, outgoing.items, outcomes, outgoing.attempt)
            own = {**traces, ids[0]: span.trace or parents[0]}
            traced = [(event, own.get(getattr(event, "intent_id", ids[0])) or span.trace) for event in events]
            await self._session.decide_each(traced)
            self._step(f"{_kind(outgoing)}.settled")
        for outcome in outcomes.values():
            self._instruments.outcome(type(outcome).__name__.lower())
        return outcomes

    async def _record_sent(self, outgoing: Outgoing, trace: str | None) -> None:
        sent = CallSent(
            request_id=outgoing.call.request_id,
            target="quickbooks",
            attempt=outgoing.attempt,
            deadline_seconds=Decimal(str(self._limits.timeout_seconds)),
            items=outgoing.items,
            body_hash=outgoing.body_hash,
        )
        recorded = await self._session.decide([sent], trace=trace)
        await self._anchored(recorded.last_position)
        self._step(f"{_kind(outgoing)}.sent")

    def settlements(
        self, request_id: str, items: Sequence[CallItem], outcomes: Mapping[str, Outcome], attempt: int
    ) -> list[Event]:
        """The events that say how each item of a call ended, and which of them do not come to what they must."""
        ended = [self._settlement(request_id, item, outcomes.get(item.intent_id), attempt) for item in items]
        return with_differences(ended, items)

    def _settlement(self, request_id: str, item: CallItem, outcome: Outcome | None, attempt: int) -> Event:
        match outcome:
            case Done():
                return accepted(request_id, item, outcome.document, how="answered", tid=outcome.intuit_tid)
            case Refused():
                tried = attempt >= self._limits.attempts_max and outcome.then in {"retry", "refetch"}
                last = tried and not outcome.unsent
                # QuickBooks repeats what it refuses, and reasons are not sealed; its whole answer is.
                reason = item.body.masked(outcome.reason)
                return IntentRejected(
                    change=item.change,
                    record_key=item.record_key,
                    person=item.person,
                    intent_id=item.intent_id,
                    request_id=request_id,
                    code=outcome.code,
                    kind=outcome.kind,
                    reason=f"{reason} Given up after {attempt} tries." if last else reason,
                    outside=outcome.outside,
                    fix=outcome.fix,
                    then="park" if last else outcome.then,
                    intuit_tid=outcome.intuit_tid,
                    raw=outcome.raw,
                )
            case Lost() | None:
                return IntentUncertain(
                    change=item.change,
                    record_key=item.record_key,
                    intent_id=item.intent_id,
                    request_id=request_id,
                    reason=outcome.reason if outcome else "The answer to the call does not mention it.",
                )


def _kind(outgoing: Outgoing) -> str:
    return "batch" if outgoing.call.is_batch else "call"


def with_differences(ended: Sequence[Event], items: Sequence[CallItem]) -> list[Event]:
    """The events, and after them a word for each document that was accepted and does not tie out.

    All of them go into one append: a crash in between would leave a difference that nobody was told of.
    """
    by_intent = {item.intent_id: item for item in items}
    words = [
        park
        for event in ended
        if isinstance(event, IntentAccepted) and (park := _difference(event, by_intent[event.intent_id])) is not None
    ]
    return [*ended, *words]


def _difference(event: IntentAccepted, item: CallItem) -> ChangeParked | None:
    compared = _compared(item, event.document.fields(), event.lines)
    if compared is None or not compared.off:
        return None
    number = event.document.fields().get("DocNumber")
    name = number if isinstance(number, str) and number else f"id {event.document_id}"
    reason, fix = told(named(event.record_key), f"{event.entity} {name}", compared.off)
    return ChangeParked(change=event.change, record_key=event.record_key, code=OFF, reason=reason, fix=fix)


def _compared(item: CallItem, document: JsonObject, lines: Sequence[LineLink]) -> Compared | None:
    if item.figures is None:
        return None
    rate = item.body.fields().get("ExchangeRate")
    ours = frozenset(line.line_id for line in lines) if any(item.line_keys) else None
    return compare(item.figures, document, ours, rate if isinstance(rate, Decimal) else _whole(rate))


def _whole(rate: JsonValue) -> Decimal | None:
    return Decimal(rate) if isinstance(rate, int) and not isinstance(rate, bool) else None


def accepted(
    request_id: str,
    item: CallItem,
    document: JsonObject,
    *,
    how: Literal["answered", "found", "adopted"],
    tid: str | None = None,
) -> IntentAccepted:
    """The event that says that an item's effect is there."""
    token = document.get("SyncToken")
    lines = line_links(item.line_keys, document, item.body.fields())
    compared = _compared(item, document, lines)
    return IntentAccepted(
        change=item.change,
        record_key=item.record_key,
        person=item.person,
        intent_id=item.intent_id,
        request_id=request_id,
        entity=item.entity,
        document_id=str(document.get("Id", "")),
        sync_token=str(token) if token is not None else None,
        document=Document.of(item.entity, document),
        lines=lines,
        how=how,
        intuit_tid=tid,
        tie_out=compared.tie if compared is not None else None,
        kept=item.kept,
    )
