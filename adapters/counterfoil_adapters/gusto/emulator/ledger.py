"""The general ledger report of a payroll, in the form that Gusto's guide shows: a basic view and a detailed one.

The guide names the account types RegularWages, EmployerTax, DebitNetPay and DebitTax; those of reimbursements,
benefits, deductions and cheques are not published, and made up here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from counterfoil_adapters.gusto.emulator.figures import ZERO, cash_tips
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.values import cents, entry, money, rows, text
from counterfoil_schema.exact_json import JsonObject, JsonValue

BREAKDOWNS = {"default": None, "job": "Job", "department": "Department", "integration": None}


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount on one side; below zero it belongs to the other."""

    account_type: str
    description: str
    where: str
    is_debit: bool
    amount: Decimal

    def row(self, *, broken_down: bool) -> list[JsonValue]:
        on_debit = self.is_debit == (self.amount >= ZERO)
        amount = cents(abs(self.amount))
        where: list[JsonValue] = [self.where] if broken_down else []
        return [self.account_type, self.description, *where, *([amount, None] if on_debit else [None, amount])]


def report(store: Store, payroll: JsonObject, aggregation: str) -> JsonObject:
    """The whole report."""
    period = entry(payroll["pay_period"], "pay_period")
    detailed = list(_postings(store, payroll, aggregation, named=True))
    basic = _summed(list(_postings(store, payroll, aggregation, named=False)))
    return {
        "company_name": store.company["name"],
        "ledger_description": f"Ledger for Regular Payroll {period['start_date']} to {period['end_date']}",
        "check_date": payroll["check_date"],
        "data": [
            _view("Basic", basic, BREAKDOWNS[aggregation]),
            _view("Detailed", detailed, BREAKDOWNS[aggregation]),
        ],
    }


def _postings(store: Store, payroll: JsonObject, aggregation: str, *, named: bool) -> Iterator[Posting]:
    for person in rows(payroll, "employee_compensations"):
        if person.get("excluded") is not True:
            who = f" for {person['first_name']} {person['last_name']}" if named else ""
            yield from _person(person, _where(store, person, aggregation), who)
    for tax in rows(payroll, "company_taxes"):
        amount = money(tax["amount"], "amount")
        yield Posting("EmployerTax", f"{tax['name']} - employer tax", "", True, amount)
        yield Posting("DebitTax", "Debit tax", "", False, amount)


def _person(person: JsonObject, where: str, who: str) -> Iterator[Posting]:
    gross = money(person["gross_pay"], "gross_pay") - cash_tips([person])
    yield Posting("RegularWages", f"Regular Wages{who}", where, True, gross)
    by_cheque = person.get("payment_method") == "Check"
    net = ("PayrollCheck", "Payroll cheque") if by_cheque else ("DebitNetPay", "Debit net pay")
    yield Posting(*net, "", False, money(person["net_pay"], "net_pay"))
    for tax in rows(person, "taxes"):
        amount = money(tax["amount"], "amount")
        if tax["employer"] is True:
            yield Posting("EmployerTax", f"{tax['name']} - employer tax", where, True, amount)
        yield Posting("DebitTax", "Debit tax", "", False, amount)
    for one in rows(person, "reimbursements"):
        amount = money(one["amount"], "amount")
        yield Posting("Reimbursement", f"Reimbursement{who}", where, True, amount)
        paid = ("PayrollCheck", "Payroll cheque") if by_cheque else ("DebitReimbursement", "Debit reimbursement")
        yield Posting(*paid, "", False, amount)
    for one in rows(person, "benefits"):
        name = text(one, "name")
        company = money(one["company_contribution"], "company_contribution")
        own = money(one["employee_deduction"], "employee_deduction")
        yield Posting("CompanyContribution", f"{name} - company contribution", where, True, company)
        yield Posting("BenefitLiability", f"{name} - liability", "", False, company + own)
    for one in rows(person, "deductions"):
        yield Posting("DeductionLiability", f"{one['name']} - liability", "", False, money(one["amount"], "amount"))


def _where(store: Store, person: JsonObject, aggregation: str) -> str:
    employee = store.employees.get(text(person, "employee_uuid"), {})
    if aggregation == "department":
        department = store.departments.get(str(employee.get("department_uuid")), {})
        return text(department, "title", "")
    jobs = rows(employee, "jobs")
    return text(jobs[0], "title", "") if aggregation == "job" and jobs else ""


def _summed(postings: list[Posting]) -> list[Posting]:
    sums: dict[tuple[str, str, str, bool], Decimal] = {}
    for one in postings:
        key = (one.account_type, one.description, one.where, one.is_debit)
        sums[key] = sums.get(key, ZERO) + one.amount
    return [Posting(*key, amount) for key, amount in sums.items() if amount]


def _view(data_type: str, postings: list[Posting], breakdown: str | None) -> JsonObject:
    table = [one.row(broken_down=breakdown is not None) for one in postings if one.amount]
    sums = [cents(sum((money(row[at] or 0, "amount") for row in table), ZERO)) for at in (-2, -1)]
    where: list[JsonValue] = [breakdown] if breakdown is not None else []
    blank: list[JsonValue] = [""] if breakdown is not None else []
    return {
        "headers": ["Account Type", "Account Description", *where, "Debit", "Credit"],
        "rows": list[JsonValue](table),
        "totals": [None, "Totals", *blank, *sums],
        "data_type": data_type,
    }
