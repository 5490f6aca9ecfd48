"""Rows of a report: data, sections with their summary, and lines that only sum up."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.quickbooks.emulator.values import ZERO
from counterfoil_schema.exact_json import JsonObject, JsonValue

Amounts = tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Columns as title and type, and the rows."""

    columns: tuple[tuple[str, str], ...]
    rows: list[JsonValue]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of data: what it is about, its Id if it has one, and an amount for each column."""

    name: str
    id: str
    amounts: Amounts


def total_of(amounts: Sequence[Amounts], columns: int) -> Amounts:
    """Column by column."""
    return tuple(sum((row[column] for row in amounts), ZERO) for column in range(columns))


def plus(*several: Amounts) -> Amounts:
    """Column by column, of one or more."""
    return total_of(several, len(several[0]))


def minus(left: Amounts, right: Amounts) -> Amounts:
    """Column by column."""
    return tuple(one - other for one, other in zip(left, right, strict=True))


def text_of(amount: Decimal) -> str:
    """As a report shows it."""
    # Adding nothing takes the sign from a zero.
    return f"{amount + ZERO:.2f}"


def cells(title: str, values: Sequence[str], identifier: str = "") -> JsonObject:
    """`ColData`: the title, with its Id, and the values."""
    first: JsonObject = {"value": title}
    if identifier:
        first["id"] = identifier
    rest: list[JsonValue] = [{"value": value} for value in values]
    return {"ColData": [first, *rest]}


def data(line: Line) -> JsonObject:
    """A row of data; of several columns those in which there is nothing are blank."""
    several = len(line.amounts) > 1
    shown = ["" if several and not amount else text_of(amount) for amount in line.amounts]
    return {**cells(line.name, shown, line.id), "type": "Data"}


def summary(title: str, amounts: Amounts) -> JsonObject:
    """The last line of a section."""
    return cells(title, [text_of(amount) for amount in amounts])


def section(group: str, title: str, inside: Sequence[JsonValue], amounts: Amounts, closing: str = "") -> JsonObject:
    """A section with its rows and its summary."""
    return {
        "Header": cells(title, [""] * len(amounts)),
        "Rows": {"Row": [*inside]},
        "Summary": summary(closing or f"Total {title}", amounts),
        "type": "Section",
        "group": group,
    }


def sum_line(group: str, title: str, amounts: Amounts) -> JsonObject:
    """A section that holds nothing but its sum."""
    return {"Summary": summary(title, amounts), "type": "Section", "group": group}
