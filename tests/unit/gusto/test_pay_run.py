"""A payroll becomes sums per department that balance, tie to Gusto's totals, and show nobody's pay."""

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil_adapters.gusto.figures import FigureError
from counterfoil_adapters.gusto.payroll import pay_run, version_of
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads_object
from counterfoil_schema.records import PayRun

BORNE = {"wages", "reimbursement", "employer_tax", "employer_benefit"}


@dataclass(frozen=True)
class Someone:
    """One person's figures in whole cents, chosen freely; net pay follows from the rest."""

    uuid: str
    name: str
    department: str | None
    gross: int
    tips: int
    employee_tax: int
    employer_tax: int
    employee_benefit: int
    employer_benefit: int
    deduction: int
    reimbursed: int
    as_text: bool

    @property
    def net(self) -> int:
        return self.gross - self.tips - self.employee_tax - self.employee_benefit - self.deduction

    def shown(self) -> JsonObject:
        def figure(amount: int) -> JsonValue:
            exact = Decimal(amount).scaleb(-2)
            return f"{exact:.2f}" if self.as_text else exact

        return {
            "employee_uuid": self.uuid,
            "first_name": self.name,
            "gross_pay": figure(self.gross),
            "net_pay": figure(self.net),
            "check_amount": figure(self.net + self.reimbursed),
            "fixed_compensations": [{"name": "Cash Tips", "amount": _text(self.tips)}],
            "reimbursements": [{"description": "Taxi", "amount": _text(self.reimbursed)}],
            "taxes": [
                {"name": "FIT", "employer": False, "amount": figure(self.employee_tax)},
                {"name": "SS", "employer": True, "amount": figure(self.employer_tax)},
            ],
            "benefits": [
                {
                    "name": "Medical",
                    "employee_deduction": figure(self.employee_benefit),
                    "company_contribution": figure(self.employer_benefit),
                }
            ],
            "deductions": [{"name": "Garnishment", "amount": figure(self.deduction)}],
        }


