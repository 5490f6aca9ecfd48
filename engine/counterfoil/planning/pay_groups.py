"""Groups the parts of a pay run so that no line of the books is one person's pay."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from counterfoil_schema.records import WIDER_PARTS, PayPart, PayRunLine

BEARING: tuple[PayPart, ...] = ("wages", "reimbursement", "employer_tax", "employer_benefit")
"""What the company bears: debits, one line per department."""

GOING: tuple[PayPart, ...] = ("net_pay", "tax_payment", "employee_benefit", "other_deduction")
"""Where it goes: credits, one line for the whole company, as the bank shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayGroup:
    """One line to be: a part of the pay run, for a department, for several merged ones, or for the company.

    `includes`: other parts that too few people have, put into this one. `people` counts the own part's alone.
    """

    part: PayPart
    department: str | None
    amount: Decimal
    people: int
    bears: bool
    merged: bool = False
    includes: tuple[PayPart, ...] = ()

    @property
    def key(self) -> str:
        """The line's own key: stable from one reading of the pay run to the next."""
        return f"{self.part}/{self.department or ''}"


def pay_groups(lines: Sequence[PayRunLine], *, minimum_people: int, other: str) -> tuple[PayGroup, ...]:
    """The groups in a fixed order: parts as they are listed above, departments by name.

    A line for fewer people than `minimum_people` joins the group `other` of its part. Where that group is itself
    too small, the smallest of the remaining departments joins it too, until it is large enough or nothing is left.
    """
    groups: list[PayGroup] = []
    for part in BEARING:
        groups.extend(_merged(_by_department(lines, part), minimum_people, other))
    for part in GOING:
        parts = [line for line in lines if line.part == part]
        if parts:
            groups.append(
                PayGroup(
                    part=part,
                    department=None,
                    amount=sum((line.amount for line in parts), Decimal(0)),
                    people=sum(line.people for line in parts),
                    bears=False,
                    includes=_included(parts),
                )
            )
    return tuple(groups)


def widened(groups: Sequence[PayGroup], *, minimum_people: int, shown_alone: Collection[PayPart]) -> list[PayGroup]:
    """The groups, with those that too few people have put into a wider part, as far as there is one.

    Their people may be the same ones: only a part that has enough of them by itself is wide enough.
    """
    left = list(groups)
    for group in groups:
        if group.part in shown_alone or not 0 < group.people < minimum_people:
            continue
        wide = [
            other
            for part in WIDER_PARTS.get(group.part, ())
            for other in sorted(left, key=lambda one: (not one.merged, -one.people, one.department or ""))
            if other.part == part and other.people >= minimum_people
        ]
        if wide:
            includes = _included([wide[0], group], group.part)
            left[left.index(wide[0])] = replace(wide[0], amount=wide[0].amount + group.amount, includes=includes)
            left.remove(group)
    return left


def _included(members: Sequence[PayGroup | PayRunLine], *more: PayPart) -> tuple[PayPart, ...]:
    return tuple(dict.fromkeys([*(part for one in members for part in one.includes), *more]))


def _by_department(lines: Sequence[PayRunLine], part: PayPart) -> list[PayGroup]:
    groups: dict[str, PayGroup] = {}
    for line in lines:
        if line.part != part or not line.amount:
            continue
        sofar = groups.get(
            line.department,
            PayGroup(part=part, department=line.department, amount=Decimal(0), people=0, bears=True),
        )
        groups[line.department] = replace(
            sofar,
            amount=sofar.amount + line.amount,
            people=sofar.people + line.people,
            includes=_included([sofar, line]),
        )
    return [groups[department] for department in sorted(groups)]


def _merged(groups: list[PayGroup], minimum_people: int, other: str) -> list[PayGroup]:
    small = [group for group in groups if group.people < minimum_people or group.department == other]
    large = [group for group in groups if group not in small]
    if not small:
        return groups
    # By people and then by name, so that the same pay run is always grouped in the same way.
    large.sort(key=lambda group: (group.people, group.department or ""))
    while large and sum(group.people for group in small) < minimum_people:
        small.append(large.pop(0))
    rest = PayGroup(
        part=small[0].part,
        department=other,
        amount=sum((group.amount for group in small), Decimal(0)),
        people=sum(group.people for group in small),
        bears=True,
        merged=True,
        includes=_included(small),
    )
    return [*sorted(large, key=lambda group: group.department or ""), rest]
