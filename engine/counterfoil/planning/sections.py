"""The sections of a mapping file: what a person may write, and what holds where nothing is written."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from counterfoil.planning.expressions import checked
from counterfoil.planning.lifecycle_rules import (
    Gone,
    Inactive,
    Merged,
    Rehired,
    Removed,
    Reopened,
    ReopenedPaid,
    Restored,
)
from counterfoil.planning.templates import (
    CONTRACTOR_NAMES,
    LINK_NAMES,
    MEMO_NAMES,
    NUMBER_NAMES,
    TIME_NAMES,
    template_of,
)

Rule = Literal["park", "suffix", "adopt"]
Owner = Literal["source", "books", "last_writer", "ask"]
Direction = Literal["out", "in", "both"]
Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Rate = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Name = Annotated[str, Field(min_length=1)]
NumberTemplate = Annotated[str, AfterValidator(template_of(NUMBER_NAMES))]
LinkTemplate = Annotated[str, AfterValidator(template_of(LINK_NAMES))]
Expression = Annotated[str, AfterValidator(checked)]
MemoTemplate = Annotated[str, AfterValidator(template_of(MEMO_NAMES))]


def _one_status(value: object) -> object:
    """A single status stands for a list of one."""
    return (value,) if isinstance(value, str) and value != "won" else value


When = Annotated[
    Literal["won"] | tuple[Name, ...],
    BeforeValidator(_one_status, json_schema_input_type=Literal["won"] | Name | tuple[Name, ...]),
]
ContractorTemplate = Annotated[str, AfterValidator(template_of(CONTRACTOR_NAMES))]
TimeTemplate = Annotated[str, AfterValidator(template_of(TIME_NAMES))]
CustomerName = Annotated[str, Field(pattern=r"^(\d+|[^:\s]+:[^:\s]+:\S+)$")]
"""A customer's id in QuickBooks, or the record key of one that a source brings: names of people are not kept."""


