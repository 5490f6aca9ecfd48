"""Pay arithmetic as Gusto documents it.

Net pay is gross pay less employee taxes, deductions and cash tips; the cheque amount adds reimbursements.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from counterfoil_adapters.gusto.emulator.values import cents, flag, money, rows, text
from counterfoil_schema.exact_json import JsonObject, JsonValue

ZERO = Decimal("0.00")


def complete(given: JsonObject) -> JsonObject:
    """One person's part of a payroll with every derived figure filled in; a figure that is given stays."""
    person: JsonObject = {
        "employee_uuid": text(given, "employee_uuid"),
        "excluded": flag(given, "excluded"),
        "first_name": given.get("first_name"),
        "last_name": given.get("last_name"),
        "payment_method": given.get("payment_method", "Direct Deposit"),
        "memo": given.get("memo"),
        "gross_pay": money(given.get("gross_pay", 0), "gross_pay"),
        "hourly_compensations": list(rows(given, "hourly_compensations")),
        "fixed_compensations": list(rows(given, "fixed_compensations")),
        "paid_time_off": list(rows(given, "paid_time_off")),
        "reimbursements": [
            {**row, "amount": cents(money(row.get("amount"), "amount")), "description": row.get("description")}
            for row in rows(given, "reimbursements")
        ],
        "taxes": [
            {"name": text(row, "name"), "employer": flag(row, "employer"), "amount": money(row.get("amount"), "amount")}
            for row in rows(given, "taxes")
        ],
        "benefits": [_benefit(row) for row in rows(given, "benefits")],
        "deductions": [
            {"name": text(row, "name"), "amount": money(row.get("amount"), "amount")}
            for row in rows(given, "deductions")
        ],
    }
    net = (
        money(person["gross_pay"], "gross_pay")
        - _taxes([person], employer=False)
        - total([person], "benefits", "employee_deduction")
        - total([person], "deductions", "amount")
        - cash_tips([person])
    )
    person["net_pay"] = money(given["net_pay"], "net_pay") if given.get("net_pay") is not None else net
    cheque = money(person["net_pay"], "net_pay") + total([person], "reimbursements", "amount")
    given_cheque = given.get("check_amount")
    person["check_amount"] = cheque if given_cheque is None else money(given_cheque, "check_amount")
    return person


def _benefit(row: JsonObject) -> JsonValue:
    return {
        "name": text(row, "name"),
        "employee_deduction": money(row.get("employee_deduction", 0), "employee_deduction"),
        "company_contribution": money(row.get("company_contribution", 0), "company_contribution"),
        "imputed": flag(row, "imputed"),
    }


def negated(person: JsonObject) -> JsonObject:
    """The same figures with the opposite sign, as a reversal shows them."""
    turned: JsonObject = {}
    for key, value in person.items():
        if isinstance(value, Decimal):
            turned[key] = -value
        elif key in {"reimbursements", "fixed_compensations", "hourly_compensations"}:
            turned[key] = [
                {**row, "amount": cents(-money(row.get("amount", 0), "amount"))} for row in rows(person, key)
            ]
        elif key in {"taxes", "benefits", "deductions"}:
            turned[key] = [
                {name: -figure if isinstance(figure, Decimal) else figure for name, figure in row.items()}
                for row in rows(person, key)
            ]
        else:
            turned[key] = value
    return turned


def total(people: Iterable[JsonObject], part: str, figure: str) -> Decimal:
    """One figure summed over a list that each person has."""
    return sum((money(row.get(figure, 0), figure) for person in people for row in rows(person, part)), ZERO)


def cash_tips(people: Iterable[JsonObject]) -> Decimal:
    """Tips that were already handed over in cash."""
    return sum(
        (
            money(row.get("amount", 0), "amount")
            for person in people
            for row in rows(person, "fixed_compensations")
            if row.get("name") == "Cash Tips"
        ),
        ZERO,
    )


def _taxes(people: Iterable[JsonObject], *, employer: bool) -> Decimal:
    return sum(
        (money(r["amount"], "amount") for p in people for r in rows(p, "taxes") if r.get("employer") is employer), ZERO
    )


def _sum(people: Iterable[JsonObject], figure: str) -> Decimal:
    return sum((money(person[figure], figure) for person in people), ZERO)


def totals(people: Sequence[JsonObject]) -> JsonObject:
    """A payroll's totals, as decimal texts."""
    paid = [person for person in people if person.get("excluded") is not True]
    deposited = [person for person in paid if person.get("payment_method") == "Direct Deposit"]
    employer, employee = _taxes(paid, employer=True), _taxes(paid, employer=False)
    reimbursed = total(deposited, "reimbursements", "amount")
    tips = cash_tips(paid)
    net_debit = _sum(deposited, "net_pay")
    figures = {
        "company_debit": net_debit + reimbursed + employer + employee,
        "net_pay_debit": net_debit,
        "tax_debit": employer + employee,
        "reimbursement_debit": reimbursed,
        "child_support_debit": ZERO,
        "reimbursements": total(paid, "reimbursements", "amount"),
        "net_pay": _sum(paid, "net_pay"),
        "gross_pay": _sum(paid, "gross_pay"),
        "employee_cash_tips": tips,
        "check_amount": _sum(paid, "check_amount"),
        "employer_taxes": employer,
        "employee_taxes": employee,
        "benefits": total(paid, "benefits", "company_contribution"),
        "employee_benefits_deductions": total(paid, "benefits", "employee_deduction"),
        "other_deductions": total(paid, "deductions", "amount"),
    }
    return {name: cents(amount) for name, amount in figures.items()}


def payroll_taxes(people: Sequence[JsonObject]) -> list[JsonValue]:
    """Each tax over all people, as numbers."""
    sums: dict[tuple[str, bool], Decimal] = {}
    for person in people:
        for row in rows(person, "taxes"):
            key = (text(row, "name"), flag(row, "employer"))
            sums[key] = sums.get(key, ZERO) + money(row["amount"], "amount")
    return [{"name": name, "employer": employer, "amount": amount} for (name, employer), amount in sums.items()]
