"""Gusto's general ledger report beside our own entry: the emulator works it out person by person, apart from us.

Of the two people e0 is paid 5,000.00 and e1 6,000.00 by cheque, with 20.00 laid out; each has 412.37 and 62.01 in
taxes, 30.10 and 88.25 in benefits, and 11.11 of garnishment. So by hand:

    wages, expenses, company contributions   11,000.00 + 20.00 + 176.50   11,196.50
    employer taxes                                                           124.02
    net pay and expenses       11,000.00 - 824.74 - 60.20 - 22.22 + 20.00  10,112.84
    taxes                                                824.74 + 124.02     948.76
    benefits and garnishments                  60.20 + 176.50 + 22.22        258.92
"""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.cli.tasks.figures import Held, held, with_remarks
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Intent, Park, Plan
from counterfoil.sources import Seen, SourceError
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps
from counterfoil_schema.records import LedgerSum, PayRun, ProviderLedger
from support.between import at_work, source_settings
from support.gusto import Company, employees, gusto, payroll, person
from support.planning import View, mapping, request
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

WARN = {"payroll": {"ledger": "warn", "minimum_people": 1}}
ACCOUNTS = """
[payroll]
minimum_people = 1
ledger = "RULE"
[payroll.accounts]
wages = "Wages"
reimbursement = "Travel"
employer_tax = "Payroll Taxes"
employer_benefit = "Payroll Benefits"
net_pay = "Checking"
tax_payment = "Checking"
employee_benefit = "Benefits Payable"
other_deduction = "Payroll Liabilities"
"""
BY_HAND = (
    LedgerSum(parts=("wages", "reimbursement", "employer_benefit"), amount=Decimal("11196.50")),
    LedgerSum(parts=("employer_tax",), amount=Decimal("124.02")),
    LedgerSum(parts=("net_pay",), amount=Decimal("10112.84")),
    LedgerSum(parts=("tax_payment",), amount=Decimal("948.76")),
    LedgerSum(parts=("employee_benefit", "other_deduction"), amount=Decimal("258.92")),
)


async def with_a_run(company: Company) -> None:
    day = company.clock.now().date().isoformat()
    expenses: list[JsonValue] = [{"amount": "20.00", "description": "Taxi"}]
    people = [person("e0", "5000.00"), person("e1", "6000.00", reimbursements=expenses, payment_method="Check")]
    await company.control("/load", {"employees": employees(2), "payrolls": [payroll("p1", day, people)]})


async def read(company: Company, source_id: str = "p1") -> PayRun:
    (change,) = await company.source(mapping=WARN).read("payroll", source_id)
    assert isinstance(change, Seen)
    assert isinstance(change.record, PayRun)
    return change.record


def planned(record: PayRun, rule: str) -> Plan:
    key = "gusto:payroll:p1"
    return plan(request(record, key), mapping(ACCOUNTS.replace("RULE", rule)), View(known={key}))


def remarks(of: Plan) -> set[str]:
    assert isinstance(of, tuple), of
    return {intent.remark for intent in of if isinstance(intent, Intent)}


async def test_the_report_holds_what_the_entry_does() -> None:
    async with gusto() as company:
        await with_a_run(company)
        record = await read(company)

        assert record.ledger == ProviderLedger(sums=BY_HAND)
        assert remarks(planned(record, "park")) == {""}
        (asked,) = company.emulator.reports.asked.values()
        assert (asked.polls, "Zoë1" in dumps(asked.body).decode()) == (0, True)
        assert "Zoë" not in record.model_dump_json()


async def test_a_reversal_has_a_report_below_zero() -> None:
    async with gusto() as company:
        await with_a_run(company)
        made = (await company.control("/people/payrolls/p1/reverse"))["uuid"]

        record = await read(company, made)

        assert record.ledger == ProviderLedger(
            sums=tuple(one.model_copy(update={"amount": -one.amount}) for one in BY_HAND)
        )


