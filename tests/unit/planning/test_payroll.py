"""A pay run becomes one balanced entry; no line is one person's pay."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.pay_groups import pay_groups, widened
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park, Skip, Unchanged
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import WIDER_PARTS, PayPart, PayRun, PayRunLine
from support.planning import View, lines_of, link_of, mapping, only, request

RUN = "gusto:payroll:9f0c2a4e-aaaa-bbbb-cccc-0123456789ab"
ACCOUNTS = """
[payroll.accounts]
wages = "Wages"
reimbursement = "Reimbursements"
employer_tax = "Payroll taxes"
employer_benefit = "Contributions"
net_pay = "Checking"
tax_payment = "Checking"
employee_benefit = "Benefits payable"
other_deduction = "Deductions payable"
"""


def part(department: str, name: PayPart, amount: str, people: int = 5) -> PayRunLine:
    return PayRunLine(department=department, part=name, amount=Decimal(amount), people=people)


# The example of Gusto's own documentation (5000.00 gross), given to two departments.
LINES = (
    part("Sales", "wages", "3000.00", 3),
    part("Engineering", "wages", "2000.00", 2),
    part("Sales", "employer_tax", "230.00", 3),
    part("Engineering", "employer_tax", "152.50", 2),
    part("Sales", "employer_benefit", "120.00", 3),
    part("Engineering", "employer_benefit", "80.00", 2),
    part("Sales", "net_pay", "2280.00", 3),
    part("Engineering", "net_pay", "1520.00", 2),
    part("Sales", "tax_payment", "830.00", 3),
    part("Engineering", "tax_payment", "552.50", 2),
    part("Sales", "employee_benefit", "210.00", 3),
    part("Engineering", "employee_benefit", "140.00", 2),
    part("Sales", "other_deduction", "30.00", 3),
    part("Engineering", "other_deduction", "20.00", 2),
)


def run(*lines: PayRunLine, **values: object) -> PayRun:
    return PayRun.model_validate(
        {
            "status": "processed",
            "processed": True,
            "check_date": date(2026, 11, 13),
            "period_start": date(2026, 10, 25),
            "period_end": date(2026, 11, 7),
            "currency": "USD",
            "stated_debit": Decimal("5182.50") if not lines else None,
            "lines": lines or LINES,
            **values,
        }
    )


def sides(body: JsonObject) -> list[tuple[str, object, object, object]]:
    found: list[tuple[str, object, object, object]] = []
    for entry in lines_of(body):
        detail = entry["JournalEntryLineDetail"]
        assert isinstance(detail, dict)
        account = detail["AccountRef"]
        assert isinstance(account, dict)
        name = account["$name"]
        assert isinstance(name, list)
        found.append((str(detail["PostingType"]), name[1], entry["Amount"], entry["Description"]))
    return found


def parked(record: PayRun, extra: str = ACCOUNTS) -> Park:
    planned = plan(request(record, RUN), mapping(extra), View())
    assert isinstance(planned, Park), planned
    return planned


def test_a_pay_run_becomes_this_entry() -> None:
    intent = only(plan(request(run(), RUN), mapping(ACCOUNTS), View()))
    assert sides(intent.body) == [
        ("Debit", "Wages", Decimal("2000.00"), "Wages: Engineering"),
        ("Debit", "Wages", Decimal("3000.00"), "Wages: Sales"),
        ("Debit", "Payroll taxes", Decimal("152.50"), "Employer taxes: Engineering"),
        ("Debit", "Payroll taxes", Decimal("230.00"), "Employer taxes: Sales"),
        ("Debit", "Contributions", Decimal("80.00"), "Employer benefits: Engineering"),
        ("Debit", "Contributions", Decimal("120.00"), "Employer benefits: Sales"),
        ("Credit", "Checking", Decimal("3800.00"), "Net pay"),
        ("Credit", "Checking", Decimal("1382.50"), "Taxes"),
        ("Credit", "Benefits payable", Decimal("350.00"), "Benefits withheld and contributed"),
        ("Credit", "Deductions payable", Decimal("50.00"), "Other deductions"),
    ]
    assert intent.body["TxnDate"] == "2026-11-13"
    assert intent.body["DocNumber"] == "PR-2026-11-13-6789ab"
    assert intent.body["PrivateNote"] == "Pay run 2026-10-25 to 2026-11-07 {marker}"
    assert (intent.entity, intent.amount, intent.review) == ("JournalEntry", Decimal("5582.50"), True)


def test_auto_posting_must_be_asked_for() -> None:
    assert not only(plan(request(run(), RUN), mapping(ACCOUNTS + '[post.pay_run]\npost = "auto"\n'), View())).review


@pytest.mark.parametrize(("track", "word"), [("department", "locations"), ("class", "classes")])
def test_a_dimension_that_the_books_do_not_track_parks(track: str, word: str) -> None:
    extra = f'[payroll]\ntrack = "{track}"\n{ACCOUNTS}'
    found = plan(request(run(*LINES), RUN), mapping(extra), View(tracked=()))
    assert isinstance(found, Park)
    assert found.code == "tracking_off"
    assert f"does not track {word}" in found.reason


@pytest.mark.parametrize(
    ("track", "field", "entity"), [("department", "DepartmentRef", "Department"), ("class", "ClassRef", "Class")]
)
def test_a_dimension_on_the_debit_lines(track: str, field: str, entity: str) -> None:
    extra = f'[payroll]\ntrack = "{track}"\n{ACCOUNTS}[payroll.departments.Sales]\nname = "Field sales"\n'
    intent = only(plan(request(run(), RUN), mapping(extra), View()))
    details = [entry["JournalEntryLineDetail"] for entry in lines_of(intent.body)]
    found = [detail.get(field) for detail in details if isinstance(detail, dict)]
    assert found[:2] == [{"$name": [entity, "Engineering"]}, {"$name": [entity, "Field sales"]}]
    assert found[6:] == [None, None, None, None]


def test_accounts_of_a_department_go_before_the_general_ones() -> None:
    extra = ACCOUNTS + '[payroll.departments.Engineering]\nwages = "Cost of sales"\n'
    intent = only(plan(request(run(), RUN), mapping(extra), View()))
    assert [side[1] for side in sides(intent.body)[:3]] == ["Cost of sales", "Wages", "Payroll taxes"]


def test_departments_of_one_person_are_merged_so_that_no_line_is_one_person_s_pay() -> None:
    record = run(
        part("Sales", "wages", "3000.00", 3),
        part("Legal", "wages", "900.00", 1),
        part("Board", "wages", "1100.00", 1),
        part("Sales", "net_pay", "5000.00", 5),
    )
    intent = only(plan(request(record, RUN), mapping(ACCOUNTS), View()))
    assert [side[2:] for side in sides(intent.body)] == [
        (Decimal("3000.00"), "Wages: Sales"),
        (Decimal("2000.00"), "Wages: Other"),
        (Decimal("5000.00"), "Net pay"),
    ]


def test_a_single_person_is_joined_by_the_smallest_department() -> None:
    record = run(
        part("Sales", "wages", "3000.00", 30),
        part("Support", "wages", "2000.00", 4),
        part("Legal", "wages", "900.00", 1),
        part("Sales", "net_pay", "5900.00", 35),
    )
    intent = only(plan(request(record, RUN), mapping(ACCOUNTS), View()))
    assert [side[2:] for side in sides(intent.body)] == [
        (Decimal("3000.00"), "Wages: Sales"),
        (Decimal("2900.00"), "Wages: Other"),
        (Decimal("5900.00"), "Net pay"),
    ]


def test_a_run_that_pays_one_person_parks_unless_the_mapping_lets_it_be_seen() -> None:
    """Off-cycle runs often do; their wages, taxes and net pay would be that person's."""
    bonus = run(
        part("Sales", "wages", "700.00", 1),
        part("Sales", "net_pay", "500.00", 1),
        part("Sales", "tax_payment", "200.00", 1),
    )
    planned = plan(request(bonus, RUN), mapping(ACCOUNTS), View())
    assert isinstance(planned, Park)
    assert planned.code == "too_few_people"
    assert "700" not in planned.reason
    only(plan(request(bonus, RUN), mapping("[payroll]\nminimum_people = 1\n" + ACCOUNTS), View()))