class Section(BaseModel):
    """A table of the file; a key that it does not know is an error, so that a typing mistake is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FromKinds(Section):
    """A section for one kind of record, as a rule for all source kinds that yield it.

    `from` restricts it to the kinds named; records from others are skipped.
    `filter`: an expression over the record as the source showed it, such as `amount > 0 and stage == "won"`; records of
    which it does not hold are skipped.
    """

    from_kinds: tuple[str, ...] = Field(default=(), alias="from")
    filter: Expression | None = None


def section_of(document: str) -> str:
    """The section of the file that holds for a kind of record."""
    return {"pay_run": "payroll", "time_entry": "time"}.get(document, document)


class ConnectionSection(Section):
    """`[connection]`: which source this is, and in which zone its instants become accounting dates.

    `text`: what the books take. Intuit's pages say that companies of the United States take ISO-8859-1 alone, its
    release notes that emoji and curly quotes are taken since 2022. So all text goes out, and what QuickBooks refuses is
    parked with its words; with `latin1`, US books get nothing else sent, and what holds it is parked before.
    """

    source: Name
    zone: Name
    currency: Currency | None = None
    text: Literal["unicode", "latin1"] = "unicode"


class StartSection(Section):
    """`[start]`: what is dated before is in the books already, or was never meant for them, and is not posted.

    `date`: for everything that has a date. The others: for one type alone. What stands for a document that was adopted
    goes on all the same.
    """

    date: dt.date | None = None
    invoice: dt.date | None = None
    estimate: dt.date | None = None
    credit_memo: dt.date | None = None
    payment: dt.date | None = None
    refund: dt.date | None = None
    payout: dt.date | None = None
    pay_run: dt.date | None = None
    contractor_payment: dt.date | None = None
    time_entry: dt.date | None = None

    def of(self, kind: str) -> dt.date | None:
        """The first day of a type of record; None where everything counts, as of lists, which have no date."""
        if kind not in StartSection.model_fields:
            return None
        own: dt.date | None = getattr(self, kind)
        return own or self.date


class PartySection(FromKinds):
    """What customers, vendors and employees have in common.

    `unfit` says what becomes of contact details that QuickBooks refuses (an e-mail without @, a telephone number
    over 30 characters): left out, or the record parked. `removed`, `inactive`: what becomes of the entry of one that
    the source deleted, or says is inactive; once the source shows it so again, it is active again. `merged`: the same
    for one that went into another at the source; `ask`: parked, until somebody has merged the two in QuickBooks.
    """

    same_name: Rule = "park"
    colon: str = " -"
    unfit: Literal["leave_out", "park"] = "leave_out"
    removed: Removed = "keep"
    merged: Merged = "ask"
    inactive: Inactive = "ignore"
    edited: Literal["update", "park"] = "update"


class MoneyPartySection(PartySection):
    """What customers and vendors have in common: QuickBooks fixes the currency of either for life.

    `other_currencies`: in these a party that has documents in more than one gets a second entry, named after the first
    with the currency in brackets; anything in another is parked.
    """

    other_currencies: tuple[Currency, ...] = ()


class CustomerSection(MoneyPartySection):
    """`[customer]`."""


class VendorSection(MoneyPartySection):
    """`[vendor]`."""


class EmployeeSection(PartySection):
    """`[employee]`: creating employees is off until somebody asks for it.

    `rehired`: what becomes of somebody under a new id who bears the name of one who left. `ask`: parked, until a person
    says that it is the same (`deadletters map`), who then has the old entry, or another. `new`: another person.
    """

    create: bool = False
    rehired: Rehired = "ask"


class ProductSection(FromKinds):
    """`[product]`: `unknown` is the rule for a line whose product the source never showed, or that has none.

    `create`: the line's own words name its item (the first line of them), and where the books have none of that name it
    is made; a line without words goes to `catch_all`. Names of items are kept in the clear.
    `missing` is the rule for an item that the mapping or a line names (freight, catch-all) and the books do not hold.
    """

    income_account: Name = "Sales of Product Income"
    type: Literal["Service", "NonInventory"] = "Service"
    unknown: Literal["park", "create", "catch_all"] = "park"
    missing: Literal["create", "park"] = "create"
    same_name: Rule = "park"
    name_too_long: Literal["park", "shorten"] = "park"
    colon: str = " -"
    removed: Removed = "keep"
    merged: Merged = "ask"
    inactive: Inactive = "ignore"
    edited: Literal["update", "park"] = "update"


class TaxSection(Section):
    """`[tax]`: what the source's tax is in the books.

    `codes`: from the source's tax codes to the names of QuickBooks'; `taxed` and `exempt` are for lines without a code
    (in the US they are always TAX and NON). `unstated`: the rule for lines of which the source does not say.
    `tolerance`: by how much the tax that QuickBooks works out may differ from the source's on one document.
    """

    taxed: Name | None = None
    exempt: Name | None = None
    codes: dict[str, Name] = Field(default_factory=dict)
    unstated: Literal["exempt", "taxed", "park"] = "exempt"
    tolerance: Amount = Decimal("0.01")


class ExchangeSection(Section):
    """`[exchange]`: where the rate of a foreign document comes from.

    `source`: the record states it. `books`: what it does not state is asked of QuickBooks' own rates for the date.
    `rates`: a rate for all documents in a currency, in home money for one of it; it comes after the record's own.
    """

    rate: Literal["source", "books"] = "source"
    rates: dict[Currency, Rate] = Field(default_factory=dict)


class SaleSection(FromKinds):
    """What invoices and credit memos have in common.

    `number`: a template; a missing source number is replaced by the record's id. `catch_all`: the item for lines
    without a product. `tax_code`: for lines of which the source does not say whether they are taxed; empty sends none
    (see `[tax]`). `gone`: what becomes of a later change of a record whose document a person voided or deleted in
    QuickBooks: parked, left as it is, or entered anew.
    """

    number: NumberTemplate = "{number}"
    number_too_long: Literal["park", "shorten"] = "park"
    catch_all: Name | None = None
    freight_item: Name | None = None
    fee_item: Name | None = None
    tax_code: str = "NON"
    memo: MemoTemplate = "From {connection} {kind} {id}"
    customer_memo: MemoTemplate = ""
    edited: Literal["update", "park"] = "update"
    gone: Gone = "park"


class InvoiceSection(SaleSection):
    """`[invoice]`: when a sale becomes an invoice, and what is done where it does not add up.

    `negative`: what becomes of a sale below zero: a credit memo (by `[credit_memo]`, and where that is silent as an
    invoice would be), or parked.
    `reopened`: what becomes of an invoice whose sale is no longer won; `reopened_paid`: the same where money has been
    set against it, so that it is not voided: parked, credited in full by a credit memo beside it, or left as it is.
    `restored`: what becomes of one that is wanted again after its invoice was voided for it: parked, or a new invoice.
    `link`: where a browser finds the invoice, for `[write_back] document_link`; a sandbox has another host.
    """

    when: When = "won"
    date: Literal["happened", "dated"] = "dated"
    no_lines: Literal["park", "one_line"] = "park"
    total_mismatch: Literal["park", "ignore"] = "park"
    tolerance: Amount = Decimal(0)
    terms: Name | None = None
    negative: Literal["credit_memo", "park"] = "credit_memo"
    reopened: Reopened = "park"
    reopened_paid: ReopenedPaid = "park"
    removed: Literal["park", "void"] = "park"
    restored: Restored = "park"
    link: LinkTemplate = "https://app.qbo.intuit.com/app/invoice?txnId={document_id}"


class EstimateSection(SaleSection):
    """`[estimate]`: what was offered to a customer; it posts nothing, and is never deleted for its record's sake."""

    when: Literal["offered", "accepted"] = "offered"
    date: Literal["happened", "dated"] = "dated"
    total_mismatch: Literal["park", "ignore"] = "park"
    tolerance: Amount = Decimal(0)
    removed: Literal["park"] = "park"


