"""A pay run that takes back another one: its entries mirror those of the other, line by line, as they stand posted.

Taken back whole, each line of each entry is turned to its other side, on the same account, class and location, whatever
the mapping says today. Taken back for some people only, it is the reversal's own figures that are posted, on the
accounts that the other run used. One that takes back the rest of a run mirrors what the books hold of it by then. What
months were accrued needs no mirror: those entries came to zero by themselves.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from counterfoil.planning.outcome import label, named
from counterfoil.planning.pay_entries import (
    CLEARING,
    PayEntry,
    further_key,
    posted_entries,
    run_entries,
    template_values,
)
from counterfoil.planning.pay_left import TakenBack, beyond, taken_back_so_far
from counterfoil.planning.pay_lines import PayLine, run_lines, total
from counterfoil.planning.pay_sections import PayrollSection
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Link, Park, PlanRequest, StateView, Unchanged
from counterfoil_schema.exact_json import JsonObject, JsonValue, canonical
from counterfoil_schema.records import PayRun

_REFERENCES = ("AccountRef", "ClassRef", "DepartmentRef")
_TRACKED = ("ClassRef", "DepartmentRef")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One entry of the run that is taken back: its number among that run's entries, and its lines."""

    number: str
    link: Link
    lines: Sequence[PayLine]


def reversal_day(record: PayRun, key: str, section: PayrollSection, view: StateView) -> tuple[date, str] | Park:
    """The day of a reversal, and what is to be said of it where it is not the source's own.

    A day in a closed period is never moved in silence: by the mapping's word it becomes the first open one, which the
    entry's memo tells; else the reversal is parked. One that is posted keeps its day.
    """
    day, closed, link = record.check_date, view.closed_until(), view.link(key)
    if link is not None:
        held = link.image.get("TxnDate")
        moved = date.fromisoformat(held) if isinstance(held, str) else day
        return (day, "") if moved == day else (moved, _moved(day))
    if closed is None or day > closed:
        return day, ""
    if section.reversal_closed == "first_open_day":
        return closed + timedelta(days=1), _moved(day)
    return Park(
        code="period_closed",
        reason=f"{named(key)}, a reversal, is dated {day.isoformat()}, and the books are closed to "
        f"{closed.isoformat()} inclusive.",
        fix='Open the period in QuickBooks, or set [payroll] reversal_closed = "first_open_day" in the mapping; then '
        "retry it.",
    )


def _moved(day: date) -> str:
    return f" (dated {day.isoformat()} at the source, in a closed period; here on the first open day)"


def stands_as_posted(record: PayRun, key: str, lines: Sequence[PayLine], view: StateView) -> Unchanged | None:
    """That a run which was taken back since, or takes back another, stays as posted, where its figures are those.

    Its accounts may be others by now: they are not what the source changed, and the reversal mirrors the posted ones.
    """
    if record.reverses is None and record.status not in ("reversed", "partially_reversed"):
        return None
    posted = [_posted(number, link) for number, link in posted_entries(key, view)]
    if not posted or _sums(lines) != _sums(line for entry in posted for line in entry.lines):
        return None
    own = posted[0].link
    why = f"what was taken back of {named(key)} is a pay run of its own" if record.reverses is None else "it is whole"
    reason = f"{label(own)} stays as it was posted: {why}."
    return Unchanged(proof=own.content_hash, reason=reason) if own.status == "live" else None


