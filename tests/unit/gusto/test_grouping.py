"""What the log keeps of a pay run: no line stands for too few people, and no cent is lost."""

from decimal import Decimal
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from counterfoil_adapters.gusto.grouping import Grouping
from counterfoil_schema.records import WIDER_PARTS, PayPart, PayRunLine

BORNE: tuple[PayPart, ...] = ("wages", "reimbursement", "employer_tax", "employer_benefit")
CENTS = st.integers(-9_000_000, 90_000_000).map(lambda cents: Decimal(cents) / 100)
LINES = st.lists(
    st.builds(
        PayRunLine,
        department=st.sampled_from(("Sales", "Legal", "Board", "Other")),
        part=st.sampled_from(get_args(PayPart)),
        amount=CENTS,
        people=st.integers(0, 5),
        includes=st.just(()),
        type=st.sampled_from((None, "One", "Other")),
    ),
    unique_by=lambda line: (line.department, line.part, line.type),
)


def line(department: str, part: PayPart, amount: str, people: int) -> PayRunLine:
    return PayRunLine(department=department, part=part, amount=Decimal(amount), people=people)


def test_what_one_person_has_goes_into_a_wider_part_which_says_so() -> None:
    lines = (
        line("Legal", "reimbursement", "77.31", 1),
        line("Sales", "wages", "5000.00", 2),
        line("Legal", "wages", "4000.00", 2),
    )
    (legal, sales) = Grouping(minimum_people=2).apply(lines)
    assert legal == PayRunLine(
        department="Legal", part="wages", amount=Decimal("4077.31"), people=2, includes=("reimbursement",)
    )
    assert sales == lines[1]


def test_what_the_mapping_lets_be_seen_stays_a_line() -> None:
    lines = (line("Legal", "reimbursement", "77.31", 1), line("Legal", "wages", "5000.00", 2))
    grouping = Grouping.of({"payroll": {"shown_alone": ["reimbursement"]}})
    assert {one.amount for one in grouping.apply(lines)} == {Decimal("77.31"), Decimal("5000.00")}
    assert not grouping.shows_few(grouping.apply(lines))


@given(LINES, st.integers(2, 6))
def test_no_recorded_line_stands_for_too_few_and_no_cent_is_lost(lines: list[PayRunLine], minimum: int) -> None:
    grouping = Grouping(minimum_people=minimum)
    kept = grouping.apply(lines)
    for borne in (True, False):
        before = sum(one.amount for one in lines if (one.part in BORNE) is borne)
        assert sum(one.amount for one in kept if (one.part in BORNE) is borne) == before
    for part in ("net_pay", "tax_payment"):
        assert sum(one.amount for one in kept if one.part == part) == sum(
            one.amount for one in lines if one.part == part
        )
    small = [one for one in kept if 0 < one.people < minimum]
    assert grouping.shows_few(kept) is bool(small)
    for one in small:
        wider = WIDER_PARTS.get(one.part, ())
        assert [other for other in kept if other.part in wider and other.people >= minimum] == []


def typed(department: str, part: PayPart, amount: str, people: int, kind: str) -> PayRunLine:
    return line(department, part, amount, people).model_copy(update={"type": kind})


def test_a_type_of_one_person_goes_with_the_rest_of_its_part() -> None:
    lines = (
        line("Sales", "wages", "5000.00", 3),
        typed("Sales", "wages", "777.00", 1, "Bonus"),
        typed("Sales", "wages", "600.00", 2, "Overtime"),
    )
    assert Grouping(minimum_people=2).apply(lines) == (
        line("Sales", "wages", "5777.00", 3),
        typed("Sales", "wages", "600.00", 2, "Overtime"),
    )


def test_two_types_of_one_person_do_not_make_two_people() -> None:
    grouping = Grouping(minimum_people=2)
    kept = grouping.apply(
        (typed("Sales", "wages", "10.00", 1, "Bonus"), typed("Sales", "wages", "9.00", 1, "Overtime"))
    )
    assert kept == (line("Other", "wages", "19.00", 1),)
    assert grouping.shows_few(kept)


def test_where_a_department_of_one_has_nobody_to_join_but_types_these_are_given_up() -> None:
    lines = (line("Legal", "wages", "900.00", 1), typed("Sales", "wages", "5000.00", 3, "Salary"))
    assert Grouping(minimum_people=2).apply(lines) == (line("Other", "wages", "5900.00", 4),)


def test_a_deduction_that_two_have_in_two_departments_is_told_apart_for_the_company() -> None:
    lines = (
        line("Sales", "other_deduction", "70.00", 3),
        typed("Legal", "other_deduction", "30.00", 1, "Child Support"),
        typed("Sales", "other_deduction", "40.00", 1, "Child Support"),
    )
    assert Grouping(minimum_people=2).apply(lines) == (
        typed("Other", "other_deduction", "70.00", 2, "Child Support"),
        line("Sales", "other_deduction", "70.00", 3),
    )


def test_one_person_s_cheque_is_not_put_into_what_the_bank_shows() -> None:
    grouping = Grouping(minimum_people=2)
    lines = (line("Sales", "net_pay", "4000.00", 4), typed("Sales", "net_pay", "1000.00", 1, "Check"))
    assert grouping.shows_few(grouping.apply(lines))
    assert sum(one.amount for one in grouping.apply(lines) if one.type is None) == Decimal("4000.00")
