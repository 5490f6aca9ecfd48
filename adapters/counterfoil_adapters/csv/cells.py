"""From the text of a cell to an amount, a date, an instant or a flag: pure, and strict rather than clever."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

AMOUNT_DIGITS_MAX = 28
_QUOTED_CHARACTERS_MAX = 40
_GROUP_DIGITS = 3
_CURRENCY_SIGNS = "$€£¥"
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

    def __getitem__(self, column: str) -> str:
        return self.fields[self.index[column]].strip()


def amount(column: str, text: str, style: Style) -> Decimal:
    """An exact number. A currency sign, a minus on either side and accounting's brackets are understood.

    Raises:
        CellError: anything else, an exponent included, because a spreadsheet has rounded such a number.
    """
    bare = text.translate(_SPACES)
    negative = False
    if bare.startswith("(") and bare.endswith(")"):
        negative, bare = True, bare[1:-1]
    bare = bare.strip(_CURRENCY_SIGNS)
    if bare[:1] in {"-", "+", "\u2212"} or bare[-1:] == "-":
        sign, bare = (bare[0], bare[1:]) if bare[0] in "-+\u2212" else ("-", bare[:-1])
        negative = negative != (sign != "+")
    bare = bare.strip(_CURRENCY_SIGNS)
    whole, point, fraction = bare.partition(style.decimal)
    if style.thousands and style.thousands in whole:
        groups = whole.split(style.thousands)
        if 1 <= len(groups[0]) <= _GROUP_DIGITS and all(len(group) == _GROUP_DIGITS for group in groups[1:]):
            whole = "".join(groups)
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
