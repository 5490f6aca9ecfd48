"""Turns one observed change into decisions. All I/O is loading; what is decided comes from the pure planner."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from counterfoil.dispatch.decided import Decided, request_of
from counterfoil.dispatch.erasures import needs_erased
from counterfoil.dispatch.ids import intent_id
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.inbound import InboundDecider
from counterfoil.dispatch.mappings import HeldMapping, Mappings
from counterfoil.dispatch.reopening import Reopener
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.dispatch.write_back_plans import WriteBackPlans
from counterfoil.planning.plan import plan
from counterfoil.planning.projected import Project
from counterfoil.planning.types import PLANNER_VERSION, Intent, Park, Skip, Unchanged
from counterfoil.state.receipts import WITHHELD, withheld_words
from counterfoil.state.rows import IN_FLIGHT, OPEN_INTENTS, ChangeRow, ErasureRow, RecordRow, ReviewRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    ChangeParked,
    ChangeReopened,
    ChangeSkipped,
    ChangeUnchanged,
    Inputs,
    IntentPlanned,
    IntentWithdrawn,
)
from counterfoil_schema.events.receipts import (
    BooksObserved,
    SourceObserved,
    SourceRemoved,
    SourceUnreadable,
    SourceWithheld,
)
from counterfoil_schema.records import ContractorPayment, PayRun

ORDINALS_MAX = 1_000
"""More intents than any plan of one change has."""
_SETTLE = "Enter it by hand if it is still wanted, then mark it as settled (`counterfoil skip`)."
LEFT = frozenset({"skip", "ask"})
"""What a person said on the first day of records that nothing may become of, for good or until they say otherwise."""


class Decider:
    """Decides the changes of one company."""

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        events: EventSource,
        view: ViewLoader,
        mappings: Mappings,
        plans: WriteBackPlans,
        in_flight: InFlight,
        projections: Mapping[str, Project] | None = None,
    ) -> None:
        self._company = company
        self._store = store
        self._view = view
        self._reopener = Reopener(company=company, store=store, events=events)
        self._mappings = mappings
        self._inbound = InboundDecider(company=company, store=store, view=view, mappings=mappings, plans=plans)
        self._in_flight = in_flight
        self._projections = projections or {}

    async def decide(self, change: ChangeRow, event: Event) -> Decided | None:
        """Decisions about a change, or None where it has to wait for something in flight."""
        match event:
            case SourceObserved() | SourceRemoved():
                decided = await self._decide_source(change, event)
                return None if decided is None else _without_erased(change, decided)
            case BooksObserved():
                decided = await self._inbound.decide(change, event)
                return None if decided is None else _without_erased(change, decided)
            case SourceWithheld():
                # Asked for again, it is what it was: the source has to erase the person as well.
                return self._decided(change, [_parked(change, WITHHELD, *withheld_words(event))])
            case SourceUnreadable():
                # Asked for again, it is what it was: only another reading can help.
                reason = f"{event.place}: {event.problem}"
                return self._decided(change, [_parked(change, "unreadable", reason, event.fix)])
            case _:
                raise TypeError(f"{event.event_type} at {change.position} is no change to decide")

    async def _decide_source(self, change: ChangeRow, event: SourceObserved | SourceRemoved) -> Decided | None:
        record = await self._store.one(RecordRow, self._company, change.record_key)
        if record is not None and record.position > change.position:
            return self._superseded(change, record.position)
        withdrawn = await self._overtake(change, event)
        if withdrawn is None:
            return None
        left_out = await self._left_out(change, event)
        if left_out is not None:
            return self._decided(change, [*withdrawn, left_out])
        mapping = await self._mappings.held(event.connection)
        if mapping is None:
            reason = f"The connection {event.connection} has no mapping."
            fix = "Give it a mapping file in the configuration, then retry the record."
            return self._decided(change, [*withdrawn, _parked(change, "no-mapping", reason, fix)])
        request = request_of(event, change.record_key, change.position, repair=change.repair)
        project = self._projections.get(event.connection)
        result = await self._view.run(change.record_key, lambda view: plan(request, mapping.mapping, view, project))
        match result:
            case Unchanged():
                decisions: list[Event] = [
                    ChangeUnchanged(
                        change=change.position, record_key=change.record_key, proof=result.proof, reason=result.reason
                    )
                ]
            case Skip():
                decisions = [_skipped(change, result.code, result.reason)]
            case Park():
                decisions = [_parked(change, result.code, result.reason, result.fix, result.outside)]
            case _:
                backfill = isinstance(event, SourceObserved) and event.how == "sync"
                decisions = await self._planned(change, event, mapping, result, backfill=backfill)
        # Whatever becomes of this one, it is known from now on.
        reopened = await self._reopener.waiting_for(change, event) if isinstance(event, SourceObserved) else ()
        others = (one.record_key for one in (*reopened, *decisions) if isinstance(one, ChangeReopened | IntentPlanned))
        bears_on = tuple(dict.fromkeys((change.record_key, *others)))
        return Decided(events=[*withdrawn, *decisions, *reopened], bears_on=bears_on)

    async def _left_out(self, change: ChangeRow, event: SourceObserved | SourceRemoved) -> Event | None:
        """Why nothing may become of a record, whatever the mapping says: its person was erased, or somebody said so."""
        erased = await self._store.one(ErasureRow, self._company, change.record_key)
        if erased is not None and erased.is_person and isinstance(event, SourceObserved):
            reason = f"{change.record_key} was erased on {erased.erased_on}, and there is nothing left to write of it."
            return _parked(change, WITHHELD, reason, _SETTLE)
        review = await self._store.one(ReviewRow, self._company, change.record_key)
        return _left(change, review) if review is not None and review.verdict in LEFT else None

    def _superseded(self, change: ChangeRow, by: int) -> Decided:
        reason = f"A newer change of the same record, {by}, overtook it."
        return self._decided(change, [_skipped(change, "superseded", reason)])

    def _decided(self, change: ChangeRow, events: Sequence[Event]) -> Decided:
        return Decided(events=events, bears_on=(change.record_key,))

    async def _overtake(self, change: ChangeRow, event: SourceObserved | SourceRemoved) -> list[Event] | None:
        """Withdrawals of what earlier changes planned and did not send; None while something is in flight."""
        # Reading those of further documents takes a call for each record: only where there can be any.
        has_further = isinstance(event, SourceRemoved) or isinstance(event.record, PayRun | ContractorPayment)
        read = self._store.intents_of_changes if has_further else self._store.intents_of
        rows = await read(self._company, change.record_key)
        withdrawn: list[Event] = []
        for row in rows:
            if row.target != "quickbooks":
                continue
            if row.intent_id in self._in_flight or row.state in IN_FLIGHT or row.state in {"refetch", "adopt"}:
                return None
            if row.undoes and row.state in OPEN_INTENTS:
                return None  # what is being taken back is taken back first
            if row.state in {"ready", "held", "reconnect"}:
                withdrawn.append(
                    IntentWithdrawn(
                        change=row.change,
                        record_key=row.record_key,
                        intent_id=row.intent_id,
                        code="superseded",
                        reason=(
                            f"A newer change of the same record, {change.position}, overtook it."
                            if row.change != change.position
                            else "Its change is decided afresh."
                        ),
                    )
                )
        return withdrawn

    async def _planned(
        self,
        change: ChangeRow,
        event: SourceObserved | SourceRemoved,
        mapping: HeldMapping,
        intents: Sequence[Intent],
        *,
        backfill: bool,
    ) -> list[Event]:
        company = await self._view.company()
        inputs = Inputs(
            record=event.content_hash if isinstance(event, SourceObserved) else "removed",
            mapping=mapping.digest,
            planner=PLANNER_VERSION,
            preferences=company.preferences_hash,
        )
        planned: list[Event] = []
        for ordinal, intent in enumerate(intents):
            name_key = await self._view.name_key(intent.name) if intent.name else None
            key = intent.record_key or change.record_key
            planned.append(
                IntentPlanned(
                    change=change.position,
                    record_key=key,
                    person=intent.person,
                    intent_id=self._fresh_id(change, intent.target, key, ordinal),
                    target=intent.target,
                    entity=intent.entity,
                    operation=intent.operation,
                    body=Document.of(intent.entity, intent.body),
                    needs=intent.needs,
                    content_hash=await self._view.body_hash(intent.body),
                    lane="backfill" if backfill else intent.lane,
                    review=intent.review,
                    doc_number=intent.doc_number,
                    name_key=name_key,
                    amount=intent.amount,
                    currency=intent.currency,
                    figures=intent.figures,
                    remark=intent.remark,
                    inputs=inputs,
                )
            )
        return planned

    def _fresh_id(self, change: ChangeRow, target: str, key: str, ordinal: int) -> str:
        """The id of an intent: that of an earlier plan of the same change, unless that plan has been carried out."""
        while True:
            identity = intent_id(self._company, target, key, change.position, ordinal)
            if change.intents.get(identity, "withdrawn") == "withdrawn":
                return identity
            ordinal += ORDINALS_MAX


def _without_erased(change: ChangeRow, decided: Decided) -> Decided:
    """The same, unless it would write what was erased: then all that it planned is parked."""
    if not any(needs_erased(event) for event in decided.events):
        return decided
    kept = [event for event in decided.events if not isinstance(event, IntentPlanned)]
    reason = "It would write something of a person who was erased, of which nothing is left here."
    return replace(decided, events=[*kept, _parked(change, WITHHELD, reason, _SETTLE)])


def _parked(change: ChangeRow, code: str, reason: str, fix: str, outside: str = "") -> ChangeParked:
    return ChangeParked(
        change=change.position, record_key=change.record_key, code=code, reason=reason, fix=fix, outside=outside
    )


def _left(change: ChangeRow, review: ReviewRow) -> ChangeSkipped | ChangeParked:
    if review.verdict == "skip":
        reason = "A person left it out on the first day (`counterfoil onboard`); there it can be taken in again."
        return _skipped(change, "left-out", reason)
    reason = "Something in QuickBooks may stand for it already, and nobody has decided yet."
    return _parked(change, "undecided", reason, "Decide on it: `counterfoil onboard`, then --apply its file.")


def _skipped(change: ChangeRow, code: str, reason: str) -> ChangeSkipped:
    return ChangeSkipped(change=change.position, record_key=change.record_key, code=code, reason=reason)
