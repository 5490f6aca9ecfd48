"""Three versions of what both sides changed, as the event that parked it holds them."""

from dataclasses import dataclass
from datetime import datetime

from counterfoil.log import LogReader
from counterfoil.state.rows import IntentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import is_personal
from counterfoil_schema.events.decisions import IntentParked


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One field, or line, that both sides changed.

    Attributes:
        base: what was written last; None, as the two others, where it is personal and may not be shown.
        source: what the source says now.
        books: what QuickBooks says now.
        base_at: when it was written.
        source_at: when the source's change was first seen.
        books_at: when QuickBooks says that its document was changed.
        books_by: by whom, as Intuit names them; often it does not.
    """

    field: str
    personal: bool
    base: str | None
    source: str | None
    books: str | None
    base_at: datetime | None
    source_at: datetime | None
    books_at: datetime | None
    books_by: str


async def parked_conflict(reader: LogReader, company: int, position: int) -> IntentParked | None:
    """The event that parked something at a position, where that was for what both sides changed."""
    [recorded] = await reader.get_many(company, [position])
    if recorded.event_type != IntentParked.event_type:
        return None
    event = await recorded.event()
    return event if isinstance(event, IntentParked) and event.conflicts else None


async def versions_of(
    store: StateStore, reader: LogReader, company: int, position: int, *, personal: bool
) -> tuple[Version, ...]:
    """What a person is to choose from; nothing where no conflict was parked there."""
    event = await parked_conflict(reader, company, position)
    if event is None:
        return ()
    row = await store.one(IntentRow, company, event.intent_id)
    entity = row.entity if row is not None else ""
    found: list[Version] = []
    for one in event.conflicts:
        sealed = is_personal(entity, one.field)
        shown = personal or not sealed
        found.append(
            Version(
                field=one.field,
                personal=sealed,
                base=one.base if shown else None,
                source=one.source if shown else None,
                books=one.books if shown else None,
                base_at=one.base_at,
                source_at=one.source_at,
                books_at=one.books_at,
                books_by=one.books_by,
            )
        )
    return tuple(found)