def test_the_merged_group_bears_no_dimension() -> None:
    extra = f'[payroll]\ntrack = "department"\n{ACCOUNTS}'
    record = run(part("Legal", "wages", "9.00", 1), part("Board", "wages", "1.00", 1), part("x", "net_pay", "10", 2))
    detail = lines_of(only(plan(request(record, RUN), mapping(extra), View())).body)[0]["JournalEntryLineDetail"]
    assert isinstance(detail, dict)
    assert "DepartmentRef" not in detail


def test_zeros_are_dropped_and_negative_amounts_change_side() -> None:
    record = run(
        part("Sales", "wages", "100.00"),
        part("Sales", "reimbursement", "0.00"),
        part("Sales", "employer_tax", "-7.65"),
        part("Sales", "net_pay", "100.00"),
        part("Sales", "tax_payment", "-7.65"),
    )
    intent = only(plan(request(record, RUN), mapping(ACCOUNTS), View()))
    assert [side[:3] for side in sides(intent.body)] == [
        ("Debit", "Wages", Decimal("100.00")),
        ("Credit", "Payroll taxes", Decimal("7.65")),
        ("Credit", "Checking", Decimal("100.00")),
        ("Debit", "Checking", Decimal("7.65")),
    ]


def test_what_does_not_balance_parks_with_the_difference() -> None:
    record = run(part("Sales", "wages", "100.00"), part("Sales", "net_pay", "99.99"))
    assert parked(record).reason == (
        "payroll 9f0c2a4e-aaaa-bbbb-cccc-0123456789ab (gusto) does not balance: debits 100.00 USD, credits 99.99, "
        "a difference of 0.01."
    )


