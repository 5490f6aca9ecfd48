"""Makes recorded calls and records how they end. `sent` is durable before the first byte leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from counterfoil.dispatch.books import Books, Done, Lost, Outcome, Refused
from counterfoil.dispatch.outbox import Outgoing
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.steps import Step
from counterfoil.planning.lines import line_links
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    CallItem,
    CallSent,
    IntentAccepted,
    IntentRejected,
    IntentUncertain,
)
from counterfoil_schema.exact_json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimits:
    """Bounds of one call and of one intent's tries; seconds unless said otherwise."""

    timeout_seconds: float = 30.0
    margin_seconds: float = 2.0
    attempts_max: int = 8


class Sender:
    """Sends the calls of one company under its lease."""

    def __init__(
        self, *, session: Session, books: Books, limits: SendingLimits, instruments: Instruments, step: Step
    ) -> None:
        self._session = session
        self._books = books
        self._limits = limits
        self._instruments = instruments
        self._step = step

    async def send(self, outgoing: Outgoing, *, trace: str | None) -> Mapping[str, Outcome]:
        """Record the call, make it, record how it ended; returns one outcome for each intent.

        Raises:
            LeaseLostError: before the call, nothing was sent; after it, the next holder settles it.
        """
        with self._instruments.span("counterfoil.send", trace, {"items": len(outgoing.items)}) as span:
            async with self._books.slot(outgoing.call) as slot:
                # Counted from before the recording, so that the recorded instant bounds it from above.
                deadline = self._session.deadline(self._limits.timeout_seconds, self._limits.margin_seconds)
                await self._record_sent(outgoing, span.trace)
                outcomes = await self._books.send(outgoing.call, slot=slot, deadline=deadline)
            self._step(f"{_kind(outgoing)}.answered")
            events = self.settlements(outgoing.call.request_id, outgoing.items, outcomes, outgoing.attempt)
            await self._session.decide(events, trace=span.trace)
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
        await self._session.decide([sent], trace=trace)
        self._step(f"{_kind(outgoing)}.sent")

    def settlements(
        self, request_id: str, items: Sequence[CallItem], outcomes: Mapping[str, Outcome], attempt: int
    ) -> list[Event]:
        """The events that say how each item of a call ended."""
        return [self._settlement(request_id, item, outcomes.get(item.intent_id), attempt) for item in items]

    def _settlement(self, request_id: str, item: CallItem, outcome: Outcome | None, attempt: int) -> Event:
        match outcome:
            case Done():
                return accepted(request_id, item, outcome.document, how="answered", tid=outcome.intuit_tid)
            case Refused():
                tried = attempt >= self._limits.attempts_max and outcome.then in {"retry", "refetch"}
                last = tried and not outcome.unsent
                return IntentRejected(
                    change=item.change,
                    record_key=item.record_key,
                    person=item.person,
                    intent_id=item.intent_id,
                    request_id=request_id,
                    code=outcome.code,
                    kind=outcome.kind,
                    reason=f"{outcome.reason} Given up after {attempt} tries." if last else outcome.reason,
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
        lines=line_links(item.line_keys, document, item.body.fields()),
        how=how,
        intuit_tid=tid,
    )
