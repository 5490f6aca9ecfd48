"""JSON without floats: every number that is not whole is a Decimal, in both directions.

The usual parsers pass numbers through binary floats, which changes cents on large amounts; so wire bodies
are read and written here and nowhere else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

_encode_text = json.JSONEncoder(ensure_ascii=False).encode
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SUSPECT_BYTES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNFIT = re.compile("[\\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


class NotANumberError(ValueError):
    """NaN or Infinity where JSON allows only numbers."""


class NotAnObjectError(ValueError):
    """JSON of another kind where only an object will do."""


def _refuse_constant(name: str) -> None:
    raise NotANumberError(f"{name} is not a JSON number")


def loads(text: str | bytes) -> JsonValue:
    """Parse JSON; whole numbers become int, all others Decimal.

    JSON can spell what no text holds: NUL, which Postgres does not store, and halves of surrogate pairs, which no
    encoding writes. Both become U+FFFD here, so that one odd character stops nothing behind.

    Raises:
        ValueError: not JSON, nested too deeply, or a number that is none (NaN, Infinity) or beyond all bounds.
    """
    try:
        value: JsonValue = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
        suspect = _SUSPECT.search(text) if isinstance(text, str) else _SUSPECT_BYTES.search(text)
        return _fit(value) if suspect else value
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ArithmeticError:
        raise NotANumberError("a number is beyond all bounds") from None


def _fit(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _UNFIT.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_fit(member) for member in value]
    if isinstance(value, dict):
        return {_UNFIT.sub(REPLACEMENT, name): _fit(member) for name, member in value.items()}
    return value


def loads_object(text: str | bytes) -> JsonObject:
    """Parse JSON that must be an object.

    Raises:
        ValueError: not JSON, or JSON of another kind.
    """
    value = loads(text)
    if not isinstance(value, dict):
        raise NotAnObjectError(f"expected a JSON object, found {type(value).__name__}")
    return value


def dumps(value: object) -> bytes:
    """Compact UTF-8 JSON in insertion order; Decimals are written exactly, as numbers.

    Characters that `loads` would replace are replaced here too, so that what is written is what is read.

    Raises:
        TypeError: a float, or any other type that has no exact JSON form.
    """
    return _utf8(_encode(value))


def canonical(value: object) -> bytes:
    """The same with sorted keys and normalised numbers: equal values give equal bytes, fit for hashing."""
    return _utf8(_encode(value, ordered=True))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _UNFIT.sub(REPLACEMENT, text).encode()


def _encode_string(value: str) -> str:
    return _encode_text(value.replace("\x00", REPLACEMENT) if "\x00" in value else value)


def _encode(value: object, *, ordered: bool = False) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _encode_string(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal):
        return _encode_decimal(value, ordered=ordered)
    if isinstance(value, Mapping):
        items = sorted(value.items()) if ordered else value.items()
        return "{" + ",".join(f"{_encode_string(str(k))}:{_encode(v, ordered=ordered)}" for k, v in items) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return "[" + ",".join(_encode(item, ordered=ordered) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no exact JSON form")


def _encode_decimal(value: Decimal, *, ordered: bool) -> str:
    if not value.is_finite():
        raise TypeError(f"{value} is not a JSON number")
    if ordered:
        value = value.normalize() if value else Decimal(0)
    return f"{value:f}"
