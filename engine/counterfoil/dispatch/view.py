"""What a plan may look at, loaded on demand: the planner stays pure, and asks again once its question is answered."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

from counterfoil.dispatch.bases import bases_of
from counterfoil.dispatch.survivors import Survivors
from counterfoil.log import RecordedEvent
from counterfoil.planning.types import Link, Reversal, Settlement
from counterfoil.state.receipts import WITHHELD
from counterfoil.state.rows import CompanyRow, DocumentRow, LinkRow, RecordRow, SettlementRow
from counterfoil.state.store import StateStore
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import CallSent, IntentAccepted, IntentWithdrawn, RecordAdopted
from counterfoil_schema.events.receipts import BooksMerged, BooksObserved, SourceObserved, TaxMode
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import (
    ContractorPayment,
    CreditMemo,
    Custom,
    Customer,
    Employee,
    Estimate,
    Invoice,
    Payment,
    Payout,
    PayRun,
    Product,
    Record,
    Refund,
    TimeEntry,
    Vendor,
    split_key,
)

T = TypeVar("T")
RATES = "ExchangeRate"
PAY_RUNS_AT_ONCE = 100
Question = tuple[str, ...]
"""What was asked, and about what."""

NOT_READ = frozenset({"unreadable", WITHHELD})
"""Kinds of records of which nothing was taken in."""

SHARED = frozenset({"known", "document", "named", "account", "hash", "record", "rate"})
"""Questions whose answers are the same for every record, as long as the state stands still."""


class EventSource(Protocol):
    """The log, as far as single events are needed."""

    async def event_at(self, company: int, position: int) -> Event:
        """The event at a position."""
        ...

    async def recorded_at(self, company: int, position: int) -> RecordedEvent:
        """The same with its envelope."""
        ...

    async def recorded_many(self, company: int, positions: Sequence[int]) -> dict[int, RecordedEvent]:
        """Several, those that exist."""
        ...


class KeyedHash(Protocol):
    """Hashes over personal data, under a key of the company."""

    async def keyed_hash(self, company: int, data: bytes) -> str:
        """The hash as hexadecimal text."""
        ...


class ViewNeedsError(Exception):
    """The plan asked for something that is not loaded yet."""

    def __init__(self, question: str, *arguments: str) -> None:
        super().__init__(question)
        self.question = question
        self.arguments_ = arguments


class LoadedView:
    """A StateView over answers loaded so far.

    Raises:
        ViewNeedsError: from any method whose answer is not loaded.
    """

    def __init__(self, company: CompanyRow, shared: Mapping[Question, object]) -> None:
        self._company = company
        self._shared = shared
        self.answers: dict[Question, object] = {}

    def _answer(self, question: str, *arguments: str) -> object:
        asked = (question, *arguments)
        for answers in (self.answers, self._shared):
            if asked in answers:
                return answers[asked]
        raise ViewNeedsError(*asked)

    def link(self, record_key: str) -> Link | None:
        answer = self._answer("link", record_key)
        return answer if isinstance(answer, Link) else None

    def is_known(self, record_key: str) -> bool:
        return self._answer("known", record_key) is True

    def sent_number(self, doc_number: str) -> str | None:
        answer = self._answer("number", doc_number)
        return answer if isinstance(answer, str) else None

    def name_taken(self, entity: str, name: str) -> str | None:
        answer = self._answer("name", entity, name)
        return answer if isinstance(answer, str) else None

    def document(self, record_key: str) -> tuple[str, str] | None:
        """Entity and id of the live document that stands for a record."""
        answer = self._answer("document", record_key)
        return answer if isinstance(answer, tuple) else None

    def named(self, entity: str, name: str) -> str | None:
        """The id of the live document that bears a name in the books."""
        answer = self._answer("named", entity, name)
        return answer if isinstance(answer, str) else None

    def body_hash(self, body: JsonObject) -> str:
        """The keyed hash of a symbolic body."""
        return str(self._answer("hash", exact_json.canonical(body).decode()))

    def home_currency(self) -> str:
        return self._company.home_currency

    def multi_currency(self) -> bool:
        return self._company.multi_currency

    def closed_until(self) -> date | None:
        day = self._company.closed_until
        return None if day is None else date.fromisoformat(day)

    def tax_mode(self) -> TaxMode:
        return self._company.tax_mode

    def tracks(self, dimension: Literal["class", "department"]) -> bool:
        return self._company.class_tracking if dimension == "class" else self._company.department_tracking

    def account_type(self, *, name: str = "", document_id: str = "") -> str | None:
        answer = self._answer("account", document_id, name)
        return answer if isinstance(answer, str) else None

    def record(self, record_key: str) -> Record | None:
        """A source record as last observed."""
        match self._answer("record", record_key):
            case (
                Customer()
                | Product()
                | Invoice()
                | Estimate()
                | Payment()
                | CreditMemo()
                | Refund()
                | Payout() as found
            ):
                return found
            case Vendor() | Employee() | PayRun() | ContractorPayment() | TimeEntry() | Custom() as found:
                return found
            case _:
                return None

    def reversals_of(self, record_key: str) -> Sequence[Reversal]:
        answer = self._answer("reversals", record_key)
        return [one for one in answer if isinstance(one, Reversal)] if isinstance(answer, list) else []

    def rate(self, currency: str, day: str) -> Decimal | None:
        """The books' own rate, if it was read."""
        answer = self._answer("rate", currency, day)
        return answer if isinstance(answer, Decimal) else None


