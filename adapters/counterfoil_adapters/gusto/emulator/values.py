"""Small readers for plain JSON, with messages that name the field."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from counterfoil_schema.exact_json import JsonObject, JsonValue

CENT = Decimal("0.01")


class BadRequestError(Exception):
    """A request that the emulator refuses; `status` is the HTTP status, `category` Gusto's word for it."""

    def __init__(
        self, message: str, *, status: int = 422, key: str = "base", category: str = "invalid_attribute_value"
    ):
        super().__init__(message)
        self.message = message
        self.status = status
        self.key = key
        self.category = category

    def body(self) -> JsonObject:
        """Gusto's form of an error."""
        return {"errors": [{"error_key": self.key, "category": self.category, "message": self.message}]}


def not_found() -> BadRequestError:
    """What Gusto says of anything that the token may not see."""
    return BadRequestError("The requested resource was not found.", status=404, key="request", category="not_found")


def text(source: Mapping[str, JsonValue], key: str, default: str | None = None) -> str:
    """A field that must be text."""
    value = source.get(key, default)
    if not isinstance(value, str):
        raise BadRequestError(f"{key} must be text", key=key)
    return value


def text_or_none(source: Mapping[str, JsonValue], key: str) -> str | None:
    """A field that is text or absent."""
    value = source.get(key)
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"{key} must be text or null", key=key)
    return value


def flag(source: Mapping[str, JsonValue], key: str, *, default: bool = False) -> bool:
    """A field that is true or false."""
    value = source.get(key, default)
    if not isinstance(value, bool):
        raise BadRequestError(f"{key} must be true or false", key=key)
    return value


def money(value: JsonValue, key: str) -> Decimal:
    """An amount given as number or text, exact."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise BadRequestError(f"{key} must be an amount", key=key)
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise BadRequestError(f"{key} is not an amount: {value!r}", key=key) from None
    if not amount.is_finite():
        raise BadRequestError(f"{key} is not an amount: {value!r}", key=key)
    return _to_cents(amount)


def cents(amount: Decimal) -> str:
    """An amount as Gusto writes totals: text with two decimals, more only if it has more."""
    return f"{_to_cents(amount):f}"


def _to_cents(amount: Decimal) -> Decimal:
    whole = amount.quantize(CENT)
    return whole if whole == amount else amount


def rows(source: Mapping[str, JsonValue], key: str) -> list[JsonObject]:
    """A field that is a list of objects; empty where absent."""
    value = source.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequestError(f"{key} must be a list", key=key)
    return [entry(item, key) for item in value]


def entry(value: JsonValue, key: str) -> JsonObject:
    """A value that must be an object."""
    if not isinstance(value, dict):
        raise BadRequestError(f"{key} must hold objects", key=key)
    return value


def words(parameter: str | None) -> Sequence[str]:
    """A comma-separated query parameter."""
    return [word.strip() for word in (parameter or "").split(",") if word.strip()]