def _text(cents: int) -> str:
    sign, whole = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{whole // 100}.{whole % 100:02}"


def payload_of(people: list[Someone], **changes: JsonValue) -> JsonObject:
    """A processed payroll as it comes over the wire."""
    totals: JsonObject = {
        "gross_pay": _text(sum(p.gross for p in people)),
        "net_pay": _text(sum(p.net for p in people)),
        "check_amount": _text(sum(p.net + p.reimbursed for p in people)),
        "employer_taxes": _text(sum(p.employer_tax for p in people)),
        "employee_taxes": _text(sum(p.employee_tax for p in people)),
        "benefits": _text(sum(p.employer_benefit for p in people)),
        "employee_benefits_deductions": _text(sum(p.employee_benefit for p in people)),
        "other_deductions": _text(sum(p.deduction for p in people)),
        "reimbursements": _text(sum(p.reimbursed for p in people)),
    }
    payload: JsonObject = {
        "uuid": "p1",
        "processed": True,
        "processed_date": "2026-11-11",
        "check_date": "2026-11-13",
        "off_cycle": False,
        "pay_period": {"start_date": "2026-10-25", "end_date": "2026-11-07"},
        "totals": totals,
        "employee_compensations": [p.shown() for p in people],
        **changes,
    }
    return loads_object(dumps(payload))


def run_of(payload: JsonObject, people: list[Someone], reversals: list[JsonObject] | None = None) -> PayRun:
    departments = {p.uuid: p.department for p in people if p.department is not None}
    return pay_run(payload, departments, reversals or [], "Unassigned")


# Single gross and net pay lie between 8,000 and 11,000; no sum over two or more people can be one of them, and no
# sum of anything else comes near.
gross_cents = st.integers(10_000_00, 10_999_99)
small_cents = st.integers(0, 300_00)


@st.composite
def staff(draw: st.DrawFn) -> list[Someone]:
    """Two to four people in each of some departments."""
    people: list[Someone] = []
    for title in draw(st.sets(st.sampled_from(["Design", "Vertrieb Süd", "営業", "Ops:US", None]), min_size=1)):
        for _ in range(draw(st.integers(2, 4))):
            number = len(people)
            people.append(
                Someone(
                    uuid=f"0e1d-{number:04}-uuid",
                    name=f"Ålänning{number}",
                    department=title,
                    gross=draw(gross_cents),
                    tips=draw(small_cents),
                    employee_tax=draw(small_cents),
                    employer_tax=draw(small_cents),
                    employee_benefit=draw(small_cents),
                    employer_benefit=draw(small_cents),
                    deduction=draw(small_cents),
                    reimbursed=draw(small_cents),
                    as_text=draw(st.booleans()),
                )
            )
    return people


@given(staff())
def test_debits_equal_credits_and_both_equal_an_independent_sum(people: list[Someone]) -> None:
    record = run_of(payload_of(people), people)

    debit = sum(line.amount for line in record.lines if line.part in BORNE)
    credit = sum(line.amount for line in record.lines if line.part not in BORNE)
    expected = sum(p.gross - p.tips + p.reimbursed + p.employer_tax + p.employer_benefit for p in people)
    assert (Decimal(expected) / 100, Decimal(expected) / 100) == (debit, credit)


@given(staff())
def test_each_line_is_the_sum_over_the_people_of_its_department(people: list[Someone]) -> None:
    shares: dict[tuple[str, str], list[int]] = {}
    for p in people:
        for part, cents in {
            "wages": p.gross - p.tips,
            "reimbursement": p.reimbursed,
            "employer_tax": p.employer_tax,
            "employer_benefit": p.employer_benefit,
            "net_pay": p.net + p.reimbursed,
            "tax_payment": p.employee_tax + p.employer_tax,
            "employee_benefit": p.employee_benefit + p.employer_benefit,
            "other_deduction": p.deduction,
        }.items():
            if cents:
                shares.setdefault((p.department or "Unassigned", part), []).append(cents)

    record = run_of(payload_of(people), people)

    expected = {key: (Decimal(sum(cents)) / 100, len(cents)) for key, cents in shares.items()}
    assert expected == {(line.department, line.part): (line.amount, line.people) for line in record.lines}


@given(staff())
def test_no_person_and_no_persons_pay_is_in_the_record(people: list[Someone]) -> None:
    record = run_of(payload_of(people), people)

    shown = record.model_dump_json()
    assert [p.uuid for p in people if p.uuid in shown or p.name in shown] == []
    figures = {Decimal(line["amount"]) for line in json.loads(shown)["lines"]}
    single = {
        Decimal(cents) / 100 for p in people for cents in (p.gross, p.net, p.net + p.reimbursed, p.gross - p.tips)
    }
    assert set() == figures & single


@given(staff())
def test_what_is_withdrawn_for_pay_and_taxes_is_stated_apart(people: list[Someone]) -> None:
    record = run_of(payload_of(people), people)

    expected = sum(p.net + p.reimbursed + p.employee_tax + p.employer_tax for p in people)
    assert Decimal(expected) / 100 == record.stated_debit


@given(staff(), st.integers(1, 10_000), st.sampled_from(["gross_pay", "net_pay", "employer_taxes", "other_deductions"]))
def test_a_total_that_differs_by_a_cent_or_more_is_refused_with_both_numbers(
    people: list[Someone], off: int, name: str
) -> None:
    payload = payload_of(people)
    totals = payload["totals"]
    assert isinstance(totals, dict)
    stated = Decimal(str(totals[name]))
    totals[name] = f"{stated + Decimal(off) / 100:.2f}"

    with pytest.raises(FigureError) as refused:
        run_of(payload, people)

    assert f"{name} is stated as {totals[name]} and sums to {stated}" in str(refused.value)


def one(**changes: int) -> Someone:
    figures = {
        "gross": 5000_00,
        "tips": 0,
        "employee_tax": 1000_00,
        "employer_tax": 382_50,
        "employee_benefit": 150_00,
        "employer_benefit": 200_00,
        "deduction": 50_00,
        "reimbursed": 0,
    }
    return Someone(uuid="e1", name="Ana", department="Design", as_text=False, **{**figures, **changes})


def test_the_documented_example() -> None:
    # Gusto's own example: 5,000.00 gross, 3,800.00 net, 5,182.50 withdrawn for net pay and taxes.
    record = run_of(payload_of([one()]), [one()])

    assert {
        "wages": Decimal("5000.00"),
        "employer_tax": Decimal("382.50"),
        "employer_benefit": Decimal("200.00"),
        "net_pay": Decimal("3800.00"),
        "tax_payment": Decimal("1382.50"),
        "employee_benefit": Decimal("350.00"),
        "other_deduction": Decimal("50.00"),
    } == {line.part: line.amount for line in record.lines}
    assert Decimal("5182.50") == record.stated_debit
    assert (record.status, record.processed, record.currency) == ("processed", True, "USD")


def test_a_reversal_has_the_same_figures_with_the_other_sign() -> None:
    forth = one()
    back = one(
        gross=-5000_00,
        employee_tax=-1000_00,
        employer_tax=-382_50,
        employee_benefit=-150_00,
        employer_benefit=-200_00,
        deduction=-50_00,
    )

    first, second = run_of(payload_of([forth]), [forth]), run_of(payload_of([back]), [back])

    assert [-line.amount for line in first.lines] == [line.amount for line in second.lines]


def test_a_reimbursement_among_fixed_compensations_is_read_as_older_versions_show_it() -> None:
    someone = one(reimbursed=12_34)
    payload = payload_of([someone])
    people = payload["employee_compensations"]
    assert isinstance(people, list)
    assert isinstance(people[0], dict)
    people[0]["fixed_compensations"] = [{"name": "Reimbursement", "amount": "12.34"}]
    del people[0]["reimbursements"]

    record = run_of(payload, [someone])

    assert [Decimal("12.34")] == [line.amount for line in record.lines if line.part == "reimbursement"]


def test_taxes_of_the_company_as_a_whole_belong_to_no_department() -> None:
    payload = payload_of([one()], company_taxes=[{"name": "Metro", "employer": True, "amount": "7.00"}])
    totals = payload["totals"]
    assert isinstance(totals, dict)
    totals["employer_taxes"] = "389.50"

    record = run_of(payload, [one()])

    assert [("Unassigned", "employer_tax", Decimal("7.00"), 0), ("Unassigned", "tax_payment", Decimal("7.00"), 0)] == [
        (line.department, line.part, line.amount, line.people) for line in record.lines if line.department != "Design"
    ]


def test_an_excluded_person_counts_for_nothing() -> None:
    payload = payload_of([one()])
    people = payload["employee_compensations"]
    assert isinstance(people, list)
    people.append({"employee_uuid": "e2", "excluded": True, "gross_pay": None})

    assert run_of(payload_of([one()]), [one()]) == run_of(payload, [one()])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("NaN", "not a number"),
        ("1_000.00", "not a number"),
        ("5.000,00", "not a number"),
        ("", "not a number"),
        (None, "missing or no number"),
        (True, "missing or no number"),
        ([], "missing or no number"),
        (Decimal("5000.001"), "not whole in cents"),
        (Decimal("1e400"), "not a number that money can be"),
    ],
)
def test_a_bad_number_is_refused_and_not_repeated(value: JsonValue, words: str) -> None:
    payload = payload_of([one()])
    people = payload["employee_compensations"]
    assert isinstance(people, list)
    assert isinstance(people[0], dict)
    people[0]["gross_pay"] = value

    with pytest.raises(FigureError) as refused:
        run_of(payload, [one()])

    assert words in str(refused.value)
    assert "5000" not in str(refused.value)


