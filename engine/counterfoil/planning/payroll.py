"""A processed pay run becomes one balanced journal entry, in which no line is one person's pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.names import choose_number
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, label, name_ref, named, private_note
from counterfoil.planning.pay_groups import PayGroup, pay_groups, widened
from counterfoil.planning.sales import no_date
from counterfoil.planning.sections import DepartmentRule, PayrollSection
from counterfoil.planning.templates import fill
from counterfoil.planning.types import LINE_KEY, Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import PayRun, split_key

_TITLES = {
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
class Entry:
    """The lines of a journal entry and the sums of its two sides."""

    lines: list[JsonValue]
    debit: Decimal
    credit: Decimal


def plan_pay_run(record: PayRun, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan the journal entry of a pay run."""
    key = request.record_key
    link = view.link(key)
    if not record.processed:
        if link is None:
            return Skip(code="not_processed", reason=f"{named(key)} is not processed (status {record.status}).")
        return _changed(key, f"{label(link)} stands for it, but it is no longer processed (status {record.status})")
    if not any(line.amount for line in record.lines):
        if link is None:
            return Skip(code="nothing_to_post", reason=f"{named(key)} pays nothing.")
        return _changed(key, f"{label(link)} stands for it, but it pays nothing any more")
    return carry(_draft(record, key, mapping, view), request, mapping, view)


def _changed(key: str, what: str) -> Park:
    return Park(
        code="changed_after_posting",
        reason=f"{named(key)}: {what}.",
        fix="Reverse the journal entry in QuickBooks if it is wrong; then mark this as settled.",
    )


def _draft(record: PayRun, key: str, mapping: Mapping, view: StateView) -> DraftOrRefusal:
    section = mapping.payroll
    if record.currency != view.home_currency():
        return Park(
            code="foreign_currency",
            reason=f"{named(key)} is in {record.currency}, but these books are kept in {view.home_currency()}.",
            fix="Enter this pay run by hand.",
        )
    if section.track != "none" and not view.tracks(section.track):
        plural = {"class": "classes", "department": "locations"}[section.track]
        return Park(
            code="tracking_off",
            reason=f"The mapping books {named(key)} by {section.track}, but QuickBooks does not track {plural}.",
            fix='Switch it on in QuickBooks\' settings, or set [payroll] track = "none"; then retry the record.',
        )
    entry = _entry(record, key, section)
    if isinstance(entry, Park):
        return entry
    refusal = _sum_refusal(record, key, section, entry)
    if refusal is not None:
        return refusal
    try:
        day = plausible(record.check_date if section.date == "check_date" else record.period_end)
    except NoDateError as error:
        return no_date(key, str(error))
    connection, kind, source_id = split_key(key)
    values = {
        "id": source_id,
        "connection": connection,
        "kind": kind,
        "check_date": record.check_date.isoformat(),
        "period_start": record.period_start.isoformat(),
        "period_end": record.period_end.isoformat(),
    }
    number = choose_number(key, fill(section.number, values), section.number_too_long, view)
    if isinstance(number, Park):
        return number
    body: JsonObject = {"TxnDate": day.isoformat()}
    if number:
        body["DocNumber"] = number
    if view.multi_currency():
        body["CurrencyRef"] = {"value": record.currency}
    body["Line"] = entry.lines
    body["PrivateNote"] = private_note(fill(section.memo, values))
    return Draft(
        document="pay_run",
        entity="JournalEntry",
        body=body,
        doc_number=number or None,
        amount=entry.debit,
        currency=record.currency,
        figures=Figures(currency=record.currency, home=view.home_currency(), net=entry.debit, tax=Decimal(0)),
        edited="park",
    )


def _entry(record: PayRun, key: str, section: PayrollSection) -> Entry | Park:
    lines: list[JsonValue] = []
    debit = credit = Decimal(0)
    groups: Sequence[PayGroup] = pay_groups(record.lines, minimum_people=section.minimum_people, other=section.other)
    groups = widened(groups, minimum_people=section.minimum_people, shown_alone=section.shown_alone)
    few = [
        group for group in groups if 0 < group.people < section.minimum_people and group.part not in section.shown_alone
    ]
    if few:
        return _too_few(key, section, few[0])
    for group in groups:
        amount = to_cents(group.amount)
        if not amount:
            continue
        rule = section.departments.get(group.department or "", DepartmentRule())
        account: str | None = getattr(rule, group.part) or getattr(section.accounts, group.part)
        if account is None:
            return Park(
                code="no_account",
                reason=f"{named(key)} holds {_TITLES[group.part].lower()}, and the mapping names no account for them.",
                fix=f'Set {group.part} = "…" under [payroll.accounts] in the mapping.',
            )
        # A negative figure is a positive one on the other side: QuickBooks takes no negative line (fault 2290).
        on_debit = group.bears == (amount > 0)
        lines.append(_line(group, rule, account, abs(amount), section, on_debit=on_debit))
        debit += abs(amount) if on_debit else 0
        credit += 0 if on_debit else abs(amount)
    return Entry(lines=lines, debit=debit, credit=credit)


def _too_few(key: str, section: PayrollSection, group: PayGroup) -> Park:
    title = _TITLES[group.part].lower()
    return Park(
        code="too_few_people",
        reason=f"{named(key)} concerns so few people that the line of its {title} would be those of fewer than "
        f"{section.minimum_people}.",
        fix=f'Enter it by hand; or, if such a line may be seen in the books, set shown_alone = ["{group.part}"] under '
        "[payroll], or minimum_people = 1 for all lines.",
    )


def _line(
    group: PayGroup,
    rule: DepartmentRule,
    account: str,
    amount: Decimal,
    section: PayrollSection,
    *,
    on_debit: bool,
) -> JsonObject:
    detail: JsonObject = {
        "PostingType": "Debit" if on_debit else "Credit",
        "AccountRef": name_ref("Account", account),
    }
    included = [_TITLES[part].lower() for part in group.includes]
    title = " and ".join([_TITLES[group.part], *included])
    if group.department is not None:
        title = f"{title}: {group.department}"
        tracking = _TRACKING.get(section.track)
        if tracking is not None and not group.merged:
            field, entity = tracking
            detail[field] = name_ref(entity, rule.name or group.department)
    return {
        LINE_KEY: group.key,
        "Description": title,
        "Amount": amount,
        "DetailType": "JournalEntryLineDetail",
        "JournalEntryLineDetail": detail,
    }


def _sum_refusal(record: PayRun, key: str, section: PayrollSection, entry: Entry) -> Park | None:
    if entry.debit != entry.credit:
        return Park(
            code="unbalanced",
            reason=f"{named(key)} does not balance: debits {text(entry.debit)} {record.currency}, credits "
            f"{text(entry.credit)}, a difference of {text(entry.debit - entry.credit)}.",
            fix="Correct the pay run at the source, or enter it by hand.",
        )
    if record.stated_debit is None or section.stated_debit_mismatch == "ignore":
        return None
    withdrawn = sum(
        (to_cents(line.amount) for line in record.lines if line.part in ("net_pay", "tax_payment")), Decimal(0)
    )
    if to_cents(record.stated_debit) == withdrawn:
        return None
    return Park(
        code="stated_debit_mismatch",
        reason=f"{named(key)} states that {text(record.stated_debit)} {record.currency} is withdrawn, but net pay and "
        f"taxes come to {text(withdrawn)}: a difference of {text(record.stated_debit - withdrawn)}.",
        fix='Compare the pay run with its source; or set stated_debit_mismatch = "ignore" in the mapping.',
    )
