"""Rows of totals, which reports have below their records. Pure."""

from collections.abc import Sequence

from counterfoil_adapters.csv.plans import RowOf
from counterfoil_adapters.csv.reading import BrokenRow

_WORDS = frozenset(
    {
        "total",
        "totals",
        "grand total",
        "grand totals",
        "sum",
        "subtotal",
        "sub total",
        "report total",
        "gesamt",
        "summe",
    }
)
_OF_NUMBERS = frozenset("0123456789.,-+()%$€£¥' \u00a0\u202f")


def is_total(row: RowOf, id_columns: Sequence[str]) -> bool:
    """Whether a row only sums up others: it has no id or has a word for totals in its place, and else only numbers."""
    if isinstance(row.row, BrokenRow):
        return False
    fields = row.row.fields
    written = [(place, text) for place, cell in enumerate(fields) if (text := cell.strip())]
    if not written or written[0][1].rstrip(":").strip().casefold() not in _WORDS:
        return False
    ids = {row.header.index[column] for column in id_columns}
    first = written[0][0]
    return all(place not in ids or place == first for place, _ in written) and all(
        _OF_NUMBERS.issuperset(text) for _, text in written[1:]
    )
