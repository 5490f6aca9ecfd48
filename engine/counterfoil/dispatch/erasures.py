"""People who were erased: their keys go in every process, what sources still show of them is withheld."""

from collections.abc import Iterable, Mapping, Sequence

from counterfoil.dispatch.view import EventSource
from counterfoil.log import Keyring, RecordedEvent
from counterfoil.sources import Seen, SourceChange, Unreadable
from counterfoil.state.rows import ErasureRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import ERASED, Event
from counterfoil_schema.events.decisions import IntentPlanned
from counterfoil_schema.events.receipts import PersonErased
from counterfoil_schema.records import record_key

ROWS_AT_ONCE = 1_000
PARTIES = ("customer", "employee", "contractor")
"""Fields of a record that say whose it is, if that is another record."""


class Erasures:
    """Destroys what `person.erased` names, however often: the row in Postgres, and this process's copy of the key."""

    def __init__(self, *, company: int, store: StateStore, events: EventSource, keyring: Keyring) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._keyring = keyring

    async def follow(self, page: Iterable[RecordedEvent]) -> None:
        """Destroy the keys that these events name: whoever recorded one may have ended before, or just after."""
        for recorded in page:
            if recorded.event_type == PersonErased.event_type:
                event = await recorded.event()
                if isinstance(event, PersonErased):
                    await destroy(self._keyring, self._company, event)

    async def enforce(self) -> None:
        """Destroy again what lives although it was erased, as after an old backup of the keys was restored."""
        after = ""
        while rows := await self._store.some(ErasureRow, "erased", self._company, after, ROWS_AT_ONCE):
            after = rows[-1].subject
            living = set(await self._keyring.living(self._company, [row.subject for row in rows]))
            positions = [row.position for row in rows if row.subject in living]
            if positions:
                found = await self._events.recorded_many(self._company, positions)
                await self.follow(found.values())


async def destroy(keyring: Keyring, company: int, event: PersonErased) -> int:
    """Destroy every key that an erasure names; how many lived."""
    gone = 0
    for subject in event.subjects:
        gone += await keyring.destroy(company, subject)
    for identity in event.payload_keys:
        gone += await keyring.destroy_key(company, identity)
    return gone


def person_of(connection: str, change: SourceChange) -> str:
    """Under whose key a change would be sealed."""
    own = getattr(change.record, "subject", None) if isinstance(change, Seen) else None
    named = own() if callable(own) else None
    return named if isinstance(named, str) else record_key(connection, change.kind, change.source_id)


def parties_of(change: SourceChange) -> list[str]:
    """The records of people whom a change names."""
    if not isinstance(change, Seen):
        return []
    return [key for name in PARTIES if isinstance(key := getattr(change.record, name, None), str)]


async def erased_among(
    store: StateStore, company: int, connection: str, changes: Sequence[SourceChange]
) -> Mapping[str, ErasureRow]:
    """The people of these changes who were erased, by subject."""
    people = {person_of(connection, one) for one in changes if isinstance(one, Seen | Unreadable)}
    people |= {party for one in changes for party in parties_of(one)}
    found = await store.load(company, ErasureRow.table, [(one,) for one in people])
    return {row.subject: row for row in found.values() if isinstance(row, ErasureRow) and row.is_person}


def needs_erased(event: Event) -> bool:
    """Whether a plan would write what was erased: the word that stands for it must never reach anybody's books."""
    return isinstance(event, IntentPlanned) and holds_erased(event.body)


def holds_erased(document: Document) -> bool:
    """Whether a document's personal part was erased, or it holds the word that stands for something erased."""
    return any(ERASED in text for text in (document.personal or "", document.clear))
