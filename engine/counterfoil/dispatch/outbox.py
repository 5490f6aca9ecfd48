"""Turns intents that may go out into calls: references resolved, bodies fixed, transactions gathered into batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from counterfoil.dispatch.books import Books, Call, Item
from counterfoil.dispatch.conflicts import Conflicted, park_conflicts
from counterfoil.dispatch.erasures import holds_erased
from counterfoil.dispatch.ids import batch_request_id, bytes_hash, marker, request_id
from counterfoil.dispatch.mappings import HeldMapping, Mappings
from counterfoil.dispatch.rollback.carrying import Compensations, composed
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.dispatch.watched import BOOKS
from counterfoil.planning.checks import closed_refusal
from counterfoil.planning.compose import compose
from counterfoil.planning.outcome import gone, merged, named
from counterfoil.planning.tie_out import is_the_source_s
from counterfoil.planning.types import Composed, Conflicts, Link, Side, Unresolved
from counterfoil.state.receipts import WITHHELD
from counterfoil.state.rows import IntentRow, LinkRow, RecordRow
from counterfoil.state.store import StateStore
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import CallItem, IntentParked, IntentPlanned, Lane, Operation
from counterfoil_schema.exact_json import JsonObject

SINGLE_ENTITIES = frozenset({"Customer", "Vendor", "Employee", "Item", "Account", "Class", "Department"})
"""Name lists go one by one, as Intuit advises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An intent with its exact body."""

    row: IntentRow
    planned: IntentPlanned
    item: CallItem
    body: JsonObject
    own_request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Needless:
    """An update whose document already holds all of it; `body` is what would have been sent."""

    row: IntentRow
    proof: str
    person: str | None
    body: Document
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFirst:
    """An update whose document must be read before it can be built upon."""

    row: IntentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameless:
    """An intent that names what the books are not known to hold: entity and name of each."""

    row: IntentRow
    mapping: HeldMapping | None
    names: tuple[tuple[str, str], ...]

    @property
    def may_create(self) -> bool:
        """Whether all that is missing are items, which the mapping lets us make."""
        may = self.mapping is not None and self.mapping.mapping.product.missing != "park"
        return may and all(entity == "Item" for entity, _ in self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRates:
    """Rates (currency, day) of the books that a document needs and nobody has read yet."""

    row: IntentRow
    rates: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """A create whose document is in the books already: what is recorded of it, instead of a call."""

    row: IntentRow
    events: Sequence[Event]


Prepared = Ready | Instead | Needless | ReadFirst | Nameless | MissingRates | IntentParked


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A call ready to be recorded and made."""

    call: Call
    items: tuple[CallItem, ...]
    body_hash: str
    attempt: int


class Known(Protocol):
    """What stands in the books already, and the log has forgotten."""

    async def instead(self, ready: Ready) -> Prepared | None:
        """What becomes of something that is about to be made; None where nothing of it is there."""
        ...

    async def is_forgotten(self, row: IntentRow) -> bool:
        """Whether updates of a document may have been sent of which the log knows nothing."""
        ...

    async def regained(self, row: IntentRow, link: Link, whole: Composed) -> Link | IntentParked:
        """The link of such a document with the lines that they added; or why nobody can tell them."""
        ...

    async def unexplained(self, ready: Ready) -> IntentParked | None:
        """Why an update waits for a person, where its document changed and its source did not."""
        ...

    def held(self, ready: Ready, link: Link) -> Instead:
        """The end of such an update, where the document holds all of it."""
        ...


