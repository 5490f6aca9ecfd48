"""What a pay run comes to in the books, worked out from each person's part: the demo's own rule, not the planner's.

Nobody's part is a line of its own. In the sample that concerns garnishments and expenses paid back, which few have:
one person's garnishment is owed with the benefits, one person's expenses are booked with the wages.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BENEFITS_OWED = "Benefits Payable"
WAGES = {"Engineering": "Cost of Goods Sold"}
OTHER_WAGES = "Wages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One person's part of a pay run, in whole cents."""

    department: str
    gross: int
    employer_taxes: int
    withheld: int
    contributed: int
    deducted: int
    reimbursed: int

    @property
    def paid(self) -> int:
        """What leaves the bank: to the person, and to tax offices for both sides."""
        return self.gross - self.withheld - self.deducted + self.reimbursed + self.employer_taxes


def entry_of(shares: Sequence[Share]) -> Mapping[str, int]:
    """Debits less credits by account; they add up to 0."""
    garnishments = BENEFITS_OWED if _is_one_s(share.deducted for share in shares) else "Payroll Liabilities"
    expenses = _wages_of_most(shares) if _is_one_s(share.reimbursed for share in shares) else "Office Expenses"
    accounts: Counter[str] = Counter()
    for share in shares:
        accounts[_wages(share.department)] += share.gross
        accounts[expenses] += share.reimbursed
        accounts["Payroll Taxes"] += share.employer_taxes
        accounts["Payroll Benefits"] += share.contributed
        accounts["Checking"] -= share.paid
        accounts[BENEFITS_OWED] -= share.withheld + share.contributed
        accounts[garnishments] -= share.deducted
    return {name: cents for name, cents in accounts.items() if cents}


def _is_one_s(amounts: Iterable[int]) -> bool:
    return sum(1 for cents in amounts if cents) == 1


def _wages(department: str) -> str:
    return WAGES.get(department, OTHER_WAGES)


def _wages_of_most(shares: Sequence[Share]) -> str:
    """The account of the wages of the largest department; among equals, of the first by name."""
    people = Counter(share.department for share in shares)
    return _wages(min(people, key=lambda department: (-people[department], department)))
