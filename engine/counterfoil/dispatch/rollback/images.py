"""Documents and calls of the past, out of the log: what a write was made on, and what it sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from counterfoil.log import LogReader, RecordedEvent
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import CallItem, CallSent, IntentAccepted, RecordAdopted
from counterfoil_schema.events.receipts import BooksMerged, BooksObserved
from counterfoil_schema.exact_json import JsonObject

PAGE = 500
_IMAGES = frozenset({"intent.accepted", "record.adopted", "books.observed", "books.merged"})
Carrying = IntentAccepted | BooksObserved | BooksMerged | RecordAdopted


@dataclass(slots=True, kw_only=True)
class Images:
    """Reads events once; for the length of one plan."""

    company: int
    reader: LogReader
    _events: dict[int, tuple[RecordedEvent, Event]] = field(default_factory=dict)

    async def load(self, positions: Iterable[int]) -> None:
        """Read these, in pages."""
        wanted = sorted(set(positions) - self._events.keys())
        for start in range(0, len(wanted), PAGE):
            for recorded in await self.reader.get_many(self.company, wanted[start : start + PAGE]):
                self._events[recorded.position] = (recorded, await recorded.event())

    def event(self, position: int) -> Event | None:
        """The event at a position, if it was loaded."""
        found = self._events.get(position)
        return found[1] if found is not None else None

    def trace(self, position: int) -> str | None:
        """The trace in which it happened."""
        found = self._events.get(position)
        return found[0].trace if found is not None else None

    def document(self, position: int) -> JsonObject:
        """The document that an event carries; nothing where it carries none."""
        event = self.event(position)
        return event.document.fields() if isinstance(event, Carrying) else {}

    def item(self, position: int | None, intent_id: str) -> CallItem | None:
        """One intent's part of a call."""
        event = self.event(position) if position is not None else None
        items = event.items if isinstance(event, CallSent) else ()
        return next((item for item in items if item.intent_id == intent_id), None)

    async def before(
        self, keys: Sequence[str], entity: str, document_id: str, item: CallItem, sent: int
    ) -> JsonObject | None:
        """The document over which a body was written: the one with the SyncToken that the body named.

        Args:
            keys: in whose timelines readings and answers stand.
            sent: where the call was recorded.
        """
        found: list[RecordedEvent] = []
        for key in keys:
            found += await self._timeline(key, sent)
        for recorded in sorted(found, key=lambda one: -one.position):
            event = await recorded.event()
            if not isinstance(event, Carrying) or (event.entity, event.document_id) != (entity, document_id):
                continue
            if event.sync_token == item.sync_token:
                return event.document.fields()
        return None

    async def _timeline(self, key: str, before: int) -> list[RecordedEvent]:
        found: list[RecordedEvent] = []
        after = 0
        while True:
            page = await self.reader.record_timeline(self.company, key, after, PAGE)
            found += [one for one in page if one.position < before and one.event_type in _IMAGES]
            if len(page) < PAGE or page[-1].position >= before:
                return found
            after = page[-1].position