class CreditMemoSection(SaleSection):
    """`[credit_memo]`. A credit memo cannot be voided through the interface, so a removed one always parks."""

    removed: Literal["park"] = "park"


class PaymentSection(FromKinds):
    """`[payment]`: money that the source saw; `deposit_account` empty leaves it in Undeposited Funds.

    `gone` as of invoices; `restored`: of one that the source shows again after it was voided for it.
    """

    deposit_account: Name | None = None
    memo: MemoTemplate = "From {connection} {kind} {id}"
    unapplied: Literal["allow", "park"] = "allow"
    edited: Literal["update", "park"] = "park"
    removed: Literal["park", "void"] = "park"
    restored: Restored = "park"
    gone: Gone = "park"


class RefundSection(SaleSection):
    """`[refund]`: money given back becomes a refund receipt, paid from `account`."""

    account: Name | None = None
    removed: Literal["park"] = "park"


class PayoutSection(FromKinds):
    """`[payout]`: what a processor paid out in one sum becomes a deposit into `account`.

    `from_account` is where the payments lie until then, by default the `[payment] deposit_account`; where neither is
    given it is Undeposited Funds, and the deposit takes up each payment by itself. `fee_account` takes the fee.
    """

    account: Name | None = None
    from_account: Name | None = None
    fee_account: Name | None = None
    memo: MemoTemplate = "From {connection} {kind} {id}"
    edited: Literal["update", "park"] = "park"
    removed: Literal["park"] = "park"


class ContractorAccounts(Section):
    """Accounts of what contractors are paid for, by their full names in the books."""

    wages: Name | None = None
    reimbursement: Name | None = None


class ContractorDepartment(ContractorAccounts):
    """`[contractor_payment.departments.NAME]`: accounts of its own, and its name in the books where that differs."""

    name: Name | None = None


