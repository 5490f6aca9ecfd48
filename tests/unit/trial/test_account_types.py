"""A check tells of accounts of a type that what is booked to them cannot have, and of types of pay that nobody has."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.trial import Finding, Sample, judge
from counterfoil_schema.records import PayRun, PayRunLine
from support.planning import MINIMAL
from support.trials import books, sample, trial

TYPES = {
    "Wages": "Expense",
    "Checking": "Bank",
    "Sales of Product Income": "Income",
    "Payable": "Accounts Payable",
    "Withheld": "Other Current Liability",
}
TYPE = "[payroll.accounts.types.other_deduction] Child Support"
OPEN = "it lowers that cost at once, and no liability stays open until it is paid."


async def found(extra: str, of: Sample | None = None) -> list[Finding]:
    text = MINIMAL + extra
    seen = books({"Account": list(TYPES)}, types=TYPES)
    return judge(await trial(text, seen, of or sample(kinds=["payroll"])), text)


@pytest.mark.parametrize(
    ("extra", "named", "held", "what", "place"),
    [
        (
            '[payroll.accrual]\naccount = "Sales of Product Income"\n',
            '[payroll.accrual] account names the account "Sales of Product Income"',
            "Income",
            "what is accrued over a month's end",
            (5, 11),
        ),
        (
            '[payroll]\nclearing = "Wages"\n',
            '[payroll] clearing names the account "Wages"',
            "Expense",
            "what is cleared between the entries of a run",
            (5, 12),
        ),
        (
            '[payroll.accounts]\nwages = "Checking"\n',
            '[payroll.accounts] wages names the account "Checking"',
            "Bank",
            "what a pay run costs",
            (5, 9),
        ),
        (
            '[payroll.accounts.types.other_deduction]\n"Child Support" = "Payable"\n',
            f'{TYPE} names the account "Payable"',
            "Accounts Payable",
            "what is withheld and owed to others",
            (5, 19),
        ),
        (
            '[payroll.departments.Sales]\nnet_pay = "Wages"\n',
            '[payroll.departments.Sales] net_pay names the account "Wages"',
            "Expense",
            "what leaves the bank",
            (5, 11),
        ),
        (
            '[product]\nincome_account = "Checking"\n',
            '[product] income_account names the account "Checking"',
            "Bank",
            "what is sold",
            (5, 18),
        ),
        (
            '[payment]\ndeposit_account = "Wages"\n',
            '[payment] deposit_account names the account "Wages"',
            "Expense",
            "money that was received",
            (5, 19),
        ),
        (
            '[refund]\naccount = "Payable"\n',
            '[refund] account names the account "Payable"',
            "Accounts Payable",
            "what refunds are paid from",
            (5, 11),
        ),
        (
            '[payout]\naccount = "Sales of Product Income"\n',
            '[payout] account names the account "Sales of Product Income"',
            "Income",
            "what a processor pays out",
            (5, 11),
        ),
        (
            '[payout]\nfrom_account = "Withheld"\n',
            '[payout] from_account names the account "Withheld"',
            "Other Current Liability",
            "payments before they are paid out",
            (5, 16),
        ),
        (
            '[payout]\nfee_account = "Checking"\n',
            '[payout] fee_account names the account "Checking"',
            "Bank",
            "a processor's fees",
            (5, 15),
        ),
    ],
)
async def test_an_account_of_a_type_that_cannot_be_is_told(
    extra: str, named: str, held: str, what: str, place: tuple[int, int]
) -> None:
    (error,) = [one for one in await found(extra) if one.level == "error"]
    assert error.says == f"{named}, which is of type {held}, and cannot hold {what}."
    assert (error.line, error.column) == place


async def test_what_is_withheld_may_lower_a_cost_but_is_remarked() -> None:
    findings = await found('[payroll.accounts]\nemployee_benefit = "Wages"\n')
    says = f'[payroll.accounts] employee_benefit names the account "Wages", which is of type Expense: {OPEN}'
    assert ("remark", says, 5, 20) in [(one.level, one.says, one.line, one.column) for one in findings]


@pytest.mark.parametrize(
    ("extra", "doubt"),
    [
        ('[product]\nincome_account = "Wages"\n', "sales would lower that cost, and appear in no income."),
        (
            '[payout]\nfee_account = "Sales of Product Income"\n',
            "fees would lower that income, and appear in no cost.",
        ),
    ],
)
async def test_what_quickbooks_takes_and_hardly_anybody_means_is_remarked(extra: str, doubt: str) -> None:
    findings = await found(extra)
    assert not [one for one in findings if one.level == "error"]
    assert [one.says.endswith(doubt) for one in findings if one.level == "remark"] == [True]


async def test_accounts_of_fitting_types_are_let_be() -> None:
    extra = """
[payroll]
clearing = "Withheld"
[payroll.accrual]
account = "Withheld"
[payroll.accounts]
wages = "Wages"
net_pay = "Checking"
employee_benefit = "Withheld"
other_deduction = "Checking"
"""
    assert [one.says for one in await found(extra) if "payroll" in one.says] == []


async def test_a_type_that_no_run_has_is_told_with_the_nearest() -> None:
    pay = PayRun(
        status="processed",
        processed=True,
        check_date=date(2026, 3, 13),
        period_start=date(2026, 3, 1),
        period_end=date(2026, 3, 13),
        currency="USD",
        lines=(PayRunLine(department="Sales", part="wages", amount=Decimal(10), people=3, type="Overtime"),),
    )
    findings = await found(
        '[payroll.accounts.types.wages]\nOvertme = "Wages"\n', sample(("payroll", "p1", pay), kinds=["payroll"])
    )
    (unseen,) = [one for one in findings if one.level == "not seen"]
    assert unseen.says.endswith('has "Overtme": nothing in the sample bears it; did you mean "Overtime"?')
    assert (unseen.line, unseen.column) == (5, 1)
