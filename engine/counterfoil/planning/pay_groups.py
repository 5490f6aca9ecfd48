"""Groups the parts of a pay run so that no line of the books is one person's pay."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from counterfoil_schema.records import WIDER_PARTS, PayPart, PayRunLine

BEARING: tuple[PayPart, ...] = ("wages", "reimbursement", "employer_tax", "employer_benefit")
"""What the company bears: debits, one line per department."""

GOING: tuple[PayPart, ...] = ("net_pay", "tax_payment", "employee_benefit", "other_deduction")
"""Where it goes: credits, one line for the whole company, as the bank shows it."""

WITHDRAWN: tuple[PayPart, ...] = ("net_pay", "tax_payment")
"""What leaves the bank must stay as the bank shows it."""

Apart = Callable[[str | None, PayPart, str], bool]
"""Whether a type of a part has an account of its own in a department (None: where the whole company is meant)."""

_Cells = dict[str | None, list[PayRunLine]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayGroup:
    """One line to be: a part of the pay run, for a department, for several merged ones, or for the company.

    `includes`: other parts that too few people have, put into this one. `people` counts the own part's alone. `type`
    is the one that it stands for by itself; `mixed` says that rarer ones were put into it.
    """

    part: PayPart
    department: str | None
    amount: Decimal
    people: int
    bears: bool
    merged: bool = False
    includes: tuple[PayPart, ...] = ()
    type: str | None = None
    mixed: bool = False

    @property
    def key(self) -> str:
        """The line's own key: stable from one reading of the pay run to the next."""
        kind = "" if self.type is None else ":" + self.type.replace("%", "%25").replace("/", "%2F")
        return f"{self.part}{kind}/{self.department or ''}"


def pay_groups(
    lines: Sequence[PayRunLine], *, minimum_people: int, other: str, apart: Apart | None = None
) -> tuple[PayGroup, ...]:
    """The groups in a fixed order: parts as they are listed above, departments and types by name.

    A line for fewer people than `minimum_people` joins the group `other` of its part. Where that group is itself
    too small, the smallest of the remaining departments joins it too, until it is large enough or nothing is left.
    Of a part's types those that are `apart` stand alone; one that too few people have joins the rest of its part.
    """
    groups: list[PayGroup] = []
    for part in BEARING:
        of_part = [line for line in lines if line.part == part and line.amount]
        departments = _merged(of_part, minimum_people, other)
        for department, (members, merged) in departments.items():
            cells = _joined(_cells(members, department, apart), minimum_people)
            groups.extend(_group(part, department, kind, cell, merged=merged) for kind, cell in _ordered(cells))
    for part in GOING:
        of_part = [line for line in lines if line.part == part]
        cells = _cells(of_part, None, apart)
        if part not in WITHDRAWN:
            cells = _joined(cells, minimum_people)
        groups.extend(_group(part, None, kind, cell, merged=False) for kind, cell in _ordered(cells))
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


def _people(lines: Iterable[PayRunLine]) -> int:
    """How many people lines stand for, at least: the same ones may have several types, but only one department."""
    counts: dict[str, dict[str | None, int]] = {}
    for line in lines:
        types = counts.setdefault(line.department, {})
        types[line.type] = types.get(line.type, 0) + line.people
    return sum(max(types.values()) for types in counts.values())


def _merged(
    lines: Sequence[PayRunLine], minimum_people: int, other: str
) -> Mapping[str, tuple[list[PayRunLine], bool]]:
    """The lines of each department, and whether it is several put together."""
    departments: dict[str, list[PayRunLine]] = {}
    for line in lines:
        departments.setdefault(line.department, []).append(line)
    people = {name: _people(members) for name, members in departments.items()}
    small = [name for name in sorted(departments) if people[name] < minimum_people or name == other]
    if not small:
        return {name: (departments[name], False) for name in sorted(departments)}
    # By people and then by name, so that the same pay run is always grouped in the same way.
    large = sorted((name for name in departments if name not in small), key=lambda name: (people[name], name))
    while large and sum(people[name] for name in small) < minimum_people:
        small.append(large.pop(0))
    rest = [line for name in small for line in departments[name]]
    return {**{name: (departments[name], False) for name in sorted(large)}, other: (rest, True)}


def _cells(lines: Sequence[PayRunLine], department: str | None, apart: Apart | None) -> _Cells:
    """The lines by type, those that need not be told apart under None."""
    cells: _Cells = {}
    for line in lines:
        own = line.type is not None and apart is not None and apart(department, line.part, line.type)
        cells.setdefault(line.type if own else None, []).append(line)
    return cells


def _joined(cells: _Cells, minimum_people: int) -> _Cells:
    """The cells, those of too few people put together, or into the widest where together they are too few still."""
    few = {kind for kind, lines in cells.items() if 0 < _people(lines) < minimum_people}
    if not few or len(cells) == 1:
        return cells
    together = [line for kind, lines in cells.items() if kind in few or kind is None for line in lines]
    left: _Cells = {kind: lines for kind, lines in cells.items() if kind not in few and kind is not None}
    widest = max(left, key=lambda kind: (_people(left[kind]), kind or ""), default=None)
    if _people(together) >= minimum_people or widest is None or _people(left[widest]) < minimum_people:
        return {None: together, **left}
    return {**left, widest: [*left[widest], *together]}


def _ordered(cells: _Cells) -> list[tuple[str | None, list[PayRunLine]]]:
    return sorted(cells.items(), key=lambda cell: cell[0] or "")


def _group(
    part: PayPart,
    department: str | None,
    kind: str | None,
    cell: Sequence[PayRunLine],
    *,
    merged: bool,
) -> PayGroup:
    return PayGroup(
        part=part,
        department=department,
        amount=sum((line.amount for line in cell), Decimal(0)),
        people=_people(cell),
        bears=part in BEARING,
        merged=merged,
        includes=_included(cell),
        type=kind,
        mixed=kind is not None and any(line.type != kind for line in cell),
    )
