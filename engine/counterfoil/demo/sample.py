"""The shapes of the sample company. All amounts are whole cents, so that its figures need no rounding but one."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Trouble = Literal["number_too_long", "unknown_product", "no_lines", "total_mismatch", "2040"]
"""The code under which a deal must end parked."""


@dataclass(frozen=True, slots=True)
class SampleCustomer:
    """A HubSpot company. `books_name` is the name that the books must show, unless it was taken already."""

    customer_id: int
    name: str
    phone: str
    street: str
    city: str
    state: str
    postal_code: str

    @property
    def books_name(self) -> str:
        """QuickBooks refuses colons; the sample mapping puts a dash in their place."""
        return self.name.replace(":", " -")


@dataclass(frozen=True, slots=True)
class SampleProduct:
    """A HubSpot product."""

    product_id: int
    name: str
    sku: str
    cents: int


@dataclass(frozen=True, slots=True)
class SaleLine:
    """One line of a deal: so many, at so many cents, less so many percent."""

    line_id: int
    product_id: int
    name: str
    quantity: int
    cents_each: int
    percent_off: int = 0

    @property
    def cents(self) -> int:
        """The line's amount, rounded half up to the cent: the only rounding there is."""
        hundredths = self.quantity * self.cents_each * (100 - self.percent_off)
        return (2 * hundredths + 100) // 200


@dataclass(frozen=True, slots=True)
class SampleDeal:
    """A HubSpot deal.

    Attributes:
        number: the document number that it asks for; also how the demo tells deals apart.
        closed: the instant at which it was (or is expected to be) won, in the company's own zone.
        stated: the amount on the deal, which need not be the sum of its lines.
        trouble: why it must end parked; empty where nothing is wrong with it.
    """

    deal_id: int
    number: str
    name: str
    customer_id: int
    closed: datetime
    won: bool
    lines: tuple[SaleLine, ...]
    stated: int
    trouble: Trouble | Literal[""] = ""

    @property
    def cents(self) -> int:
        """The sum of its lines."""
        return sum(line.cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class SampleEmployee:
    """A person in Gusto."""

    uuid: str
    given_name: str
    family_name: str
    email: str
    department: str
    monthly_cents: int


@dataclass(frozen=True, slots=True)
class PayPart:
    """One person's part of a pay run."""

    employee_uuid: str
    department: str
    gross: int
    employee_taxes: tuple[tuple[str, int], ...]
    employer_taxes: tuple[tuple[str, int], ...]
    benefit_withheld: int
    benefit_contributed: int
    deduction: int
    reimbursement: int

    @property
    def taxes(self) -> int:
        """Taxes of both sides."""
        return sum(cents for _, cents in (*self.employee_taxes, *self.employer_taxes))

    @property
    def net(self) -> int:
        """What the person receives, reimbursements included."""
        withheld = sum(cents for _, cents in self.employee_taxes) + self.benefit_withheld + self.deduction
        return self.gross - withheld + self.reimbursement


@dataclass(frozen=True, slots=True)
class SamplePayRun:
    """A processed pay run."""

    uuid: str
    check_date: date
    start: date
    end: date
    parts: tuple[PayPart, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything that is there before the first reading."""

    customers: tuple[SampleCustomer, ...]
    products: tuple[SampleProduct, ...]
    deals: tuple[SampleDeal, ...]
    departments: tuple[str, ...]
    employees: tuple[SampleEmployee, ...]
    pay_runs: tuple[SamplePayRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCounts:
    """How many live changes of which kind; a new customer counts twice, with its deal, and so does a payment that is
    entered and deleted again."""

    wins: int = 12
    quantities: int = 10
    phones: int = 6
    new_customers: int = 4
    paid: int = 8
    paid_in_part: int = 5
    overpaid: int = 3
    paid_together: int = 2
    taken_back: int = 2
    credited: int = 1
    edited: int = 1

    @property
    def total(self) -> int:
        """All of them: 60 in the whole demo."""
        single = self.wins + self.quantities + self.phones + self.paid + self.paid_in_part + self.overpaid
        return single + self.paid_together + self.credited + self.edited + 2 * (self.new_customers + self.taken_back)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the sample is."""

    customers: int = 120
    products: int = 40
    won: int = 600
    open: int = 40
    employees: int = 80
    pay_runs: int = 6
    changes: ChangeCounts = field(default_factory=ChangeCounts)


FAST = Size(
    customers=12,
    products=8,
    won=40,
    open=5,
    employees=12,
    pay_runs=2,
    changes=ChangeCounts(
        wins=2,
        quantities=3,
        phones=1,
        new_customers=1,
        paid=2,
        paid_in_part=2,
        overpaid=1,
        paid_together=1,
        taken_back=1,
    ),
)
