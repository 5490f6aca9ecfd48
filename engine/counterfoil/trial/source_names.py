"""Names that a source uses, compared with those that the mapping has for them. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from counterfoil.planning.filters import FILTERED
from counterfoil.planning.mapping_errors import Path
from counterfoil.planning.pay_sections import PartTypes
from counterfoil.planning.types import Skip
from counterfoil.trial.planned import Trial
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, PayPart, PayRun, Refund, TimeEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceName:
    """A name that only one of the two has.

    Attributes:
        path: the key of the mapping that it concerns; `is_key`: the name is itself a key there.
        mapped: the mapping has it, and nothing in the sample; else the other way round.
        exists: the source has it, or may have it.
        known: what the sample bears in its place.
        what, then, records: for what the source has: what it is, what becomes of it, and of how many.
    """

    path: Path
    name: str
    mapped: bool
    exists: bool = True
    known: Sequence[str] = ()
    is_key: bool = False
    what: str = ""
    then: str = ""
    fix: str = ""
    records: int = 0


def of_source(trial: Trial) -> Iterator[SourceName]:
    """All of them."""
    yield from _statuses(trial)
    yield from _tax_codes(trial)
    yield from _departments(trial)
    yield from _time(trial)


def _statuses(trial: Trial) -> Iterator[SourceName]:
    when = trial.mapping.invoice.when
    seen: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for tried in trial.tried:
        record = tried.seen.record
        not_taken = isinstance(tried.plan, Skip) and tried.plan.code in ("not_mapped", FILTERED)
        if isinstance(record, Invoice) and not not_taken:
            seen[record.status] += 1
            won[record.status] += record.won
    path = ("invoice", "when")
    wanted = {status.casefold() for status in when} if not isinstance(when, str) else set[str]()
    for status, count in seen.items():
        if isinstance(when, str):
            left_out, then = count - won[status], "not won, so that no invoice is made."
        else:
            left_out, then = (
                (0 if status.casefold() in wanted else count),
                "not in the list, so that no invoice is made.",
            )
            if won[status] and left_out:
                then += " The source calls it won."
        if left_out:
            yield SourceName(path=path, name=status, mapped=False, what="Status", then=then, records=left_out)
    if not isinstance(when, str):
        yield from _unborne(when, seen, trial.sample.statuses)


def _unborne(when: Iterable[str], seen: Counter[str], every: Mapping[str, str] | None) -> Iterator[SourceName]:
    """Statuses of the mapping that no record bears; where the source tells all of its own, those that it lacks."""
    path = ("invoice", "when")
    bears = {status.casefold() for status in seen}
    for status in when:
        if status.casefold() in bears:
            continue
        if every is None:
            yield SourceName(path=path, name=status, mapped=True, known=sorted(seen))
        elif status.casefold() in {one.casefold() for one in every}:
            yield SourceName(path=path, name=status, mapped=True)
        else:
            yield SourceName(path=path, name=status, mapped=True, exists=False, known=sorted({*seen, *every}))


def _tax_codes(trial: Trial) -> Iterator[SourceName]:
    seen: Counter[str] = Counter()
    for tried in trial.tried:
        record = tried.seen.record
        if isinstance(record, Invoice | Estimate | CreditMemo | Refund):
            seen.update({line.tax_code for line in record.lines if line.tax_code is not None})
    codes = trial.mapping.tax.codes
    if seen:
        yield from _unseen(("tax", "codes"), codes, seen)
    if trial.books.facts.tax_mode == "abroad":
        fix = "Add it under [tax.codes]."
        yield from _unmapped(("tax", "codes"), codes, seen, "Tax code", "parked for want of QuickBooks' code.", fix)


def _departments(trial: Trial) -> Iterator[SourceName]:
    seen: Counter[str] = Counter()
    for tried in trial.tried:
        if isinstance(tried.seen.record, PayRun):
            seen.update({line.department for line in tried.seen.record.lines if line.department})
    rules, path = trial.mapping.payroll.departments, ("payroll", "departments")
    if seen:
        yield from _unseen(path, rules, seen)
    if rules:
        yield from _unmapped(path, rules, seen, "Department", "booked by [payroll.accounts] alone.", "")
    yield from _pay_types(trial, ("payroll", "accounts", "types"), trial.mapping.payroll.accounts.types)
    for department, rule in rules.items():
        yield from _pay_types(trial, (*path, department, "types"), rule.types)


def _pay_types(trial: Trial, path: Path, types: PartTypes) -> Iterator[SourceName]:
    """Types of parts of pay runs that the mapping names, and no run of the sample has."""
    records = [tried.seen.record for tried in trial.tried]
    lines = [line for record in records if isinstance(record, PayRun) for line in record.lines]
    for part in get_args(PayPart) if lines else ():
        seen = Counter(line.type for line in lines if line.part == part and line.type is not None)
        yield from _unseen((*path, part), types.of(part), seen)


def _time(trial: Trial) -> Iterator[SourceName]:
    section = trial.mapping.time
    projects: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    for tried in trial.tried:
        record = tried.seen.record
        if isinstance(record, TimeEntry):
            projects.update({record.project} if record.project else ())
            tasks.update({record.task} if record.task else ())
    if projects or tasks:
        yield from _unseen(("time", "projects"), section.projects, projects)
        yield from _unseen(("time", "tasks"), section.tasks, tasks)
    then = {"park": "parked unless its task has a rule.", "post": "posted without a customer.", "skip": "passed over."}
    says = then[section.unknown_project]
    yield from _unmapped(("time", "projects"), section.projects, projects, "Project", says, "")


def _unseen(path: Path, mapped: Iterable[str], seen: Counter[str]) -> Iterator[SourceName]:
    for name in mapped:
        if name not in seen:
            yield SourceName(path=(*path, name), name=name, mapped=True, known=sorted(seen), is_key=True)


def _unmapped(
    path: Path, mapped: Iterable[str], seen: Counter[str], what: str, then: str, fix: str
) -> Iterator[SourceName]:
    names = set(mapped)
    for name, count in sorted(seen.items()):
        if name not in names:
            yield SourceName(path=path, name=name, mapped=False, what=what, then=then, fix=fix, records=count)
