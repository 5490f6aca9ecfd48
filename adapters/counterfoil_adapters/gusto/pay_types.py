"""Types of pay, taxes, benefits and deductions: only those to which the mapping gives accounts of their own.

All others go with their part. So no name leaves Gusto that the mapping does not hold: a description of a reimbursement
or garnishment may be about one person.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, get_args

from counterfoil_adapters.gusto.figures import amount_of, rows_of
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import PayPart

Types = Mapping[PayPart, frozenset[str]]
NOT_WAGES = frozenset({"Cash Tips", "Reimbursement"})
"""Fixed compensations that are no part of the wages: handed over already, or a part of their own."""


def types_of(payroll: Mapping[str, Any]) -> Types:
    """What the mapping's [payroll] names, for the whole company or for a department."""
    departments = payroll.get("departments", {})
    rules = [payroll.get("accounts", {}), *departments.values()]
    tables = [rule.get("types", {}) for rule in rules]
    named = {part: frozenset(name for table in tables for name in table.get(part, {})) for part in get_args(PayPart)}
    return {part: names for part, names in named.items() if names}


def typed(row: JsonObject, types: Types) -> dict[tuple[PayPart, str], Decimal]:
    """One person's figures by part and type, as far as the types are named."""
    found: dict[tuple[PayPart, str], Decimal] = {}
    if types:
        for part, name, amount in _figures(row):
            if name in types.get(part, frozenset()):
                found[part, str(name)] = found.get((part, str(name)), Decimal(0)) + amount
    return found


def _figures(row: JsonObject) -> Iterator[tuple[PayPart, object, Decimal]]:
    for worked in rows_of(row, "hourly_compensations"):
        yield "wages", worked.get("name"), _of(worked, "amount")
    for fixed in rows_of(row, "fixed_compensations"):
        if fixed.get("name") not in NOT_WAGES:
            yield "wages", fixed.get("name"), _of(fixed, "amount")
    for reimbursed in rows_of(row, "reimbursements"):
        yield "reimbursement", reimbursed.get("description"), _of(reimbursed, "amount")
    for tax in rows_of(row, "taxes"):
        name, amount = tax.get("name"), _of(tax, "amount")
        yield "tax_payment", name, amount
        if tax.get("employer") is True:
            yield "employer_tax", name, amount
    for benefit in rows_of(row, "benefits"):
        withheld, contributed = _of(benefit, "employee_deduction"), _of(benefit, "company_contribution")
        yield "employee_benefit", benefit.get("name"), withheld + contributed
        yield "employer_benefit", benefit.get("name"), contributed
    for deduction in rows_of(row, "deductions"):
        yield "other_deduction", deduction.get("name"), _of(deduction, "amount")
    net = _of(row, "net_pay") + sum((_of(one, "amount") for one in rows_of(row, "reimbursements")), Decimal(0))
    yield "net_pay", row.get("payment_method"), net


def _of(row: JsonObject, name: str) -> Decimal:
    return amount_of(row.get(name) or 0, f"a {name}")
