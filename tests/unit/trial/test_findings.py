"""What a check tells: with its place in the file, the nearest known name, and how many records are concerned."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from counterfoil.trial import Finding, Sample, judge
from counterfoil_schema.records import Customer, Employee, PayPart, PayRun, PayRunLine, Product, Record, TimeEntry
from support.planning import MINIMAL, line, sale
from support.trials import books, sample, trial

LISTS = {"Account": ["Sales of Product Income", "Checking", "Wages"], "Item": ["Hours"], "Term": ["Net 30", "Net 60"]}
NEAR = "and QuickBooks holds none; did you mean"
KNOWN = "known are"
NO_INVOICE = "not in the list, so that no invoice is made."
DEALS: tuple[tuple[str, str, Record], ...] = (
    ("company", "12", Customer(name="Acme")),
    ("product", "7", Product(name="Widget", unit_price=Decimal(10))),
    ("deal", "1", sale(status="closedwon", won=True, number="1")),
    ("deal", "2", sale(status="closedwon", won=True, number="2")),
    ("deal", "3", sale(status="proposal", won=False, number="3")),
)


async def found(extra: str, of: Sample | None = None, **of_books: Any) -> list[Finding]:
    lists = {**LISTS, **of_books.pop("lists", {})}
    text = MINIMAL + extra
    return judge(await trial(text, books(lists, **of_books), of or sample(*DEALS)), text)


def told(findings: list[Finding]) -> list[tuple[str, str, int | None, int | None]]:
    return [(one.level, one.says, one.line, one.column) for one in findings]


async def test_a_mapping_that_fits_both_sides_has_nothing_to_settle() -> None:
    findings = await found('[invoice]\nfrom = ["deal"]\nterms = "Net 30"\n')
    assert [(one.level, one.says, one.records) for one in findings] == [
        ("left out", 'Status "proposal": 1 of the sample, not won, so that no invoice is made.', 1)
    ]


@pytest.mark.parametrize(
    ("extra", "says", "line", "column"),
    [
        (
            '[invoice]\nterms = "Net 3O"\n',
            '[invoice] terms names the term "Net 3O", and QuickBooks holds none; did you mean "Net 30"?',
            5,
            9,
        ),
        (
            '[product]\nincome_account = "Sales of Produce Income"\n',
            f'[product] income_account names the account "Sales of Produce Income", {NEAR} "Sales of Product Income"?',
            5,
            18,
        ),
        (
            '[payment]\n  deposit_account = "Chequing"\n',
            f'[payment] deposit_account names the account "Chequing", {NEAR} "Checking"?',
            5,
            21,
        ),
        (
            '[invoice]\nfrom = [ "deel" ]\n',
            '[invoice] from names "deel", and hubspot has no such records; did you mean "deal"?',
            5,
            10,
        ),
        (
            '[time.projects.X]\ncustomer = "99"\n',
            "[time.projects.X] customer names the customer 99, and QuickBooks has no such id.",
            5,
            12,
        ),
    ],
)
async def test_a_name_that_does_not_exist_is_told_with_its_place(extra: str, says: str, line: int, column: int) -> None:
    errors = [one for one in told(await found(extra)) if one[0] == "error"]
    assert errors == [("error", says, line, column)]


async def test_an_inactive_name_and_one_that_is_made_are_told_apart() -> None:
    extra = '[invoice]\ncatch_all = "Others"\nterms = "Net 60"\n'
    findings = await found(extra, inactive=["Net 60"])
    assert [one for one in told(findings) if one[0] != "left out"] == [
        ("error", '[invoice] terms names the term "Net 60", which is inactive in QuickBooks.', 6, 9),
        (
            "remark",
            '[invoice] catch_all names the item "Others", which QuickBooks lacks: it is created when first needed.',
            5,
            13,
        ),
    ]
    strict = await found(extra + '[product]\nmissing = "park"\n')
    assert [one.level for one in strict if "Others" in one.says] == ["error"]


async def test_a_default_that_the_sample_needs_is_told_without_a_place() -> None:
    (error,) = [one for one in await found("", lists={"Account": ["Checking"]}) if one.level == "error"]
    assert (error.line, error.records) == (None, 1)
    assert error.says.startswith('[product] income_account names the account "Sales of Product Income"')
    no_products = sample(*(record for record in DEALS if record[0] == "company"))
    assert [one for one in await found("", no_products, lists={"Account": ["Checking"]}) if one.level == "error"] == []


async def test_stages_are_compared_both_ways() -> None:
    findings = await found('[invoice]\nwhen = ["closedwin",\n  "invoiced"]\n')
    assert told([one for one in findings if one.level != "remark"]) == [
        (
            "left out",
            f'Status "closedwon": 2 of the sample, {NO_INVOICE} The source calls it won.',
            5,
            1,
        ),
        ("left out", f'Status "proposal": 1 of the sample, {NO_INVOICE}', 5, 1),
        (
            "not seen",
            '[invoice] when has "closedwin": nothing in the sample bears it; did you mean "closedwon"?',
            5,
            9,
        ),
        (
            "not seen",
            '[invoice] when has "invoiced": nothing in the sample bears it; known are closedwon, proposal.',
            6,
            3,
        ),
    ]


async def test_a_stage_that_the_source_does_not_have_is_an_error_where_its_stages_are_known() -> None:
    of = sample(*DEALS)
    of.statuses = {"closedwon": "Closed won", "proposal": "Proposal", "invoiced": "Invoiced"}
    findings = await found('[invoice]\nwhen = ["closedwon", "invoiced", "payed"]\n', of)
    assert [one for one in told(findings) if one[0] != "left out"] == [
        (
            "error",
            '[invoice] when has "payed": the source has none of that name; known are closedwon, invoiced, proposal.',
            5,
            34,
        ),
        (
            "not seen",
            '[invoice] when has "invoiced": nothing in the sample bears it.',
            5,
            22,
        ),
    ]


async def test_kinds_that_no_section_takes_are_told() -> None:
    findings = await found('[customer]\nfrom = ["deal"]\n')
    passed = "1 of kind company are passed over: The mapping takes a customer from deal, not from company."
    assert passed in [one.says for one in findings if one.level == "left out"]


async def test_what_would_be_parked_is_told_once_for_each_reason_with_how_many() -> None:
    without = [("deal", str(number), sale(number=str(number)).model_copy(update={"lines": ()})) for number in range(3)]
    findings = await found("", sample(*DEALS[:2], *without))
    (parked,) = [one for one in findings if one.level == "parked"]
    assert (parked.records, parked.says) == (
        3,
        "no_lines: deal 0 (hubspot) has no lines, so nobody can say what was sold. And 2 more.",
    )
    assert "no_lines" in parked.fix


async def test_tax_codes_of_the_source_without_one_in_the_books_are_told() -> None:
    deal = sale(line(tax_code="20%"), line("2", tax_code="zero"))
    extra = '[tax]\ncodes = { "20%" = "20% S", "5%" = "5% R" }\nexempt = "No VAT"\n'
    of = sample(*DEALS[:2], ("deal", "1", deal))
    findings = await found(extra, of, lists={"TaxCode": ["20.0% S", "No VAT"]}, tax_mode="abroad")
    assert [
        (one.level, one.says.partition(";")[0].partition(" mapping names no")[0], one.line) for one in findings
    ] == [
        ("error", '[tax.codes] 20% names the tax code "20% S", and QuickBooks holds none', 5),
        ("error", '[tax.codes] 5% names the tax code "5% R", and QuickBooks holds none', 5),
        (
            "parked",
            "unknown_tax_code: Line 2 of deal 1 (hubspot) bears tax code 'zero', for which the",
            None,
        ),
        ("left out", 'Tax code "zero": 1 of the sample, parked for want of QuickBooks\' code.', 5),
        ("not seen", '[tax.codes] 5% has "5%": nothing in the sample bears it', 5),
    ]


def run(*parts: tuple[PayPart, str]) -> PayRun:
    lines = tuple(PayRunLine(department=of, part=part, amount=Decimal(100), people=3) for part, of in parts)
    return PayRun(
        status="processed",
        processed=True,
        check_date=date(2026, 3, 6),
        period_start=date(2026, 2, 20),
        period_end=date(2026, 3, 5),
        currency="USD",
        lines=lines,
    )


async def test_every_account_that_pay_runs_lack_is_told_at_once_and_departments_both_ways() -> None:
    pay = run(("wages", "Design"), ("employer_tax", "Design"), ("net_pay", "Sales"), ("wages", "Sales"))
    extra = '[payroll]\ntrack = "department"\n[payroll.accounts]\nwages = "Wages"\n[payroll.departments.Desing]\n'
    of = sample(("payroll", "p1", pay), connection="gusto")
    findings = await found(extra, of, tracking=["department"], lists={"Department": ["Design", "Sales"]})
    assert [(one.level, one.says, one.line) for one in findings if one.level != "parked"] == [
        ("error", "1 of the pay runs hold employer_tax, and [payroll.accounts] names no account for it.", None),
        ("error", "1 of the pay runs hold net_pay, and [payroll.accounts] names no account for it.", None),
        (
            "error",
            f'[payroll.departments] Desing names the location "Desing", {NEAR} "Design"?',
            8,
        ),
        ("left out", 'Department "Design": 1 of the sample, booked by [payroll.accounts] alone.', 8),
        ("left out", 'Department "Sales": 1 of the sample, booked by [payroll.accounts] alone.', 8),
        (
            "not seen",
            '[payroll.departments] Desing has "Desing": nothing in the sample bears it; did you mean "Design"?',
            8,
        ),
    ]


async def test_names_that_only_the_records_bear_are_held_against_the_books() -> None:
    person = Employee(given_name="Zoë", family_name="Ødegård")
    hours = TimeEntry.model_validate(
        {
            "employee": "hr:employee:e1",
            "dated": "2026-03-06",
            "project": "Site A",
            "department": "Desing",
            "parts": [{"entry_id": "1", "minutes": "60"}],
        }
    )
    of = sample(("employee", "e1", person), ("day", "d1", hours), connection="hr")
    extra = '[employee]\ncreate = true\n[time]\ntrack = "class"\nunknown_project = "post"\n'
    findings = await found(extra, of, tracking=["class"], lists={"Class": ["Design"]})
    assert [(one.level, one.says) for one in findings] == [
        (
            "error",
            f'1 of the sample\'s documents name the class "Desing", {NEAR} "Design"?',
        ),
        ("left out", 'Project "Site A": 1 of the sample, posted without a customer.'),
    ]