def reversal_entries(
    record: PayRun, original: str, request: PlanRequest, section: PayrollSection, view: StateView
) -> list[PayEntry] | Park:
    """The entries of a run that takes back `original`."""
    key = request.record_key
    taken_back = view.record(original)
    if not isinstance(taken_back, PayRun):
        return Park(
            code="unknown_pay_run",
            reason=f"{named(key)} takes back {named(original)}, which the source has not shown.",
            fix="Read the source from before that pay run; or enter the reversal by hand.",
        )
    mine = run_lines(record, key, section)
    if isinstance(mine, Park):
        return mine
    dated = reversal_day(record, key, section, view)
    if isinstance(dated, Park):
        return dated
    day, moved = dated
    before = taken_back_so_far(key, original, taken_back, request.position, view)
    posted = [_posted(number, link) for number, link in posted_entries(original, view)]
    refusal = _unfit(posted, key, original) if posted else None
    refusal = refusal or beyond(record, key, before, section)
    if refusal is not None:
        return refusal
    values = template_values(record, key)
    if posted:
        entries = _against_posted(posted, mine, before, key, section, view, values, day)
    else:
        planned = _not_posted_yet(before, mine, key, section)
        if isinstance(planned, Park):
            return planned
        needed = run_entries(planned.theirs, original, section, template_values(taken_back, original), day)
        needs = tuple(entry.key for entry in needed)
        entries = [replace(entry, needs=needs) for entry in _entries(planned.mine, key, section, values, day)]
    return [replace(entry, memo=f"{entry.memo}{moved}") for entry in entries]


def _against_posted(
    posted: Sequence[Posted],
    mine: Sequence[PayLine],
    before: TakenBack,
    key: str,
    section: PayrollSection,
    view: StateView,
    values: Mapping[str, str],
    day: date,
) -> list[PayEntry]:
    """What takes back all, or all the rest, mirrors the books; what takes back some has its own figures."""
    if not before.earlier and _sums(mine) == _sums(line.turned() for entry in posted for line in entry.lines):
        return _mirrored(posted, key, section, values, day)
    rest = _rest([*posted, *_earlier(before, view)], mine)
    if before.earlier and _sums(mine) == _sums(rest):
        return _entries(rest, key, section, values, day)
    return _entries(_on_accounts_of(posted, mine), key, section, values, day)


def _entries(
    lines: Sequence[PayLine], key: str, section: PayrollSection, values: Mapping[str, str], day: date
) -> list[PayEntry]:
    return [replace(entry, memo=f"Reversal: {entry.memo}") for entry in run_entries(lines, key, section, values, day)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """The lines of a run that is not posted yet, by the mapping, and those of its reversal."""

    theirs: Sequence[PayLine]
    mine: Sequence[PayLine]


def _not_posted_yet(before: TakenBack, mine: Sequence[PayLine], key: str, section: PayrollSection) -> _Planned | Park:
    if not before.record.processed:
        return Park(
            code="original_not_posted",
            reason=f"{named(key)} takes back {named(before.key)}, which is not processed (status "
            f"{before.record.status}), and is not in the books.",
            fix="Enter both by hand if they belong into these books; else mark this as settled.",
        )
    theirs = run_lines(before.record, before.key, section)
    if isinstance(theirs, Park):
        return replace(theirs, reason=f"{named(key)} takes back a run that cannot be posted: {theirs.reason}")
    turned = [line.turned() for line in theirs]
    return _Planned(theirs=theirs, mine=turned if not before.earlier and _sums(mine) == _sums(turned) else mine)


def _earlier(before: TakenBack, view: StateView) -> list[Posted]:
    """The entries of earlier reversals, as far as they stand in the books."""
    found = [_posted(number, link) for one in before.earlier for number, link in posted_entries(one.record_key, view)]
    return [entry for entry in found if entry.link.status == "live"]


def _rest(posted: Sequence[Posted], mine: Sequence[PayLine]) -> list[PayLine]:
    """What takes the lines of all these entries to zero, on each account, class and location that they stand on."""
    sums: dict[tuple[str, str], PayLine] = {}
    for entry in posted:
        for line in entry.lines:
            if line.key == CLEARING:
                continue
            where = canonical({"account": line.account, **line.tracking}).decode()
            there = sums.get((line.key, where))
            sums[line.key, where] = line if there is None else replace(there, amount=there.amount + line.amount)
    departments = {line.key: line.department for line in mine}
    times: dict[str, int] = {}
    rest: list[PayLine] = []
    for line in sums.values():
        if not line.amount:
            continue
        times[line.key] = times.get(line.key, 0) + 1
        own = line.key if times[line.key] == 1 else f"{line.key}/{times[line.key]}"
        rest.append(replace(line.turned(), key=own, department=departments.get(line.key)))
    return rest


def _unfit(posted: Sequence[Posted], key: str, original: str) -> Park | None:
    gone = [entry for entry in posted if entry.link.status != "live"]
    if gone:
        return Park(
            code="original_gone",
            reason=f"{named(key)} takes back {named(original)}, but {label(gone[0].link)} was {gone[0].link.status} in "
            "QuickBooks.",
            fix="If the books are right without the run, mark this as settled; else enter both by hand.",
        )
    is_whole = posted[0].number == "" and not total(
        line for entry in posted for line in entry.lines if line.key == CLEARING
    )
    if is_whole:
        return None
    return Park(
        code="original_incomplete",
        reason=f"{named(key)} takes back {named(original)}, of which not all journal entries are in the books yet.",
        fix="See what the others wait for, then retry this.",
    )


def _posted(number: str, link: Link) -> Posted:
    keys = {line_id: line_key for line_key, line_id in link.lines.items()}
    rows = link.latest.get("Line")
    lines = [_posted_line(row, keys) for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)]
    return Posted(number=number, link=link, lines=[line for line in lines if line is not None])


