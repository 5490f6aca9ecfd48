"""No recorded line of a pay run is one person's pay: small departments are put together before anything is kept.

A record stands in the log in the clear, for ever. Grouping only what goes into the books would be too late.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from counterfoil_adapters.gusto.pay_types import Types, types_of
from counterfoil_schema.records import WIDER_PARTS, PayPart, PayRunLine

ZERO = Decimal(0)
BORNE: tuple[PayPart, ...] = ("wages", "reimbursement", "employer_tax", "employer_benefit")
WITHDRAWN: tuple[PayPart, ...] = ("net_pay", "tax_payment")
"""What leaves the bank must stay as the bank shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """`minimum_people`: how many at least a line stands for; `other`: what departments put together are called.

    `shown_alone`: parts of which a line may stand for fewer. `wants_ledger`: runs are compared with Gusto's own ledger.
    `types`: those that are told apart.
    """

    minimum_people: int = 1
    shown_alone: frozenset[PayPart] = frozenset()
    other: str = "Other"
    wants_ledger: bool = False
    types: Types = field(default_factory=dict)

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Self:
        """As the mapping's [payroll] says; an adapter that was given no mapping groups nothing."""
        if not mapping:
            return cls()
        payroll = mapping.get("payroll")
        told: Mapping[str, Any] = payroll if isinstance(payroll, Mapping) else {}
        return cls(
            minimum_people=told.get("minimum_people", 2),
            shown_alone=frozenset(told.get("shown_alone", ())),
            other=told.get("other", "Other"),
            wants_ledger=told.get("ledger", "off") != "off",
            types=types_of(told),
        )

    def is_small(self, line: PayRunLine) -> bool:
        """Whether a line stands for people, but for too few. A tax of the company itself is nobody's."""
        return 0 < line.people < self.minimum_people

    def apply(self, lines: Sequence[PayRunLine]) -> tuple[PayRunLine, ...]:
        """The same sums with small departments put together, part by part; as far as there is anybody to join.

        A part that too few people have in the whole company goes into a wider one; a type, before that, with the rest
        of its part.
        """
        told = self._told_apart(lines)
        grouped = self._together(told)
        rare = {(line.part, line.type) for line in grouped if line.type is not None and self._hides(line)}
        if rare:
            told = _untyped(told, lambda line: (line.part, line.type) in rare)
            grouped = self._together(told)
        few = {line.part for line in grouped if self._hides(line)}
        if few & {line.part for line in told if line.type is not None}:
            grouped = self._together(_untyped(told, lambda line: line.part in few))
        return grouped

    def _hides(self, line: PayRunLine) -> bool:
        """Whether a line has to be put into another one, and may."""
        return self.is_small(line) and line.part not in self.shown_alone and line.part not in WITHDRAWN

    def _told_apart(self, lines: Sequence[PayRunLine]) -> list[PayRunLine]:
        """The lines with types that too few people of a department have joined to the rest of their part there."""
        few = {(one.department, one.part) for one in lines if one.type is not None and self._hides(one)}
        kept = _untyped(lines, lambda one: one.part in BORNE and self._hides(one))
        rest = {(one.department, one.part) for one in kept if one.type is None and self._hides(one)}
        return _untyped(kept, lambda one: one.part in BORNE and (one.department, one.part) in few & rest)

    def _together(self, lines: Sequence[PayRunLine]) -> tuple[PayRunLine, ...]:
        parts = dict.fromkeys((line.part, line.type) for line in lines)
        grouped = [
            line for part in parts for line in self._grouped([line for line in lines if (line.part, line.type) == part])
        ]
        order = {part: place for place, part in enumerate(parts)}
        return tuple(sorted(self._widened(grouped), key=lambda line: (line.department, order[line.part, line.type])))

    def _widened(self, lines: list[PayRunLine]) -> list[PayRunLine]:
        """People may be the same in both parts: only one that has enough of them by itself is wide enough."""
        left = list(lines)
        for line in lines:
            if not self.is_small(line) or line.part in self.shown_alone:
                continue
            wide = [
                other
                for part in WIDER_PARTS.get(line.part, ())
                for other in sorted(left, key=lambda one: (one.department != self.other, -one.people, one.department))
                if other.part == part and other.people >= self.minimum_people
            ]
            if wide:
                includes = (*wide[0].includes, line.part)
                together = {"amount": wide[0].amount + line.amount, "includes": tuple(dict.fromkeys(includes))}
                left[left.index(wide[0])] = wide[0].model_copy(update=together)
                left.remove(line)
        return left

    def _grouped(self, lines: list[PayRunLine]) -> list[PayRunLine]:
        if not any(self.is_small(line) for line in lines):
            return lines
        joined = [line for line in lines if self.is_small(line) or line.department == self.other]
        rest = sorted(
            (line for line in lines if line not in joined and line.people), key=lambda one: (one.people, one.department)
        )
        nobodys = [line for line in lines if line not in joined and not line.people]
        while rest and _people(joined) < self.minimum_people:
            joined.append(rest.pop(0))
        amount = sum((line.amount for line in joined), ZERO)
        together = PayRunLine(
            department=self.other,
            part=lines[0].part,
            amount=amount,
            people=_people(joined),
            type=lines[0].type,
        )
        return [*nobodys, *rest, together]

    def shows_few(self, lines: Iterable[PayRunLine]) -> bool:
        """Whether a line still stands for too few."""
        return any(self.is_small(line) and line.part not in self.shown_alone for line in lines)


def _untyped(lines: Iterable[PayRunLine], wanted: Callable[[PayRunLine], bool]) -> list[PayRunLine]:
    """The lines, some without their type and then one with the rest of their part: of at least as many people."""
    sums: dict[tuple[str, PayPart, str | None], PayRunLine] = {}
    for line in lines:
        plain = line.model_copy(update={"type": None}) if line.type is not None and wanted(line) else line
        key = (plain.department, plain.part, plain.type)
        there = sums.get(key)
        sums[key] = (
            plain
            if there is None
            else there.model_copy(
                update={
                    "amount": there.amount + plain.amount,
                    "people": max(there.people, plain.people),
                    "includes": tuple(dict.fromkeys((*there.includes, *plain.includes))),
                }
            )
        )
    return [line for line in sums.values() if line.amount]


def _people(lines: Iterable[PayRunLine]) -> int:
    return sum(line.people for line in lines)