class ContractorPaymentSection(FromKinds):
    """`[contractor_payment]`: a bill with its payment, or a cheque, for each payment of a contractor.

    `document`: which of the two; `skip` leaves them all out. `bank_account` pays; `payable_account` is for books with
    several accounts of payables. `methods`: the source's words for how the money goes of those to be posted; others
    are skipped. `removed`: what becomes of a posted payment that was cancelled at the source.
    """

    document: Literal["bill", "cheque", "skip"] | None = None
    accounts: ContractorAccounts = ContractorAccounts()
    departments: dict[str, ContractorDepartment] = Field(default_factory=dict)
    track: Literal["department", "class", "none"] = "none"
    bank_account: Name | None = None
    payable_account: Name | None = None
    methods: tuple[Name, ...] = ("Direct Deposit", "Check", "Correction Payment")
    number: ContractorTemplate = "CP-{date}-{id:6}"
    number_too_long: Literal["park", "shorten"] = "park"
    memo: ContractorTemplate = "From {connection} {kind} {id}"
    edited: Literal["update", "park"] = "park"
    removed: Literal["park", "delete"] = "park"


class TimeRule(Section):
    """`[time.projects.NAME]` and `[time.tasks.NAME]`: what one project or task is in the books.

    `customer` is the customer's or project's id in QuickBooks, or the record key of a customer of another connection.
    """

    customer: CustomerName | None = None
    item: Name | None = None
    billable: bool | None = None
    hourly_rate: Amount | None = None


class TimeSection(FromKinds):
    """`[time]`: approved hours become time activities, one for each employee, day, project and task.

    A task's rule comes before its project's, and both before what stands here. `track` writes the class or location of
    the employee's department or location (`track_by`) on that day; `names` are those in the books where they differ.
    `minutes`: what becomes of hours that are no whole minutes even when the rounding to two decimals is undone.
    `unapproved`: what becomes of an activity whose hours lost their approval, until they are approved again.
    """

    projects: dict[str, TimeRule] = Field(default_factory=dict)
    tasks: dict[str, TimeRule] = Field(default_factory=dict)
    item: Name | None = None
    billable: bool = False
    hourly_rate: Amount | None = None
    unknown_project: Literal["park", "post", "skip"] = "park"
    no_project: Literal["post", "park", "skip"] = "post"
    people: Literal["everybody", "hourly"] = "everybody"
    track: Literal["department", "class", "none"] = "none"
    track_by: Literal["department", "location"] = "department"
    names: dict[str, Name] = Field(default_factory=dict)
    minutes: Literal["nearest", "park"] = "nearest"
    description: TimeTemplate = ""
    notes: bool = False
    unapproved: Literal["keep", "delete"] = "keep"
    removed: Literal["delete", "park"] = "delete"
    edited: Literal["update", "park"] = "update"
    gone: Gone = "park"


class PostPolicy(Section):
    """`[post.DOCUMENT]`: straight into the books, or after somebody's approval."""

    post: Literal["auto", "review"] = "auto"
    review_above: Amount | None = None


class PostSection(Section):
    """`[post]`: a policy per document; pay runs are reviewed unless somebody says otherwise."""

    customer: PostPolicy = PostPolicy()
    product: PostPolicy = PostPolicy()
    vendor: PostPolicy = PostPolicy()
    employee: PostPolicy = PostPolicy()
    invoice: PostPolicy = PostPolicy()
    estimate: PostPolicy = PostPolicy()
    credit_memo: PostPolicy = PostPolicy()
    payment: PostPolicy = PostPolicy()
    refund: PostPolicy = PostPolicy()
    payout: PostPolicy = PostPolicy()
    pay_run: PostPolicy = PostPolicy(post="review")
    bill: PostPolicy = PostPolicy()
    bill_payment: PostPolicy = PostPolicy()
    cheque: PostPolicy = PostPolicy()
    time_entry: PostPolicy = PostPolicy()