def test_net_pay_that_does_not_follow_is_refused_even_where_the_totals_agree() -> None:
    payload = payload_of([one(), one()])
    people, totals = payload["employee_compensations"], payload["totals"]
    assert isinstance(people, list)
    assert isinstance(totals, dict)
    for shown in people:
        assert isinstance(shown, dict)
        shown["net_pay"], shown["check_amount"] = Decimal("3800.01"), Decimal("3800.01")
    totals["net_pay"] = "7600.02"

    with pytest.raises(FigureError, match=r"2 of its 2 people.*a difference of -0\.02"):
        run_of(payload, [one()])


@pytest.mark.parametrize("missing", ["totals", "pay_period", "check_date"])
def test_a_missing_part_is_refused(missing: str) -> None:
    payload = payload_of([one()])
    del payload[missing]

    with pytest.raises(FigureError, match=missing.replace("_", ".")):
        run_of(payload, [one()])


def test_a_payroll_that_was_run_elsewhere_is_not_to_be_posted() -> None:
    record = run_of(payload_of([one()], external=True), [one()])

    assert (record.status, record.processed, record.lines) == ("external", False, ())


def test_an_unprocessed_payroll_has_no_figures() -> None:
    record = run_of(payload_of([one()], processed=False, totals=None), [one()])

    assert (record.status, record.processed, record.lines, record.stated_debit) == ("unprocessed", False, (), None)


@pytest.mark.parametrize(
    ("people", "status"),
    [(["e1"], "reversed"), ([], "reversed"), (["e2"], "partially_reversed")],
)
def test_a_reversed_payroll_says_so_and_has_another_version(people: list[JsonValue], status: str) -> None:
    payload = payload_of([one()])
    reversal: JsonObject = {"reversed_payroll_uuid": "p1", "reversed_employee_uuids": people}
    before, after = run_of(payload, [one()]), run_of(payload, [one()], [reversal])

    assert status == after.status
    assert before.lines == after.lines
    assert version_of(payload, before) != version_of(payload, after)
