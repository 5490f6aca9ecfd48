"""The mappings that hold now, read from the log and parsed once."""

from dataclasses import dataclass

from counterfoil.dispatch.view import EventSource
from counterfoil.planning.mapping import Mapping, parse_mapping
from counterfoil.state.rows import CompanyRow, MappingRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.receipts import MappingRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMapping:
    """A connection's mapping with the hash of its text."""

    mapping: Mapping
    digest: str


class Mappings:
    """Parsed mappings of one company, by connection; a new text in the log replaces the old one at once."""

    def __init__(self, *, company: int, store: StateStore, events: EventSource) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._parsed: dict[str, tuple[int, HeldMapping]] = {}
        self._present: dict[str, HeldMapping | None] = {}

    def forget(self) -> None:
        """The state has moved: another text may hold now."""
        self._present.clear()

    async def held(self, connection: str) -> HeldMapping | None:
        """The mapping of a connection, or None if none was ever recorded."""
        if connection not in self._present:
            self._present[connection] = await self._load(connection)
        return self._present[connection]

    async def _load(self, connection: str) -> HeldMapping | None:
        row = await self._store.one(MappingRow, self._company, connection)
        if row is None:
            return None
        known = self._parsed.get(connection)
        if known is not None and known[0] == row.position:
            return known[1]
        event = await self._events.event_at(self._company, row.position)
        if not isinstance(event, MappingRecorded):
            raise TypeError(f"the event at {row.position} is no mapping")
        company = await self._store.one(CompanyRow, self._company)
        zone = company.zone if company is not None else None
        mapping = parse_mapping(event.text, file=f"mapping of {connection}", default_zone=zone)
        held = HeldMapping(mapping=mapping, digest=event.digest)
        self._parsed[connection] = (row.position, held)
        return held