class FieldRule(Section):
    """`[fields.DOCUMENT.FIELD]`: whose word counts, and which way the value travels.

    `source`: ours replaces whatever stands in the books. `books`: sent when the document is created, left alone
    afterwards. With the other two the side that changed it wins; where both did, `last_writer`: the later of them, and
    `ask`: whom a person chooses. `Line` is ruled line by line. Direction `in` is never sent.
    """

    owner: Owner = "source"
    direction: Direction = "out"


class FieldsSection(Section):
    """`[fields]`: rules by document and QuickBooks field."""

    customer: dict[str, FieldRule] = Field(default_factory=dict)
    product: dict[str, FieldRule] = Field(default_factory=dict)
    vendor: dict[str, FieldRule] = Field(default_factory=dict)
    employee: dict[str, FieldRule] = Field(default_factory=dict)
    invoice: dict[str, FieldRule] = Field(default_factory=dict)
    estimate: dict[str, FieldRule] = Field(default_factory=dict)
    credit_memo: dict[str, FieldRule] = Field(default_factory=dict)
    payment: dict[str, FieldRule] = Field(default_factory=dict)
    refund: dict[str, FieldRule] = Field(default_factory=dict)
    payout: dict[str, FieldRule] = Field(default_factory=dict)
    pay_run: dict[str, FieldRule] = Field(default_factory=dict)
    bill: dict[str, FieldRule] = Field(default_factory=dict)
    bill_payment: dict[str, FieldRule] = Field(default_factory=dict)
    cheque: dict[str, FieldRule] = Field(default_factory=dict)
    time_entry: dict[str, FieldRule] = Field(default_factory=dict)


class DerivedSection(Section):
    """`[derived.DOCUMENT]`: fields of the source's record that are worked out before anything is planned from it.

    Each is an expression over the record as the source showed it, such as `first(number, "HS-" + id)`. `line`: for the
    lines of invoices, estimates, credit memos, refunds; its expressions see the sale's own fields as well.
    """

    customer: dict[str, Expression] = Field(default_factory=dict)
    product: dict[str, Expression] = Field(default_factory=dict)
    vendor: dict[str, Expression] = Field(default_factory=dict)
    employee: dict[str, Expression] = Field(default_factory=dict)
    invoice: dict[str, Expression] = Field(default_factory=dict)
    estimate: dict[str, Expression] = Field(default_factory=dict)
    credit_memo: dict[str, Expression] = Field(default_factory=dict)
    payment: dict[str, Expression] = Field(default_factory=dict)
    refund: dict[str, Expression] = Field(default_factory=dict)
    payout: dict[str, Expression] = Field(default_factory=dict)
    time_entry: dict[str, Expression] = Field(default_factory=dict)
    contractor_payment: dict[str, Expression] = Field(default_factory=dict)
    line: dict[str, Expression] = Field(default_factory=dict)


_NOT_OF_INVOICES = frozenset({"problem", "employee_id"})


class WriteBackSection(Section):
    """`[write_back]`: which property of the source record takes which value; what is not named is not written.

    `employee_id` is a person's id in QuickBooks; all others but `problem` are values of invoices.
    `problem`: why a record is parked and what to do; on records of the kinds that `[invoice] from` names, on all where
    it names none.
    """

    invoice_number: Name | None = None
    document_id: Name | None = None
    status: Name | None = None
    balance: Name | None = None
    amount_paid: Name | None = None
    credited: Name | None = None
    overpaid: Name | None = None
    last_payment_date: Name | None = None
    problem: Name | None = None
    due_date: Name | None = None
    document_link: Name | None = None
    employee_id: Name | None = None

    @property
    def tells_of_invoices(self) -> bool:
        """Whether any value of an invoice is written."""
        return any(getattr(self, name) is not None for name in type(self).model_fields.keys() - _NOT_OF_INVOICES)
