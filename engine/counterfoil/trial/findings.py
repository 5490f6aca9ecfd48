"""What a trial shows that somebody should know before the engine meets it at night. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from counterfoil.planning.filters import FILTERED
from counterfoil.planning.mapped_names import NameUse, names_in
from counterfoil.planning.mapping_errors import Path, Place, Places, unknown_name
from counterfoil.planning.sections import FromKinds
from counterfoil.planning.types import Park, Skip
from counterfoil.trial.account_types import misfit
from counterfoil.trial.planned import Trial
from counterfoil.trial.source_names import of_source

Level = Literal["error", "parked", "left out", "not seen", "remark"]
SECTIONS = (
    *("customer", "product", "vendor", "employee", "invoice", "estimate", "credit_memo", "payment", "refund", "payout"),
    *("payroll", "contractor_payment", "time"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Attributes:
        level: `error`: it is named and does not exist, or is needed and not named. `parked`: records of the sample
            would wait for a person. `left out`: the source has it, and the mapping passes it over. `not seen`: the
            mapping names it, and nothing in the sample bears it.
        line, column: in the mapping file, counted from 1; None where no place of it is concerned.
        records: how many of the sample are concerned.
    """

    level: Level
    says: str
    fix: str = ""
    line: int | None = None
    column: int | None = None
    records: int = 0


def judge(trial: Trial, text: str) -> list[Finding]:
    """Everything, what is wrong first, in the order of the file.

    Args:
        text: the mapping as it is written.
    """
    places = Places(text)
    found = [
        *_kinds(trial, places),
        *_names(trial, places),
        *_accounts(trial),
        *_unknown(trial, places),
        *_source(trial, places),
        *_needs(trial, places),
        *_parks(trial),
        *_troubles(trial),
    ]
    order: tuple[Level, ...] = ("error", "parked", "left out", "not seen", "remark")
    return sorted(found, key=lambda one: (order.index(one.level), one.line or 0, one.column or 0))


def placed(level: Level, place: Place | None, says: str, fix: str = "", *, records: int = 0) -> Finding:
    """A finding at a place of the file."""
    line, column = (place.line, place.column) if place is not None else (None, None)
    return Finding(level=level, says=says, fix=fix, line=line, column=column, records=records)


def _kinds(trial: Trial, places: Places) -> Iterator[Finding]:
    """Kinds that a section takes and the source does not have; kinds of the source that no section takes."""
    known, source = trial.sample.kinds, trial.mapping.connection.source
    every = tuple(dict.fromkeys((*known, *trial.sample.could_show)))
    for name in SECTIONS:
        section: FromKinds = getattr(trial.mapping, name)
        for kind in section.from_kinds:
            if kind not in known:
                path = (name, "from")
                says = unknown_name(f'[{name}] from names "{kind}", and {source} has no such records', kind, every)
                yield placed("error", places.of_value(path, kind), says)
    passed: Counter[str] = Counter()
    for tried in trial.tried:
        if isinstance(tried.plan, Skip) and tried.plan.code in ("not_mapped", FILTERED):
            passed[f"{tried.seen.kind}: {tried.plan.reason}"] += 1
    for what, count in passed.items():
        kind, _, reason = what.partition(": ")
        yield Finding(level="left out", says=f"{count:,} of kind {kind} are passed over: {reason}", records=count)


def _names(trial: Trial, places: Places) -> Iterator[Finding]:
    """Names of the books: those in the file, and those that the planned documents bear."""
    told: set[tuple[str, str]] = set()
    for use in names_in(trial.mapping, trial.books.facts.tax_mode):
        used = trial.names.get((use.entity, use.name), 0)
        if use.path not in places and not used:
            continue  # a default that nothing of the sample needs
        told.add((use.entity, use.name))
        where = f"{_key(use.path)} names"
        place = places.of_value(use.path, use.name) if use.path in places else None
        yield from _missing(trial, use.entity, use.name, where, place, used, made=use.made)
        yield from _misfit(trial, use, where, place, used)
    for (entity, name), used in sorted(trial.names.items()):
        if (entity, name) not in told:
            where = f"{used:,} of the sample's documents name"
            yield from _missing(trial, entity, name, where, None, used, made=False)


def _misfit(trial: Trial, use: NameUse, where: str, place: Place | None, used: int) -> Iterator[Finding]:
    """An account that is there, and of a type that cannot hold what is booked to it."""
    held = trial.books.find(use.entity, use.name)
    found = misfit(use.use, held) if held is not None else None
    if found is not None:
        level, says, fix = found
        yield placed(level, place, f'{where} the account "{use.name}", which {says}', fix, records=used)


