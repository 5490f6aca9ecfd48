"""Whoever knows the books knows nobody's pay.

Each figure can be taken apart here: everybody earns one power of two by the regular type, and another by a second one,
if at all.
"""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park
from counterfoil_schema.records import PayRun, PayRunLine
from support.pay_runs import ACCOUNTS, rows, run
from support.planning import View, mapping, request

PEOPLE_MAX = 10
DEPARTMENTS = ("Sales", "Legal", "Support", "Board")
TYPES = (
    '[payroll.accounts.types.wages]\nBonus = "Bonuses"\n[payroll.departments.Sales.types.wages]\nRegular = "Salaries"\n'
)
COSTS = {"Wages", "Bonuses", "Salaries"}


@dataclass(frozen=True)
class Person:
    """Where somebody works, and whether there is a bonus."""

    department: str
    bonus: bool


STAFF = st.lists(st.builds(Person, st.sampled_from(DEPARTMENTS), st.booleans()), min_size=1, max_size=PEOPLE_MAX)


def paid(staff: list[Person]) -> PayRun:
    """What a source shows of them: sums by department and type, and how many people each stands for."""
    sums: dict[tuple[str, str], list[int]] = {}
    for number, person in enumerate(staff):
        sums.setdefault((person.department, "Regular"), []).append(1 << number)
        if person.bonus:
            sums.setdefault((person.department, "Bonus"), []).append(1 << (number + PEOPLE_MAX))
    lines = [
        PayRunLine(department=department, part="wages", amount=Decimal(sum(amounts)), people=len(amounts), type=kind)
        for (department, kind), amounts in sums.items()
    ]
    total = sum((line.amount for line in lines), Decimal(0))
    return run(*lines, PayRunLine(department="Sales", part="net_pay", amount=total, people=len(staff)))


def who(amount: Decimal) -> set[int]:
    """The people whose pay is in a figure."""
    bits = int(abs(amount))
    return {number % PEOPLE_MAX for number in range(2 * PEOPLE_MAX) if bits >> number & 1}


@given(STAFF, st.sampled_from(["run", "department"]), st.integers(2, 4))
def test_no_line_is_about_fewer_people_than_allowed(staff: list[Person], entry: str, minimum: int) -> None:
    options = f'[payroll]\nentry = "{entry}"\nclearing = "Clearing"\nminimum_people = {minimum}\n'
    found = plan(request(paid(staff), "gusto:payroll:p1"), mapping(options + ACCOUNTS + TYPES), View())
    if len(staff) < minimum:
        assert isinstance(found, Park)
        return
    assert isinstance(found, tuple)
    costs = [row for intent in found for row in rows(intent.body) if row[0] in COSTS]
    assert all(len(who(amount)) >= minimum for _, amount, _ in costs)
    assert sum(amount for _, amount, _ in costs) == sum(
        line.amount for line in paid(staff).lines if line.part == "wages"
    )
    cleared = [amount for intent in found for account, amount, _ in rows(intent.body) if account == "Clearing"]
    assert all(len(who(amount)) >= minimum for amount in cleared)
