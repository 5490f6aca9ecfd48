"""Folding: (rows, event) → changed rows. Pure: whatever a fold needs and has not been given, it asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from counterfoil.state.rows import Key, Row, key_of
from counterfoil_schema.events.base import Event

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
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


class Rows:
    """The rows at hand for one event, over those of the events before it.

    `loaded` holds what was read from the store (None for rows that do not exist) and what earlier events of the
    same page changed; `changed` what this event changes, apart until it is taken over, so that a fold that stops
    half-way leaves nothing behind.
    """

    __slots__ = ("changed", "company", "loaded")

    def __init__(self, company: int, loaded: dict[tuple[str, Key], Row | None]) -> None:
        self.company = company
        self.loaded = loaded
        self.changed: dict[tuple[str, Key], Row] = {}

    def get(self, row_type: type[R], *key: str) -> R | None:
        """One row, or None if there is none.

        Raises:
            RowsNeededError: it was not loaded yet.
        """
        at = (row_type.table, key)
        row = self.changed.get(at)
        if row is None:
            if at not in self.loaded:
                raise RowsNeededError(row_type.table, [key])
            row = self.loaded[at]
        if row is not None and not isinstance(row, row_type):
            raise TypeError(f"{row_type.table} holds a {type(row).__name__}")
        return row

    def put(self, row: Row) -> None:
        """Insert or replace one row."""
        self.changed[row.table, key_of(row)] = row
