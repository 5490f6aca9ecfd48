"""The plan of a rollback: what settles others first, then the documents, then the lists that these name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from decimal import Decimal
from typing import Final

from counterfoil.planning.references import references_in
from counterfoil.planning.rollback.common import NAME_LISTS, currency_of, refuse
from counterfoil.planning.rollback.postings import postings
from counterfoil.planning.rollback.recreating import recreate
from counterfoil.planning.rollback.removing import remove
from counterfoil.planning.rollback.restoring import restore
from counterfoil.planning.rollback.types import AccountTotal, Conditions, Refusal, RollbackPlan, Step, Taken

_ENDING: Final = frozenset({"void", "delete"})
_ORDER: Final = {"Deposit": 0, "Payment": 1, "BillPayment": 1, "TimeActivity": 3}
_DOCUMENT: Final = 2
_LIST: Final = 4


def plan_rollback(taken: Sequence[Taken], conditions: Conditions) -> RollbackPlan:
    """What takes these effects back, as far as anything can.

    Args:
        taken: documents with the effects to be taken back, each document once.
        conditions: by what rules, in what books.
    """
    steps: list[Step] = []
    refusals: list[Refusal] = []
    gone: set[tuple[str, str]] = set()
    for one in sorted(taken, key=_place):
        made = _one(one, conditions, gone)
        if isinstance(made, Refusal):
            refusals.append(made)
            continue
        steps.append(made)
        if made.action in _ENDING:
            gone.add((one.standing.entity, one.standing.document_id))
    ordered = _in_order(steps, taken)
    return RollbackPlan(steps=ordered, refusals=tuple(refusals), totals=_totals(taken, ordered, conditions))


def _place(one: Taken) -> tuple[int, int]:
    """What holds others comes first; of its kind, what was written last."""
    entity = one.standing.entity
    rank = _LIST if entity in NAME_LISTS else _ORDER.get(entity, _DOCUMENT)
    return rank, -one.effects[0].position


def _one(taken: Taken, conditions: Conditions, gone: set[tuple[str, str]]) -> Step | Refusal:
    if taken.effects[0].adopted and len(taken.effects) > 1:
        # It was there before: what we wrote into it is taken back, and nothing else.
        return _one(replace(taken, effects=taken.effects[1:]), conditions, gone)
    standing, operations = taken.standing, [effect.operation for effect in taken.effects]
    held = _held_back(taken, conditions)
    if held is not None:
        return held
    created = operations[0] in ("create", "adopt")
    if operations[-1] in _ENDING:
        if created:
            reason = "It was written and taken back within what is asked about: nothing of it stands."
            return refuse(taken, conditions, "already", reason, "Nothing needs doing.")
        return recreate(taken, conditions)
    if standing.status != "live":
        reason = f"It was {standing.status} in QuickBooks since."
        return refuse(taken, conditions, "gone", reason, "Nothing needs doing.")
    return remove(taken, conditions, gone) if created else restore(taken, conditions)


def _held_back(taken: Taken, conditions: Conditions) -> Refusal | None:
    """What stands in the way of any compensation, whatever the document is."""
    standing = taken.standing
    if standing.moving:
        reason = "Something of its record is still on its way into the books."
        fix = "Wait until it has ended, or decide on what waits for approval (`counterfoil review`); preview again."
        return refuse(taken, conditions, "in_flight", reason, fix)
    if standing.shared_with is not None:
        reason = f"It was merged in QuickBooks and stands for {standing.shared_with} too."
        return refuse(taken, conditions, "merged", reason, "Nothing needs doing: it is the other's as well.")
    if not standing.linked:
        reason = "It no longer stands for its record: another document took its place."
        return refuse(
            taken, conditions, "replaced", reason, "Look at it in QuickBooks: `counterfoil explain` says more."
        )
    if standing.later:
        positions = ", ".join(str(position) for position in standing.later[:3])
        reason = f"It was written again since, at {positions}, which is not among what is asked about."
        return refuse(taken, conditions, "written_since", reason, "Take that back as well: ask about a longer time.")
    return None


def _in_order(steps: Sequence[Step], taken: Sequence[Taken]) -> tuple[Step, ...]:
    """Each step with what comes before it: what names or settles what goes, and what is named by what comes back."""
    by_record: defaultdict[str, list[str]] = defaultdict(list)
    for made in steps:
        by_record[made.of_key].append(made.document)
    chosen = {made.document for made in steps}
    before: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in taken:
        own = f"{one.standing.entity}:{one.standing.document_id}"
        for settling in one.standing.applied:
            if own in chosen and (other := f"{settling.entity}:{settling.document_id}") in chosen:
                before[own][other] = None
        for need in {need for effect in one.effects for need in effect.needs}:
            for named in by_record.get(need, ()):
                if own in chosen and named != own:
                    before[named][own] = None
    back = frozenset({"restore", "recreate"})
    lists = {one.document for one in steps if one.action == "restore" and one.of_entity in NAME_LISTS}
    for made in (one for one in steps if one.action in back):
        before[made.document] = dict.fromkeys(_needed(made, lists))
    return tuple(replace(made, after=tuple(sorted(before[made.document]))) for made in steps)


def _needed(made: Step, lists: AbstractSet[str]) -> AbstractSet[str]:
    """What has to be active again before a document can come back: the entries of lists that it names."""
    if made.of_entity in NAME_LISTS:
        return set()
    return lists & {f"{entity}:{identity}" for entity, identity in references_in(made.becomes or {}, made.entity)}


def _totals(taken: Sequence[Taken], steps: Iterable[Step], conditions: Conditions) -> tuple[AccountTotal, ...]:
    """What the documents come to now, and what they and those beside them will, by currency and account."""
    by_document = {made.document: made for made in steps}
    now: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    then: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in taken:
        standing = one.standing
        stands = standing.latest if standing.status != "deleted" else None
        currency = currency_of(standing.latest, conditions)
        held = postings(stands, standing.entity, conditions.chart)
        _add(now, currency, held)
        made = by_document.get(f"{standing.entity}:{standing.document_id}")
        if made is None:
            _add(then, currency, held)
            continue
        currency = currency_of(made.becomes or standing.latest, conditions)
        _add(then, currency, postings(made.becomes, standing.entity, conditions.chart))
        _add(then, currency, postings(made.writes, made.entity, conditions.chart))
    return tuple(
        AccountTotal(currency=currency, account=account, before=now[currency, account], after=then[currency, account])
        for currency, account in sorted({*now, *then})
    )


def _add(to: defaultdict[tuple[str, str], Decimal], currency: str, found: Mapping[str, Decimal]) -> None:
    for account, amount in found.items():
        to[currency, account] += amount
