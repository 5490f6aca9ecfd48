"""What both sides changed: who did so last, where the mapping leaves it to the last writer; three versions to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from counterfoil.dispatch.view import EventSource
from counterfoil.planning.lines import line_name
from counterfoil.planning.merge import CONFLICT, told_line
from counterfoil.planning.types import Conflict, Side
from counterfoil.planning.values import line_id, real_lines, words
from counterfoil.state.rows import ChangeRow, IntentRow, LinkRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import is_personal
from counterfoil_schema.events.decisions import ConflictVersion, IntentParked
from counterfoil_schema.events.receipts import BooksObserved
from counterfoil_schema.exact_json import JsonObject

READINGS_MAX = 200
"""How many readings of one document are looked through for the one that first showed a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """Since when the books hold their version, and by whose hand, as far as QuickBooks says so."""

    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A conflict with what is known of its times; `base_at` is when we last wrote the document."""

    conflict: Conflict
    base_at: datetime | None
    source_at: datetime
    books: Dates

    @property
    def later(self) -> Side | None:
        """Who changed it last; None where it cannot be told, as within one second: QuickBooks tells no parts of one."""
        source_at = self.source_at.replace(microsecond=0)
        if self.books.at is None or self.books.at == source_at:
            return None
        return "books" if self.books.at > source_at else "source"

    def version(self) -> ConflictVersion:
        """As it is shown to a person."""
        return ConflictVersion(
            field=self.conflict.field,
            base=self.conflict.base,
            source=self.conflict.ours,
            books=self.conflict.theirs,
            base_at=self.base_at,
            source_at=self.source_at,
            books_at=self.books.at,
            books_by=self.books.by,
        )


class Conflicted:
    """Looks into the log of one company for the times of changes that clash."""

    def __init__(self, *, company: int, store: StateStore, events: EventSource) -> None:
        self._company = company
        self._store = store
        self._events = events

    async def dated(self, row: IntentRow, conflicts: Sequence[Conflict]) -> list[Dated]:
        """Each conflict with its times.

        The source's change counts from when it was first seen here; the books' from the last time that QuickBooks says
        their document was touched, by the reading that first showed it so.
        """
        link = await self._store.one(LinkRow, self._company, row.record_key)
        sent = link.sent if link is not None else None
        base_at = (await self._events.recorded_at(self._company, sent)).recorded_at if sent is not None else None
        source_at = (await self._events.recorded_at(self._company, row.change)).recorded_at
        readings = await self._readings(link) if link is not None else []
        lines = link.lines if link is not None else {}
        return [
            Dated(conflict=one, base_at=base_at, source_at=source_at, books=_since(one, lines, readings))
            for one in conflicts
        ]

    async def _readings(self, link: LinkRow) -> list[JsonObject]:
        """What the books showed of a document since our own last write, newest first."""
        key = f"quickbooks:{link.entity}:{link.document_id}"
        seen = await self._store.some(ChangeRow, "changes_of_record", self._company, key)
        positions = [one.position for one in seen if one.position > link.image][-READINGS_MAX:]
        events = await self._events.recorded_many(self._company, positions)
        shown = [await events[position].event() for position in reversed(positions) if position in events]
        return [one.document.fields() for one in shown if isinstance(one, BooksObserved)]


def _since(conflict: Conflict, lines: Mapping[str, str], readings: Sequence[JsonObject]) -> Dates:
    """The dates of the earliest reading from which on the books have held their version."""
    found = Dates()
    for document in readings:
        if _shown(conflict.field, document, lines) != conflict.theirs:
            break
        found = _dates(document)
    return found


def _shown(field: str, document: JsonObject, links: Mapping[str, str]) -> str:
    if not field.startswith("Line["):
        return words(document.get(field))
    identity = next((one for key, one in links.items() if line_name(key) == field), "")
    return told_line(next((line for line in real_lines(document) if line_id(line) == identity), None))


def _dates(document: JsonObject) -> Dates:
    data = document.get("MetaData")
    told = data if isinstance(data, dict) else {}
    by = told.get("LastModifiedByRef")
    return Dates(at=_instant(told.get("LastUpdatedTime")), by=str(by.get("value", "")) if isinstance(by, dict) else "")


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None


def park_conflicts(row: IntentRow, person: str | None, dated: Sequence[Dated]) -> IntentParked:
    """The event that shows a person all versions. Its reason lies in the clear: what is personal is not in it."""
    fields = ", ".join(one.conflict.field for one in dated)
    verb = "was" if len(dated) == 1 else "were"
    what = f"{fields} of {row.record_key} {verb} changed on both sides"
    told = [_told(one.conflict) for one in dated if not is_personal(row.entity, one.conflict.field)]
    personal = len(told) < len(dated)
    hidden = " Its values are personal." if personal and not told else " Other values are personal." if personal else ""
    show = f"`counterfoil deadletters show {row.record_key}{' --personal' if personal else ''}` shows the versions. "
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        person=person,
        intent_id=row.intent_id,
        code=CONFLICT,
        reason=f"{what}: {'; '.join(told)}.{hidden}" if told else f"{what}.{hidden}",
        fix=f"{show}Choose with `counterfoil deadletters resolve {row.record_key} --keep source` or `--keep books`; or "
        "let the mapping say who owns the field, then retry.",
        outside=f"{what}.",
        conflicts=tuple(one.version() for one in dated),
    )


def _told(conflict: Conflict) -> str:
    said = f"it was {conflict.base}, the source says {conflict.ours}, QuickBooks says {conflict.theirs}"
    return f"{conflict.field}: {said}"
