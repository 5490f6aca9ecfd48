"""The sample company: repeatable, awkward where it should be, and with figures that add up."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.demo.changes import AddLine, Payment, count_of, make_changes
from counterfoil.demo.entries import Share, entry_of
from counterfoil.demo.expected import Expected, ExpectedInvoice, expect
from counterfoil.demo.generator import make_sample
from counterfoil.demo.loading import gusto_load, hubspot_load
from counterfoil.demo.sample import FAST, SaleLine, Sample, Size
from counterfoil_schema import exact_json

WHOLE = Size()


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(1, WHOLE)


@pytest.fixture(scope="module")
def expected(sample: Sample) -> Expected:
    return expect(sample, make_changes(1, sample, WHOLE.changes))


def test_it_is_as_large_as_promised(sample: Sample, expected: Expected) -> None:
    assert (
        len(sample.customers),
        len(sample.products),
        sum(deal.won for deal in sample.deals),
        len(sample.employees),
        len(sample.pay_runs),
    ) == (120, 40, 600, 80, 6)
    assert len({person.department for person in sample.employees}) == 6
    assert {1, 2, 3, 4, 5, 6} == {len(deal.lines) for deal in sample.deals if deal.trouble != "no_lines"}
    assert count_of(make_changes(1, sample, WHOLE.changes)) == 60
    assert WHOLE.changes.total == 60


def test_it_holds_everything_awkward(sample: Sample, expected: Expected) -> None:
    names = [customer.name for customer in sample.customers]
    assert len(names) - len(set(names)) == 1
    assert any(":" in name for name in names)
    assert {"number_too_long", "unknown_product", "no_lines", "total_mismatch", "2040"} == set(expected.parked.values())
    by_trouble = {deal.trouble: deal for deal in sample.deals if deal.trouble}
    assert len(by_trouble["number_too_long"].number) == 30
    assert by_trouble["no_lines"].lines == ()
    assert by_trouble["total_mismatch"].stated != by_trouble["total_mismatch"].cents
    assert not by_trouble["2040"].lines[0].name.isascii()
    known = {product.product_id for product in sample.products}
    assert by_trouble["unknown_product"].lines[0].product_id not in known


def test_a_sale_at_half_past_eleven_belongs_to_the_month_on_the_wall(sample: Sample, expected: Expected) -> None:
    late = next(deal for deal in sample.deals if "23:30" in deal.name)
    loaded = exact_json.dumps(hubspot_load(sample))
    assert b'"2026-04-01T03:30:00.000Z"' in loaded
    assert date(2026, 3, 31) == expected.invoices[late.number].day


@pytest.mark.parametrize("size", [WHOLE, FAST])
def test_the_same_seed_gives_the_same_company(size: Size) -> None:
    assert make_sample(5, size) == make_sample(5, size)
    assert make_sample(5, size) != make_sample(6, size)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [WHOLE, FAST])
def test_the_figures_add_up(seed: int, size: Size) -> None:
    sample = make_sample(seed, size)
    changes = make_changes(seed, sample, size.changes)
    expected = expect(sample, changes)
    assert sum(expected.accounts.values()) == 0
    assert all(sum(entry.accounts.values()) == 0 for entry in expected.entries)
    assert expected.invoiced == sum(expected.by_customer.values()) == sum(expected.by_month.values())
    assert size.changes.total == count_of(changes)
    receivable = sum(invoice.balance - invoice.surplus for invoice in expected.invoices.values())
    assert receivable == expected.accounts["Accounts Receivable (A/R)"]
    assert size.changes.overpaid == sum(one.status == "overpaid" for one in expected.invoices.values())
    assert size.changes.paid_in_part == sum(one.status == "partial" for one in expected.invoices.values())
    assert size.changes.credited == sum(one.status == "credited" for one in expected.invoices.values())
    assert expected.added == sum(change.cents for change in changes if isinstance(change, AddLine))


def test_nobody_pays_an_invoice_that_changes_later(sample: Sample) -> None:
    changes = make_changes(1, sample, WHOLE.changes)
    expected = expect(sample, changes)
    paid = {number for change in changes if isinstance(change, Payment) for number, _ in change.parts}
    assert paid.isdisjoint(one.number for one in expected.invoices.values() if one.added or one.due)
    assert all(one.balance >= 0 for one in expected.invoices.values())


def test_net_pay_and_all_that_is_withheld_come_to_the_gross(sample: Sample) -> None:
    for run in sample.pay_runs:
        for part in run.parts:
            withheld = sum(cents for _, cents in part.employee_taxes) + part.benefit_withheld + part.deduction
            assert part.gross + part.reimbursement == part.net + withheld


@given(quantity=st.integers(1, 10_000), cents_each=st.integers(0, 10_000_000), percent_off=st.integers(0, 100))
def test_a_line_is_rounded_half_up_to_the_cent(quantity: int, cents_each: int, percent_off: int) -> None:
    line = SaleLine(1, 1, "x", quantity, cents_each, percent_off)
    exact = Decimal(quantity) * cents_each * (100 - percent_off) / 100
    assert int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)) == line.cents


@given(
    cents=st.integers(1, 10**9), paid=st.integers(0, 10**9), credited=st.integers(0, 10**9), surplus=st.integers(0, 99)
)
@settings(max_examples=200)
def test_a_status_says_what_the_amounts_say(cents: int, paid: int, credited: int, surplus: int) -> None:
    paid = min(paid, cents)
    credited = min(credited, cents - paid)
    surplus = surplus if paid + credited == cents and paid else 0
    invoice = ExpectedInvoice(
        number="1", customer_id=1, day=date(2026, 1, 1), cents=cents, paid=paid, credited=credited, surplus=surplus
    )
    assert (invoice.status in {"paid", "overpaid", "credited"}) == (invoice.balance == 0)
    assert (invoice.status == "open") == (paid + credited == 0)
    assert (invoice.status == "overpaid") == (surplus > 0)


def test_what_is_loaded_holds_every_deal_and_every_person(sample: Sample) -> None:
    loaded = exact_json.loads_object(exact_json.dumps(hubspot_load(sample)))
    objects = loaded["objects"]
    assert isinstance(objects, dict)
    sizes = {kind: len(rows) for kind, rows in objects.items() if isinstance(rows, list)}
    lines = sum(len(deal.lines) for deal in sample.deals)
    assert {"companies": 120, "products": 40, "deals": 640, "line_items": lines} == sizes
    payrolls = gusto_load(sample)["payrolls"]
    assert isinstance(payrolls, list)
    assert len(payrolls) == 6


def test_what_one_person_alone_has_is_no_line_of_its_own() -> None:
    def share(department: str, *, deducted: int = 0, reimbursed: int = 0) -> Share:
        return Share(
            department=department,
            gross=100_000,
            employer_taxes=8_000,
            withheld=2_000,
            contributed=3_000,
            deducted=deducted,
            reimbursed=reimbursed,
        )

    several = [share("Engineering", deducted=7_500), share("Sales", deducted=7_500, reimbursed=450), share("Sales")]
    assert dict(entry_of(several)) == {
        "Cost of Goods Sold": 100_000,
        "Wages": 200_450,
        "Payroll Taxes": 24_000,
        "Payroll Benefits": 9_000,
        "Checking": -303_450,
        "Benefits Payable": -15_000,
        "Payroll Liabilities": -15_000,
    }
    one = [share("Engineering", deducted=7_500, reimbursed=450), share("Engineering", reimbursed=50), share("Sales")]
    assert dict(entry_of(one)) == {
        "Cost of Goods Sold": 200_000,
        "Wages": 100_000,
        "Office Expenses": 500,
        "Payroll Taxes": 24_000,
        "Payroll Benefits": 9_000,
        "Checking": -311_000,
        "Benefits Payable": -22_500,
    }
