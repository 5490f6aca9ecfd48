"""Compares QuickBooks values as a bookkeeper would: equal amounts are equal, and a reference is what it points at."""

from decimal import Decimal

from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

_ADDRESS_EXTRAS = frozenset({"Id", "Lat", "Long"})
_LINE_EXTRAS = frozenset({"LineNum", "LinkedTxn", "$line"})
SUBTOTAL = "SubTotalLineDetail"
_COMPUTED_LINES = frozenset({SUBTOTAL, "TaxLineDetail"})


def comparable(value: JsonValue) -> bytes:
    """Equal bytes for values that mean the same."""
    return exact_json.canonical(_bare(value))


def same(left: JsonValue, right: JsonValue) -> bool:
    """Whether two values mean the same; nothing, null and the empty text are one."""
    return comparable(left) == comparable(right)


def same_line(left: JsonObject, right: JsonObject) -> bool:
    """Whether two lines say the same, apart from their place and from what QuickBooks links to them."""
    return same(_line(left), _line(right))


def holds(document: JsonValue, wanted: JsonValue) -> bool:
    """Whether a document holds at least what is wanted, whatever QuickBooks has added."""
    if isinstance(wanted, dict):
        held = document if isinstance(document, dict) else {}
        return all(holds(held.get(name), part) for name, part in wanted.items() if name != "name")
    return same(document, wanted)


def real_lines(document: JsonObject) -> list[JsonObject]:
    """The lines of a document without those that QuickBooks works out: its sub-total, its tax."""
    lines = document.get("Line")
    if not isinstance(lines, list):
        return []
    return [line for line in lines if isinstance(line, dict) and line.get("DetailType") not in _COMPUTED_LINES]


def line_id(line: JsonObject) -> str:
    """A line's id, or nothing."""
    value = line.get("Id")
    return value if isinstance(value, str) else ""


def number(value: JsonValue) -> Decimal:
    """An amount of a document; nothing is zero."""
    if isinstance(value, bool):
        return Decimal(0)
    return Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)


def words(value: JsonValue) -> str:
    """A value for people."""
    return value if isinstance(value, str) else exact_json.dumps(value).decode()


def _line(line: JsonObject) -> JsonObject:
    return {name: value for name, value in line.items() if name not in _LINE_EXTRAS}


def _bare(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        address = "Line1" in value or "City" in value
        reference = "value" in value
        bare: JsonObject = {}
        for name, part in value.items():
            if (address and name in _ADDRESS_EXTRAS) or (reference and name == "name"):
                continue
            kept = _bare(part)
            if kept is not None:
                bare[name] = kept
        return bare or None
    if isinstance(value, list):
        return [_bare(part) for part in value] or None
    return None if value == "" else value