def _posted_line(row: JsonObject, keys: Mapping[str, str]) -> PayLine | None:
    detail, amount = row.get("JournalEntryLineDetail"), row.get("Amount")
    if not isinstance(detail, dict) or not isinstance(amount, int | Decimal):
        return None
    line_id, title = str(row.get("Id", "")), row.get("Description")
    references = {name: _plain(detail[name]) for name in _REFERENCES if name in detail}
    return PayLine(
        key=keys.get(line_id, f"line/{line_id}"),
        title=title if isinstance(title, str) else "",
        account=references.pop("AccountRef", {}),
        amount=Decimal(amount) if detail.get("PostingType") == "Debit" else -Decimal(amount),
        tracking={name: references[name] for name in _TRACKED if name in references},
    )


def _plain(reference: JsonValue) -> JsonObject:
    value = reference.get("value") if isinstance(reference, dict) else None
    return {"value": value}


def _sums(lines: Iterable[PayLine]) -> dict[str, Decimal]:
    """By part; lines that only balance an entry come to zero and are left out."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        part = line.key.partition("/")[0].partition(":")[0]
        sums[part] = sums.get(part, Decimal(0)) + line.amount
    return {part: amount for part, amount in sums.items() if amount and part != CLEARING}


def _mirrored(
    posted: Sequence[Posted], key: str, section: PayrollSection, values: Mapping[str, str], day: date
) -> list[PayEntry]:
    entries: list[PayEntry] = []
    for entry in posted:
        held = entry.link.latest.get("DocNumber")
        of = f" of {held}" if isinstance(held, str) and held else ""
        template = section.entry_number if entry.number else section.number
        entries.append(
            PayEntry(
                key=further_key(key, entry.number) if entry.number else key,
                day=day,
                number=fill(template, {**values, "entry": entry.number, "department": ""}),
                memo=f"Reversal{of}: {fill(section.memo, values)}",
                lines=[line.turned() for line in entry.lines],
            )
        )
    return entries


def _on_accounts_of(posted: Sequence[Posted], mine: Sequence[PayLine]) -> list[PayLine]:
    """The lines on the accounts, classes and locations that the other run's lines of the same name have."""
    held = dict(_by_key(posted))
    found: list[PayLine] = []
    for line in mine:
        there = held.get(line.key)
        found.append(replace(line, account=there.account, tracking=there.tracking) if there is not None else line)
    return found


def _by_key(posted: Sequence[Posted]) -> Iterator[tuple[str, PayLine]]:
    for entry in posted:
        for line in entry.lines:
            yield line.key, line
