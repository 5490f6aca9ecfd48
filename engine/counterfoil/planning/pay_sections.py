"""The sections of a mapping file that say how pay runs are posted."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from counterfoil.planning.sections import FromKinds, Name, Section
from counterfoil.planning.templates import ACCRUAL_NAMES, PAY_ENTRY_NAMES, PAY_RUN_NAMES, template_of
from counterfoil_schema.records import PayPart

PayRunTemplate = Annotated[str, AfterValidator(template_of(PAY_RUN_NAMES))]
PayEntryTemplate = Annotated[str, AfterValidator(template_of(PAY_ENTRY_NAMES))]
AccrualTemplate = Annotated[str, AfterValidator(template_of(ACCRUAL_NAMES))]
Types = dict[Name, Name]


class PartTypes(Section):
    """`[payroll.accounts.types.PART]`: from what the source calls a type to an account of its own."""

    wages: Types = Field(default_factory=dict)
    reimbursement: Types = Field(default_factory=dict)
    employer_tax: Types = Field(default_factory=dict)
    employer_benefit: Types = Field(default_factory=dict)
    net_pay: Types = Field(default_factory=dict)
    tax_payment: Types = Field(default_factory=dict)
    employee_benefit: Types = Field(default_factory=dict)
    other_deduction: Types = Field(default_factory=dict)

    def of(self, part: PayPart) -> Types:
        """The types of one part."""
        found: Types = getattr(self, part)
        return found


class Accounts(Section):
    """Accounts per part of a pay run, by their full names in the books; `types` are those of a part's types."""

    wages: Name | None = None
    reimbursement: Name | None = None
    employer_tax: Name | None = None
    employer_benefit: Name | None = None
    net_pay: Name | None = None
    tax_payment: Name | None = None
    employee_benefit: Name | None = None
    other_deduction: Name | None = None
    types: PartTypes = PartTypes()

    def of(self, part: PayPart) -> str | None:
        """The account of one part."""
        found: str | None = getattr(self, part)
        return found


class DepartmentRule(Accounts):
    """`[payroll.departments.NAME]`: accounts of its own, and its name in the books where that differs."""

    name: Name | None = None


class AccrualSection(Section):
    """`[payroll.accrual]`: costs of a pay run in the months in which the work was done.

    `by`: each of the `parts` is split over the months of the pay period by its days, and what belongs to another month
    than that of the run's own entry gets an entry there, on the last day of the month, against `account`, and a
    reversing one: on the `first_day` of the month of the run's entry, or on its `pay_date`. Off-cycle runs and
    reversals are not split, nor what is paid before `since`. `number` is that of the entry; the reversing one bears it
    with an R behind.
    """

    by: Literal["none", "days", "weekdays"] = "none"
    account: Name | None = None
    parts: tuple[Literal["wages", "reimbursement", "employer_tax", "employer_benefit"], ...] = (
        "wages",
        "employer_tax",
        "employer_benefit",
    )
    reverse: Literal["first_day", "pay_date"] = "first_day"
    since: date | None = None
    number: AccrualTemplate = "PA-{month}-{id:6}"
    memo: AccrualTemplate = "Share of {month} in pay run {period_start} to {period_end}"


class PayrollSection(FromKinds):
    """`[payroll]`: balanced journal entries for each processed pay run.

    `entry`: one for the run; or one for each department, against `clearing`, and one that leads from there to banks and
    liabilities, so that each withdrawal stays one line. `entry_number`: of the departments' entries, counted from 2.
    `minimum_people`: a line that stands for fewer people is merged into the group `other`, and then into a wider part,
    which its description tells; a run of which a line would still stand for fewer is parked. `shown_alone`: parts of
    which such a line may be seen. `reversal_closed`: what becomes of a reversal whose day is in a closed period.
    `ledger`: whether a run is compared with the provider's own general ledger, and what becomes of one that differs:
    told before it is approved, or parked.
    """

    accounts: Accounts = Accounts()
    departments: dict[str, DepartmentRule] = Field(default_factory=dict)
    track: Literal["department", "class", "none"] = "none"
    date: Literal["check_date", "period_end"] = "check_date"
    entry: Literal["run", "department"] = "run"
    clearing: Name | None = None
    minimum_people: Annotated[int, Field(ge=1)] = 2
    shown_alone: tuple[PayPart, ...] = ()
    other: Name = "Other"
    number: PayRunTemplate = "PR-{check_date}-{id:6}"
    entry_number: PayEntryTemplate = "P{entry}-{check_date}-{id:6}"
    number_too_long: Literal["park", "shorten"] = "park"
    memo: PayRunTemplate = "Pay run {period_start} to {period_end}"
    entry_memo: PayEntryTemplate = "Pay run {period_start} to {period_end}: {department}"
    stated_debit_mismatch: Literal["park", "ignore"] = "park"
    ledger: Literal["off", "warn", "park"] = "off"
    changed_after_posting: Literal["park"] = "park"
    reversal_closed: Literal["park", "first_open_day"] = "park"
    accrual: AccrualSection = AccrualSection()

    def account_of(self, department: str | None, part: PayPart, kind: str | None) -> tuple[str | None, bool]:
        """The account of a part's type in a department, and whether it is the type's own.

        What is said of the department goes before what holds for all, and there the type before the part.
        """
        for rule in (self.departments.get(department or ""), self.accounts):
            if rule is None:
                continue
            of_type = rule.types.of(part).get(kind) if kind is not None else None
            if of_type is not None:
                return of_type, True
            of_part = rule.of(part)
            if of_part is not None:
                return of_part, False
        return None, False