class ViewLoader:
    """Answers a plan's questions from the projections and, for whole documents, from the log.

    Attributes:
        survivors: of what was merged in the books.
    """

    def __init__(self, *, company: int, store: StateStore, events: EventSource, hashes: KeyedHash) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._hashes = hashes
        self.survivors = Survivors(company=company, store=store)
        self._row: CompanyRow | None = None
        self._shared: dict[Question, object] = {}

    def forget(self) -> None:
        """The state has moved: answers given so far may no longer hold."""
        self._row = None
        self._shared.clear()

    async def company(self) -> CompanyRow:
        """The company's row, loaded once until the state moves."""
        if self._row is None:
            self._row = await self._store.one(CompanyRow, self._company) or CompanyRow(company=self._company)
        return self._row

    async def run(self, record_key: str, plan: Callable[[LoadedView], T], needs: Sequence[str] = ()) -> T:
        """The plan's result, after as many tries as it has questions; `needs` are records known to be asked for."""
        view = LoadedView(await self.company(), self._shared)
        unknown = [key for key in needs if ("document", key) not in self._shared]
        found = await self._store.load(self._company, LinkRow.table, [(key,) for key in unknown])
        for key in unknown:
            self._shared["document", key] = _document_of(found.get((key,)))
        while True:
            try:
                return plan(view)
            except ViewNeedsError as asked:
                answer = await self._load(record_key, asked.question, asked.arguments_)
                answers = self._shared if asked.question in SHARED else view.answers
                answers[asked.question, *asked.arguments_] = answer

    async def _load(self, record_key: str, question: str, arguments: Sequence[str]) -> object:
        match question:
            case "link":
                return await self.link(arguments[0])
            case "hash":
                return await self._hashes.keyed_hash(self._company, arguments[0].encode())
            case "document":
                return _document_of(await self._store.one(LinkRow, self._company, arguments[0]))
            case "named" | "account":
                query = "document_named" if question == "named" else "account_type"
                return await self._store.answer(query, self._company, *arguments)
            case "known":
                row = await self._store.one(RecordRow, self._company, arguments[0])
                return row is not None and not row.removed and row.kind not in NOT_READ
            case "record" | "reversals":
                return await (self._record if question == "record" else self.reversals_of)(arguments[0])
            case "rate":
                return await self._rate(*arguments)
            case "number":
                return await self._store.answer("number_taken", self._company, "Invoice", arguments[0], record_key)
            case "name":
                key = await self.name_key(arguments[1])
                return await self._store.answer("name_taken", self._company, arguments[0], key, record_key)
            case _:
                raise ValueError(f"no plan may ask for {question}")

    async def _record(self, key: str) -> Record | None:
        row = await self._store.one(RecordRow, self._company, key)
        if row is None or row.removed or row.kind in NOT_READ:
            return None
        event = await self._events.event_at(self._company, row.position)
        return event.record if isinstance(event, SourceObserved) else None

    async def reversals_of(self, original: str) -> list[Reversal]:
        """The pay runs that take back another one. Rows hold no bodies, so that all of the connection are looked at."""
        connection, _, _ = split_key(original)
        rows = await self._store.some(RecordRow, "pay_runs_of", self._company, f"{connection}:")
        found: list[Reversal] = []
        for start in range(0, len(rows), PAY_RUNS_AT_ONCE):
            some = rows[start : start + PAY_RUNS_AT_ONCE]
            events = await self._events.recorded_many(self._company, [row.position for row in some])
            for row in some:
                event = await events[row.position].event()
                if isinstance(event, SourceObserved) and isinstance(event.record, PayRun):
                    reversal = Reversal(record_key=row.record_key, position=row.position, record=event.record)
                    found += [reversal] if event.record.reverses == original else []
        return found

    async def _rate(self, currency: str, day: str) -> Decimal | None:
        row = await self._store.one(DocumentRow, self._company, RATES, rate_id(currency, day))
        if row is None:
            return None
        rate = (await self.document_at(row.position)).fields().get("Rate")
        return Decimal(rate) if isinstance(rate, int | Decimal) else None

    async def body_hash(self, body: JsonObject) -> str:
        """The keyed hash of a symbolic body, or of values to be written back."""
        return await self._hashes.keyed_hash(self._company, exact_json.canonical(body))

    async def name_key(self, name: str) -> str:
        """Under what a display name is remembered: keyed, since names are personal, and blind to case."""
        return await self._hashes.keyed_hash(self._company, name.strip().casefold().encode())

    async def link(self, record_key: str) -> Link | None:
        """The link of a source record, with both images of its document."""
        row = await self._store.one(LinkRow, self._company, record_key)
        if row is None or row.status == "released":
            return None
        image = await self.document_at(row.image)
        latest = image if row.latest == row.image else await self.document_at(row.latest)
        return Link(
            record_key=record_key,
            entity=row.entity,
            document_id=row.document_id,
            sync_token=row.sync_token,
            content_hash=row.content_hash,
            image=image.fields(),
            latest=latest.fields(),
            lines=row.lines,
            status=row.status,
            sent=await self._sent(row),
            bases=await bases_of(self._events, self._company, row),
            shared_with=row.shared_with,
            adopted=row.adopted,
            undone=row.undone,
            renew=row.incarnation + 1 if row.renew else 0,
            incarnation=row.incarnation,
        )

    async def _sent(self, row: LinkRow) -> JsonObject:
        """The fields that we sent last for a record, or would have sent if the document had not held them."""
        if row.sent is None:
            return {}
        call = await self._events.event_at(self._company, row.sent)
        if isinstance(call, IntentWithdrawn) and call.held is not None:
            return call.held.fields()
        items = call.items if isinstance(call, CallSent) else ()
        return next((item.body.fields() for item in items if item.record_key == row.record_key), {})

    async def document_at(self, position: int) -> Document:
        """The document that an event carries."""
        return await document_at(self._events, self._company, position)

    async def owner_of(self, entity: str, document_id: str) -> str | None:
        """The source record that a document stands for."""
        row = await self._store.one(DocumentRow, self._company, entity, document_id)
        return row.record_key if row else None

    async def trace_to(self, entity: str, document_id: str) -> str | None:
        """The trace that led to a document of ours; None for anybody else's."""
        owner = await self.owner_of(entity, document_id)
        row = await self._store.one(LinkRow, self._company, owner) if owner is not None else None
        return (await self._events.recorded_at(self._company, row.image)).trace if row is not None else None

    async def settlement(self, invoice_id: str) -> Settlement:
        """What has been paid on an invoice, over all live payments."""
        rows = await self._store.some(SettlementRow, "settlements_of", self._company, invoice_id)
        live = [row for row in rows if row.cash or row.credited]
        return Settlement(
            cash=sum((row.cash for row in live), Decimal(0)),
            credited=sum((row.credited for row in live), Decimal(0)),
            unapplied=sum((row.unapplied for row in live), Decimal(0)),
            last_paid=max((row.dated for row in live if row.dated and row.cash), default=None),
            payment_ids=tuple(row.payment_id for row in live),
        )


async def document_at(events: EventSource, company: int, position: int) -> Document:
    """The document that an event carries."""
    document = document_of(await events.event_at(company, position))
    if document is None:
        raise LookupError(f"the event at {position} of company {company} carries no document")
    return document


def document_of(event: Event) -> Document | None:
    """The document that an event carries, if any."""
    if isinstance(event, IntentAccepted | BooksObserved | BooksMerged | RecordAdopted):
        return event.document
    return None


def rate_id(currency: str, day: str) -> str:
    """Under what a rate of the books is remembered: they give it no id."""
    return f"{currency} {day}"


def _document_of(row: object) -> tuple[str, str] | None:
    return (row.entity, row.document_id) if isinstance(row, LinkRow) and row.status == "live" else None
