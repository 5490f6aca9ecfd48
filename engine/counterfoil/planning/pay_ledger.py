"""A pay run against the payroll provider's own ledger: a difference is a number that can be shown, by account."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.outcome import named
from counterfoil.planning.types import Intent, Park, Plan, Skip, Unchanged
from counterfoil_schema.records import LedgerSum, PayPart, PayRun

_WORDS = {
    "wages": "wages",
    "reimbursement": "reimbursements",
    "employer_tax": "employer taxes",
    "employer_benefit": "employer benefits",
    "net_pay": "net pay",
    "tax_payment": "taxes",
    "employee_benefit": "benefits",
    "other_deduction": "other deductions",
}


def against_ledger(record: PayRun, key: str, mapping: Mapping, planned: Plan) -> Plan:
    """The plan of a pay run, parked or with a remark where the provider's ledger says something else."""
    if mapping.payroll.ledger == "off" or isinstance(planned, Park | Skip):
        return planned
    says = _says(record, key, mapping)
    if says is None:
        return planned
    if mapping.payroll.ledger == "park":
        return Park(
            code="ledger_mismatch",
            reason=says,
            fix="Compare the run with the provider's general ledger report, and correct what is wrong; then read the "
            'source afresh (`counterfoil sync --full`); or set [payroll] ledger = "warn" in the mapping.',
        )
    if isinstance(planned, Unchanged):
        return planned
    remarked: Sequence[Intent] = [replace(intent, remark=says) for intent in planned]
    return tuple(remarked)


def _says(record: PayRun, key: str, mapping: Mapping) -> str | None:
    ledger = record.ledger
    if ledger is None or ledger.missing is not None:
        why = ledger.missing if ledger is not None else "it was read without it"
        return f"{named(key)} could not be compared with the provider's general ledger: {why}."
    off = list(_differences(record, ledger.sums, mapping))
    if not off:
        return None
    return f"{named(key)} differs from the provider's general ledger: {'; '.join(off)}."


def _differences(record: PayRun, sums: Sequence[LedgerSum], mapping: Mapping) -> Iterator[str]:
    for one in sums:
        ours = sum((to_cents(line.amount) for line in record.lines if line.part in one.parts), Decimal(0))
        theirs = to_cents(one.amount)
        if ours != theirs:
            parts = ", ".join(_WORDS[part] for part in one.parts)
            yield (
                f"{_accounts(one.parts, mapping)} ({parts}) {text(ours)} {record.currency} here and {text(theirs)} "
                f"there, a difference of {text(ours - theirs)}"
            )


def _accounts(parts: Sequence[PayPart], mapping: Mapping) -> str:
    """The accounts that parts are booked to, by the mapping."""
    rules = (mapping.payroll.accounts, *mapping.payroll.departments.values())
    names = [name for part in parts for rule in rules for name in (rule.of(part), *rule.types.of(part).values())]
    return " and ".join(dict.fromkeys(name for name in names if name)) or "no account"
