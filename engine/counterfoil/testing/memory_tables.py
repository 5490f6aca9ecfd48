"""The rows of one company in memory, and the columns that a query over them gives."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from counterfoil.state.rows import ROW_TYPES, Key, LinkRow, Row

R = TypeVar("R", bound=Row)

BLOCKING: Final = frozenset({"sent", "uncertain", "refetch", "adopt", "reconnect"})
OPEN: Final = BLOCKING | {"held", "ready"}
BOOKS: Final = "quickbooks"


class Columns:
    """One row of a query's answer, by place and by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._places = tuple(values.values())

    def __getitem__(self, key: int | str, /) -> Any:
        return self._places[key] if isinstance(key, int) else self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def keys(self) -> Iterator[str]:
        """The names, in order."""
        return iter(self._values)


class CompanyTables:
    """The rows of one company, by table and key."""

    def __init__(self) -> None:
        self.by_table: dict[str, dict[Key, Row]] = {kind.table: {} for kind in ROW_TYPES}

    def all(self, kind: type[R]) -> Iterator[R]:
        """Every row of one kind."""
        for row in self.by_table[kind.table].values():
            if isinstance(row, kind):
                yield row

    def get(self, kind: type[R], *key: str) -> R | None:
        """One row."""
        row = self.by_table[kind.table].get(key)
        return row if isinstance(row, kind) else None

    def is_linked(self, record_key: str) -> bool:
        """Whether a record has a living document."""
        link = self.get(LinkRow, record_key)
        return link is not None and link.status == "live"
