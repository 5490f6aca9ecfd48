"""What a reviewed file comes to: what is adopted, what is said of other records, and every row that is wrong. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from counterfoil.onboarding.facts import Facts
from counterfoil.onboarding.sheet import Row, Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Both sides, as they are now.

    Attributes:
        ours: the records that may stand for something, by record key; those that do already included.
        theirs: entries of the books, by QuickBooks entity and Id.
        linked: record key → (entity, Id) of what stands for it already.
        owners: (entity, Id) → the record key that it stands for.
        reviewed: record key → what was said of it before.
        busy: record keys of which something may be on its way into the books.
    """

    ours: Mapping[str, Facts]
    theirs: Mapping[tuple[str, str], Facts]
    linked: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    reviewed: Mapping[str, str] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """An entry of the books stands for a record from here on."""

    record_key: str
    entity: str
    document_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Nothing stands for a record: it is new, left out, or still to be decided on."""

    record_key: str
    verdict: Literal["create", "skip", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a file comes to; nothing of it may be done while anything is `wrong`. `known`: said before."""

    adopt: tuple[Adopt, ...]
    say: tuple[Say, ...]
    left: int
    known: int
    wrong: tuple[Wrong, ...]


def decide(rows: Sequence[Row], known: Known, wrong: Sequence[Wrong] = ()) -> Decided:
    """Judge every row.

    Args:
        wrong: rows that could not even be read.
    """
    adopt: list[Adopt] = []
    say: list[Say] = []
    problems = list(wrong)
    of_record: dict[str, int] = {}
    of_entry: dict[tuple[str, str], int] = {}
    left = before = 0
    for row in rows:
        says = _problem(row, known, of_record, of_entry)
        if says is not None:
            problems.append(Wrong(line=row.line, says=says))
            continue
        of_record[row.record_key] = row.line
        left += row.decision == "ask"
        if row.decision == "adopt":
            entry = (known.ours[row.record_key].entity, row.books_id)
            of_entry[entry] = row.line
            if known.linked.get(row.record_key) == entry:
                before += 1
            else:
                adopt.append(Adopt(record_key=row.record_key, entity=entry[0], document_id=entry[1]))
        elif known.reviewed.get(row.record_key) == row.decision:
            before += 1
        else:
            say.append(Say(record_key=row.record_key, verdict=row.decision))
    ordered = sorted(problems, key=lambda one: one.line)
    return Decided(adopt=tuple(adopt), say=tuple(say), left=left, known=before, wrong=tuple(ordered))


def _problem(
    row: Row, known: Known, of_record: Mapping[str, int], of_entry: Mapping[tuple[str, str], int]
) -> str | None:
    """Why a row cannot be used, in words; None where it can."""
    ours = known.ours.get(row.record_key)
    if ours is None:
        near = get_close_matches(row.record_key, known.ours, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"the source has no record {row.record_key} that could stand for anything{hint}"
    if row.record_key in of_record:
        return f"{row.record_key} stands in line {of_record[row.record_key]} already."
    linked = known.linked.get(row.record_key)
    if row.decision != "adopt" and linked is not None:
        return f"{linked[0]} {linked[1]} stands for {row.record_key} already; {_undo(row.record_key)}"
    if row.record_key in known.busy:
        return f"{row.record_key} may be on its way into the books; let `counterfoil sync` end it first."
    return _unfit(row, ours, known, of_entry) if row.decision == "adopt" else None


def _undo(key: str) -> str:
    return f"take that back first: counterfoil onboard --undo {key}"


def _unfit(row: Row, ours: Facts, known: Known, of_entry: Mapping[tuple[str, str], int]) -> str | None:
    """Why an entry of the books cannot stand for a record."""
    entry = (ours.entity, row.books_id)
    named = f"{entry[0]} {entry[1]}"
    linked, owner = known.linked.get(row.record_key), known.owners.get(entry)
    if linked is not None and linked != entry:
        return f"{linked[0]} {linked[1]} stands for {row.record_key}, so that {named} cannot; {_undo(row.record_key)}"
    if entry not in known.theirs:
        return f"QuickBooks has no {named} that could stand for {row.record_key}."
    if owner is not None and owner != row.record_key:
        return f"{named} stands for {owner} already."
    if entry in of_entry:
        return f"{named} is adopted in line {of_entry[entry]} already; it can stand for one record only."
    theirs = known.theirs[entry]
    if not theirs.active:
        return f"{named} is inactive in QuickBooks; make it active there first."
    if ours.currency and theirs.currency and ours.currency != theirs.currency:
        return f"{named} is in {theirs.currency}, {row.record_key} in {ours.currency}."
    return None
