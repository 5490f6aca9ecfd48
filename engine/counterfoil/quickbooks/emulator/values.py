"""Reading what a client sent: nothing assumed, every refusal a fault, amounts as Decimal.

Lenient as Intuit is: numbers may be quoted, dates may carry a time, and an empty string stands for a blank.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from counterfoil.quickbooks.emulator import faults
from counterfoil_schema.exact_json import JsonObject, JsonValue

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
NESTING_MAX = 24
NUMBER_DIGITS_MAX = 20
AMOUNT_LIMIT = Decimal(10) ** 13
SMALL = 10**12
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class CleanBody:
    """A body without blanks, and the names of the top-level properties that were sent blank."""

    values: JsonObject
    blanks: frozenset[str]


def clean(body: JsonObject, *, latin1: bool) -> CleanBody:
    """Drop nulls and empty strings at every depth; refuse bottomless nesting and boundless numbers.

    Args:
        body: what the client sent.
        latin1: refuse characters outside ISO-8859-1, as for US companies.

    Raises:
        QuickBooksFaultError: 2040, 2090 or 6180.
    """
    values: JsonObject = {}
    blanks: set[str] = set()
    for name, value in body.items():
        kept = _clean(value, name, latin1=latin1, depth=1)
        if kept is None:
            blanks.add(name)
        else:
            values[name] = kept
    return CleanBody(values, frozenset(blanks))


def _clean(value: JsonValue, name: str, *, latin1: bool, depth: int) -> JsonValue:
    if depth > NESTING_MAX:
        raise faults.QuickBooksFaultError("6180", "Nesting too deep", f"{name} is nested too deep", element=name)
    if isinstance(value, str):
        return _clean_text(value, name, latin1=latin1)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | Decimal):
        return _clean_number(value, name)
    if isinstance(value, list):
        return [kept for item in value if (kept := _clean(item, name, latin1=latin1, depth=depth + 1)) is not None]
    return {
        key: kept
        for key, item in value.items()
        if (kept := _clean(item, f"{name}.{key}", latin1=latin1, depth=depth + 1)) is not None
    }


def _clean_text(text: str, name: str, *, latin1: bool) -> str | None:
    if latin1 and text and not text.isascii():
        try:
            text.encode("latin-1")
        except UnicodeEncodeError as error:
            raise faults.bad_string(name, "contains characters that are not ISO-8859-1") from error
    elif "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise faults.bad_string(name, "contains characters that are not supported")
    return text or None


def _clean_number(value: int | Decimal, name: str) -> int | Decimal:
    if isinstance(value, int):
        if abs(value) >= 10**NUMBER_DIGITS_MAX:
            raise faults.bad_number(name, "too large")
        return value
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -NUMBER_DIGITS_MAX or value.adjusted() > NUMBER_DIGITS_MAX:
        raise faults.bad_number(name, "out of range")
    return value


def as_object(value: JsonValue) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: JsonValue) -> str:
    """Text, or a number's digits, or nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    return ""


def reference_id(value: JsonValue) -> str:
    """The `value` of a reference, or an empty string."""
    return as_text(as_object(value).get("value"))


def to_decimal(value: JsonValue, name: str) -> Decimal:
    """A number or a quoted number.

    Raises:
        QuickBooksFaultError: 2090 for anything else.
    """
    if type(value) is int and -SMALL < value < SMALL:
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise faults.bad_number(name, type(value).__name__)
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise faults.bad_number(name, str(value)[:40]) from error
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -NUMBER_DIGITS_MAX or abs(number) >= AMOUNT_LIMIT:
        raise faults.bad_number(name, str(value)[:40])
    return number


def to_date(value: JsonValue, name: str) -> str:
    """An ISO date; a time of day behind it is dropped.

    Raises:
        QuickBooksFaultError: 2060.
    """
    text = as_text(value)
    day, mark, _ = text.partition("T")
    if _DATE.fullmatch(day) is None or (mark and len(text) == len(day) + 1):
        raise faults.bad_date(name, text[:40])
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise faults.bad_date(name, text[:40]) from error


def to_boolean(value: JsonValue, name: str) -> bool:
    """true or false, also quoted.

    Raises:
        QuickBooksFaultError: 2230.
    """
    if isinstance(value, bool):
        return value
    text = as_text(value).lower()
    if text in {"true", "false"}:
        return text == "true"
    raise faults.bad_boolean(name, text[:40])
