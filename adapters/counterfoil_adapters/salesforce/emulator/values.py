"""Instants, ids and field values as Salesforce writes them."""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from counterfoil_adapters.salesforce.emulator.errors import OrgError
from counterfoil_adapters.salesforce.emulator.schema import FieldDef
from counterfoil_schema.exact_json import JsonValue

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
TRUE_ID = 18
SHORT_ID = 15
CENT = Decimal("0.01")


def long_id(short: str) -> str:
    """The id of 18 characters for one of 15: the last three tell which letters are capitals."""
    ends = ""
    for start in range(0, SHORT_ID, 5):
        bits = sum(1 << place for place, letter in enumerate(short[start : start + 5]) if letter.isupper())
        ends += SUFFIX[bits]
    return short + ends


def made_id(prefix: str, instance: str, number: int) -> str:
    """The `number`th id of an object in an org."""
    digits = ""
    while number:
        number, rest = divmod(number, len(BASE62))
        digits = BASE62[rest] + digits
    return long_id(prefix + instance + digits.rjust(SHORT_ID - len(prefix) - len(instance), "0"))


def instant_text(moment: datetime) -> str:
    """An instant as REST answers show it; Salesforce keeps whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_instant(text: str) -> datetime:
    """An instant from a request.

    Raises:
        ValueError: it is none, or has no zone.
    """
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment.astimezone(UTC)


def checked(definition: FieldDef, value: JsonValue) -> JsonValue:
    """A value as the field keeps it; blank text is null.

    Raises:
        OrgError: a value of another type, or text that is too long.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None if definition.type != "boolean" else False
    match definition.type:
        case "double" | "currency" | "percent" | "int":
            return _number(definition, value)
        case "boolean":
            if isinstance(value, bool):
                return value
            raise _mismatch(definition, value)
        case "date":
            return _as_date(definition, value)
        case "datetime":
            return _as_instant(definition, value)
        case _:
            return _text(definition, value)


def _text(definition: FieldDef, value: JsonValue) -> str:
    if not isinstance(value, str):
        value = str(value).lower() if isinstance(value, bool) else str(value)
    if definition.type == "reference" and len(value) == SHORT_ID:
        value = long_id(value)
    if definition.type == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise OrgError(
            "INVALID_EMAIL_ADDRESS",
            f"{definition.label}: invalid email address: {value}",
            fields=[definition.name],
        )
    if definition.length and len(value) > definition.length:
        raise OrgError(
            "STRING_TOO_LONG",
            f"{definition.label}: data value too large: {value[:50]} (max length={definition.length})",
            fields=[definition.name],
        )
    return value.strip() if definition.type != "textarea" else value


def _number(definition: FieldDef, value: JsonValue) -> JsonValue:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise _mismatch(definition, value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _mismatch(definition, value) from None
    if not number.is_finite():
        raise _mismatch(definition, value)
    if definition.type == "currency":
        return number.quantize(CENT, ROUND_HALF_UP)
    return int(number) if definition.type == "int" else number


def _as_date(definition: FieldDef, value: JsonValue) -> str:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise _mismatch(definition, value) from None


def _as_instant(definition: FieldDef, value: JsonValue) -> str:
    try:
        return instant_text(parse_instant(str(value)))
    except ValueError:
        raise _mismatch(definition, value) from None


def _mismatch(definition: FieldDef, value: JsonValue) -> OrgError:
    return OrgError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {definition.type} from value {value} or request may be"
        f" missing a required field: {definition.name}",
    )