def test_a_stated_debit_that_is_not_net_pay_and_taxes_parks() -> None:
    assert parked(run(stated_debit=Decimal("5182.51"))).code == "stated_debit_mismatch"
    extra = '[payroll]\nstated_debit_mismatch = "ignore"\n' + ACCOUNTS
    assert only(plan(request(run(stated_debit=Decimal("5182.51")), RUN), mapping(extra), View()))


def test_a_part_without_an_account_parks_and_names_the_setting() -> None:
    refusal = parked(run(), ACCOUNTS.replace('other_deduction = "Deductions payable"\n', ""))
    assert refusal.code == "no_account"
    assert 'other_deduction = "…"' in refusal.fix


def test_only_processed_runs_are_posted() -> None:
    planned = plan(request(run(processed=False, status="calculated"), RUN), mapping(ACCOUNTS), View())
    assert isinstance(planned, Skip)
    assert planned.code == "not_processed"


def test_pay_runs_of_other_kinds_are_skipped_where_the_mapping_names_some() -> None:
    planned = plan(request(run(), RUN), mapping('[payroll]\nfrom = ["off_cycle"]\n' + ACCOUNTS), View())
    assert isinstance(planned, Skip)
    assert planned.reason == "The mapping takes a pay run from off_cycle, not from payroll."


def test_a_run_that_pays_nothing_is_skipped() -> None:
    planned = plan(request(run(part("Sales", "wages", "0.00")), RUN), mapping(ACCOUNTS), View())
    assert isinstance(planned, Skip)
    assert planned.code == "nothing_to_post"


def test_a_run_changed_after_posting_parks() -> None:
    intent = only(plan(request(run(), RUN), mapping(ACCOUNTS), View()))
    view = View(links={RUN: link_of(intent, RUN, {"DocNumber": "PR-1"})})
    assert isinstance(plan(request(run(), RUN), mapping(ACCOUNTS), view), Unchanged)
    for record in (
        run(check_date=date(2026, 11, 14)),
        run(processed=False, status="reversed"),
        run(part("Sales", "wages", "0.00")),
    ):
        planned = plan(request(record, RUN), mapping(ACCOUNTS), view)
        assert isinstance(planned, Park)
        assert planned.code == "changed_after_posting"
    removed = plan(request(None, RUN), mapping(ACCOUNTS), view)
    assert isinstance(removed, Park)


CENTS = st.integers(-9_000_000, 90_000_000).map(lambda cents: Decimal(cents) / 100)
DEPARTMENTS = ("Sales", "Legal", "Support", "Board", "Research")
BEARING: tuple[PayPart, ...] = ("wages", "reimbursement", "employer_tax", "employer_benefit")
GOING: tuple[PayPart, ...] = ("tax_payment", "employee_benefit", "other_deduction")
RAW = st.lists(
    st.tuples(st.sampled_from(DEPARTMENTS), st.sampled_from((*BEARING, *GOING)), CENTS, st.integers(1, 9)), min_size=1
)


@given(RAW, st.integers(1, 6))
def test_every_entry_balances_and_holds_every_cent(raw: list[tuple[str, PayPart, Decimal, int]], minimum: int) -> None:
    borne = sum((amount for _, name, amount, _ in raw if name in BEARING), Decimal(0))
    gone = sum((amount for _, name, amount, _ in raw if name in GOING), Decimal(0))
    lines = [PayRunLine(department=d, part=p, amount=a, people=n) for d, p, a, n in raw]
    lines.append(PayRunLine(department="Sales", part="net_pay", amount=borne - gone, people=9))
    extra = f"[payroll]\nminimum_people = {minimum}\n{ACCOUNTS}"
    planned = plan(request(run(*lines), RUN), mapping(extra), View())
    if not any(line.amount for line in lines):
        assert isinstance(planned, Skip)
        return
    grouped = pay_groups(lines, minimum_people=minimum, other="Other")
    if any(group.people < minimum for group in widened(grouped, minimum_people=minimum, shown_alone=())):
        assert isinstance(planned, Park)
        assert planned.code == "too_few_people"
        return
    entries = sides(only(planned).body)
    net: dict[str, Decimal] = {"Debit": Decimal(0), "Credit": Decimal(0)}
    for side, _, amount, _ in entries:
        assert isinstance(amount, Decimal)
        assert amount > 0
        net[side] += amount
    assert net["Debit"] == net["Credit"]


