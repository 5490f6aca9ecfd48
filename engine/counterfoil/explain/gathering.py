"""Collects the events of a chain: of the record, its document, what paid it, and the calls in between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.explain.chain import Happened, Step, steps_of
from counterfoil.explain.finding import Finder, Target
from counterfoil.log import EventCodec, LogReader, RecordedEvent
from counterfoil.state.rows import CallRow, ChangeRow, IntentRow, LinkRow, PaymentRow, SettlementRow
from counterfoil.state.runs import number_of
from counterfoil.state.store import StateStore

PAGE_EVENTS = 1000
NOTES_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a record stands now.

    Attributes:
        state, code: of its latest change: one of the five outcomes, and the reason.
        entity, document_id, status: its document, if it has one.
        lines: source line to `Line.Id`.
        paid, credited: what settles it, where it is an invoice.
        untold: what the source would not take down about it, and why; by connection.
    """

    record_key: str
    state: str | None = None
    code: str = ""
    reason: str = ""
    fix: str = ""
    entity: str | None = None
    document_id: str | None = None
    doc_number: str | None = None
    sync_token: str | None = None
    status: str | None = None
    lines: dict[str, str]
    paid: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    untold: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The chain behind what was asked for; `otherwise` are other records that the same words may mean."""

    company: int
    records: tuple[Summary, ...]
    documents: tuple[str, ...]
    steps: tuple[Step, ...]
    otherwise: tuple[str, ...] = ()


async def gather(
    target: Target, *, store: StateStore, reader: LogReader, finder: Finder, unseal: EventCodec | None = None
) -> Explained:
    """Everything that happened to a target, oldest first.

    Args:
        unseal: opens personal fields, as far as their keys still exist; without it they are left out.
    """
    gathering = _Gathering(target.company, store, reader, finder, unseal)
    for entity, document_id in target.documents:
        await gathering.document(entity, document_id)
    for key in target.record_keys:
        await gathering.record(key)
    await gathering.calls()
    documents = tuple(f"{entity} {document_id}" for entity, document_id in gathering.documents)
    steps = steps_of([await gathering.happened(one) for one in gathering.events.values()], gathering.intents)
    return Explained(
        company=target.company,
        records=tuple(gathering.summaries),
        documents=documents,
        steps=tuple(steps),
        otherwise=target.otherwise,
    )


class _Gathering:
    def __init__(
        self, company: int, store: StateStore, reader: LogReader, finder: Finder, unseal: EventCodec | None
    ) -> None:
        self._company = company
        self._store = store
        self._reader = reader
        self._finder = finder
        self._unseal = unseal
        self.events: dict[int, RecordedEvent] = {}
        self.intents: set[str] = set()
        self.documents: dict[tuple[str, str], None] = {}
        self.summaries: list[Summary] = []

    async def document(self, entity: str, document_id: str) -> None:
        """What the books showed of a document, and what was decided on it."""
        if (entity, document_id) in self.documents:
            return
        self.documents[entity, document_id] = None
        await self._timeline(f"quickbooks:{entity}:{document_id}")
        if entity == "Invoice":
            for row in await self._store.some(SettlementRow, "settlements_of", self._company, document_id):
                await self.document("Payment", row.payment_id)
        if entity == "Payment":
            await self._written_back_for(document_id)

    async def _written_back_for(self, payment_id: str) -> None:
        """What a payment led to at the sources of the invoices that it settles."""
        row = await self._store.one(PaymentRow, self._company, payment_id)
        for invoice_id in row.invoices if row is not None else ():
            owner = await self._finder.owner(self._company, "Invoice", invoice_id)
            if owner is None:
                continue
            for intent in await self._store.intents_of(self._company, owner):
                if intent.change in self.events:
                    self.intents.add(intent.intent_id)
                    await self._add_positions([intent.planned, intent.settled])

    async def record(self, key: str) -> None:
        """Everything recorded about a source record, its document, and further ones that its changes called for."""
        intents = await self._store.intents_of_changes(self._company, key)
        self.intents.update(row.intent_id for row in intents)
        await self._timeline(key)
        asked = {number_of(row.run) for row in intents if row.undoes}
        await self._add_positions(asked)
        # A further document has a key of its own; the change that called for it is another record's.
        await self._add_positions(row.change for row in intents if row.target == "quickbooks")
        for further in dict.fromkeys(row.record_key for row in intents if row.record_key != key):
            await self._timeline(further)
            beside = await self._store.one(LinkRow, self._company, further)
            if beside is not None:
                await self.document(beside.entity, beside.document_id)
        link = await self._store.one(LinkRow, self._company, key)
        if link is not None and link.status == "released":
            link = None
        if link is not None:
            await self.document(link.entity, link.document_id)
        self.summaries.append(await self._summary(key, link))

    async def _summary(self, key: str, link: LinkRow | None) -> Summary:
        changes = await self._store.some(ChangeRow, "changes_of_record", self._company, key)
        last = changes[-1] if changes else None
        paid = credited = Decimal(0)
        if link is not None and link.entity == "Invoice":
            for row in await self._store.some(SettlementRow, "settlements_of", self._company, link.document_id):
                paid += row.cash
                credited += row.credited
        notes = await self._store.some(IntentRow, "refused_notes", self._company, key, 0, NOTES_SHOWN_MAX)
        return Summary(
            record_key=key,
            state=last.state if last else None,
            code=last.code if last else "",
            reason=last.reason if last else "",
            fix=last.fix if last else "",
            entity=link.entity if link else None,
            document_id=link.document_id if link else None,
            doc_number=link.doc_number if link else None,
            sync_token=link.sync_token if link else None,
            status=link.status if link else None,
            lines=dict(link.lines) if link else {},
            paid=paid,
            credited=credited,
            untold={row.target: f"{row.reason} {row.fix}".strip() for row in notes},
        )

    async def calls(self) -> None:
        """The calls that carried the intents; a call may carry several records, so it stands in no timeline."""
        intents = await self._store.load(self._company, IntentRow.table, [(one,) for one in self.intents])
        positions = {row.sent for row in intents.values() if isinstance(row, IntentRow)}
        requests = {
            (str(request),)
            for event in self.events.values()
            if event.event_type.startswith("intent.") and (request := event.light().get("request_id"))
        }
        calls = await self._store.load(self._company, CallRow.table, requests)
        positions |= {row.sent for row in calls.values() if isinstance(row, CallRow)}
        await self._add_positions(positions)

    async def _timeline(self, key: str) -> None:
        after = 0
        while True:
            page = await self._reader.record_timeline(self._company, key, after, PAGE_EVENTS)
            self.events.update({recorded.position: recorded for recorded in page})
            if len(page) < PAGE_EVENTS:
                return
            after = page[-1].position

    async def _add_positions(self, positions: Iterable[int | None]) -> None:
        wanted = sorted(one for one in set(positions) if one is not None and one not in self.events)
        for recorded in await self._reader.get_many(self._company, wanted):
            self.events[recorded.position] = recorded

    async def happened(self, recorded: RecordedEvent) -> Happened:
        """The event with as much of its body as may be shown."""
        body = dict(recorded.light()) if self._unseal is None else await self._unseal.body(recorded)
        body.pop("raw", None)
        return Happened(
            position=recorded.position,
            at=recorded.recorded_at,
            event_type=recorded.event_type,
            record_key=recorded.record_key,
            cause=recorded.cause,
            trace=recorded.trace,
            body=body,
        )