class Outbox:
    """Prepares the calls of one company.

    Args:
        known: looks up what a recovery found; by default nothing.
    """

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        events: EventSource,
        view: ViewLoader,
        books: Books,
        mappings: Mappings,
        known: Known | None = None,
    ) -> None:
        self._known = known
        self._company = company
        self._store = store
        self._events = events
        self._view = view
        self._books = books
        self._mappings = mappings
        self._conflicted = Conflicted(company=company, store=store, events=events)
        self._compensations = Compensations(company=company, store=store, events=events, view=view)

    async def prepare(self, row: IntentRow) -> Prepared | None:
        """One intent's exact body; a reason to park it; or None where it has to wait after all."""
        planned = await self.planned(row)
        link = await self._view.link(row.record_key)
        ended = await self._ended(row, planned, link)
        if ended is not None:
            return ended
        symbolic, link = self._after_merges(row, planned.body.fields(), link)
        regained = await self._regained(row, planned, symbolic, link)
        if isinstance(regained, IntentParked):
            return regained
        made = await self._composed(row, planned, symbolic, regained)
        match made:
            case Composed(changes=()) if made.operation == "update":
                return await self._needless(row, planned, made, regained)
            case Composed():
                ready = await self._ready(row, planned, made)
                return await self._there_already(ready) or await self._refused(row, made, link) or ready
            case Unresolved(names=names) if names:
                return Nameless(row=row, mapping=await self._mapping_of(row), names=tuple(names))
            case Unresolved(read_first=first) if first:
                return ReadFirst(row=row)
            case Unresolved(records=(), rates=rates) if rates:
                return MissingRates(row=row, rates=rates)
            case Unresolved():
                return None
            case IntentParked():
                return made

    async def _composed(
        self, row: IntentRow, planned: IntentPlanned, symbolic: JsonObject, link: Link | None
    ) -> Composed | Unresolved | IntentParked:
        """The body; what both sides changed is settled by the last writer where the mapping says so, or by a person."""
        made = await self._merged(row, planned.operation, symbolic, link, {})
        if not isinstance(made, Conflicts):
            return made
        dated = await self._conflicted.dated(row, made.conflicts)
        later: dict[str, Side] = {
            one.conflict.field: one.later
            for one in dated
            if one.later is not None and one.conflict.owner == "last_writer"
        }
        still_open = [one for one in dated if one.conflict.field not in later]
        if not still_open:
            made = await self._merged(row, planned.operation, symbolic, link, later)
        return park_conflicts(row, planned.person, still_open) if isinstance(made, Conflicts) else made

    async def _merged(
        self,
        row: IntentRow,
        operation: Operation,
        symbolic: JsonObject,
        link: Link | None,
        later: Mapping[str, Side],
    ) -> Composed | Unresolved | Conflicts:
        sign = await self.marker_of(row)
        held = await self._mapping_of(row)
        rules = held.mapping.ownership_of_entity(row.entity) if held else None
        return await self._view.run(
            row.record_key,
            lambda view: compose(
                symbolic,
                operation=operation,
                entity=row.entity,
                link=link,
                resolve_record=view.document,
                resolve_name=view.named,
                marker=sign,
                ownership=rules,
                resolve_rate=view.rate,
                later=later,
            ),
            needs=row.needs,
        )

    async def _mapping_of(self, row: IntentRow) -> HeldMapping | None:
        return await self._mappings.held(row.record_key.split(":", 1)[0])

    async def _ended(self, row: IntentRow, planned: IntentPlanned, link: Link | None) -> Prepared | None:
        """What comes of an intent without a look at its body; None where that is to be composed."""
        if holds_erased(planned.body):
            return _park_erased(row)
        if planned.undoes:
            made = await self._compensation(row, planned, link)
            if made is not None:
                return made
        if link is not None and link.status != "live" and planned.operation in ("update", "void", "delete"):
            return _gone(row, planned, link)
        if link is not None and link.shared_with is not None and planned.operation != "create":
            owner = await self._store.one(RecordRow, self._company, link.shared_with)
            # Whose it was may be gone at the source: then it is this one's alone.
            if owner is None or not owner.removed:
                return _shared(row, link, link.shared_with)
        return None

    async def _compensation(self, row: IntentRow, planned: IntentPlanned, link: Link | None) -> Prepared | None:
        """What takes back another write; None where it is made like any new document, now that its cause stands."""
        found = await self._compensations.found(row, planned)
        if isinstance(found, IntentParked):
            return found
        if planned.operation == "create":
            return None
        made = composed(planned, found)
        if made is None:
            return ReadFirst(row=row)
        return await self._refused(row, made, link) or await self._ready(row, planned, made)

    async def _regained(
        self, row: IntentRow, planned: IntentPlanned, symbolic: JsonObject, link: Link | None
    ) -> Link | IntentParked | None:
        """What an update builds on, where updates before it were forgotten."""
        if planned.operation != "update" or link is None or self._known is None:
            return link
        if not await self._known.is_forgotten(row):
            return link
        whole = await self._merged(row, "create", symbolic, link, {})
        return await self._known.regained(row, link, whole) if isinstance(whole, Composed) else link

    async def _needless(self, row: IntentRow, planned: IntentPlanned, made: Composed, link: Link | None) -> Prepared:
        if link is not None and self._known is not None and await self._known.is_forgotten(row):
            return self._known.held(await self._ready(row, planned, made), link)
        body = Document.of(made.entity, made.body)
        return Needless(row=row, proof=planned.content_hash, person=planned.person, body=body, kept=made.kept)

    async def _there_already(self, ready: Ready) -> Prepared | None:
        if ready.row.target != BOOKS or self._known is None:
            return None
        match ready.item.operation:
            case "create":
                return await self._known.instead(ready)
            case "update":
                return await self._known.unexplained(ready)
            case _:
                return None

    def _after_merges(self, row: IntentRow, symbolic: JsonObject, link: Link | None) -> tuple[JsonObject, Link | None]:
        """What is wanted and what it builds on, where they name by Id what somebody has merged since."""
        if row.target != BOOKS:
            return symbolic, link
        turn = self._view.survivors.turn
        if link is not None:
            link = replace(link, image=turn(link.image, row.entity), sent=turn(link.sent, row.entity))
        return turn(symbolic, row.entity), link

    async def _refused(self, row: IntentRow, composed: Composed, link: Link | None) -> IntentParked | None:
        """A period may have been closed since the plan, or hold the document as it stands; the rest was checked."""
        if row.target != BOOKS:
            return None
        closed_until = (await self._view.company()).closed_until
        closed = date.fromisoformat(closed_until) if closed_until else None
        park = closed_refusal(composed.entity, composed.body, closed)
        if park is None and link is not None and composed.operation in ("update", "void", "delete"):
            park = closed_refusal(composed.entity, link.latest, closed, in_books=True)
        if park is None:
            return None
        return IntentParked(
            change=row.change,
            record_key=row.record_key,
            intent_id=row.intent_id,
            code=park.code,
            reason=park.reason,
            fix=park.fix,
            outside=park.reason,
        )

    async def planned(self, row: IntentRow) -> IntentPlanned:
        """The plan behind an entry of the outbox."""
        event = await self._events.event_at(self._company, row.planned)
        if not isinstance(event, IntentPlanned):
            raise TypeError(f"the event at {row.planned} is no plan")
        return event

    async def document_id(self, record_key: str) -> str | None:
        """The id of the document that stands for a record."""
        link = await self._store.one(LinkRow, self._company, record_key)
        return link.document_id if link is not None else None

    async def marker_of(self, row: IntentRow) -> str:
        """The marker that the document of this intent bears."""
        return marker_for(row, await self._store.one(LinkRow, self._company, row.record_key))

    async def _ready(self, row: IntentRow, planned: IntentPlanned, composed: Composed) -> Ready:
        body = Document.of(composed.entity, composed.body)
        item = CallItem(
            intent_id=row.intent_id,
            change=row.change,
            record_key=row.record_key,
            person=planned.person,
            entity=composed.entity,
            operation=composed.operation,
            sync_token=composed.sync_token,
            body=body,
            line_keys=composed.line_keys,
            figures=planned.figures if is_the_source_s(composed.kept) else None,
            kept=composed.kept,
        )
        exact = body.fields()
        own = request_id(
            company=self._company,
            target=row.target,
            record_key=row.record_key,
            operation=composed.operation,
            body_hash=bytes_hash(exact_json.dumps(exact)),
            sync_token=composed.sync_token,
            generation=await self._generation(row),
            recovery=(await self._view.company()).recovery,
        )
        return Ready(row=row, planned=planned, item=item, body=exact, own_request_id=own)

    async def _generation(self, row: IntentRow) -> int:
        """How often something of the record was refused, by whichever intent.

        QuickBooks may answer an id that it refused as it did then: what another change or another run asks for again
        must not go out under it.
        """
        earlier = await self._store.intents_of(self._company, row.record_key)
        same = [one.generation for one in earlier if one.target == row.target and one.planned < row.planned]
        return row.generation + sum(same)

    def calls(self, ready: Sequence[Ready], items_max: int) -> list[Outgoing]:
        """Group what is ready: transactions of one lane into batches of so many, everything else one by one."""
        singles = [one for one in ready if one.item.entity in SINGLE_ENTITIES]
        batches: dict[str, list[list[Ready]]] = {}
        for one in ready:
            if one.item.entity in SINGLE_ENTITIES:
                continue
            groups = batches.setdefault(one.row.lane, [[]])
            if len(groups[-1]) == items_max:
                groups.append([])
            groups[-1].append(one)
        outgoing = [self._outgoing([one]) for one in singles]
        outgoing.extend(self._outgoing(group) for groups in batches.values() for group in groups if group)
        return outgoing

    def _outgoing(self, members: Sequence[Ready]) -> Outgoing:
        batch = len(members) > 1
        items = tuple(
            one.item.model_copy(update={"batch_id": str(number) if batch else None})
            for number, one in enumerate(members, start=1)
        )
        identity = batch_request_id([one.own_request_id for one in members]) if batch else members[0].own_request_id
        lane = members[0].planned.lane
        # What comes back for another try lets new live work go first.
        again = lane == "live" and all(one.row.attempts for one in members)
        call = call_of(identity, items, "retry" if again else lane)
        return Outgoing(
            call=call,
            items=items,
            body_hash=bytes_hash(self._books.body_bytes(call)),
            attempt=max(one.row.attempts for one in members) + 1,
        )


