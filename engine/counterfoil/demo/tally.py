"""What the log says, counted while it grows: for the progress bars, and for the report's figures of the log."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from counterfoil.log import LogReader, RecordedEvent
from counterfoil_schema.events.decisions import CallSent, IntentAbsent, IntentAccepted, IntentRejected, IntentUncertain
from counterfoil_schema.events.receipts import BooksObserved
from counterfoil_schema.exact_json import JsonObject

BOOKS = "quickbooks"
DOCUMENTS = frozenset({"Customer", "Item", "Invoice", "JournalEntry"})
ENTERED = frozenset({"Payment", "CreditMemo"})
_COUNTED_WHOLE = frozenset(
    {"intent.accepted", "books.observed", "call.sent", "intent.uncertain", "intent.rejected", "intent.absent"}
)


@dataclass(frozen=True, slots=True)
class LoggedDocument:
    """A document as the log knows it: the source record it stands for, and its last answer or reading."""

    entity: str
    document_id: str
    record_key: str
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class Doubt:
    """An effect of which nobody could say whether it was there: still so, found by evidence, answered when the same
    call was repeated, or proven absent and made anew.
    """

    entity: str
    ending: Literal["open", "found", "repeated", "sent again"]


@dataclass(slots=True)
class Tally:
    """A company's log so far.

    Attributes:
        events: counts by type.
        documents: what was accepted by the books, by entity and id, as last seen.
        entered: payments and credit memos that people entered, as last seen; deleted ones are left out.
        written_back: deals to which something was written back, by record key.
        doubts: what became of each effect of which nobody could say whether it was there, by intent.
        refusals: how often the books refused what, by fault code and what was done then.
    """

    company: int
    position: int = 0
    events: Counter[str] = field(default_factory=Counter)
    documents: dict[tuple[str, str], LoggedDocument] = field(default_factory=dict)
    entered: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    written_back: dict[str, JsonObject] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    _entities: dict[str, str] = field(default_factory=dict)
    records_read: set[str] = field(default_factory=set)

    async def catch_up(self, reader: LogReader) -> bool:
        """Take in what is new; returns whether there was anything."""
        moved = False
        while True:
            page = await reader.read(self.company, self.position)
            for recorded in page:
                await self._take(recorded)
                self.position = recorded.position
            moved = moved or bool(page)
            if not page:
                return moved

    async def _take(self, recorded: RecordedEvent) -> None:
        self.events[recorded.event_type] += 1
        if recorded.event_type == "source.observed" and recorded.record_key is not None:
            self.records_read.add(recorded.record_key)
        if recorded.event_type not in _COUNTED_WHOLE:
            return
        match await recorded.event():
            case IntentAccepted() as accepted:
                self._accepted(accepted)
            case BooksObserved() as seen:
                self._observed(seen)
            case CallSent() as call:
                self._entities.update({item.intent_id: item.entity for item in call.items})
            case IntentUncertain(intent_id=intent_id):
                self.doubts[intent_id] = Doubt(self._entities.get(intent_id, "?"), "open")
            case IntentAbsent(intent_id=intent_id):
                self.doubts[intent_id] = Doubt(self._entities.get(intent_id, "?"), "sent again")
            case IntentRejected() as refused if refused.code != "write-back":
                self.refusals[refused.code, refused.then] += 1
            case _:
                pass

    def _accepted(self, event: IntentAccepted) -> None:
        doubt = self.doubts.get(event.intent_id)
        if doubt is not None and doubt.ending == "open":
            self.doubts[event.intent_id] = Doubt(doubt.entity, "found" if event.how == "found" else "repeated")
        if event.entity not in DOCUMENTS:
            self.written_back[event.record_key] = event.document.fields()
            return
        key = (event.entity, event.document_id)
        self.documents[key] = LoggedDocument(event.entity, event.document_id, event.record_key, event.document.fields())

    def _observed(self, event: BooksObserved) -> None:
        if event.entity in ENTERED:
            if event.status == "live":
                self.entered[event.entity, event.document_id] = event.document.fields()
            else:
                self.entered.pop((event.entity, event.document_id), None)
        known = self.documents.get((event.entity, event.document_id))
        if known is not None and event.status == "live":
            self.documents[event.entity, event.document_id] = LoggedDocument(
                event.entity, event.document_id, known.record_key, event.document.fields()
            )

    def count(self, entity: str) -> int:
        """Documents of an entity that were accepted."""
        return sum(1 for kind, _ in self.documents if kind == entity)

    @property
    def decided(self) -> int:
        """Changes that were decided, roughly: plans, and decisions to do nothing."""
        return sum(
            self.events[name] for name in ("intent.planned", "change.unchanged", "change.skipped", "change.parked")
        )


def cents(value: object) -> int:
    """An amount as whole cents.

    Raises:
        TypeError: it is none.
        ValueError: it is not a whole number of cents.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise TypeError(f"{value!r} is no amount")
    hundredfold = Decimal(value) * 100
    if hundredfold != hundredfold.to_integral_value():
        raise ValueError(f"{value} is not a whole number of cents")
    return int(hundredfold)
