"""What a request asks of a report: from when to when, in which columns."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, get_args

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.reports.narrowing import ALL, Narrowing, Span, narrowing_from
from counterfoil.quickbooks.emulator.values import to_date, to_decimal

By = Literal[
    "Total", "Days", "Week", "Month", "Quarter", "Year",
    "Customers", "Vendors", "Employees", "Classes", "Departments", "ProductsAndServices",
]  # fmt: skip
MEMBERS: Mapping[By, str] = {
    "Customers": "Customer",
    "Vendors": "Vendor",
    "Employees": "Employee",
    "Classes": "Class",
    "Departments": "Department",
    "ProductsAndServices": "Item",
}
"""Columns that are records of a list, and of which."""
BY: Mapping[str, By] = {name.lower(): name for name in get_args(By)}
FILTERS: Mapping[str, str] = {
    "customer": "Customer",
    "vendor": "Vendor",
    "class": "Class",
    "department": "Department",
    "item": "Item",
}
Filters = tuple[tuple[str, frozenset[str]], ...]
"""What alone is reported: the kind of record, and Ids."""
MONTHS: Mapping[By, int] = {"Month": 1, "Quarter": 3, "Year": 12}
PERIODS_MAX = 400
AGING_STEPS_MAX = 12
AGING_DAYS_MAX = 366
OVERDUE_MAX = 100_000
STEPS = {"last": -1, "this": 0, "next": 1}
UNITS = {"week": 0, "month": 1, "quarter": 3, "year": 12}
DAYS_OF: Mapping[By, int] = {"Days": 1, "Week": 7}


@dataclass(frozen=True, slots=True)
class Period:
    """A column: of time, both days included; of what is about one record, where it names one."""

    title: str
    start: date
    end: date
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Aging:
    """How what is overdue is parted: so many steps of so many days, the last of them without end."""

    days: int = 30
    steps: int = 4
    overdue: int | None = None
    """The least number of days of what is listed one by one; None lists what is not overdue too."""

    @property
    def titles(self) -> tuple[str, ...]:
        """Of what is not overdue, and of each step."""
        firsts = [step * self.days + 1 for step in range(self.steps)]
        full = [f"{first} - {first + self.days - 1}" for first in firsts[:-1]]
        return ("Current", *full, f"{firsts[-1]} and over")

    def place(self, overdue: int) -> int:
        """Which of the titles it comes under."""
        return 0 if overdue <= 0 else min((overdue - 1) // self.days + 1, self.steps)


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters that count here.

    Attributes:
        start, end: both included; the start of the year to today unless said otherwise.
        by: how columns are summarised.
        as_of: the day of an aged report, and `aging` how it is parted, by age on `aged_on`.
        cash: documents count when they are paid, not when they are made.
        filters: what alone is reported.
        columns: keys of the columns of a report about single documents; empty for its usual ones.
        narrowing: which of these documents.
    """

    start: date
    end: date
    by: By
    as_of: date
    cash: bool = False
    filters: Filters = ()
    columns: tuple[str, ...] = ()
    aging: Aging = Aging()
    aged_on: date = date.max
    narrowing: Narrowing = ALL

    @property
    def periods(self) -> list[Period]:
        """The columns of time; one called Total, or one for each part and a Total behind them."""
        total = Period("Total", self.start, self.end)
        if self.by == "Total" or self.by in MEMBERS:
            return [total]
        parts: list[Period] = []
        day = self.start
        while day <= self.end and len(parts) < PERIODS_MAX:
            last = min(self.end, _last_of(day, self.by))
            parts.append(Period(_title(day, last, self.by), day, last))
            day = last + timedelta(days=1)
        return [*parts, total]


def asked_from(parameters: Mapping[str, str], today: date, basis: str = "Accrual") -> Asked:
    """Read the parameters.

    Args:
        basis: Accrual or Cash, as the company prefers it where the request does not say.

    Raises:
        QuickBooksFaultError: a date that is none, an end before its start, or what this emulator does not compute.
    """
    method = parameters.get("accounting_method", "") or basis
    if method.lower() not in {"cash", "accrual"}:
        raise faults.bad_enum("accounting_method", method[:40])
    start, end = _macro(parameters.get("date_macro", "") or "This Fiscal Year-to-date", today)
    start = _day(parameters, "start_date", start)
    end = _day(parameters, "end_date", end)
    if end < start or start.year == 1:
        raise faults.bad_date("end_date", end.isoformat())
    as_of = _day(parameters, "report_date", today)
    by = BY.get((parameters.get("summarize_column_by", "") or "Total").lower())
    if by is None:
        raise faults.bad_enum("summarize_column_by", parameters["summarize_column_by"][:40])
    columns = tuple(key.strip().lower() for key in parameters.get("columns", "").split(","))
    aged_on = today if _aging_method(parameters) == "current" else as_of
    return Asked(
        start=start,
        end=end,
        by=by,
        as_of=as_of,
        cash=method.lower() == "cash",
        filters=_filters(parameters),
        columns=columns,
        aging=_aging(parameters),
        aged_on=aged_on,
        narrowing=narrowing_from(parameters, lambda name: _span(parameters, name, today)),
    )