@given(RAW, st.integers(1, 6))
def test_no_group_is_smaller_than_allowed_while_there_is_anybody_to_join(
    raw: list[tuple[str, PayPart, Decimal, int]], minimum: int
) -> None:
    lines = [PayRunLine(department=d, part=p, amount=a, people=n) for d, p, a, n in raw]
    groups = pay_groups(lines, minimum_people=minimum, other="Other")
    for name in BEARING:
        mine = [group for group in groups if group.part == name]
        people = sum(n for _, p, a, n in raw if p == name and a)
        amount = sum((a for _, p, a, _ in raw if p == name), Decimal(0))
        assert sum(group.people for group in mine) == people
        assert sum((group.amount for group in mine), Decimal(0)) == amount
        if people >= minimum:
            assert all(group.people >= minimum for group in mine)
        else:
            assert len(mine) <= 1


WAGES = (
    part("Sales", "wages", "6000.00", 3),
    part("Legal", "wages", "4000.00", 2),
    part("Sales", "net_pay", "6000.00", 3),
    part("Legal", "net_pay", "4000.00", 2),
)


def test_one_person_s_reimbursement_is_no_line_of_its_own() -> None:
    record = run(*WAGES, part("Legal", "reimbursement", "77.31", 1), part("Legal", "net_pay", "77.31", 1))
    intent = only(plan(request(record, RUN), mapping(ACCOUNTS), View()))
    assert [side[2:] for side in sides(intent.body)] == [
        (Decimal("4000.00"), "Wages: Legal"),
        (Decimal("6077.31"), "Wages and reimbursements: Sales"),
        (Decimal("10077.31"), "Net pay"),
    ]


def test_one_person_s_benefit_joins_deductions_that_others_have() -> None:
    record = run(
        *WAGES,
        part("Legal", "employer_benefit", "50.00", 1),
        part("Sales", "employer_tax", "20.00", 3),
        part("Sales", "tax_payment", "20.00", 3),
        part("Legal", "employee_benefit", "75.00", 1),
        part("Sales", "other_deduction", "30.00", 2),
        part("Legal", "net_pay", "-55.00", 2),
    )
    intent = only(plan(request(record, RUN), mapping(ACCOUNTS), View()))
    assert [side[2:] for side in sides(intent.body)] == [
        (Decimal("4000.00"), "Wages: Legal"),
        (Decimal("6000.00"), "Wages: Sales"),
        (Decimal("70.00"), "Employer taxes and employer benefits: Sales"),
        (Decimal("9945.00"), "Net pay"),
        (Decimal("20.00"), "Taxes"),
        (Decimal("105.00"), "Other deductions and benefits withheld and contributed"),
    ]


def test_what_only_one_person_has_withheld_parks_unless_the_mapping_lets_it_be_seen() -> None:
    """Nothing that leaves the bank is changed to hide it. Two such people may be one and the same."""
    record = run(
        *WAGES[:3],
        part("Legal", "net_pay", "3800.00", 2),
        part("Legal", "employee_benefit", "170.00", 1),
        part("Legal", "other_deduction", "30.00", 1),
    )
    found = parked(record)
    assert found.code == "too_few_people"
    assert 'shown_alone = ["employee_benefit"]' in found.fix
    assert [figure for figure in ("170", "30.00", "200") if figure in found.reason + found.fix] == []
    allowed = 'shown_alone = ["employee_benefit", "other_deduction"]'
    intent = only(plan(request(record, RUN), mapping(f"[payroll]\n{allowed}\n{ACCOUNTS}"), View()))
    assert sides(intent.body)[-2:] == [
        ("Credit", "Benefits payable", Decimal("170.00"), "Benefits withheld and contributed"),
        ("Credit", "Deductions payable", Decimal("30.00"), "Other deductions"),
    ]


@given(RAW, st.integers(2, 6))
def test_no_line_stands_for_too_few_and_no_cent_is_lost(
    raw: list[tuple[str, PayPart, Decimal, int]], minimum: int
) -> None:
    lines = [PayRunLine(department=d, part=p, amount=a, people=n) for d, p, a, n in raw]
    before = pay_groups(lines, minimum_people=minimum, other="Other")
    after = widened(before, minimum_people=minimum, shown_alone=())
    for bears in (True, False):
        assert sum(one.amount for one in before if one.bears == bears) == sum(
            one.amount for one in after if one.bears == bears
        )
    for one in after:
        if one.people < minimum:
            # Nothing that it may join has enough people by itself: the run is parked.
            wider = WIDER_PARTS.get(one.part, ())
            assert [other for other in after if other.part in wider and other.people >= minimum] == []
    gone = [one for one in before if one.part not in {other.part for other in after}]
    assert {one.part for one in gone} <= {part for other in after for part in other.includes}
