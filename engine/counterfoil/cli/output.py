"""Writing for people (rich) and for programs (JSON): results to standard output, everything else to standard error."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonValue

WIDTH_WITHOUT_TERMINAL = 160


def console(*, errors: bool = False) -> Console:
    """Standard output, or standard error; wide where nobody's terminal sets the width."""
    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def as_json(value: object) -> JsonValue:
    """The same as JSON: instants and ids as text, amounts exact."""
    match value:
        case None | bool() | int() | str() | Decimal():
            return value.value if isinstance(value, Enum) else value
        case float():
            return Decimal(str(round(value, 6)))
        case date():
            return value.isoformat()
        case Enum():
            return as_json(value.value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): as_json(part) for key, part in value.items()}
        case _ if is_dataclass(value):
            return {part.name: as_json(getattr(value, part.name)) for part in fields(value)}
        case Struct():
            return {name: as_json(getattr(value, name)) for name in value.__struct_fields__}
        case Iterable():
            return [as_json(part) for part in value]
        case _:
            return str(value)


def write_json(value: object) -> None:
    """One line of JSON on standard output, at once."""
    sys.stdout.write(exact_json.dumps(as_json(value)).decode() + "\n")
    sys.stdout.flush()


def write_error(message: str, remedy: str, code: int) -> None:
    """What went wrong, for programs: one line of JSON in the place of a result, or behind one that broke off."""
    write_json({"error": {"message": message, "remedy": remedy}, "exit": int(code)})


def tell(sentence: str) -> None:
    """A sentence for a person, on standard error."""
    console(errors=True).print(Text(sentence), soft_wrap=True)


def table(title: str, *columns: str) -> Table:
    """A table in the house's form."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for name in columns:
        right = name.startswith(">")
        made.add_column(name.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return made


def add_row(to: Table, *cells: object) -> None:
    """A row of plain text, whatever the values hold."""
    to.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))


def money(amount: Decimal | None, currency: str | None) -> str:
    """An amount for people: thousands apart, two digits or as many as it has."""
    if amount is None:
        return ""
    digits = max(2, -int(amount.as_tuple().exponent)) if amount.is_finite() else 2
    return f"{amount:,.{digits}f} {currency or ''}".rstrip()


def pretty(value: JsonValue, indent: int = 0) -> str:
    """JSON over several lines, with every number exactly as it is."""
    inner, outer = " " * (indent + 2), " " * indent
    match value:
        case dict() if value:
            parts = [f"{exact_json.dumps(name).decode()}: {pretty(part, indent + 2)}" for name, part in value.items()]
            return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{outer}}}"
        case list() if value:
            return "[\n" + ",\n".join(inner + pretty(part, indent + 2) for part in value) + f"\n{outer}]"
        case _:
            return exact_json.dumps(value).decode()
