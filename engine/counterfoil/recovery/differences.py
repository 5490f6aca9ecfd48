"""Where a table is not what the log says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from counterfoil.state.rows import Key, Row, key_of

DIFFERENCES_MAX = 200
"""Differences named per company; beyond this the number alone says enough."""

DifferenceKind = Literal["column", "missing", "extra", "stopped"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where a table is not what the log says.

    Attributes:
        column: the column that differs; empty where the whole row is missing or too many.
        expected: what the log says, as text.
        found: what the table holds, as text.
    """

    company: int
    table: str
    key: Key
    kind: DifferenceKind
    column: str = ""
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        key = ", ".join(self.key) or "the company"
        where = f"company {self.company}, {self.table} [{key}]"
        match self.kind:
            case "column":
                return f"{where}, {self.column}: the log says {self.expected}, the table holds {self.found}"
            case "missing":
                return f"{where}: the log has this row, the table has not"
            case "extra":
                return f"{where}: the table has this row, the log has not"
            case "stopped":
                return f"company {self.company}: the log cannot be folded: {self.found}"


@dataclass(slots=True)
class Differences:
    """What differs, the first of it by name."""

    company: int
    named: list[Difference] = field(default_factory=list)
    count: int = 0

    def add(self, difference: Difference) -> None:
        """One more."""
        self.count += 1
        if len(self.named) < DIFFERENCES_MAX:
            self.named.append(difference)

    def stopped(self, why: str) -> None:
        """The fresh fold did not come to its end."""
        self.add(Difference(company=self.company, table="", key=(), kind="stopped", found=why))

    def compare(self, expected: Row | None, found: Row | None) -> None:
        """One row of the log's and of the table's; None where that side has none."""
        if expected is not None and found is not None:
            for difference in columns_that_differ(expected, found):
                self.add(difference)
            return
        row = expected or found
        if row is not None:
            kind: DifferenceKind = "missing" if found is None else "extra"
            self.add(Difference(company=self.company, table=row.table, key=key_of(row), kind=kind))


def columns_that_differ(expected: Row, found: Row) -> list[Difference]:
    """One difference for each column in which two rows of one key differ."""
    return [
        Difference(
            company=found.company,
            table=found.table,
            key=key_of(found),
            kind="column",
            column=name,
            expected=repr(getattr(expected, name)),
            found=repr(getattr(found, name)),
        )
        for name in found.__struct_fields__
        if getattr(expected, name) != getattr(found, name)
    ]
