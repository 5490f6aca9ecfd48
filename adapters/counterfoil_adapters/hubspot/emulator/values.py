"""Property values: all of them text on the wire, checked against the property's type when written."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from counterfoil_adapters.hubspot.emulator.errors import PortalError


@lru_cache(maxsize=65_536)
def iso_millis(moment: datetime) -> str:
    """An instant as HubSpot writes it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_instant(text: str) -> datetime:
    """Milliseconds since 1970 or ISO 8601.

    Raises:
        ValueError: neither.
    """
    if text.lstrip("-").isdigit():
        seconds, millis = divmod(int(text), 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=millis * 1000)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def check_values(definitions: Mapping[str, Mapping[str, object]], values: Mapping[str, object]) -> dict[str, str]:
    """Values to write, as text; numbers and booleans are taken too, null clears.

    Raises:
        PortalError: 400 naming each property that does not exist, is read-only or does not take its value.
    """
    problems: list[dict[str, object]] = []
    checked: dict[str, str] = {}
    for name, value in values.items():
        text = _text(value)
        definition = definitions.get(name)
        if definition is None:
            problems.append(_problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            continue
        access = definition.get("modificationMetadata")
        if isinstance(access, Mapping) and access.get("readOnlyValue") is True:
            problems.append(_problem(name, "READ_ONLY_VALUE", f'"{name}" is a read only property'))
            continue
        wrong = _wrong(str(definition["type"]), text)
        if wrong:
            problems.append(_problem(name, *wrong))
            continue
        checked[name] = text
    if problems:
        told = "; ".join(str(problem["message"]) for problem in problems)
        raise PortalError(400, f"Property values were not valid: {told}", errors=problems)
    return checked


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case True:
            return "true"
        case False:
            return "false"
        case _:
            return str(value)


def _wrong(kind: str, text: str) -> tuple[str, str] | None:
    if text == "":
        return None
    match kind:
        case "number":
            try:
                number = Decimal(text)
            except InvalidOperation:
                number = Decimal("NaN")
            return None if number.is_finite() else ("INVALID_DOUBLE", f"{text!r} was not a valid number.")
        case "date" | "datetime":
            try:
                parse_instant(text)
            except ValueError:
                return "INVALID_DATE", f"{text!r} was not a valid date."
            return None
        case "bool":
            return None if text in {"true", "false"} else ("INVALID_BOOLEAN", f"{text!r} was not a boolean.")
        case _:
            return None


def _problem(name: str, code: str, message: str) -> dict[str, object]:
    return {"message": message, "code": code, "context": {"propertyName": [name]}}
