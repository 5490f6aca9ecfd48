"""What a pay run costs, in the months in which the work was done.

A run is posted on its check date. Where its pay period reaches into other months, each cost is split over the months
by their days in the period, and each other month gets an entry on its last day against the accrual account, and a
reversing one. So the month bears its share, the run's own month the rest, and the accrual account ends at zero:

    period 25 October to 7 November (7 + 7 days), paid on 13 November, wages 5,000.01
    31 October    Dr wages 2,500.01            Cr accrued payroll 2,500.01
    1 November    Dr accrued payroll 2,500.01  Cr wages 2,500.01
    13 November   Dr wages 5,000.01            Cr bank, taxes, liabilities
    October bears 2,500.01, November 2,500.00, together the run
"""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from counterfoil.planning.outcome import named
from counterfoil.planning.pay_entries import PayEntry, further_key
from counterfoil.planning.pay_lines import PayLine, balancing
from counterfoil.planning.pay_sections import AccrualSection, PayrollSection
from counterfoil.planning.splitting import split
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Park
from counterfoil_schema.records import PayRun

ACCRUED = "accrued"
PERIOD_DAYS_MAX = 366
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthShare:
    """A month of a pay period: its first and last day, and its days in the period."""

    first: date
    last: date
    days: int

    @property
    def name(self) -> str:
        """Such as `2026-10`."""
        return f"{self.first:%Y-%m}"


def months_of(start: date, end: date, *, weekdays: bool) -> list[MonthShare]:
    """The months of a period, both days included; by working days where it has any."""
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    working = [day for day in days if day.weekday() < _SATURDAY]
    counted = working if weekdays and working else days
    shares: dict[date, int] = {day.replace(day=1): 0 for day in days}
    for day in counted:
        shares[day.replace(day=1)] += 1
    return [MonthShare(first=first, last=_last_of(first), days=count) for first, count in shares.items()]


def accrual_entries(
    record: PayRun,
    key: str,
    section: PayrollSection,
    lines: Sequence[PayLine],
    values: Mapping[str, str],
    day: date,
) -> list[PayEntry] | Park:
    """An entry and a reversing one for each month of the period other than that of `day`, the run's own.

    Args:
        lines: those of the run.
        values: what names in templates stand for.
    """
    rule = section.accrual
    too_early = rule.since is not None and record.check_date < rule.since
    if rule.by == "none" or rule.account is None or record.off_cycle or record.reverses or too_early:
        return []
    length = (record.period_end - record.period_start).days + 1
    if not 0 < length <= PERIOD_DAYS_MAX:
        return Park(
            code="bad_period",
            reason=f"{named(key)} is for {record.period_start.isoformat()} to {record.period_end.isoformat()}, and the "
            "costs of no such period can be split over months.",
            fix='Correct the period at the source, or set [payroll.accrual] by = "none" in the mapping.',
        )
    months = months_of(record.period_start, record.period_end, weekdays=rule.by == "weekdays")
    costs = [line for line in lines if line.part in rule.parts]
    parts = [split(line.amount, [month.days for month in months]) for line in costs]
    entries: list[PayEntry] = []
    for place, month in enumerate(months):
        if month.first == day.replace(day=1):
            continue
        share = [replace(line, amount=part[place]) for line, part in zip(costs, parts, strict=True)]
        entries.extend(_pair(month, [line for line in share if line.amount], key, rule, values, day))
    return entries


def _pair(
    month: MonthShare, share: Sequence[PayLine], key: str, rule: AccrualSection, values: Mapping[str, str], day: date
) -> Iterator[PayEntry]:
    if not share or rule.account is None:
        return
    lines = [*share, balancing(ACCRUED, "Accrued payroll", rule.account, share)]
    back = [line.turned() for line in lines]
    is_earlier = month.first < day
    # An earlier month's share is taken out of the run's own month again; of what is paid ahead, the share leaves the
    # run's own month until its month begins.
    first = month.last if is_earlier else _last_of(day)
    first_of_own = day if rule.reverse == "pay_date" else day.replace(day=1)
    second = first_of_own if is_earlier else month.first
    named_values = {**values, "month": month.name}
    number, memo = fill(rule.number, named_values), fill(rule.memo, named_values)
    made = further_key(key, f"accrual-{month.name}")
    yield PayEntry(key=made, day=first, number=number, memo=memo, lines=lines if is_earlier else back, is_accrual=True)
    yield PayEntry(
        key=further_key(key, f"reversing-{month.name}"),
        day=second,
        number=f"{number}R" if number else "",
        memo=f"Reversing entry: {memo}",
        lines=back if is_earlier else lines,
        is_accrual=True,
    )


def _last_of(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
