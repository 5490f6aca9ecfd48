"""Which journal entries a pay run becomes: one, or one for each department and one for where the money goes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from counterfoil.planning.pay_lines import PayLine, balancing
from counterfoil.planning.pay_sections import PayrollSection
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Link, StateView
from counterfoil_schema.records import PayRun, record_key, split_key

CLEARING = "clearing"
FIRST_FURTHER = 2
ENTRIES_MAX = 1_000
"""More departments than any company pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayEntry:
    """One journal entry to be.

    `key` is the record that it stands for: that of the run, or one derived from it. `needs` are records whose
    documents must be there first.
    """

    key: str
    day: date
    number: str
    memo: str
    lines: Sequence[PayLine]
    needs: tuple[str, ...] = ()
    is_accrual: bool = False


def further_key(key: str, what: str) -> str:
    """The record key of a further entry of a run: `gusto:payroll@2:p1`."""
    connection, kind, source_id = split_key(key)
    return record_key(connection, f"{kind}@{what}", source_id)


def template_values(record: PayRun, key: str) -> dict[str, str]:
    """What the names in templates stand for."""
    connection, kind, source_id = split_key(key)
    return {
        "id": source_id,
        "connection": connection,
        "kind": kind,
        "check_date": record.check_date.isoformat(),
        "period_start": record.period_start.isoformat(),
        "period_end": record.period_end.isoformat(),
    }


def run_entries(
    lines: Sequence[PayLine], key: str, section: PayrollSection, values: Mapping[str, str], day: date
) -> list[PayEntry]:
    """The entries of a run, its own one first.

    With an entry for each department, what it bears stands against the clearing account, from which the run's own entry
    leads to the banks and liabilities: both sides of the clearing account are the same sums, so that it ends at zero.
    """
    number, memo = fill(section.number, values), fill(section.memo, values)
    departments = sorted({line.department for line in lines if line.department is not None})
    if section.entry == "run" or section.clearing is None or not departments:
        return [PayEntry(key=key, day=day, number=number, memo=memo, lines=lines)]
    going = [line for line in lines if line.department is None]
    own = [balancing(CLEARING, "Pay run", section.clearing, going), *going]
    entries = [PayEntry(key=key, day=day, number=number, memo=memo, lines=own)]
    for place, department in enumerate(departments, start=FIRST_FURTHER):
        borne = [line for line in lines if line.department == department]
        named = {**values, "entry": str(place), "department": department}
        cleared = balancing(CLEARING, f"Pay run: {department}", section.clearing, borne)
        entries.append(
            PayEntry(
                key=further_key(key, str(place)),
                day=day,
                number=fill(section.entry_number, named),
                memo=fill(section.entry_memo, named),
                lines=[*borne, cleared],
            )
        )
    return entries


def posted_entries(key: str, view: StateView) -> Iterator[tuple[str, Link]]:
    """The entries of a run that the books hold or held: number of the entry ("" for its own) and link."""
    own = view.link(key)
    if own is not None:
        yield "", own
    for place in range(FIRST_FURTHER, ENTRIES_MAX):
        link = view.link(further_key(key, str(place)))
        if link is None:
            return
        yield str(place), link
