"""Reading rows by ascending (SystemModstamp, Id): resumable behind each row, blind to nothing that moves meanwhile.

Salesforce keeps whole seconds, so that many rows bear one instant; the id parts them. A row that changes during the
reading moves behind, and comes again.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from counterfoil.sources.port import SourceError
from counterfoil_adapters.salesforce.client import SalesforceClient, instant_of, is_id, literal, soql
from counterfoil_schema.exact_json import JsonObject, JsonValue

STAMP = "SystemModstamp"


@dataclass(frozen=True, slots=True)
class Position:
    """Everything up to `stamp` was read, and of that instant every id up to `after`; `resting` between readings."""

    stamp: datetime | None = None
    after: str | None = None
    resting: bool = False

    def plain(self) -> dict[str, object]:
        """As JSON-able data."""
        stamp = literal(self.stamp) if self.stamp is not None else None
        return {"stamp": stamp, "after": self.after, "resting": self.resting}


def parse_position(value: JsonValue) -> Position:
    """Undo `plain`.

    Raises:
        ValueError: not a position.
    """
    held = value if isinstance(value, dict) else {"after": "none"}
    stamp, after = held.get("stamp"), held.get("after")
    if after is not None and not (isinstance(after, str) and is_id(after)):
        raise ValueError("not a position")
    return Position(instant_of(stamp) if stamp is not None else None, after, held.get("resting") is True)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows, the position behind them, and when at the earliest they were read, on Salesforce's clock."""

    rows: Sequence[JsonObject]
    position: Position
    read_at: datetime


class Sweep:
    """Reads one object.

    Args:
        where: conditions, joined by AND, that all rows must fulfil; empty: none.
        overlap: how far a new reading reaches back behind the last one.
    """

    def __init__(self, client: SalesforceClient, name: str, where: str, rows_max: int, overlap: timedelta) -> None:
        self._client = client
        self._object = name
        self._where = where
        self._rows_max = rows_max
        self._overlap = overlap

    async def newest(self) -> Position:
        """Where reading would rest if everything that is there now had been read."""
        text = soql(STAMP, self._object, [self._where], f"{STAMP} DESC", 1)
        rows = await self._client.query(text, deleted=True)
        return Position(stamp_of(rows[0]) if rows else None, None, resting=True)

    def resume(self, position: Position, proven: datetime | None = None) -> Position:
        """Where the next reading starts; not behind the instant up to which Salesforce's answers are complete."""
        if not position.resting or position.stamp is None:
            return Position(position.stamp, position.after)
        start = position.stamp - self._overlap
        return Position(min(start, proven) if proven is not None else start)

    async def run(self, position: Position, select: str) -> AsyncIterator[Rows]:
        """Pages from a position on, until nothing more is there; the last may be empty, and rests."""
        while not position.resting:
            read_at = self._client.server_now()
            rows = await self._client.query(self._text(position, select), deleted=True)
            done = len(rows) < self._rows_max
            if rows:
                position = Position(stamp_of(rows[-1]), str(rows[-1].get("Id")), resting=done)
            else:
                position = Position(position.stamp, position.after, resting=True)
            yield Rows(rows, position, read_at)

    def _text(self, position: Position, select: str) -> str:
        conditions = [self._where]
        if position.stamp is not None:
            at = literal(position.stamp)
            conditions.append(f"{STAMP} >= {at}")
            if position.after is not None:
                conditions.append(f"({STAMP} > {at} OR Id > '{position.after}')")
        return soql(select, self._object, conditions, f"{STAMP}, Id", self._rows_max)


def stamp_of(row: JsonObject) -> datetime:
    """When a row last changed.

    Raises:
        SourceError: it does not say.
    """
    try:
        return instant_of(row.get(STAMP))
    except ValueError:
        raise SourceError(f"Salesforce's record {row.get('Id')} does not say when it changed.") from None
