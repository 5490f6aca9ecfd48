"""Two plans of one record, side by side."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from counterfoil.planning.shadow.fields import FieldChange, field_changes
from counterfoil.planning.types import Intent, Park, Plan, Skip, Unchanged

ChangeKind = Literal["more", "fewer", "changed"]
Outcome = Literal["planned", "unchanged", "skipped", "parked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """A document that would be there, would not be there, or would say something else.

    Attributes:
        record_key: of the record that it stands for, or would stand for.
        before, after: as each mapping wants it; None where it wants none.
    """

    kind: ChangeKind
    record_key: str
    before: Intent | None
    after: Intent | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def amounts(self) -> tuple[Decimal | None, Decimal | None]:
        """What it comes to, before and after."""
        return _amount_of(self.before), _amount_of(self.after)

    @property
    def currency(self) -> str | None:
        """Its currency afterwards, or before if there is none afterwards."""
        found = self.after or self.before
        return found.currency if found is not None else None

    @property
    def entity(self) -> str:
        """Its entity; both where it would be another."""
        named = dict.fromkeys(one.entity for one in (self.before, self.after) if one is not None)
        return " → ".join(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """A record of which something else would become; the codes and reasons are those of skips and parks."""

    record_key: str
    before: Outcome
    after: Outcome
    code: str = ""
    reason: str = ""
    documents: tuple[DocumentChange, ...] = ()


def outcome_of(plan: Plan) -> Outcome:
    """What becomes of a record, in a word."""
    match plan:
        case Unchanged():
            return "unchanged"
        case Skip():
            return "skipped"
        case Park():
            return "parked"
        case _:
            return "planned"


def compare(record_key: str, before: Plan, after: Plan) -> RecordChange | None:
    """In what two plans of a record differ; None where they come to the same."""
    left, right = _documents(record_key, before), _documents(record_key, after)
    documents = tuple(
        change
        for place in dict.fromkeys((*left, *right))
        if (change := _compared(place[1], left.get(place), right.get(place))) is not None
    )
    if not documents and (outcome_of(before), _told(before)[0]) == (outcome_of(after), _told(after)[0]):
        return None
    code, reason = _told(after)
    return RecordChange(
        record_key=record_key,
        before=outcome_of(before),
        after=outcome_of(after),
        code=code,
        reason=reason,
        documents=documents,
    )


def _documents(record_key: str, plan: Plan) -> Mapping[tuple[str, str, int], Intent]:
    """By target, the key of the record it stands for, and, should there be several for it, their number."""
    if isinstance(plan, Unchanged | Skip | Park):
        return {}
    met: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str, int], Intent] = {}
    for intent in plan:
        place = (intent.target, intent.record_key or record_key)
        found[(*place, met[place])] = intent
        met[place] += 1
    return found


def _compared(record_key: str, before: Intent | None, after: Intent | None) -> DocumentChange | None:
    if before is None or after is None:
        kind: ChangeKind = "more" if before is None else "fewer"
        return DocumentChange(kind=kind, record_key=record_key, before=before, after=after)
    fields = [*field_changes(before.body, after.body, (before.entity, after.entity)), *_beside(before, after)]
    if not fields:
        return None
    return DocumentChange(kind="changed", record_key=record_key, before=before, after=after, fields=tuple(fields))


def _beside(before: Intent, after: Intent) -> list[FieldChange]:
    """What differs and is no field of the document."""
    pairs = (
        ("(entity)", before.entity, after.entity),
        ("(operation)", before.operation, after.operation),
        ("(held for approval)", before.review, after.review),
    )
    return [
        FieldChange(path=path, before=left, after=right, personal=False) for path, left, right in pairs if left != right
    ]


def _told(plan: Plan) -> tuple[str, str]:
    return (plan.code, plan.reason) if isinstance(plan, Skip | Park) else ("", "")


def _amount_of(intent: Intent | None) -> Decimal | None:
    return intent.amount if intent is not None else None
