"""Pay runs taken back, and what holds for the entries of any run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.types import Plan, Unchanged
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import PayPart, PayRun, PayRunLine
from support.pay_runs import (
    ACCOUNTS,
    ACCRUED,
    BY_DEPARTMENT,
    LINES,
    RUN,
    TAKEN_BACK,
    balance,
    intents,
    negative,
    parked,
    part,
    planned,
    posted,
    resolved,
    rows,
    run,
)
from support.planning import View, changed, lines_of, only


def test_a_reversal_mirrors_what_is_posted_whatever_the_mapping_says_today() -> None:
    first = intents(planned(run(), BY_DEPARTMENT))
    view = View(links=posted(first), records={RUN: run()})
    other = BY_DEPARTMENT.replace('"Wages"', '"Salaries"').replace('entry = "department"\n', "")
    back = intents(planned(negative(run()), other, view, TAKEN_BACK))
    assert [(one.record_key, one.doc_number) for one in back] == [
        (None, "PR-2026-11-20-r00001"),
        ("gusto:payroll@2:r00001", "P2-2026-11-20-r00001"),
        ("gusto:payroll@3:r00001", "P3-2026-11-20-r00001"),
    ]
    assert {one.body["TxnDate"] for one in back} == {"2026-11-20"}
    assert back[0].body["PrivateNote"] == (
        "Reversal of PR-2026-11-13-p00001: Pay run 2026-10-25 to 2026-11-07 {marker}"
    )
    assert balance([*(link.latest for link in view.links.values()), *(one.body for one in back)]) == {}


def test_a_reversal_follows_what_a_bookkeeper_moved() -> None:
    first = intents(planned(run(), ACCOUNTS))
    links = posted(first)
    moved = resolved({**links[RUN].latest})
    assert isinstance(moved, dict)
    (line, *_) = lines_of(moved)
    line["JournalEntryLineDetail"] = {"PostingType": "Debit", "AccountRef": {"value": "Salaries of officers"}}
    view = View(links={RUN: replace(links[RUN], latest=moved)}, records={RUN: run()})
    back = only(planned(negative(run()), ACCOUNTS, view, TAKEN_BACK))
    assert rows(back.body)[0][:2] == ("Salaries of officers", Decimal("-2000.00"))
    assert balance([moved, back.body]) == {}


@pytest.mark.parametrize("status", ["reversed", "partially_reversed"])
def test_a_run_that_was_taken_back_stays_as_posted_whatever_the_mapping_says_today(status: str) -> None:
    view = View(links=posted(intents(planned(run(), BY_DEPARTMENT))))
    other = ACCRUED.replace('"Wages"', '"Salaries"')
    found = planned(run(status=status), other, view)
    assert isinstance(found, Unchanged), found
    assert "stays as it was posted" in found.reason
    # Figures that changed are another matter, and so is a run that nobody took back.
    changed_figures = run(*LINES[:-1], part("Sales", "employee_benefit", "70.00", 3), status=status)
    assert parked(planned(changed_figures, other, view)).code == "changed_after_posting"
    assert parked(planned(run(), other, view)).code == "changed_after_posting"


def test_a_reversal_of_what_is_not_posted_yet_waits_for_it() -> None:
    view = View(records={RUN: run()})
    back = intents(planned(negative(run()), BY_DEPARTMENT, view, TAKEN_BACK))
    assert {one.needs for one in back} == {(RUN, "gusto:payroll@2:p00001", "gusto:payroll@3:p00001")}
    first = intents(planned(run(), BY_DEPARTMENT))
    assert balance(one.body for one in (*first, *back)) == {}


def test_a_reversal_in_a_closed_period_parks_or_says_that_it_moved() -> None:
    links = posted(intents(planned(run(), ACCOUNTS)))
    view = View(links=links, records={RUN: run()}, closed=date(2026, 11, 30))
    refusal = parked(planned(negative(run()), ACCOUNTS, view, TAKEN_BACK))
    assert refusal.code == "period_closed"
    assert 'reversal_closed = "first_open_day"' in refusal.fix
    moving = '[payroll]\nreversal_closed = "first_open_day"\n' + ACCOUNTS
    back = only(planned(negative(run()), moving, view, TAKEN_BACK))
    assert back.body["TxnDate"] == "2026-12-01"
    assert "dated 2026-11-20 at the source" in str(back.body["PrivateNote"])
    # Once posted it stays where it is, when the books are closed further.
    later = View(links={**links, **posted([back], TAKEN_BACK)}, records={RUN: run()}, closed=date(2026, 12, 31))
    assert isinstance(planned(negative(run()), moving, later, TAKEN_BACK), Unchanged)


def taken_back_in_part(*people: int) -> PayRun:
    sales, engineering = people
    return negative(
        run(
            *(
                part("Sales", "wages", "1000.00", sales),
                part("Engineering", "wages", "2000.00", engineering),
                part("Sales", "net_pay", "3000.00", sales + engineering),
            )
        )
    )


BIG = run(
    part("Sales", "wages", "5000.00", 5),
    part("Engineering", "wages", "4000.00", 4),
    part("Sales", "net_pay", "9000.00", 9),
)


def test_a_run_taken_back_in_part_lands_on_the_accounts_of_the_whole() -> None:
    view = View(links=posted(intents(planned(BIG, ACCOUNTS))), records={RUN: BIG})
    other = ACCOUNTS.replace('"Wages"', '"Salaries"')
    back = only(planned(taken_back_in_part(2, 2), other, view, TAKEN_BACK))
    assert rows(back.body) == [
        ("Wages", Decimal("-2000.00"), "Wages: Engineering"),
        ("Wages", Decimal("-1000.00"), "Wages: Sales"),
        ("Checking", Decimal("3000.00"), "Net pay"),
    ]


def test_a_run_taken_back_for_all_but_one_would_show_the_one() -> None:
    view = View(links=posted(intents(planned(BIG, ACCOUNTS))), records={RUN: BIG})
    assert parked(planned(taken_back_in_part(4, 2), ACCOUNTS, view, TAKEN_BACK)).code == "too_few_people"
    assert parked(planned(taken_back_in_part(4, 2), ACCOUNTS, View(records={RUN: BIG}), TAKEN_BACK)).code == (
        "too_few_people"
    )


SECOND, THIRD = "gusto:payroll:r00002", "gusto:payroll:r00003"
SOME = (
    part("Sales", "wages", "2000.00", 2),
    part("Engineering", "wages", "2000.00", 2),
    part("Sales", "net_pay", "4000.00", 4),
)
"""Of five in Sales two, and of four in Engineering."""
REST = (
    part("Sales", "wages", "3000.00", 3),
    part("Engineering", "wages", "2000.00", 2),
    part("Sales", "net_pay", "5000.00", 5),
)


def in_part(*lines: PayRunLine) -> PayRun:
    return negative(run(*lines))


def after_the_first(text: str, *, posts: bool = True, bookkeeper: str | None = None) -> View:
    """The books and the source after SOME of BIG was taken back."""
    view = View(links=posted(intents(planned(BIG, text))), records={RUN: BIG, TAKEN_BACK: in_part(*SOME)})
    if posts:
        view.links.update(posted(intents(planned(in_part(*SOME), text, view, TAKEN_BACK)), TAKEN_BACK))
    if bookkeeper is not None:
        moved = resolved({**view.links[RUN].latest})
        assert isinstance(moved, dict)
        for line in lines_of(moved):
            if "Sales" in str(line["Description"]):
                line["JournalEntryLineDetail"] = {"PostingType": "Debit", "AccountRef": {"value": bookkeeper}}
        view.links[RUN] = replace(view.links[RUN], latest=moved)
    return view


def second(view: View, text: str, *lines: PayRunLine, key: str = SECOND) -> Plan:
    view.records[key] = in_part(*lines)
    return planned(in_part(*lines), text, view, key)


@pytest.mark.parametrize("text", [ACCOUNTS, BY_DEPARTMENT])
@pytest.mark.parametrize("posts", [True, False])
def test_what_takes_back_the_rest_takes_every_account_to_zero(text: str, *, posts: bool) -> None:
    view = after_the_first(text, posts=posts)
    back = second(view, text, *REST)
    first = [] if posts else bodies(planned(in_part(*SOME), text, View(view.links, records={RUN: BIG}), TAKEN_BACK))
    assert balance([*(link.latest for link in view.links.values()), *first, *bodies(back)]) == {}


def test_what_takes_back_the_rest_follows_what_a_bookkeeper_moved() -> None:
    view = after_the_first(ACCOUNTS, bookkeeper="Commissions")
    other = ACCOUNTS.replace('"Wages"', '"Salaries"')
    back = only(second(view, other, *REST))
    assert balance([*(link.latest for link in view.links.values()), back.body]) == {}
    # The first was posted before the move: each account gets what still stands on it.
    assert sorted(row[:2] for row in rows(back.body)) == [
        ("Checking", Decimal("5000.00")),
        ("Commissions", Decimal("-5000.00")),
        ("Wages", Decimal("-2000.00")),
        ("Wages", Decimal("2000.00")),
    ]


@pytest.mark.parametrize("posts", [True, False])
def test_a_second_reversal_may_not_leave_too_few_people(*, posts: bool) -> None:
    two_of_sales = (part("Sales", "wages", "2000.00", 2), part("Sales", "net_pay", "2000.00", 2))
    alone = View(links=posted(intents(planned(BIG, ACCOUNTS))), records={RUN: BIG})
    assert bodies(second(alone, ACCOUNTS, *two_of_sales))
    # Three are left in Sales after the first: two of them would show the third.
    assert parked(second(after_the_first(ACCOUNTS, posts=posts), ACCOUNTS, *two_of_sales)).code == "too_few_people"


@pytest.mark.parametrize("posts", [True, False])
def test_more_than_is_left_is_not_taken_back(*, posts: bool) -> None:
    view = after_the_first(ACCOUNTS, posts=posts)
    refusal = parked(second(view, ACCOUNTS, *BIG.lines))
    assert refusal.code == "reversal_exceeds"
    assert refusal.reason == (
        "payroll r00002 (gusto) takes back more (wages) than is left of payroll p00001 (gusto) after payroll r00001 "
        "(gusto)."
    )
    # A third one finds nothing, where the second took the rest.
    view = after_the_first(ACCOUNTS, posts=posts)
    assert bodies(second(view, ACCOUNTS, *REST))
    assert parked(second(view, ACCOUNTS, *SOME, key=THIRD)).code == "reversal_exceeds"


def test_a_run_is_taken_back_whole_only_once() -> None:
    view = View(links=posted(intents(planned(BIG, ACCOUNTS))), records={RUN: BIG, TAKEN_BACK: negative(BIG)})
    view.links.update(posted(intents(planned(negative(BIG), ACCOUNTS, view, TAKEN_BACK)), TAKEN_BACK))
    assert parked(second(view, ACCOUNTS, *BIG.lines)).code == "reversal_exceeds"
    # Not one that the source has not processed, or that came later.
    later = View(links=posted(intents(planned(BIG, ACCOUNTS))), records={RUN: BIG})
    later.records |= {SECOND: negative(BIG, processed=False), TAKEN_BACK: negative(BIG), THIRD: negative(BIG)}
    assert bodies(planned(negative(BIG), ACCOUNTS, later, TAKEN_BACK))


def test_a_run_is_taken_back_whole_though_somebody_moved_to_another_department() -> None:
    moved = run(
        part("Sales", "wages", "4000.00", 4),
        part("Engineering", "wages", "5000.00", 5),
        part("Sales", "net_pay", "9000", 9),
    )
    view = View(links=posted(intents(planned(BIG, ACCOUNTS))), records={RUN: BIG})
    back = only(planned(negative(moved), ACCOUNTS, view, TAKEN_BACK))
    assert balance([view.links[RUN].latest, back.body]) == {}


def test_a_reversal_of_more_than_the_run_parks() -> None:
    view = View(links=posted(intents(planned(BIG, ACCOUNTS))), records={RUN: BIG})
    more = (part("Engineering", "wages", "9000.01", 4), part("Sales", "net_pay", "9000.01", 4))
    assert parked(second(view, ACCOUNTS, *more)).code == "reversal_exceeds"


@pytest.mark.parametrize("text", [ACCOUNTS, BY_DEPARTMENT])
def test_a_posted_reversal_stays_whatever_came_after_it(text: str) -> None:
    view = after_the_first(text)
    view.links.update(posted(intents(second(view, text, *REST)), SECOND))
    other = text.replace('"Wages"', '"Salaries"')
    for key, lines in ((TAKEN_BACK, SOME), (SECOND, REST)):
        found = planned(in_part(*lines), other, view, key)
        assert isinstance(found, Unchanged), found
        assert "stays as it was posted" in found.reason


@pytest.mark.parametrize(
    ("status", "code"), [("deleted", "original_gone"), ("voided", "original_gone"), ("live", "original_incomplete")]
)
def test_a_reversal_of_what_is_not_there_parks(status: str, code: str) -> None:
    links = posted(intents(planned(run(), BY_DEPARTMENT)))
    links["gusto:payroll@2:p00001"] = changed(links["gusto:payroll@2:p00001"], {"status": status})
    if status == "live":
        del links["gusto:payroll@3:p00001"]
    found = planned(negative(run()), BY_DEPARTMENT, View(links=links, records={RUN: run()}), TAKEN_BACK)
    assert parked(found).code == code


def test_a_reversal_of_a_run_that_nobody_showed_parks() -> None:
    assert parked(planned(negative(run()), ACCOUNTS, None, TAKEN_BACK)).code == "unknown_pay_run"
    unprocessed = View(records={RUN: run(processed=False, status="external")})
    assert parked(planned(negative(run()), ACCOUNTS, unprocessed, TAKEN_BACK)).code == "original_not_posted"


CENTS = st.integers(-900_000, 9_000_000).map(lambda cents: Decimal(cents) / 100)
DEPARTMENTS = ("Sales", "Legal", "Support")
TYPES: Sequence[str | None] = (None, "Regular", "Overtime")
BEARING: Sequence[PayPart] = ("wages", "reimbursement", "employer_tax", "employer_benefit")
GOING: Sequence[PayPart] = ("tax_payment", "employee_benefit", "other_deduction")
TYPED = """
[payroll.accounts.types.wages]
Overtime = "Overtime wages"
[payroll.accounts.types.other_deduction]
Regular = "Repaid advances"
"""


@st.composite
def runs(draw: st.DrawFn) -> PayRun:
    lines = [
        PayRunLine(
            department=draw(st.sampled_from(DEPARTMENTS)),
            part=draw(st.sampled_from((*BEARING, *GOING))),
            amount=draw(CENTS),
            people=draw(st.integers(2, 6)),
            type=draw(st.sampled_from(TYPES)),
        )
        for _ in range(draw(st.integers(1, 8)))
    ]
    borne = sum((line.amount for line in lines if line.part in BEARING), Decimal(0))
    gone = sum((line.amount for line in lines if line.part in GOING), Decimal(0))
    lines.append(PayRunLine(department="Sales", part="net_pay", amount=borne - gone, people=9))
    start = date(2026, 9, 1).toordinal() + draw(st.integers(0, 60))
    end = start + draw(st.integers(0, 75))
    paid = end + draw(st.integers(-20, 40))
    return run(
        *lines,
        period_start=date.fromordinal(start),
        period_end=date.fromordinal(end),
        check_date=date.fromordinal(paid),
    )


def bodies(found: Plan) -> list[JsonObject]:
    return [one.body for one in found] if isinstance(found, tuple) else []


@given(runs(), st.sampled_from(["run", "department"]), st.sampled_from(["days", "weekdays"]), st.booleans())
def test_whatever_the_run_all_entries_balance_and_come_to_the_run(
    record: PayRun, entry: str, by: str, early: bool
) -> None:
    options = f'[payroll]\ntrack = "class"\nentry = "{entry}"\nclearing = "Clearing"\n{ACCOUNTS}{TYPED}'
    accrual = (
        f'[payroll.accrual]\nby = "{by}"\naccount = "Accrued"\nreverse = "{"pay_date" if early else "first_day"}"\n'
    )
    plain = planned(record, options.replace('entry = "department"', 'entry = "run"'))
    found = bodies(planned(record, options + accrual))
    for body in found:
        assert sum(amount for _, amount, _ in rows(body)) == 0
    assert balance(found) == balance(bodies(plain))
    months = {str(body["TxnDate"])[:7] for body in found}
    shares = [balance(body for body in found if str(body["TxnDate"]).startswith(month)) for month in months]
    assert merged(shares) == balance(found)
    if found:
        keys = [one.record_key for one in intents(planned(record, options + accrual))]
        assert len(set(keys)) == len(keys)


def merged(shares: Iterable[Mapping[tuple[str, ...], Decimal]]) -> dict[tuple[str, ...], Decimal]:
    sums: dict[tuple[str, ...], Decimal] = {}
    for share in shares:
        for where, amount in share.items():
            sums[where] = sums.get(where, Decimal(0)) + amount
    return {where: amount for where, amount in sums.items() if amount}


@given(runs(), st.sampled_from(["run", "department"]))
def test_whatever_the_run_its_reversal_takes_it_to_zero_on_every_account_and_class(record: PayRun, entry: str) -> None:
    options = f'[payroll]\ntrack = "class"\nentry = "{entry}"\nclearing = "Clearing"\n{ACCOUNTS}{TYPED}'
    first = planned(record, options)
    if not isinstance(first, tuple):
        return
    links = posted(first)
    back = planned(negative(record), ACCOUNTS, View(links=links, records={RUN: record}), TAKEN_BACK)
    assert balance([*(link.latest for link in links.values()), *bodies(back)]) == {}
    before = planned(negative(record), options, View(records={RUN: record}), TAKEN_BACK)
    assert balance([*bodies(first), *bodies(before)]) == {}
