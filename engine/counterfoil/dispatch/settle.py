"""Settles what is uncertain, refused as stale, or clashing: by evidence, never by hope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from counterfoil.dispatch.books import Books, Shown, Wanted
from counterfoil.dispatch.evidence import shows_effect
from counterfoil.dispatch.ids import completing_id
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.outbox import Outbox, call_of
from counterfoil.dispatch.sender import accepted, with_differences
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.log import RecordedEvent
from counterfoil.planning.outcome import named
from counterfoil.ports import Clock
from counterfoil.state.rows import IntentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    CallItem,
    CallSent,
    IntentAbsent,
    IntentParked,
    IntentPlanned,
    IntentRejected,
    IntentResumed,
    IntentUncertain,
)

CLOCKS_DIFFER_MAX = timedelta(hours=1)
"""What was sent longer ago than this is over, whatever the clock of the machine that sent it showed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlingLimits:
    """`server_seconds` is how long the books may still be at work on a call that we gave up (Intuit: 120 s).

    What was sent `attempts_max` times without an answer, and is proven absent, waits for a person: an error that a
    document causes at Intuit's would else be provoked for ever.
    """

    server_seconds: float = 120.0
    attempts_max: int = 8


class Settler:
    """Finds out what became of the calls of one company whose answers are missing."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        view: ViewLoader,
        outbox: Outbox,
        books: Books,
        clock: Clock,
        limits: SettlingLimits,
        mappings: Mappings,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._view = view
        self._outbox = outbox
        self._books = books
        self._clock = clock
        self._limits = limits
        self._mappings = mappings

    async def settle(self, rows: Sequence[IntentRow]) -> int:
        """Look for evidence of these uncertain intents; returns how many are settled.

        Raises:
            BooksUnreadableError: a search failed, which proves nothing; try again later.
        """
        settled = 0
        by_call: dict[int, list[IntentRow]] = {}
        for row in rows:
            if row.sent is not None:
                by_call.setdefault(row.sent, []).append(row)
        for position, members in by_call.items():
            recorded = await self._events.recorded_at(self._session.company, position)
            decisions = await self._settle_call(recorded, members)
            if decisions:
                sent = await recorded.event()
                items = sent.items if isinstance(sent, CallSent) else ()
                plans = await self._events.recorded_many(self._session.company, [row.planned for row in members])
                traces = {row.intent_id: plans[row.planned].trace for row in members}
                ended = with_differences(decisions, items)
                await self._session.decide_each(
                    [(event, traces.get(getattr(event, "intent_id", ""), recorded.trace)) for event in ended]
                )
                settled += len(decisions)
        return settled

    async def _settle_call(self, recorded: RecordedEvent, members: Sequence[IntentRow]) -> list[Event]:
        sent = await recorded.event()
        if not isinstance(sent, CallSent):
            raise TypeError(f"the event at {recorded.position} is no call")
        asked = {row.intent_id: row for row in members}
        items = [item for item in sent.items if item.intent_id in asked]
        if sent.target != "quickbooks":
            # While the call may still be on its way, newer values must not overtake it.
            gone = self._is_over(recorded, sent, server_seconds=0.0)
            return [_absent(sent, item, "Setting the same values again is harmless.") for item in items if gone]
        call = call_of(sent.request_id, items, "retry")
        creates = [item for item in items if item.operation == "create"]
        wanted = [
            Wanted(item=one, marker=await self._outbox.marker_of(asked[one.intent_id]))
            for one in call.items
            if one.operation == "create"
        ]
        over = self._is_over(recorded, sent, server_seconds=self._limits.server_seconds)
        # Judged before the search, not after: what is not found in the last second may come in that second.
        found = await self._books.find(wanted, sent_at=recorded.recorded_at, thorough=over) if wanted else {}
        decisions = [
            event
            for item in creates
            if (event := self._settle_create(sent, item, found.get(item.intent_id), over=over))
        ]
        for item in items:
            if item.operation != "create":
                event = await self._settle_change(sent, item, over=over)
                decisions.extend([event] if event else [])
        worn = [asked[one.intent_id] for one in decisions if isinstance(one, IntentAbsent)]
        return [*decisions, *(_given_up(row) for row in worn if row.attempts >= self._limits.attempts_max)]

    def _is_over(self, recorded: RecordedEvent, sent: CallSent, *, server_seconds: float) -> bool:
        """Whether every deadline of a call has passed, ours and the server's.

        Our own calls are timed by what has elapsed here: a time of day may jump. When another holder sent it, its
        clock says, and that may be another machine's. But its calls ended inside its lease, and so before ours began:
        the server's time counts from then, on our own clock.
        """
        over = float(sent.deadline_seconds) + server_seconds
        if recorded.epoch == self._session.epoch:
            return self._session.since(recorded.position) >= over
        elapsed = self._clock.now() - recorded.recorded_at
        if elapsed < timedelta(seconds=over):
            return False
        if elapsed >= CLOCKS_DIFFER_MAX:
            return True
        return self._session.held() >= server_seconds

    def _settle_create(self, sent: CallSent, item: CallItem, shown: Shown | None, *, over: bool) -> Event | None:
        if shown is not None and shown.entity == item.entity:
            return accepted(sent.request_id, item, shown.document, how="found")
        if not over:
            return None
        return _absent(sent, item, "No document bears its mark after every deadline has passed.")

    async def _settle_change(self, sent: CallSent, item: CallItem, *, over: bool) -> Event | None:
        body = item.body.fields()
        (shown,) = await self._books.read(item.entity, [str(body.get("Id"))], "retry")
        token = shown.document.get("SyncToken")
        if item.operation in {"void", "delete"} and shown.status != "live":
            return accepted(sent.request_id, item, {**body, **shown.document}, how="found")
        if token != item.sync_token and item.operation == "update" and shows_effect(body, shown.document):
            return accepted(sent.request_id, item, shown.document, how="found")
        if token != item.sync_token:
            return IntentRejected(
                change=item.change,
                record_key=item.record_key,
                intent_id=item.intent_id,
                request_id=sent.request_id,
                code="overtaken",
                kind="refetch",
                reason="The document was changed by somebody else; what was sent can no longer take effect.",
                fix="Nothing: it is read afresh and sent again.",
                then="refetch",
            )
        if over:
            return _absent(sent, item, f"The document still stands at SyncToken {token} after every deadline.")
        return None

    async def refetch(self, row: IntentRow) -> Sequence[Shown]:
        """The document that a stale intent was made against, as it is now."""
        link = await self._view.link(row.record_key)
        if link is None:
            return ()
        return await self._books.read(link.entity, [link.document_id], "retry")

    async def adopt(self, row: IntentRow) -> list[Event]:
        """A name or number is taken: adopt the document that bears it, if it is ours or the rule says so.

        What is adopted by a rule was not written by us: an update follows, which brings it what it lacks. A vendor
        never stands for a customer, although their names share one list.
        """
        planned = await self._outbox.planned(row)
        body = planned.body.fields()
        shown = await self._books.named(row.entity, body)
        recorded = await self._events.recorded_at(self._session.company, row.sent or row.planned)
        sent = await recorded.event()
        item = next((one for one in getattr(sent, "items", ()) if one.intent_id == row.intent_id), None)
        if shown is not None and isinstance(item, CallItem):
            owner = await self._view.owner_of(shown.entity, shown.document_id)
            sign = await self._outbox.marker_of(row)
            ours = sign in str(shown.document.get("PrivateNote", ""))
            if owner is None and ours:
                found = accepted(row.request_id or "", item, shown.document, how="found")
                return with_differences([found], [item])
            if owner is None and shown.entity == row.entity and await self._may_adopt(row):
                adopted = accepted(row.request_id or "", item, shown.document, how="adopted")
                return [adopted, _completing(row, planned)]
            return [_clash(row, shown, owner)]
        parked = IntentParked(
            change=row.change,
            record_key=row.record_key,
            intent_id=row.intent_id,
            code=row.code,
            reason=f"{row.reason} No document that bears it could be found.",
            fix=row.fix,
            outside="The name or number is said to be taken in QuickBooks, and nothing that bears it could be found.",
        )
        return [parked]

    async def _may_adopt(self, row: IntentRow) -> bool:
        """Whether the mapping's match rule lets a document that is already there stand for the record."""
        held = await self._mappings.held(row.record_key.split(":", 1)[0])
        return held is not None and held.mapping.adopts(row.entity)

    def lost(self, row: IntentRow, reason: str) -> IntentUncertain:
        """A call that was under way when its process ended."""
        return IntentUncertain(
            change=row.change,
            record_key=row.record_key,
            intent_id=row.intent_id,
            request_id=row.request_id or "",
            reason=reason,
        )

    def resumed(self, row: IntentRow, reason: str) -> IntentResumed:
        """What stood in an intent's way is gone."""
        return IntentResumed(change=row.change, record_key=row.record_key, intent_id=row.intent_id, reason=reason)


