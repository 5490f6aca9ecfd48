"""The lines of a pay run's journal entries, before it is known in which entry each stands. Debits are above zero."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from counterfoil.planning.money import to_cents
from counterfoil.planning.outcome import name_ref, named
from counterfoil.planning.pay_groups import PayGroup, pay_groups, widened
from counterfoil.planning.pay_sections import DepartmentRule, PayrollSection
from counterfoil.planning.types import LINE_KEY, Park
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import PayPart, PayRun

TITLES: Mapping[PayPart, str] = {
    "wages": "Wages",
    "reimbursement": "Reimbursements",
    "employer_tax": "Employer taxes",
    "employer_benefit": "Employer benefits",
    "net_pay": "Net pay",
    "tax_payment": "Taxes",
    "employee_benefit": "Benefits withheld and contributed",
    "other_deduction": "Other deductions",
}
_TRACKING = {"department": ("DepartmentRef", "Department"), "class": ("ClassRef", "Class")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PayLine:
    """One line of a journal entry.

    `amount` is a debit where it is above zero. `part` and `department` are None for lines that only balance an entry.
    `tracking` holds the references to a class or location.
    """

    key: str
    title: str
    account: JsonObject
    amount: Decimal
    part: PayPart | None = None
    department: str | None = None
    tracking: JsonObject = field(default_factory=dict)

    def turned(self) -> "PayLine":
        """The same line on the other side."""
        return replace(self, amount=-self.amount)


def total(lines: Iterable[PayLine]) -> Decimal:
    """Debits less credits."""
    return sum((line.amount for line in lines), Decimal(0))


def debits(lines: Iterable[PayLine]) -> Decimal:
    """The sum of the debits."""
    return sum((line.amount for line in lines if line.amount > 0), Decimal(0))


def balancing(key: str, title: str, account: str, lines: Iterable[PayLine]) -> PayLine:
    """The line that takes an entry to zero."""
    return PayLine(key=key, title=title, account=name_ref("Account", account), amount=-total(lines))


def written(lines: Iterable[PayLine]) -> list[JsonValue]:
    """The lines as QuickBooks takes them: no zero, and no negative amount (fault 2290) but the other side."""
    return [
        {
            LINE_KEY: line.key,
            "Description": line.title,
            "Amount": abs(line.amount),
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {
                "PostingType": "Debit" if line.amount > 0 else "Credit",
                "AccountRef": line.account,
                **line.tracking,
            },
        }
        for line in lines
        if line.amount
    ]


def groups_of(record: PayRun, section: PayrollSection) -> list[PayGroup]:
    """The groups of a pay run's parts, as the mapping wants them told apart."""
    groups = pay_groups(
        record.lines,
        minimum_people=section.minimum_people,
        other=section.other,
        apart=lambda department, part, kind: section.account_of(department, part, kind)[1],
    )
    return widened(groups, minimum_people=section.minimum_people, shown_alone=section.shown_alone)


def run_lines(record: PayRun, key: str, section: PayrollSection) -> Sequence[PayLine] | Park:
    """A line for each group, or why there can be none: too few people, or no account."""
    groups = groups_of(record, section)
    few = [group for group in groups if is_few(group.part, group.people, section)]
    if few:
        return too_few(key, section, few[0].part)
    lines: list[PayLine] = []
    for group in groups:
        amount = to_cents(group.amount)
        if not amount:
            continue
        account, _ = section.account_of(group.department, group.part, group.type)
        if account is None:
            return Park(
                code="no_account",
                reason=f"{named(key)} holds {TITLES[group.part].lower()}, and the mapping names no account for them.",
                fix=f'Set {group.part} = "…" under [payroll.accounts] in the mapping.',
            )
        lines.append(_line(group, section, account, amount))
    return lines


def is_few(part: PayPart, people: int, section: PayrollSection) -> bool:
    """Whether a line of this part for so many people would show what one of them is paid."""
    return 0 < people < section.minimum_people and part not in section.shown_alone


def too_few(key: str, section: PayrollSection, part: PayPart) -> Park:
    """Why a run cannot be posted without showing somebody's pay."""
    return Park(
        code="too_few_people",
        reason=f"{named(key)} concerns so few people that the line of its {TITLES[part].lower()} would be those of "
        f"fewer than {section.minimum_people}.",
        fix=f'Enter it by hand; or, if such a line may be seen in the books, set shown_alone = ["{part}"] under '
        "[payroll], or minimum_people = 1 for all lines.",
    )


def _line(group: PayGroup, section: PayrollSection, account: str, amount: Decimal) -> PayLine:
    own = [TITLES[group.part] if group.type is None else group.type, *(["others"] if group.mixed else [])]
    title = " and ".join([*own, *(TITLES[part].lower() for part in group.includes)])
    tracking: JsonObject = {}
    if group.department is not None:
        title = f"{title}: {group.department}"
        tracked = _TRACKING.get(section.track)
        if tracked is not None and not group.merged:
            field_name, entity = tracked
            rule = section.departments.get(group.department, DepartmentRule())
            tracking[field_name] = name_ref(entity, rule.name or group.department)
    return PayLine(
        key=group.key,
        title=title,
        account=name_ref("Account", account),
        # What the company bears is a debit, where it goes a credit.
        amount=amount if group.bears else -amount,
        part=group.part,
        department=group.department,
        tracking=tracking,
    )
