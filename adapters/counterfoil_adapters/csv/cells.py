"""From the text of a cell to an amount, a date, an instant or a flag: pure, and strict rather than clever."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

AMOUNT_DIGITS_MAX = 28
_QUOTED_CHARACTERS_MAX = 40
_GROUP_DIGITS = 3
_GROUPS_SURE = 3
_CURRENCY_SIGNS = "$€£¥₹₩₽₺₫₱₦฿₴₪₡₲₸₵₿"
_CODES = "USD|EUR|GBP|CAD|AUD|NZD|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|SGD|HKD|ILS|TRY|KRW|AED"
_CURRENCY_CODE = re.compile(rf"^(?:{_CODES})|(?:{_CODES})$")
_NOTHING = frozenset({"", "-", "--", "\u2014", "\u2013", "null", "none", "n/a", "na", "nan", "nil", "#n/a", "n.a."})
"""What stands in cells of numbers and dates that are empty; of texts it may be a text."""
_SPACES = str.maketrans("", "", " \u00a0\u202f")


class CellError(Exception):
    """A cell that does not hold what its column should: what is wrong, and what to do."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes numbers and dates. `secret` keeps the texts of cells out of messages (records of people)."""

    decimal: str = "."
    thousands: str = ""
    dates: Sequence[str] = ("iso",)
    zone: tzinfo = UTC
    secret: bool = False
    percent: bool = False
    """Whether a discount without a sign is in percent."""

    def show(self, text: str) -> str:
        """A cell's text for a message."""
        if self.secret:
            return "the cell"
        return repr(text if len(text) <= _QUOTED_CHARACTERS_MAX else text[:_QUOTED_CHARACTERS_MAX] + "…")


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row by the name of their column, blanks around them removed."""

    index: Mapping[str, int]
    fields: Sequence[str]
    nulls: Collection[str] = ()

    def __getitem__(self, column: str) -> str:
        text = self.fields[self.index[column]].strip()
        return "" if text in self.nulls else text

    def given(self, column: str) -> str:
        """The text of a cell for a number or a date; empty where it says in words that there is none."""
        text = self[column]
        return "" if text.casefold() in _NOTHING else text


def amount(column: str, text: str, style: Style) -> Decimal:
    """An exact number. A currency sign or code, a minus on either side and accounting's brackets are understood.

    Where the mapping names no thousands separator, one is read where nothing else can be meant: `1,234.50`.

    Raises:
        CellError: anything else, an exponent included, because a spreadsheet has rounded such a number.
    """
    bare = text.translate(_SPACES)
    negative = False
    if bare.startswith("(") and bare.endswith(")"):
        negative, bare = True, bare[1:-1]
    bare = _CURRENCY_CODE.sub("", bare).strip(_CURRENCY_SIGNS)
    if bare.startswith("(") and bare.endswith(")") and not negative:
        negative, bare = True, bare[1:-1]
    if bare[:1] in {"-", "+", "\u2212"} or bare[-1:] == "-":
        sign, bare = (bare[0], bare[1:]) if bare[0] in "-+\u2212" else ("-", bare[:-1])
        negative = negative != (sign != "+")
    bare = bare.strip(_CURRENCY_SIGNS)
    whole, point, fraction = bare.partition(style.decimal)
    whole = _ungrouped(whole, style, sure=bool(point))
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()) or (point and not fraction):
        raise CellError(f"{style.show(text)} in column {column!r} is not a number.", _amount_fix(text, style))
    if len(digits) > AMOUNT_DIGITS_MAX:
        raise CellError(
            f"The number in column {column!r} has {len(digits)} digits.",
            f"At most {AMOUNT_DIGITS_MAX} are exact; check the column.",
        )
    number = Decimal(f"{whole or 0}.{fraction or 0}") if point else Decimal(whole)
    return -number if negative and number else number


def _ungrouped(whole: str, style: Style, *, sure: bool) -> str:
    """Digits without thousands separators, if they stand in proper groups of three and cannot be meant otherwise."""
    mark = style.thousands or ("," if style.decimal == "." else ".")
    groups = whole.split(mark)
    if len(groups) == 1 or not (style.thousands or sure or len(groups) >= _GROUPS_SURE):
        return whole
    proper = 1 <= len(groups[0]) <= _GROUP_DIGITS and all(len(group) == _GROUP_DIGITS for group in groups[1:])
    return "".join(groups) if proper else whole


def share(column: str, text: str, style: Style) -> Decimal:
    """A fraction of something: `0.15`, or `15 %` for the same; a bare number is in percent where the style says so.

    Raises:
        CellError: as `amount`.
    """
    if text.endswith("%"):
        return amount(column, text[:-1], style).scaleb(-2)
    number = amount(column, text, style)
    return number.scaleb(-2) if style.percent else number


def _amount_fix(text: str, style: Style) -> str:
    if re.search(r"\d[eE][+-]?\d", text):
        return "A spreadsheet has shortened this number; format the column as a number and export it again."
    other = "," if style.decimal == "." else "."
    if other in text and not style.thousands:
        return (
            f'Correct the cell; or, where the file writes so throughout, set thousands = "{other}" '
            f'or decimal = "{other}" in the mapping.'
        )
    return "Correct the cell."


def day(column: str, text: str, style: Style) -> date:
    """A calendar date. An instant with an offset becomes the date in the mapping's zone.

    Raises:
        CellError: no such date in any of the mapping's forms.
    """
    return _in_zone(column, text, style, style.zone).date()


def instant(column: str, text: str, style: Style) -> datetime:
    """An instant in UTC; a time without an offset is the mapping's zone's.

    Raises:
        CellError: no such time in any of the mapping's forms.
    """
    return _in_zone(column, text, style, UTC)


def _in_zone(column: str, text: str, style: Style, zone: tzinfo) -> datetime:
    for form in style.dates:
        try:
            return _moment(text, form, style.zone).astimezone(zone)
        except (ValueError, OverflowError):
            continue
    forms = " or ".join("YYYY-MM-DD" if form == "iso" else form for form in style.dates)
    raise CellError(
        f"{style.show(text)} in column {column!r} is not a date of the form {forms}.",
        "Correct the cell, or add the form that the file uses to dates in the mapping.",
    )


def _moment(text: str, form: str, zone: tzinfo) -> datetime:
    if form == "iso":
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if "%z" in form:
        return datetime.strptime(text, form).astimezone(UTC)
    return datetime.strptime(text, form).replace(tzinfo=zone)