def _span(parameters: Mapping[str, str], name: str, today: date) -> Span | None:
    """The days of one date of documents: `due`, `create` or `mod`."""
    macro = parameters.get(f"{name}date_macro", "")
    names = (f"start_{name}date", f"end_{name}date")
    if not macro and not any(parameters.get(one) for one in names):
        return None
    start, end = _macro(macro or "all", today)
    return _day(parameters, names[0], start), _day(parameters, names[1], end if macro else date.max)


def _aging(parameters: Mapping[str, str]) -> Aging:
    usual = Aging()
    return Aging(
        days=_number(parameters, "aging_period", usual.days, range(1, AGING_DAYS_MAX + 1)),
        steps=_number(parameters, "num_periods", usual.steps, range(1, AGING_STEPS_MAX + 1)),
        overdue=_number(parameters, "past_due", 0, range(OVERDUE_MAX)) if parameters.get("past_due") else None,
    )


def _number(parameters: Mapping[str, str], name: str, usual: int, allowed: range) -> int:
    text = parameters.get(name, "")
    number = to_decimal(text, name) if text else Decimal(usual)
    if number not in allowed:
        raise faults.bad_enum(name, text[:40])
    return int(number)


def _aging_method(parameters: Mapping[str, str]) -> str:
    method = (parameters.get("aging_method", "") or "Report_Date").lower()
    if method not in {"report_date", "current"}:
        raise faults.bad_enum("aging_method", method[:40])
    return method


def _filters(parameters: Mapping[str, str]) -> Filters:
    """Ids with commas between them, by the kind of record that they name."""
    asked = ((kind, parameters.get(name, "")) for name, kind in FILTERS.items())
    return tuple((kind, frozenset(part.strip() for part in ids.split(","))) for kind, ids in asked if ids)


def _day(parameters: Mapping[str, str], name: str, default: date) -> date:
    text = parameters.get(name, "")
    return date.fromisoformat(str(to_date(text, name))) if text else default


def _macro(text: str, today: date) -> tuple[date, date]:
    """The days that a name means; weeks begin on Sunday, fiscal years in January."""
    name = text.lower().replace("calendar ", "fiscal ")
    fixed = {
        "all": (date(1900, 1, 1), today),
        "today": (today, today),
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "next 4 weeks": (_shifted(today, "week", 1), _shifted(today, "week", 5) - timedelta(days=1)),
    }
    if name in fixed:
        return fixed[name]
    which, _, rest = name.partition(" ")
    unit, _, to_date = rest.removeprefix("fiscal ").partition("-")
    if which not in STEPS or unit not in UNITS or to_date not in {"", "to-date"} or (to_date and which == "next"):
        raise faults.bad_enum("date_macro", text[:40])
    start = _shifted(today, unit, STEPS[which])
    if to_date:
        # As far into a former part of the time as today is into this one.
        end = start + (today - _shifted(today, unit, 0))
        return start, min(end, _shifted(start, unit, 1) - timedelta(days=1))
    return start, _shifted(start, unit, 1) - timedelta(days=1)


def _shifted(day: date, unit: str, steps: int) -> date:
    """The first day of the week, month, quarter or year that many further than the one that a day lies in."""
    if unit == "week":
        return day - timedelta(days=(day.weekday() + 1) % 7) + timedelta(weeks=steps)
    months = UNITS[unit]
    index = (day.year * 12 + day.month - 1) // months * months + steps * months
    return date(index // 12, index % 12 + 1, 1)


def _last_of(day: date, by: By) -> date:
    """The last day of the column that begins with a day; weeks end on Saturday."""
    if by == "Week":
        return day + timedelta(days=(5 - day.weekday()) % DAYS_OF[by])
    return day if by == "Days" else _end_of(day, MONTHS[by])


def _end_of(day: date, months: int) -> date:
    """The last day of the month, quarter or year that the day lies in."""
    last = day.month if months == 1 else (day.month - 1) // months * months + months
    return date(day.year, last, monthrange(day.year, last)[1])


def _title(first: date, last: date, by: By) -> str:
    match by:
        case "Days":
            return f"{first:%b %d, %Y}"
        case "Week":
            return f"{first:%b %d} - {last:%b %d, %Y}"
        case "Month":
            return f"{first:%b %Y}"
        case "Year":
            return f"{first:%Y}"
        case _:
            return f"{first:%b} - {last:%b %Y}"
