"""What is left of a pay run of which some was taken back before: each further reversal is held against that. Pure.

The source's word counts, whether an earlier reversal has reached the books by now or not. No reason here names an
amount, since what is left may be what few people are paid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.planning.outcome import named
from counterfoil.planning.pay_groups import BEARING
from counterfoil.planning.pay_lines import TITLES, groups_of, is_few, too_few
from counterfoil.planning.pay_sections import PayrollSection
from counterfoil.planning.types import Park, Reversal, StateView
from counterfoil_schema.records import PayPart, PayRun


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """A pay run, and the reversals of it that count before one more."""

    key: str
    record: PayRun
    earlier: Sequence[Reversal]

    @property
    def after(self) -> str:
        """The earlier reversals in words, to go behind the run's name; nothing where there is none."""
        return f" after {', '.join(named(one.record_key) for one in self.earlier)}" if self.earlier else ""


def taken_back_so_far(key: str, original: str, record: PayRun, position: int, view: StateView) -> TakenBack:
    """The run `original` as it stands before its reversal `key`, which was observed at `position`.

    Reversals count that were observed before, and those that are in the books already.
    """
    found = view.reversals_of(original)
    own = next((one.position for one in found if one.record_key == key), position)
    earlier = [
        one
        for one in found
        if one.record_key != key
        and one.record.processed
        and (one.position < own or view.link(one.record_key) is not None)
    ]
    return TakenBack(key=original, record=record, earlier=earlier)


def beyond(reversal: PayRun, key: str, before: TakenBack, section: PayrollSection) -> Park | None:
    """Why a reversal cannot be: it takes back more than is left, or leaves a line of too few people."""
    whole, earlier = before.record, [one.record for one in before.earlier]
    is_rest = True
    for what, parts in _measured([whole, *earlier, reversal]):
        held = _sum([whole], parts)
        left = _sum([whole, *earlier, reversal], parts)
        is_rest = is_rest and not left
        if left and (left > 0) != (held > 0):
            return Park(
                code="reversal_exceeds",
                reason=f"{named(key)} takes back more {what} than is left of {named(before.key)}{before.after}.",
                fix="Compare these runs at the source. If it is right there, enter this one by hand and mark it as "
                "settled; if the same was taken back twice, mark it as settled.",
            )
    if is_rest:  # nothing is left that could show anything, whoever moved to another department meanwhile
        return None
    people = {group.key: group.people for group in groups_of(whole, section)}
    for record in earlier:
        for group in groups_of(record, section):
            people[group.key] = people.get(group.key, 0) - group.people
    for group in groups_of(reversal, section):
        if group.key in people and is_few(group.part, people[group.key] - group.people, section):
            return too_few(key, section, group.part)
    return None


def _measured(records: Sequence[PayRun]) -> Iterable[tuple[str, Sequence[PayPart]]]:
    """What is compared: each part; where one was put into a wider one, only all that the company bears."""
    if any(line.includes for record in records for line in record.lines):
        return [("cost", BEARING)]
    parts: dict[PayPart, None] = {line.part: None for record in records for line in record.lines}
    return [(f"({TITLES[part].lower()})", (part,)) for part in parts]


def _sum(records: Iterable[PayRun], parts: Sequence[PayPart]) -> Decimal:
    return sum((line.amount for record in records for line in record.lines if line.part in parts), Decimal(0))
