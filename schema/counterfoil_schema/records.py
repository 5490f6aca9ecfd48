"""Canonical records: what a source change looks like once it is normalised, whatever system it came from.

Amounts are exact decimals and travel as text; each belongs to the currency named beside it. Fields that hold
personal data are marked, and are sealed in the log under the key of the record they describe.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field

from counterfoil_schema.events.base import PersonalText, PersonalTextOrNone, Seal, Shape
from counterfoil_schema.exact_json import JsonObject, canonical, dumps, loads_object

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
ExchangeRate = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
RecordKey = Annotated[str, Field(min_length=3, max_length=400)]
"""`connection:kind:id`, for example `hubspot:deal:512`; the id may itself hold colons."""


def record_key(connection: str, kind: str, source_id: str) -> str:
    """The key under which a source record is known everywhere in Counterfoil."""
    return f"{connection}:{kind}:{source_id}"


def split_key(key: str) -> tuple[str, str, str]:
    """Connection, kind and id of a record key.

    Raises:
        ValueError: not a record key.
    """
    connection, kind, source_id = key.split(":", 2)
    return connection, kind, source_id


class Address(Shape):
    """A postal address, as free of structure as sources are."""

    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Customer(Shape):
    """Who is invoiced. Two customers may bear one name; the key tells them apart."""

    kind: Literal["customer"] = "customer"
    name: PersonalText
    company_name: PersonalTextOrNone = None
    given_name: PersonalTextOrNone = None
    family_name: PersonalTextOrNone = None
    email: PersonalTextOrNone = None
    phone: PersonalTextOrNone = None
    billing: Annotated[Address | None, Seal.PERSON] = None
    currency: Currency | None = None
    active: bool = True


class Product(Shape):
    """Something sold, by the piece or the hour."""

    kind: Literal["product"] = "product"
    name: str
    sku: str | None = None
    description: str | None = None
    unit_price: Decimal | None = None
    currency: Currency | None = None
    active: bool = True


class InvoiceLine(Shape):
    """One line: what, how many, at which price, less which discount.

    `amount` is the source's own figure where it states one; `discount` is a fraction of the line (0.15 = 15 %).
    `taxed` is the source's word whether the line is taxed, `tax` what it comes to, `tax_rate` a fraction of the net
    (0.2 = 20 %), `tax_code` what the source calls it; all are None where the source says nothing.
    """

    line_id: str
    product: RecordKey | None = None
    description: str | None = None
    quantity: Decimal = Decimal(1)
    unit_price: Decimal
    discount: Decimal = Decimal(0)
    amount: Decimal | None = None
    role: Literal["goods", "freight", "fee"] = "goods"
    taxed: bool | None = None
    tax: Decimal | None = None
    tax_rate: Annotated[Decimal, Field(ge=0)] | None = None
    tax_code: str | None = None


class Invoice(Shape):
    """A sale to be invoiced: a won deal, an order.

    `happened_at` is an instant (its accounting date is computed in the mapping's zone); `dated` is a date that the
    source states as such, and wins. `stated_total` is the source's own total, if it has one: before tax, or with it
    where `tax_included` says that prices and amounts contain it. `stated_tax` is the tax of the whole.
    `exchange_rate` is home money for one of `currency`.
    """

    kind: Literal["invoice"] = "invoice"
    customer: RecordKey | None
    number: str | None = None
    status: str
    won: bool
    happened_at: datetime | None = None
    dated: date | None = None
    due: date | None = None
    currency: Currency
    stated_total: Decimal | None = None
    memo: str | None = None
    lines: tuple[InvoiceLine, ...]
    tax_included: bool = False
    stated_tax: Decimal | None = None
    exchange_rate: ExchangeRate | None = None


class Estimate(Shape):
    """What a sale would come to: offered to a customer, perhaps accepted, owed by nobody.

    Its fields are those of a sale to be invoiced. `offered` is whether the customer was shown it, `expires` the last
    day on which it holds.
    """

    kind: Literal["estimate"] = "estimate"
    customer: RecordKey | None
    number: str | None = None
    status: str
    offered: bool
    accepted: bool = False
    happened_at: datetime | None = None
    dated: date | None = None
    expires: date | None = None
    currency: Currency
    stated_total: Decimal | None = None
    memo: str | None = None
    lines: tuple[InvoiceLine, ...]
    tax_included: bool = False
    stated_tax: Decimal | None = None
    exchange_rate: ExchangeRate | None = None


class Application(Shape):
    """A part of a payment that settles one invoice."""

    invoice: RecordKey
    amount: Decimal


class Payment(Shape):
    """Money received from a customer.

    `received` is false while it is only under way, and where it never came or was taken back; `status` is the source's
    word for how it stands.
    """

    kind: Literal["payment"] = "payment"
    customer: RecordKey
    dated: date
    currency: Currency
    amount: Decimal
    reference: str | None = None
    applied: tuple[Application, ...] = ()
    exchange_rate: ExchangeRate | None = None
    status: str | None = None
    received: bool = True


class CreditMemo(Shape):
    """Money owed back to a customer."""

    kind: Literal["credit_memo"] = "credit_memo"
    customer: RecordKey
    number: str | None = None
    dated: date
    currency: Currency
    lines: tuple[InvoiceLine, ...]
    tax_included: bool = False
    stated_tax: Decimal | None = None
    exchange_rate: ExchangeRate | None = None


class Refund(Shape):
    """Money given back to a customer for what these lines say: like a credit memo, but paid out."""

    kind: Literal["refund"] = "refund"
    customer: RecordKey
    number: str | None = None
    dated: date
    currency: Currency
    lines: tuple[InvoiceLine, ...]
    tax_included: bool = False
    stated_tax: Decimal | None = None
    exchange_rate: ExchangeRate | None = None


class PayoutPart(Shape):
    """What a payout passes on: of a payment the whole amount, of a refund what it took away, below zero."""

    part_of: RecordKey
    amount: Decimal


class Payout(Shape):
    """What a payment processor paid out in one sum: the money of some payments, less refunds and its fee.

    `amount` is what reaches the bank, `fee` what the processor kept. `parts` is empty where the source names none.
    """

    kind: Literal["payout"] = "payout"
    reference: str | None = None
    dated: date
    currency: Currency
    amount: Decimal
    fee: Decimal = Decimal(0)
    parts: tuple[PayoutPart, ...] = ()
    exchange_rate: ExchangeRate | None = None


class Vendor(Shape):
    """Who is paid."""

    kind: Literal["vendor"] = "vendor"
    name: PersonalText
    email: PersonalTextOrNone = None
    currency: Currency | None = None
    active: bool = True


class PayRate(Shape):
    """What somebody earns from a day on: `per` is `Hour`, `Year` …, `basis` the source's word (`Hourly`, `Salary`)."""

    effective: date
    basis: str | None = None
    per: str | None = None
    amount: Decimal | None = None
    currency: Currency | None = None


class Employee(Shape):
    """A person who works for the company; nothing here that the books never need.

    `department`, `location` and `job` are those of the day on which the record was read. `pay` is only there where the
    mapping asks for it, and never goes into the books. `books_id` is what the source holds as the person's id in
    QuickBooks. `withheld` names what the source keeps from this connection: of these fields nothing is known.
    """

    kind: Literal["employee"] = "employee"
    given_name: PersonalText
    family_name: PersonalText
    email: PersonalTextOrNone = None
    department: str | None = None
    hired: date | None = None
    active: bool = True
    location: str | None = None
    job: str | None = None
    pay: Annotated[tuple[PayRate, ...] | None, Seal.PERSON] = None
    books_id: str | None = None
    withheld: tuple[str, ...] = ()


class WorkedTime(Shape):
    """One entry of a time sheet; `minutes` exactly as the source states them, which may be a fraction."""

    entry_id: str
    minutes: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class TimeEntry(Shape):
    """What one employee worked on one day for one project and task: the approved entries of it.

    `department`, `location` and `job` are those of that day. `approved` is false where nothing of it is approved any
    more; then there are no `parts`.
    """

    kind: Literal["time_entry"] = "time_entry"
    employee: RecordKey
    dated: date
    project: str | None = None
    task: str | None = None
    approved: bool = True
    parts: tuple[WorkedTime, ...] = ()
    note: PersonalTextOrNone = None
    department: str | None = None
    location: str | None = None
    job: str | None = None
    withheld: tuple[str, ...] = ()

    def subject(self) -> str:
        """Whose data it is: the employee's, so that erasing the person erases the notes as well."""
        return self.employee


PayPart = Literal[
    "wages",
    "reimbursement",
    "employer_tax",
    "employer_benefit",
    "net_pay",
    "tax_payment",
    "employee_benefit",
    "other_deduction",
]
"""`wages`, `reimbursement`, `employer_tax`, `employer_benefit` are what the company bears; the others are where it
goes: to people's accounts, to tax offices (both sides' taxes), to benefit providers (both sides), to others."""

WIDER_PARTS: Mapping[PayPart, tuple[PayPart, ...]] = {
    "reimbursement": ("wages", "employer_benefit", "employer_tax"),
    "employer_benefit": ("employer_tax", "wages", "reimbursement"),
    "employee_benefit": ("other_deduction",),
    "other_deduction": ("employee_benefit",),
}
"""Into which other parts, the nearest first, one may be put that so few people have that it would be theirs by itself.

Never into what leaves the bank: that must stay as the bank shows it.
"""


class PayRunLine(Shape):
    """One part of a pay run for one department, summed over its people: never one person's pay by name.

    `includes`: other parts that too few people have, put into this one. `type` is what the source calls it more exactly
    (`Overtime`, `Medicare`, `401(k)`), never words about one person; None stands for all that is not told apart.
    """

    department: str
    part: PayPart
    amount: Decimal
    people: int = Field(ge=0)
    includes: tuple[PayPart, ...] = ()
    type: str | None = None


class LedgerSum(Shape):
    """What a payroll provider's own ledger holds of some parts of a pay run together, on their side."""

    parts: tuple[PayPart, ...]
    amount: Decimal


class ProviderLedger(Shape):
    """A pay run in the provider's own ledger, to compare with; `missing` says why it could not be had."""

    sums: tuple[LedgerSum, ...] = ()
    missing: str | None = None


class PayRun(Shape):
    """A processed pay run. `reverses` is the run that this one takes back, whole or for some of its people.

    `ledger` is only there where the mapping asks for the comparison.
    """

    kind: Literal["pay_run"] = "pay_run"
    status: str
    processed: bool
    check_date: date
    period_start: date
    period_end: date
    currency: Currency
    off_cycle: bool = False
    stated_debit: Decimal | None = None
    lines: tuple[PayRunLine, ...]
    reverses: RecordKey | None = None
    ledger: ProviderLedger | None = None


class ContractorPayment(Shape):
    """Money paid to somebody who works for the company without being employed.

    `wages` is what the work was paid with, bonus included; `reimbursement` what the contractor had laid out for the
    company. `method` is the source's word for how the money goes (`Direct Deposit`, `Check`).
    """

    kind: Literal["contractor_payment"] = "contractor_payment"
    contractor: RecordKey
    dated: date
    currency: Currency
    wages: Decimal
    reimbursement: Decimal = Decimal(0)
    method: str | None = None
    department: str | None = None


class Custom(Shape):
    """Something of a kind that only its source knows; the adapter's own `project` says what becomes of it.

    `facts` is a JSON object as text, sealed whole: nobody else knows what in it is personal.
    """

    kind: Literal["custom"] = "custom"
    facts: PersonalText

    @classmethod
    def of(cls, facts: JsonObject) -> Self:
        """With these facts."""
        return cls(facts=dumps(facts).decode())

    def read(self) -> JsonObject:
        """The facts; amounts are Decimal."""
        return loads_object(self.facts)


Record = Annotated[
    Customer
    | Product
    | Invoice
    | Estimate
    | Payment
    | CreditMemo
    | Refund
    | Payout
    | Vendor
    | Employee
    | PayRun
    | ContractorPayment
    | TimeEntry
    | Custom,
    Field(discriminator="kind"),
]


def content_of(record: Record) -> bytes:
    """What a record says, as bytes that are equal for two records only where they say the same.

    Fields at their defaults are left out: one that a later release adds leaves the content of every record without it
    as it was. So a default is never changed: another one is another field.
    """
    return canonical({**record.model_dump(mode="json", exclude_defaults=True), "kind": record.kind})