def call_of(identity: str, items: Sequence[CallItem], lane: Lane) -> Call:
    """The call that a recorded `sent` event stands for."""
    return Call(
        request_id=identity,
        lane=lane,
        items=tuple(
            Item(
                intent_id=item.intent_id,
                batch_id=item.batch_id,
                entity=item.entity,
                operation=item.operation,
                body=item.body.fields(),
            )
            for item in items
        ),
    )


def marker_for(row: IntentRow, link: LinkRow | None) -> str:
    """The marker that the document of this intent bears; `link` is that of its record."""
    return marker(row.company, row.record_key, row.entity, first_incarnation(row, link))


def first_incarnation(row: IntentRow, link: LinkRow | None) -> int:
    """Which of the documents that its record has, one after the other, this intent is about."""
    if link is None:
        return 1
    return link.incarnation + (link.status != "live" and row.operation == "create")


def _park_erased(row: IntentRow) -> IntentParked:
    reason = "A person whom it concerns was erased since it was planned, and it would go out without what was theirs."
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code=WITHHELD,
        reason=reason,
        fix="Enter it in QuickBooks by hand if it is still wanted, then mark it as settled.",
        outside=reason,
    )


def _gone(row: IntentRow, planned: IntentPlanned, link: Link) -> "Needless | IntentParked":
    """The document was voided or deleted since this was planned: an update would bring it back to life, or fail."""
    if planned.operation != "update":
        body = Document.of(row.entity, {})
        return Needless(row=row, proof=planned.content_hash, person=planned.person, body=body)
    park = gone(row.record_key, link)
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code=park.code,
        reason=park.reason,
        fix=park.fix,
        outside=park.reason,
    )


def _shared(row: IntentRow, link: Link, owner: str) -> IntentParked:
    """The document was merged into another record's since this was planned: it is not this one's to change."""
    skip = merged(row.record_key, link, owner)
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code=skip.code,
        reason=skip.reason,
        fix="Merge the two at the source as well; then mark this as settled.",
        outside=f"{named(row.record_key)} was merged in QuickBooks with something else.",
    )
