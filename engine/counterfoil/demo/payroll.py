"""The sample company's people and pay runs. Rates are invented, whole percents or tenths of one."""

from datetime import date, timedelta

from counterfoil.demo.dice import Dice
from counterfoil.demo.sample import PayPart, SampleEmployee, SamplePayRun
from counterfoil.demo.words import PEOPLE

DEPARTMENTS = ("Engineering", "Sales", "Customer Success", "Marketing", "Operations", "Finance")
_EMPLOYEE_TAXES = (("Federal Income Tax", 118), ("Social Security", 62), ("Medicare", 14))
_EMPLOYER_TAXES = (("Social Security", 62), ("Medicare", 14), ("FUTA", 6))


def employees(dice: Dice, count: int) -> tuple[SampleEmployee, ...]:
    """People, spread over the departments in turn, so that none is alone in one."""
    made: list[SampleEmployee] = []
    for place in range(count):
        given = PEOPLE[place % len(PEOPLE)][0]
        family = dice.pick(PEOPLE)[1]
        made.append(
            SampleEmployee(
                uuid=f"e0000000-0000-4000-8000-{place + 1:012d}",
                given_name=given,
                family_name=family,
                email=f"person{place + 1}@example.com",
                department=DEPARTMENTS[place % len(DEPARTMENTS)],
                monthly_cents=dice.between(310_000, 1_250_000),
            )
        )
    return tuple(made)


def pay_runs(dice: Dice, people: tuple[SampleEmployee, ...], count: int) -> tuple[SamplePayRun, ...]:
    """One pay run a month, paid two days before the month ends."""
    runs: list[SamplePayRun] = []
    for month in range(1, count + 1):
        end = date(2026, month + 1, 1) - timedelta(days=1)
        runs.append(
            SamplePayRun(
                uuid=f"a0000000-0000-4000-8000-{260_000 + month:012d}",
                check_date=end - timedelta(days=2),
                start=date(2026, month, 1),
                end=end,
                parts=tuple(_part(dice, person) for person in people),
            )
        )
    return tuple(runs)


def _part(dice: Dice, person: SampleEmployee) -> PayPart:
    gross = person.monthly_cents + (dice.between(1_000, 90_000) if dice.chance(15) else 0)
    return PayPart(
        employee_uuid=person.uuid,
        department=person.department,
        gross=gross,
        employee_taxes=tuple((name, _share(gross, tenths)) for name, tenths in _EMPLOYEE_TAXES),
        employer_taxes=tuple((name, _share(gross, tenths)) for name, tenths in _EMPLOYER_TAXES),
        benefit_withheld=12_550 if dice.chance(70) else 0,
        benefit_contributed=31_025 if dice.chance(80) else 0,
        deduction=7_500 if dice.chance(5) else 0,
        reimbursement=dice.between(450, 38_999) if dice.chance(20) else 0,
    )


def _share(cents: int, tenths_of_percent: int) -> int:
    """Rounded half up to the cent."""
    return (2 * cents * tenths_of_percent + 1_000) // 2_000