def _missing(
    trial: Trial, entity: str, name: str, where: str, place: Place | None, used: int, *, made: bool
) -> Iterator[Finding]:
    if entity == "Customer":
        if name not in {one.document_id for one in trial.books.lists.get(entity, ())}:
            yield placed("error", place, f"{where} the customer {name}, and QuickBooks has no such id.", records=used)
        return
    held = trial.books.find(entity, name)
    called = {"TaxCode": "tax code", "Department": "location"}.get(entity, entity.lower())
    if held is not None and held.active:
        return
    if held is not None:
        says = f'{where} the {called} "{name}", which is inactive in QuickBooks.'
        yield placed("error", place, says, "Make it active there, or name another.", records=used)
    elif made:
        says = f'{where} the {called} "{name}", which QuickBooks lacks: it is created when first needed.'
        yield placed("remark", place, says, records=used)
    else:
        says = unknown_name(
            f'{where} the {called} "{name}", and QuickBooks holds none', name, trial.books.names(entity)
        )
        yield placed("error", place, says, "Create it in QuickBooks, or name another.", records=used)


def _accounts(trial: Trial) -> Iterator[Finding]:
    """Parts of pay runs for which no account is named: all at once, where a run is parked for the first of them."""
    section = trial.mapping.payroll
    lacking: Counter[str] = Counter()
    for tried in trial.tried:
        record = tried.seen.record
        if record.kind != "pay_run":
            continue
        parts = {
            line.part
            for line in record.lines
            if line.amount and section.account_of(line.department, line.part, line.type)[0] is None
        }
        lacking.update(parts)
    for part, count in sorted(lacking.items()):
        says = f"{count:,} of the pay runs hold {part}, and [payroll.accounts] names no account for it."
        yield Finding(level="error", says=says, fix=f'Set {part} = "…" there.', records=count)


def _source(trial: Trial, places: Places) -> Iterator[Finding]:
    """Names of the source: those that the mapping has and nothing bears, and the other way round."""
    for one in of_source(trial):
        path: Path = one.path
        if one.mapped:
            lacks = "nothing in the sample bears it" if one.exists else "the source has none of that name"
            near = unknown_name(lacks, one.name, list(one.known)) if one.known else f"{lacks}."
            says = f'{_key(path)} has "{one.name}": {near}'
            place = places.of(path) if one.is_key else places.of_value(path, one.name)
            yield placed("not seen" if one.exists else "error", place, says)
        else:
            says = f'{one.what} "{one.name}": {one.records:,} of the sample, {one.then}'
            yield placed("left out", places.of(path) if path in places else None, says, one.fix, records=one.records)


def _needs(trial: Trial, places: Places) -> Iterator[Finding]:
    """What the mapping writes back to, and the source lacks or has otherwise."""
    source = trial.mapping.connection.source
    for need in trial.sample.needs:
        path: Path = need.path
        place = places.of_value(path, need.name) if path in places else None
        if need.state == "missing":
            says = unknown_name(f'{_key(path)} names "{need.name}", no {need.what} in {source}', need.name, need.known)
            fix = f"Correct the name; or have it set up: counterfoil adapters setup {trial.sample.connection} --apply"
            yield placed("error", place, says, fix)
        elif need.state == "wrong":
            says = f'{_key(path)} names "{need.name}", which cannot be written to as {need.what}: {need.problem}'
            yield placed("error", place, says, "Name another, which is then set up, or correct it in the source.")


def _unknown(trial: Trial, places: Places) -> Iterator[Finding]:
    """Fields that the source does not have, by what its adapter said of them."""
    for one in {str(unknown): unknown for unknown in trial.sample.unknown}.values():
        yield placed("error", places.of_text(one.name), one.message, one.remedy)


def _parks(trial: Trial) -> Iterator[Finding]:
    groups: dict[str, list[Park]] = {}
    for tried in trial.tried:
        if isinstance(tried.plan, Park):
            groups.setdefault(tried.plan.code, []).append(tried.plan)
    for code, parks in groups.items():
        first = parks[0]
        more = f" And {len(parks) - 1:,} more." if len(parks) > 1 else ""
        yield Finding(level="parked", says=f"{code}: {first.reason}{more}", fix=first.fix, records=len(parks))


def _troubles(trial: Trial) -> Iterator[Finding]:
    for trouble in _first(trial.sample.troubles):
        yield Finding(level="remark", says=f"Something beside the sample could not be read: {trouble}")
    for one in trial.sample.unreadable:
        says = f"{one.kind} {one.source_id} cannot be read ({one.place}): {one.problem}"
        yield Finding(level="parked", says=says, fix=one.fix, records=1)


def _first(troubles: Iterable[str], most: int = 3) -> Sequence[str]:
    return list(dict.fromkeys(troubles))[:most]


def _key(path: Path) -> str:
    return f"[{'.'.join(path[:-1])}] {path[-1]}"


def counted(trial: Trial) -> Mapping[str, int]:
    """How many of the sample would become what: by operation, `unchanged`, `skipped` or `parked`."""
    return dict(Counter(tried.outcome for tried in trial.tried))
