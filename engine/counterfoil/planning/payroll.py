"""A processed pay run becomes balanced journal entries, in which no line is one person's pay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from counterfoil.planning.accruals import accrual_entries
from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.names import choose_number
from counterfoil.planning.outcome import Draft, DraftOrRefusal, carry, label, named, private_note
from counterfoil.planning.pay_entries import PayEntry, run_entries, template_values
from counterfoil.planning.pay_lines import PayLine, debits, run_lines, total, written
from counterfoil.planning.pay_reversals import reversal_entries, stands_as_posted
from counterfoil.planning.pay_sections import PayrollSection
from counterfoil.planning.sales import no_date
from counterfoil.planning.types import Intent, Park, Plan, PlanRequest, Skip, StateView, Unchanged
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import PayRun


def plan_pay_run(record: PayRun, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan the journal entries of a pay run."""
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
    refusal = _refusal(record, key, mapping.payroll, view)
    if refusal is not None:
        return refusal
    entries = _entries(record, request, mapping.payroll, view)
    return entries if isinstance(entries, Park | Unchanged) else _carried(entries, record, request, mapping, view)


def _changed(key: str, what: str) -> Park:
    return Park(
        code="changed_after_posting",
        reason=f"{named(key)}: {what}.",
        fix="Reverse the journal entry in QuickBooks if it is wrong; then mark this as settled.",
    )


def _refusal(record: PayRun, key: str, section: PayrollSection, view: StateView) -> Park | None:
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
    return None


def _entries(
    record: PayRun, request: PlanRequest, section: PayrollSection, view: StateView
) -> Sequence[PayEntry] | Park | Unchanged:
    key = request.record_key
    lines = run_lines(record, key, section)
    if isinstance(lines, Park):
        return lines
    refusal = _sum_refusal(record, key, section, lines)
    if refusal is not None:
        return refusal
    try:
        day = plausible(record.check_date if section.date == "check_date" else record.period_end)
    except NoDateError as error:
        return no_date(key, str(error))
    stands = stands_as_posted(record, key, lines, view)
    if stands is not None:
        return stands
    if record.reverses is not None:
        return reversal_entries(record, record.reverses, request, section, view)
    values = template_values(record, key)
    accruals = accrual_entries(record, key, section, lines, values, day)
    if isinstance(accruals, Park):
        return accruals
    return [*run_entries(lines, key, section, values, day), *accruals]


def _sum_refusal(record: PayRun, key: str, section: PayrollSection, lines: Sequence[PayLine]) -> Park | None:
    if total(lines):
        debit, difference = debits(lines), total(lines)
        return Park(
            code="unbalanced",
            reason=f"{named(key)} does not balance: debits {text(debit)} {record.currency}, credits "
            f"{text(debit - difference)}, a difference of {text(difference)}.",
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


def _carried(
    entries: Sequence[PayEntry], record: PayRun, request: PlanRequest, mapping: Mapping, view: StateView
) -> Plan:
    """One plan out of those of all entries: what must not be carried over holds back all of it."""
    intents: list[Intent] = []
    same: list[Unchanged] = []
    for entry in entries:
        if not any(line.amount for line in entry.lines):
            continue
        draft = _draft(entry, record, request.record_key, mapping.payroll, view)
        planned = carry(draft, replace(request, record_key=entry.key), mapping, view)
        match planned:
            case Park() | Skip():
                return planned
            case Unchanged():
                same.append(planned)
            case _:
                own = entry.key == request.record_key
                intents.extend(one if own else replace(one, record_key=entry.key) for one in planned)
    return tuple(intents) if intents or not same else same[0]


def _draft(entry: PayEntry, record: PayRun, key: str, section: PayrollSection, view: StateView) -> DraftOrRefusal:
    if entry.is_accrual and view.link(entry.key) is None:
        refusal = _closed(entry.day, key, view.closed_until())
        if refusal is not None:
            return refusal
    number = choose_number(key, entry.number, section.number_too_long, view)
    if isinstance(number, Park):
        return number
    body: JsonObject = {"TxnDate": entry.day.isoformat()}
    if number:
        body["DocNumber"] = number
    if view.multi_currency():
        body["CurrencyRef"] = {"value": record.currency}
    body["Line"] = written(entry.lines)
    body["PrivateNote"] = private_note(entry.memo)
    amount = debits(entry.lines)
    return Draft(
        document="pay_run",
        entity="JournalEntry",
        body=body,
        needs=entry.needs,
        doc_number=number or None,
        amount=amount,
        currency=record.currency,
        figures=Figures(currency=record.currency, home=view.home_currency(), net=amount, tax=Decimal(0)),
        edited="park",
    )


def _closed(day: date, key: str, closed_until: date | None) -> Park | None:
    if closed_until is None or day > closed_until:
        return None
    return Park(
        code="period_closed",
        reason=f"{named(key)} has costs to accrue on {day.isoformat()}, and the books are closed to "
        f"{closed_until.isoformat()} inclusive.",
        fix="Open the period in QuickBooks; or set [payroll.accrual] since in the mapping to the check date from which "
        "runs are accrued. Then retry it.",
    )
