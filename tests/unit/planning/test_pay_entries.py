"""Pay runs by type, by department and over a month's end: figures written by hand."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.mapping import MappingError
from counterfoil.planning.types import Unchanged
from support.pay_runs import (
    ACCOUNTS,
    ACCRUED,
    BY_DEPARTMENT,
    LINES,
    accounts,
    balance,
    intents,
    parked,
    part,
    planned,
    posted,
    rows,
    run,
)
from support.planning import View, mapping, only


def test_types_have_accounts_of_their_own() -> None:
    extra = ACCOUNTS + (
        '[payroll.accounts.types.wages]\nOvertime = "Overtime wages"\n'
        '[payroll.accounts.types.other_deduction]\n"Child Support" = "Checking"\n'
        '[payroll.departments.Engineering]\nwages = "Cost of sales"\n'
    )
    record = run(
        part("Sales", "wages", "2500.00", 3, "Regular"),
        part("Sales", "wages", "500.00", 2, "Overtime"),
        part("Engineering", "wages", "2000.00", 2, "Overtime"),
        part("Sales", "net_pay", "4900.00", 5),
        part("Sales", "other_deduction", "60.00", 2, "Child Support"),
        part("Sales", "other_deduction", "40.00", 2, "Loan"),
    )
    assert rows(only(planned(record, extra)).body) == [
        # What is said of a department goes before what holds for all.
        ("Cost of sales", Decimal("2000.00"), "Wages: Engineering"),
        ("Wages", Decimal("2500.00"), "Wages: Sales"),
        ("Overtime wages", Decimal("500.00"), "Overtime: Sales"),
        ("Checking", Decimal("-4900.00"), "Net pay"),
        ("Deductions payable", Decimal("-40.00"), "Other deductions"),
        ("Checking", Decimal("-60.00"), "Child Support"),
    ]


def test_a_type_of_one_person_is_no_line_of_its_own() -> None:
    extra = ACCOUNTS + '[payroll.accounts.types.wages]\nBonus = "Bonuses"\nOvertime = "Overtime wages"\n'
    record = run(
        part("Sales", "wages", "4000.00", 3, "Regular"),
        part("Sales", "wages", "777.00", 1, "Bonus"),
        part("Legal", "wages", "3000.00", 2, "Overtime"),
        part("Legal", "wages", "555.00", 1, "Bonus"),
        part("Sales", "net_pay", "8332.00", 5),
    )
    assert rows(only(planned(record, extra)).body) == [
        ("Overtime wages", Decimal("3555.00"), "Overtime and others: Legal"),
        ("Wages", Decimal("4777.00"), "Wages: Sales"),
        ("Checking", Decimal("-8332.00"), "Net pay"),
    ]


def test_types_of_the_same_person_do_not_make_two_people() -> None:
    record = run(
        part("Sales", "wages", "4000.00", 1, "Regular"),
        part("Sales", "wages", "777.00", 1, "Bonus"),
        part("Sales", "net_pay", "4777.00", 1),
    )
    assert parked(planned(record, ACCOUNTS)).code == "too_few_people"


def test_one_person_s_cheque_parks_rather_than_to_change_what_the_bank_shows() -> None:
    extra = ACCOUNTS + '[payroll.accounts.types.net_pay]\nCheck = "Cheques outstanding"\n'
    lines = (part("Sales", "wages", "5000.00", 5), part("Sales", "net_pay", "4000.00", 4, "Direct Deposit"))
    alone = run(*lines, part("Sales", "net_pay", "1000.00", 1, "Check"))
    assert parked(planned(alone, extra)).code == "too_few_people"
    two = run(*lines, part("Sales", "net_pay", "1000.00", 2, "Check"))
    assert rows(only(planned(two, extra)).body)[1:] == [
        ("Checking", Decimal("-4000.00"), "Net pay"),
        ("Cheques outstanding", Decimal("-1000.00"), "Check"),
    ]


def test_an_entry_for_each_department_and_one_for_the_money() -> None:
    found = intents(planned(run(), BY_DEPARTMENT))
    assert [(one.record_key, one.doc_number, one.review) for one in found] == [
        (None, "PR-2026-11-13-p00001", True),
        ("gusto:payroll@2:p00001", "P2-2026-11-13-p00001", True),
        ("gusto:payroll@3:p00001", "P3-2026-11-13-p00001", True),
    ]
    assert [rows(one.body) for one in found] == [
        [
            ("Payroll clearing", Decimal("5382.51"), "Pay run"),
            ("Checking", Decimal("-4300.01"), "Net pay"),
            ("Checking", Decimal("-1012.50"), "Taxes"),
            ("Deductions payable", Decimal("-70.00"), "Other deductions"),
        ],
        [
            ("Wages", Decimal("2000.00"), "Wages: Engineering"),
            ("Payroll taxes", Decimal("152.50"), "Employer taxes: Engineering"),
            ("Payroll clearing", Decimal("-2152.50"), "Pay run: Engineering"),
        ],
        [
            ("Wages", Decimal("3000.01"), "Wages: Sales"),
            ("Payroll taxes", Decimal("230.00"), "Employer taxes: Sales"),
            ("Payroll clearing", Decimal("-3230.01"), "Pay run: Sales"),
        ],
    ]
    assert [one.body["PrivateNote"] for one in found[:2]] == [
        "Pay run 2026-10-25 to 2026-11-07 {marker}",
        "Pay run 2026-10-25 to 2026-11-07: Engineering {marker}",
    ]
    together = balance(one.body for one in found)
    assert together == balance([only(planned(run(), BY_DEPARTMENT.replace('entry = "department"\n', ""))).body])


def test_of_several_entries_only_what_is_missing_is_posted_and_a_change_of_any_parks() -> None:
    found = intents(planned(run(), BY_DEPARTMENT))
    links = posted(found)
    assert isinstance(planned(run(), BY_DEPARTMENT, View(links=links)), Unchanged)
    lacking = View(links={key: link for key, link in links.items() if key != "gusto:payroll@2:p00001"})
    assert only(planned(run(), BY_DEPARTMENT, lacking)) == found[1]
    moved = (*LINES[:2], part("Sales", "employer_tax", "229.00", 3), part("Engineering", "employer_tax", "153.50", 2))
    changed = run(*moved, *LINES[4:])
    assert parked(planned(changed, BY_DEPARTMENT, View(links=links))).code == "changed_after_posting"


def test_a_period_over_a_month_s_end_is_split_by_its_days() -> None:
    """Seven days of each month: 2,500.005 of wages and 191.25 of taxes."""
    own, october, back = intents(planned(run(), ACCRUED))
    assert own.body == only(planned(run(), ACCOUNTS)).body
    assert (october.record_key, back.record_key) == (
        "gusto:payroll@accrual-2026-10:p00001",
        "gusto:payroll@reversing-2026-10:p00001",
    )
    assert [one.body["TxnDate"] for one in (own, october, back)] == ["2026-11-13", "2026-10-31", "2026-11-01"]
    assert [one.doc_number for one in (october, back)] == ["PA-2026-10-p00001", "PA-2026-10-p00001R"]
    # 3,000.01 / 2 = 1,500.005: the earlier month gets the cent.
    assert rows(october.body) == [
        ("Wages", Decimal("1000.00"), "Wages: Engineering"),
        ("Wages", Decimal("1500.01"), "Wages: Sales"),
        ("Payroll taxes", Decimal("76.25"), "Employer taxes: Engineering"),
        ("Payroll taxes", Decimal("115.00"), "Employer taxes: Sales"),
        ("Accrued payroll", Decimal("-2691.26"), "Accrued payroll"),
    ]
    assert balance([october.body, back.body]) == {}
    november = accounts([own.body, back.body])
    assert (november["Wages"], november["Payroll taxes"]) == (Decimal("2500.00"), Decimal("191.25"))
    assert str(october.body["PrivateNote"]).startswith("Share of 2026-10 in pay run 2026-10-25 to 2026-11-07")


@pytest.mark.parametrize(
    ("period", "paid", "more", "days"),
    [
        # October's work, paid in November: all of it belongs to October.
        (("2026-10-18", "2026-10-31"), "2026-11-06", "", [("2026-10-31", "5382.51"), ("2026-11-01", "-5382.51")]),
        (
            ("2026-10-18", "2026-10-31"),
            "2026-11-06",
            'reverse = "pay_date"\n',
            [("2026-10-31", "5382.51"), ("2026-11-06", "-5382.51")],
        ),
        # Paid on 30 October for a period of which seven days of fourteen are November's.
        (("2026-10-25", "2026-11-07"), "2026-10-30", "", [("2026-10-31", "-2691.25"), ("2026-11-01", "2691.25")]),
        # Nothing reaches over.
        (("2026-11-01", "2026-11-14"), "2026-11-20", "", []),
        # Before the day from which is accrued.
        (("2026-10-25", "2026-11-07"), "2026-11-13", "since = 2026-11-14\n", []),
    ],
)
def test_where_shares_go(period: tuple[str, str], paid: str, more: str, days: list[tuple[str, str]]) -> None:
    record = run(period_start=period[0], period_end=period[1], check_date=paid)
    _, *further = intents(planned(record, ACCRUED + more))
    assert [(one.body["TxnDate"], str(-sum(row[1] for row in rows(one.body)[-1:]))) for one in further] == days


def test_working_days_count_where_the_mapping_says_so() -> None:
    """25 October 2026 is a Sunday: five working days of October and five of November."""
    record = run(period_end=date(2026, 11, 8), check_date=date(2026, 11, 13))
    _, october, _ = intents(planned(record, ACCRUED.replace('"days"', '"weekdays"')))
    assert rows(october.body)[1][1] == Decimal("1500.01")
    _, october, _ = intents(planned(record, ACCRUED))
    # 3,000.01 x 7 / 15 = 1,400.004…
    assert rows(october.body)[1][1] == Decimal("1400.00")


def test_a_month_that_is_closed_parks_the_run_and_nothing_is_moved() -> None:
    refusal = parked(planned(run(), ACCRUED, View(closed=date(2026, 10, 31))))
    assert refusal.code == "period_closed"
    assert "2026-10-31" in refusal.reason
    assert "[payroll.accrual] since" in refusal.fix


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (
            '[payroll]\nentry = "department"\n',
            'line 5, column 9: [payroll] entry = "department" needs an account to clear the entries by',
        ),
        ('[payroll.accrual]\nby = "days"\n', 'line 5, column 6: [payroll.accrual] by = "days" needs the account'),
        ('[payroll.accounts.types.wage]\nX = "Y"\n', 'did you mean "wages"'),
        ('[payroll.accrual]\nnumber = "{mont}"\n', "did you mean {month}?"),
        ('[payroll]\nentry = "departments"\n', "line 5, column 9"),
    ],
)
def test_mistakes_are_told_with_their_place(extra: str, says: str) -> None:
    with pytest.raises(MappingError) as error:
        mapping(extra)
    assert says in str(error.value)
