"""Reading everything of a type, then what changed since: resumable at each page, blind to nothing.

HubSpot's search shows 10,000 results of a query at most, and rows that change while one pages by offset shift others
past the edge. So no offset is used: each search begins at the newest instant seen so far (inclusive, its rows come
again), and where a whole page bears one instant, that instant is read through by ascending object id.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from counterfoil.sources.port import SourceError
from counterfoil_adapters.hubspot.client import SEARCH_LIMIT, HubSpotClient
from counterfoil_adapters.hubspot.kinds import KINDS, MODIFIED
from counterfoil_schema.exact_json import JsonObject, JsonValue

OBJECT_ID = "hs_object_id"

State = Literal["rest", "list", "search", "tie"]
_STATES: Mapping[str, State] = {"rest": "rest", "list": "list", "search": "search", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class Position:
    """Where the reading of one type stands.

    `rest`: everything before `since` (ms) was read. `list`: in the full listing, behind id `after`; what changes
    meanwhile comes from `since` on. `search`: everything before `since` was read. `tie`: so was, at `since`, each id
    up to `after`.
    """

    at: State
    since: int
    after: str | None = None

    def plain(self) -> dict[str, object]:
        """As JSON-able data."""
        return {"at": self.at, "since": self.since, "after": self.after}


def parse_position(value: JsonValue) -> Position:
    """Undo `plain`.

    Raises:
        ValueError: not a position.
    """
    if isinstance(value, dict):
        at = _STATES.get(str(value.get("at")))
        since, after = value.get("since"), value.get("after")
        if at is not None and isinstance(since, int) and (after is None or isinstance(after, str)):
            return Position(at, since, after)
    raise ValueError("not a position")


@dataclass(frozen=True, slots=True)
class Rows:
    """Objects, and the position behind them; at `rest` when nothing more was there."""

    rows: Sequence[JsonObject]
    position: Position


class Sweep:
    """Reads one type of object.

    Args:
        overlap_ms: how far a new reading reaches back behind the last one, because the search index lags.
        modified: the property with the instant of the last change; contacts call it otherwise than all others.
    """

    def __init__(
        self, client: HubSpotClient, kind: str, properties: Sequence[str], overlap_ms: int, modified: str = MODIFIED
    ) -> None:
        self._client = client
        self._kind = kind
        self._properties = properties
        self._overlap = overlap_ms
        self._modified = modified

    async def begin(self) -> Position:
        """Where a full reading starts. `since` is the newest change that HubSpot itself shows: no clocks compared."""
        newest = await self._client.search(self._kind, [], f"-{self._modified}", [self._modified], 1)
        return Position("list", modified_ms(newest[0]) if newest else 0)

    def resume(self, position: Position) -> Position:
        """Where the next reading starts."""
        if position.at != "rest":
            return position
        return Position("search", max(0, position.since - self._overlap))

    async def run(self, position: Position) -> AsyncIterator[Rows]:
        """Pages from a position on, until nothing more is there."""
        while position.at != "rest":
            match position.at:
                case "list":
                    found = await self._listed(position)
                case "search":
                    found = await self._changed(position)
                case "tie":
                    found = await self._tied(position)
            position = found.position
            yield found

    async def _listed(self, position: Position) -> Rows:
        page = await self._client.page(self._kind, self._properties, position.after)
        if page.after is not None:
            return Rows(page.rows, Position("list", position.since, page.after))
        # What changed meanwhile is the next reading's: `since` was taken before this one began.
        return Rows(page.rows, Position("rest", position.since))

    async def _changed(self, position: Position) -> Rows:
        since = position.since
        rows = await self._search([(self._modified, "GTE", str(since))], self._modified)
        newest = max((modified_ms(row) for row in rows), default=since)
        if len(rows) < SEARCH_LIMIT:
            return Rows(rows, Position("rest", max(since, newest)))
        if newest > since:
            return Rows(rows, Position("search", newest))
        return Rows((), Position("tie", since, "0"))

    async def _tied(self, position: Position) -> Rows:
        filters = [(self._modified, "EQ", str(position.since)), (OBJECT_ID, "GT", position.after or "0")]
        rows = await self._search(filters, OBJECT_ID)
        if len(rows) < SEARCH_LIMIT:
            return Rows(rows, Position("search", position.since + 1))
        return Rows(rows, Position("tie", position.since, str(rows[-1]["id"])))

    async def _search(self, filters: Sequence[tuple[str, str, str]], sort: str) -> Sequence[JsonObject]:
        return await self._client.search(self._kind, filters, sort, self._properties, SEARCH_LIMIT)


def modified_ms(row: Mapping[str, JsonValue]) -> int:
    """When an object was last modified, in milliseconds since 1970.

    Raises:
        SourceError: the object does not say.
    """
    properties = row.get("properties")
    told = properties if isinstance(properties, dict) else {}
    held = told.get(MODIFIED) or told.get(KINDS["contact"].modified)
    return _millis(row, held if isinstance(held, str) else row.get("updatedAt"))


def archived_ms(row: Mapping[str, JsonValue]) -> int:
    """When an object was deleted, in milliseconds since 1970.

    Raises:
        SourceError: the object does not say.
    """
    return _millis(row, row.get("archivedAt") or row.get("updatedAt"))


def _millis(row: Mapping[str, JsonValue], moment: JsonValue) -> int:
    try:
        return round(datetime.fromisoformat(str(moment)).timestamp() * 1000)
    except ValueError:
        raise SourceError(f"HubSpot's object {row.get('id')} does not say when it changed.") from None