def _given_up(row: IntentRow) -> IntentParked:
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code="no-answer",
        reason=f"QuickBooks gave no answer in {row.attempts} tries, and holds nothing of it. "
        f"The last time: {row.reason}",
        fix="Look at the record for anything unusual and at Intuit's status page; then retry it.",
        outside=f"QuickBooks gave no answer in {row.attempts} tries, and holds nothing of it.",
    )


def _absent(sent: CallSent, item: CallItem, evidence: str) -> IntentAbsent:
    return IntentAbsent(
        change=item.change,
        record_key=item.record_key,
        intent_id=item.intent_id,
        request_id=sent.request_id,
        evidence=evidence,
    )


def _completing(row: IntentRow, planned: IntentPlanned) -> IntentPlanned:
    """The update after an adoption; where the document lacks nothing, it proves needless and is not sent."""
    return planned.model_copy(
        update={
            "intent_id": completing_id(row.intent_id),
            "operation": "update",
            "review": False,
            "lane": "live",
        }
    )


def _clash(row: IntentRow, shown: Shown, owner: str | None) -> IntentParked:
    number = shown.document.get("DocNumber")
    taken = f"the number {number}" if isinstance(number, str) and number else "the name"
    other = f"which stands for {owner}" if owner else "which comes from no source of ours"
    begin = f"cannot become a new {row.entity}: {taken} is already that of"
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code=row.code or "duplicate",
        reason=f"{row.record_key} {begin} {shown.entity} {shown.document_id} in QuickBooks, {other}.",
        fix="Rename one of the two, or let the mapping adopt documents that are already there; then retry.",
        outside=f"{named(row.record_key)} {begin} something else in QuickBooks.",
    )
