"""Types of pay that the mapping names become lines of their own; all others go with their part, and no name is kept."""

import tomllib
from decimal import Decimal

from counterfoil_adapters.gusto.grouping import Grouping
from counterfoil_adapters.gusto.pay_types import types_of
from counterfoil_adapters.gusto.payroll import pay_run
from counterfoil_schema.exact_json import JsonObject, JsonValue

MAPPING = """
[payroll.accounts.types.wages]
Overtime = "Wages:Overtime"
"Cash Tips" = "Tips"
[payroll.accounts.types.tax_payment]
FUTA = "Bank"
[payroll.accounts.types.employer_tax]
FUTA = "Taxes:FUTA"
[payroll.accounts.types.employee_benefit]
"401(k)" = "Liabilities:401k"
[payroll.accounts.types.net_pay]
Check = "Cheques"
[payroll.departments.Sales.types.other_deduction]
"Child Support" = "Bank"
"""


def person(uuid: str, method: str) -> JsonObject:
    """1,000.00 by the hour, 200.00 overtime, 50.00 of tips in cash; 700.00 is paid, and 20.00 for a taxi."""
    return {
        "employee_uuid": uuid,
        "gross_pay": "1250.00",
        "net_pay": "700.00",
        "payment_method": method,
        "hourly_compensations": [
            {"name": "Regular Hours", "amount": "1000.00"},
            {"name": "Overtime", "amount": "200.00"},
        ],
        "fixed_compensations": [{"name": "Cash Tips", "amount": "50.00"}],
        "reimbursements": [{"description": f"Taxi for {uuid}", "amount": "20.00"}],
        "taxes": [
            {"name": "Federal Income Tax", "employer": False, "amount": "300.00"},
            {"name": "FUTA", "employer": True, "amount": "7.00"},
        ],
        "benefits": [
            {"name": "401(k)", "employee_deduction": "100.00", "company_contribution": "60.00"},
            {"name": "Medical", "employee_deduction": "40.00", "company_contribution": "90.00"},
        ],
        "deductions": [
            {"name": "Child Support", "amount": "45.00"},
            {"name": f"Loan of {uuid}", "amount": "15.00"},
        ],
    }


def payload() -> JsonObject:
    people: list[JsonValue] = [person(f"e{number}", "Check" if number < 2 else "Direct Deposit") for number in range(4)]
    return {
        "uuid": "p1",
        "processed": True,
        "check_date": "2026-11-13",
        "pay_period": {"start_date": "2026-10-25", "end_date": "2026-11-07"},
        "totals": {
            "gross_pay": "5000.00",
            "net_pay": "2800.00",
            "employer_taxes": "28.00",
            "employee_taxes": "1200.00",
        },
        "employee_compensations": people,
    }


def test_what_the_mapping_names_is_told_apart_and_the_rest_is_the_rest() -> None:
    types = types_of(tomllib.loads(MAPPING)["payroll"])
    record = pay_run(payload(), dict.fromkeys(["e0", "e1", "e2", "e3"], "Sales"), [], "Nobody", types=types)
    assert {(line.part, line.type): (line.amount, line.people) for line in record.lines} == {
        # Tips in cash are no wages of a run, whatever the mapping calls them.
        ("wages", None): (Decimal("4000.00"), 4),
        ("wages", "Overtime"): (Decimal("800.00"), 4),
        ("reimbursement", None): (Decimal("80.00"), 4),
        ("employer_tax", "FUTA"): (Decimal("28.00"), 4),
        ("employer_benefit", None): (Decimal("600.00"), 4),
        ("net_pay", None): (Decimal("1440.00"), 2),
        ("net_pay", "Check"): (Decimal("1440.00"), 2),
        ("tax_payment", None): (Decimal("1200.00"), 4),
        ("tax_payment", "FUTA"): (Decimal("28.00"), 4),
        ("employee_benefit", None): (Decimal("520.00"), 4),
        ("employee_benefit", "401(k)"): (Decimal("640.00"), 4),
        ("other_deduction", None): (Decimal("60.00"), 4),
        ("other_deduction", "Child Support"): (Decimal("180.00"), 4),
    }
    kept = str(record)
    assert not [word for word in ("Taxi", "Loan", "Regular", "Medical", "Federal") if word in kept]


def test_without_types_in_the_mapping_a_run_is_as_it_ever_was() -> None:
    record = pay_run(payload(), {}, [], "Nobody", types=Grouping.of({"payroll": {"minimum_people": 2}}).types)
    assert {line.type for line in record.lines} == {None}
    assert record == pay_run(payload(), {}, [], "Nobody")
