"""Folding: (rows, event) → changed rows. Pure: whatever a fold needs and has not been given, it asks for."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias, TypeVar

from msgspec import Struct

from counterfoil.state.rows import Key, Row, key_of
from counterfoil_schema.events.base import Event

R = TypeVar("R", bound=Row)
At: TypeAlias = tuple[str, Key]
"""Where a row stands: table and key."""


class Folded(Struct, frozen=True, kw_only=True):
    """An event as folds see it: where it stands, when it was recorded, and what it says."""

    company: int
    position: int
    event: Event


class RowsNeededError(Exception):
    """A fold asked for rows that were not loaded; load them and fold the same event again."""

    def __init__(self, table: str, keys: Iterable[Key]) -> None:
        super().__init__(f"rows of {table} are needed")
        self.table = table
        self.keys = tuple(keys)


class AtHand(Protocol):
    """Rows that need not be fetched."""

    def __getitem__(self, at: At, /) -> Row | None:
        """The row, or None if there is none.

        Raises:
            KeyError: nobody knows whether there is one.
        """
        ...

    def found(self, rows: Mapping[At, Row | None]) -> None:
        """Keep what was fetched; None for a row that does not exist."""
        ...

    def put(self, rows: Mapping[At, Row]) -> None:
        """Keep what an event changed."""
        ...


class PageRows(dict[At, Row | None]):
    """Rows of one page of events, as a plain dict; those that its events changed are `changed`. See `AtHand`."""

    def __init__(self, rows: Mapping[At, Row | None] | None = None) -> None:
        super().__init__(rows or {})
        self.changed: dict[At, Row] = {}

    def found(self, rows: Mapping[At, Row | None]) -> None:
        """See `AtHand.found`."""
        self.update(rows)

    def put(self, rows: Mapping[At, Row]) -> None:
        """See `AtHand.put`."""
        self.update(rows)
        self.changed.update(rows)


class Rows:
    """The rows at hand for one event, over those of the events before it.

    `loaded` holds what was read from the store (None for rows that do not exist) and what earlier events changed;
    `changed` what this event changes, apart until it is taken over, so that a fold that stops half-way leaves nothing
    behind.
    """

    __slots__ = ("changed", "company", "loaded")

    def __init__(self, company: int, loaded: AtHand) -> None:
        self.company = company
        self.loaded = loaded
        self.changed: dict[At, Row] = {}

    def get(self, row_type: type[R], *key: str) -> R | None:
        """One row, or None if there is none.

        Raises:
            RowsNeededError: it was not loaded yet.
        """
        at = (row_type.table, key)
        row: Row | None = self.changed.get(at)
        if row is None:
            try:
                row = self.loaded[at]
            except KeyError:
                raise RowsNeededError(row_type.table, [key]) from None
        if row is not None and not isinstance(row, row_type):
            raise TypeError(f"{row_type.table} holds a {type(row).__name__}")
        return row

    def put(self, row: Row) -> None:
        """Insert or replace one row."""
        self.changed[row.table, key_of(row)] = row