async def test_a_difference_is_told_by_account_and_parks_where_the_mapping_says_so() -> None:
    async with gusto() as company:
        await with_a_run(company)
        added: list[JsonValue] = [
            {"account_type": "EmployerTax", "debit": "2.00"},
            {"account_type": "SomethingNew", "credit": "3.50"},
        ]
        await company.control("/reports", {"add": added})
        record = await read(company)

        says = (
            "payroll p1 (gusto) differs from the provider's general ledger: "
            "Payroll Taxes (employer taxes) 124.02 USD here and 126.02 there, a difference of -2.00; "
            "Benefits Payable and Payroll Liabilities (benefits, other deductions) 258.92 USD here and 262.42 there, "
            "a difference of -3.50."
        )
        assert remarks(planned(record, "warn")) == {says}
        assert remarks(planned(record, "off")) == {""}
        parked = planned(record, "park")
        assert isinstance(parked, Park)
        assert (parked.code, parked.reason) == ("ledger_mismatch", says)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"fail": True}, "Gusto could not make the general ledger report"),
        ({"pending_polls": 1000}, "Gusto had not made the general ledger report after 60 seconds"),
        ({"add": [{"account_type": "EmployerTax", "debit": "much"}]}, "an amount of the general ledger report is not"),
    ],
)
async def test_a_report_that_cannot_be_had_holds_up_no_reading(order: JsonObject, why: str) -> None:
    async with gusto() as company:
        await with_a_run(company)
        await company.control("/reports", order)

        record = await read(company)

        assert record.ledger is not None
        assert why in (record.ledger.missing or "")
        (remark,) = remarks(planned(record, "warn"))
        assert why in remark
        assert isinstance(planned(record, "park"), Park)


async def test_no_report_is_asked_for_unless_the_mapping_compares() -> None:
    async with gusto() as company:
        await with_a_run(company)

        (change,) = await company.source().read("payroll", "p1")

        assert isinstance(change, Seen)
        assert isinstance(change.record, PayRun)
        assert change.record.ledger is None
        assert company.emulator.reports.asked == {}


async def test_what_one_person_has_is_not_told_apart_by_the_comparison() -> None:
    """The company contributes to e0 alone: with two people at least for a line, that is put into the taxes."""
    async with gusto() as company:
        day = company.clock.now().date().isoformat()
        people = [person("e0", "5000.00"), person("e1", "6000.00", benefits=[])]
        await company.control("/load", {"employees": employees(2), "payrolls": [payroll("p1", day, people)]})

        (change,) = await company.source(mapping={"payroll": {"ledger": "warn"}}).read("payroll", "p1")

        assert isinstance(change, Seen)
        assert isinstance(change.record, PayRun)
        assert change.record.ledger is not None
        found = {frozenset[str](one.parts): one.amount for one in change.record.ledger.sums}
        # 11,000.00 in wages, 88.25 contributed, 124.02 in employer taxes.
        borne = frozenset[str]({"wages", "reimbursement", "employer_benefit", "employer_tax"})
        assert (len(found), found[borne]) == (4, Decimal("11212.27"))


@pytest.mark.parametrize(("scope", "kind"), [("company_reports:write", "payroll"), ("contractors:read", "contractor")])
async def test_a_scope_that_the_token_lacks_is_named_and_concerns_its_kind_alone(scope: str, kind: str) -> None:
    async with gusto() as company:
        await with_a_run(company)
        await company.control("/scopes", {"without": [scope]})
        source = company.source(mapping=WARN)

        with pytest.raises(SourceError, match=scope) as refused:
            async for _ in source.changes(kind, None):
                pass

        assert (refused.value.one_kind, "OAuth scope" in str(refused.value)) == (True, True)
        assert [page.done async for page in source.changes("employee", None)] == [True]


async def test_whoever_approves_a_run_is_told_first(database: Database, tmp_path: Path) -> None:
    async with gusto() as company:
        await with_a_run(company)
        await company.control("/reports", {"add": [{"account_type": "EmployerTax", "debit": "2.00"}]})
        ready = company.emulator.ready()
        names = ("base_url", "company_uuid", "access_token", "refresh_token", "client_id", "client_secret")
        options = {**{name: ready[name] for name in names}, "requests_per_minute": 60000}
        text = '[connection]\nsource = "gusto"\nzone = "America/New_York"\n' + ACCOUNTS.replace("RULE", "warn")
        # The books of a fresh emulator lack the account of expenses: nothing is sent before the approval anyhow.
        with emulator_process("--limits", "off") as books:
            source = source_settings("gusto", text, options)
            async with at_work(database, tmp_path, books, source) as engine, asyncio.timeout(60):
                waiting: list[Held] = []
                while not waiting:
                    await asyncio.sleep(0.1)
                    waiting = await held(engine.store, 1)
                (told,) = await with_remarks(engine.reader, 1, waiting)
    says = "Payroll Taxes (employer taxes) 124.02 USD here and 126.02 there, a difference of -2.00"
    assert (told.entity, says in told.remark) == ("JournalEntry", True)
