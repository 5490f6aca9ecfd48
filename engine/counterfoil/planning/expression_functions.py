"""What expressions can do with values: operators and functions, each bounded and free of surprises."""

import ast
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Final

Value = None | bool | str | Decimal | date
TEXT_MAX: Final = 4_000
EXPONENT_MAX: Final = 40
DAYS_MAX: Final = 36_600
PLACES_MAX: Final = 12
_DIVIDING: Final = ("/", "//", "%")


class UnfitError(ValueError):
    """Values that do not go together, in words that say nothing of them."""


def _number(value: object, what: str) -> Decimal:
    if isinstance(value, Decimal):
        return value
    raise UnfitError(f"{what} needs a number, and gets {_kind(value)}")


def _text(value: object, what: str) -> str:
    if isinstance(value, str):
        return value
    raise UnfitError(f"{what} needs a text, and gets {_kind(value)}")


def _day(value: object, what: str) -> date:
    if isinstance(value, date):
        return value
    raise UnfitError(f"{what} needs a date, and gets {_kind(value)}")


def _kind(value: object) -> str:
    kinds = ((bool, "a truth"), (str, "a text"), (Decimal, "a number"), (date, "a date"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "nothing")


def _bounded(number: Decimal) -> Decimal:
    if not number.is_finite() or abs(number.adjusted()) > EXPONENT_MAX:
        raise UnfitError("a number becomes too large or too small")
    return number


def _kept(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise UnfitError(f"a text becomes longer than {TEXT_MAX} characters")
    return text


def _add(left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        return _kept(left + right)
    if isinstance(left, str) or isinstance(right, str):
        other = right if isinstance(left, str) else left
        raise UnfitError(f'+ adds a text to {_kind(other)}: write text(…) or first(…, "") around that one')
    return _bounded(_number(left, "+") + _number(right, "+"))


def _arithmetic(sign: str, work: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Value, Value], Value]:
    def apply(left: Value, right: Value) -> Value:
        numbers = _number(left, sign), _number(right, sign)
        if sign in _DIVIDING and not numbers[1]:
            raise UnfitError("it divides by nothing")
        return _bounded(work(*numbers))

    return apply


def _order(sign: str, holds: Callable[[int], bool]) -> Callable[[Value, Value], bool]:
    def apply(left: Value, right: Value) -> bool:
        return holds(_compared(sign, left, right))

    return apply


def _compared(sign: str, left: Value, right: Value) -> int:
    """-1, 0 or 1; of one kind only, for nothing else has an order."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return (left > right) - (left < right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, date) and isinstance(right, date):
        return (left > right) - (left < right)
    raise UnfitError(f"{sign} compares {_kind(left)} with {_kind(right)}")


def _contains(left: Value, right: Value) -> bool:
    return _text(left, "in") in _text(right, "in")


OPERATORS: Final[dict[type[ast.AST], Callable[..., Value]]] = {
    ast.Add: _add,
    ast.Sub: _arithmetic("-", lambda left, right: left - right),
    ast.Mult: _arithmetic("*", lambda left, right: left * right),
    ast.Div: _arithmetic("/", lambda left, right: left / right),
    ast.FloorDiv: _arithmetic("//", lambda left, right: left // right),
    ast.Mod: _arithmetic("%", lambda left, right: left % right),
    ast.USub: lambda value: -_number(value, "-"),
    ast.UAdd: lambda value: _number(value, "+"),
    ast.Not: lambda value: not value,
    ast.Eq: lambda left, right: bool(left == right),
    ast.NotEq: lambda left, right: bool(left != right),
    ast.Lt: _order("<", lambda sign: sign < 0),
    ast.LtE: _order("<=", lambda sign: sign <= 0),
    ast.Gt: _order(">", lambda sign: sign > 0),
    ast.GtE: _order(">=", lambda sign: sign >= 0),
    ast.In: _contains,
    ast.NotIn: lambda left, right: not _contains(left, right),
    ast.Is: lambda left, right: left is right,
    ast.IsNot: lambda left, right: left is not right,
}


def round_(number: Value, places: Value = Decimal(2)) -> Value:
    """To so many places, halves away from zero, as money is rounded."""
    digits = int(_number(places, "round"))
    if not 0 <= digits <= PLACES_MAX:
        raise UnfitError(f"round takes 0 to {PLACES_MAX} places")
    return _number(number, "round").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def number(value: Value) -> Value:
    """The number that a text says: digits with a point, and nothing else."""
    if isinstance(value, Decimal):
        return value
    try:
        return _bounded(Decimal(_text(value, "number").strip()))
    except DecimalException:
        raise UnfitError("number gets a text that is no number") from None


def text(value: Value) -> Value:
    """Any value as text: dates as 2026-03-14, numbers as they are written, nothing as an empty one."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case _:
            return value.isoformat()


def first(*values: Value) -> Value:
    """The first that is neither nothing nor an empty text; the last where all are."""
    return next((value for value in values if value is not None and value != ""), values[-1] if values else None)


def days_after(day: Value, days: Value) -> Value:
    """The date so many days later, or earlier."""
    count = _number(days, "days_after")
    if abs(count) > DAYS_MAX or count != count.to_integral_value():
        raise UnfitError(f"days_after takes whole days, {DAYS_MAX} at most")
    try:
        return _day(day, "days_after") + timedelta(days=int(count))
    except OverflowError:
        raise UnfitError("days_after leaves the calendar") from None


def month_end(day: Value) -> Value:
    """The last day of a date's month."""
    found = _day(day, "month_end")
    return found.replace(day=monthrange(found.year, found.month)[1])


def part_of(value: Value, begin: Value, count: Value) -> Value:
    """So many characters from a place on; the first is 1."""
    start, length = int(_number(begin, "part")), int(_number(count, "part"))
    if start < 1 or length < 0:
        raise UnfitError("part counts from 1")
    return _text(value, "part")[start - 1 : start - 1 + length]


def _replace(value: Value, old: Value, new: Value) -> Value:
    what = _text(old, "replace")
    if not what:
        raise UnfitError("replace needs a text to look for")
    return _kept(_kept(_text(value, "replace")).replace(what, _text(new, "replace")))


FUNCTIONS: Final[dict[str, Callable[..., Value]]] = {
    "abs": lambda value: abs(_number(value, "abs")),
    "days_after": days_after,
    "ends_with": lambda value, end: _text(value, "ends_with").endswith(_text(end, "ends_with")),
    "first": first,
    "length": lambda value: Decimal(len(_text(value, "length"))),
    "lower": lambda value: _kept(_text(value, "lower").lower()),
    "max": lambda *values: max(_number(value, "max") for value in values),
    "min": lambda *values: min(_number(value, "min") for value in values),
    "month_end": month_end,
    "number": number,
    "part": part_of,
    "replace": _replace,
    "round": round_,
    "starts_with": lambda value, begin: _text(value, "starts_with").startswith(_text(begin, "starts_with")),
    "strip": lambda value: _text(value, "strip").strip(),
    "text": text,
    "upper": lambda value: _kept(_text(value, "upper").upper()),
    "year": lambda day: Decimal(_day(day, "year").year),
    "month": lambda day: Decimal(_day(day, "month").month),
}
