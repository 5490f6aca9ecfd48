"""Pay runs by type, by department, over a month's end and taken back: figures by hand, and what holds for any run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.mapping import MappingError
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Intent, Link, Park, Plan, Unchanged
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import PayPart, PayRun, PayRunLine
from support.planning import View, changed, lines_of, link_of, mapping, only, request

WHERE = ("AccountRef", "ClassRef", "DepartmentRef")
RUN, TAKEN_BACK = "gusto:payroll:p00001", "gusto:payroll:r00001"
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
BY_DEPARTMENT = '[payroll]\nentry = "department"\nclearing = "Payroll clearing"\ntrack = "class"\n' + ACCOUNTS
ACCRUED = ACCOUNTS + '[payroll.accrual]\nby = "days"\naccount = "Accrued payroll"\n'


def part(department: str, name: PayPart, amount: str, people: int = 5, kind: str | None = None) -> PayRunLine:
    return PayRunLine(department=department, part=name, amount=Decimal(amount), people=people, type=kind)


LINES = (
    part("Sales", "wages", "3000.01", 3),
    part("Engineering", "wages", "2000.00", 2),
    part("Sales", "employer_tax", "230.00", 3),
    part("Engineering", "employer_tax", "152.50", 2),
    part("Sales", "net_pay", "2600.00", 3),
    part("Engineering", "net_pay", "1700.01", 2),
    part("Sales", "tax_payment", "630.00", 3),
    part("Engineering", "tax_payment", "382.50", 2),
    part("Sales", "other_deduction", "70.00", 3),
)
"""5,000.01 of wages and 382.50 of taxes; 4,300.01 to people, 1,012.50 to tax offices, 70.00 withheld."""


def run(*lines: PayRunLine, **values: object) -> PayRun:
    return PayRun.model_validate(
        {
            "status": "processed",
            "processed": True,
            "check_date": date(2026, 11, 13),
            "period_start": date(2026, 10, 25),
            "period_end": date(2026, 11, 7),
            "currency": "USD",
            "lines": lines or LINES,
            **values,
        }
    )


def negative(record: PayRun, **values: object) -> PayRun:
    """The run that takes another one back whole."""
    lines = tuple(line.model_copy(update={"amount": -line.amount}) for line in record.lines)
    return record.model_copy(
        update={"lines": lines, "reverses": RUN, "off_cycle": True, "check_date": date(2026, 11, 20), **values}
    )


def planned(record: PayRun, extra: str, view: View | None = None, key: str = RUN) -> Plan:
    return plan(request(record, key), mapping(extra), view or View())


def intents(found: Plan) -> Sequence[Intent]:
    assert isinstance(found, tuple), found
    return found


def parked(found: Plan) -> Park:
    assert isinstance(found, Park), found
    return found


def rows(body: JsonObject) -> list[tuple[str, Decimal, str]]:
    """Account, amount (debits above zero) and description of each line."""
    found: list[tuple[str, Decimal, str]] = []
    for line in lines_of(body):
        detail, amount = line["JournalEntryLineDetail"], line["Amount"]
        assert isinstance(detail, dict)
        assert isinstance(amount, Decimal)
        assert amount > 0
        sign = 1 if detail["PostingType"] == "Debit" else -1
        found.append((account_of(detail["AccountRef"]), sign * amount, str(line["Description"])))
    return found


def account_of(reference: JsonValue) -> str:
    assert isinstance(reference, dict)
    name = reference.get("$name")
    return str(name[-1]) if isinstance(name, list) else str(reference["value"])


def balance(bodies: Iterable[JsonObject]) -> dict[tuple[str, ...], Decimal]:
    """Debits less credits by account, class and location, what comes to zero left out."""
    sums: dict[tuple[str, ...], Decimal] = {}
    for body in bodies:
        for line in lines_of(body):
            detail, amount = line["JournalEntryLineDetail"], line["Amount"]
            assert isinstance(detail, dict)
            assert isinstance(amount, Decimal)
            where = tuple(account_of(detail[name]) if name in detail else "" for name in WHERE)
            sums[where] = sums.get(where, Decimal(0)) + (amount if detail["PostingType"] == "Debit" else -amount)
    return {where: amount for where, amount in sums.items() if amount}


def accounts(bodies: Iterable[JsonObject]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for (account, *_), amount in balance(bodies).items():
        sums[account] = sums.get(account, Decimal(0)) + amount
    return {account: amount for account, amount in sums.items() if amount}


def posted(found: Sequence[Intent], own: str = RUN) -> dict[str, Link]:
    """The links that accepted intents leave behind; references are given the names' own text as id."""
    links: dict[str, Link] = {}
    for intent in found:
        key = intent.record_key or own
        lines = [{**line, "Id": str(number)} for number, line in enumerate(lines_of(intent.body), start=1)]
        names = {str(line["$line"]): str(line["Id"]) for line in lines}
        document: JsonObject = {**intent.body, "Line": [resolved(line) for line in lines]}
        links[key] = link_of(intent, key, document, lines=names)
    return links


def resolved(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if isinstance(value, dict):
        name = value.get("$name")
        if isinstance(name, list):
            return {"value": name[-1], "name": "anything"}
        return {key: resolved(one) for key, one in value.items() if key != "$line"}
    return value


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
