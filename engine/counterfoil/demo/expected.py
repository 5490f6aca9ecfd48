"""The figures that everything must come to, worked out from the sample before anything starts.

Its own arithmetic in whole cents: nothing here is shared with the code that plans or books.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeVar

from counterfoil.demo.changes import (
    AddLine,
    Change,
    ChangePhone,
    ChangeQuantity,
    CreditInvoice,
    DeletePayment,
    EditInvoice,
    NewCustomer,
    Payment,
    WinDeal,
)
from counterfoil.demo.entries import Share, entry_of
from counterfoil.demo.sample import Sample, SampleCustomer, SampleDeal, SamplePayRun

K = TypeVar("K", bound=Hashable)
Status = Literal["open", "partial", "paid", "overpaid", "credited"]

INCOME = "Sales of Product Income"
RECEIVABLE = "Accounts Receivable (A/R)"
UNDEPOSITED = "Undeposited Funds"
BOOKKEEPERS_INCOME = "Freight Income"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedInvoice:
    """One invoice as it must stand at the end; `added` is the bookkeeper's part of `cents`."""

    number: str
    customer_id: int
    day: date
    cents: int
    added: int = 0
    paid: int = 0
    credited: int = 0
    surplus: int = 0
    due: date | None = None

    @property
    def balance(self) -> int:
        """What is still owed."""
        return self.cents - self.paid - self.credited

    @property
    def status(self) -> Status:
        """The state in one word, as HubSpot must show it."""
        if self.balance > 0:
            return "partial" if self.paid + self.credited > 0 else "open"
        if self.surplus:
            return "overpaid"
        return "credited" if self.credited and not self.paid else "paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedEntry:
    """The journal entry of a pay run: debits less credits by account. They add up to 0."""

    uuid: str
    day: date
    accounts: Mapping[str, int]

    @property
    def debits(self) -> int:
        """What the debit side comes to."""
        return sum(cents for cents in self.accounts.values() if cents > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """All figures. Amounts are whole cents.

    Attributes:
        customers: all who must be in the books, by id.
        invoices: by document number.
        parked: codes by document number.
        parked_cents: what the parked deals' lines come to.
        entries: journal entries that must be in the books.
        waiting: the pay run left for approval.
        accounts: the whole trial balance, debits less credits.
        payments, credit_memos: how many stand at the end.
    """

    customers: Mapping[int, SampleCustomer]
    items: int
    invoices: Mapping[str, ExpectedInvoice]
    parked: Mapping[str, str]
    parked_cents: int
    not_won: int
    entries: tuple[ExpectedEntry, ...]
    waiting: ExpectedEntry | None
    accounts: Mapping[str, int]
    payments: int
    credit_memos: int
    people: int

    @property
    def by_customer(self) -> Mapping[int, int]:
        """Invoiced per customer."""
        return _totals((one.customer_id, one.cents) for one in self.invoices.values())

    @property
    def by_month(self) -> Mapping[str, int]:
        """Invoiced per month."""
        return _totals((f"{one.day:%Y-%m}", one.cents) for one in self.invoices.values())

    @property
    def invoiced(self) -> int:
        """All invoices together."""
        return sum(one.cents for one in self.invoices.values())

    @property
    def added(self) -> int:
        """What a bookkeeper added to invoices."""
        return sum(one.added for one in self.invoices.values())


def expect(sample: Sample, changes: tuple[Change, ...]) -> Expected:
    """The end of the story: the sample with all changes made, and all pay runs but the last approved."""
    deals = {deal.deal_id: deal for deal in sample.deals}
    customers = {one.customer_id: one for one in sample.customers}
    for change in changes:
        _change_source(change, deals, customers)
    invoices = {
        deal.number: ExpectedInvoice(
            number=deal.number, customer_id=deal.customer_id, day=deal.closed.date(), cents=deal.cents
        )
        for deal in deals.values()
        if deal.won and not deal.trouble
    }
    payments = _change_books(changes, invoices)
    entries = [_entry(run) for run in sample.pay_runs]
    credited = sum(one.credited for one in invoices.values())
    received = sum(payment.cents for payment in payments.values())
    troubled = [deal for deal in deals.values() if deal.trouble]
    accounts = _totals(pair for entry in entries[:-1] for pair in entry.accounts.items())
    invoiced = sum(one.cents for one in invoices.values())
    added = sum(one.added for one in invoices.values())
    accounts[INCOME] = credited - (invoiced - added)
    accounts[BOOKKEEPERS_INCOME] = -added
    accounts[UNDEPOSITED] = received
    accounts[RECEIVABLE] = invoiced - received - credited
    return Expected(
        customers=customers,
        items=len(sample.products),
        invoices=invoices,
        parked={deal.number: deal.trouble for deal in troubled},
        parked_cents=sum(deal.cents for deal in troubled),
        not_won=sum(not deal.won for deal in deals.values()),
        entries=tuple(entries[:-1]),
        waiting=entries[-1] if entries else None,
        accounts={name: cents for name, cents in accounts.items() if cents},
        payments=len(payments) + sum(isinstance(change, CreditInvoice) for change in changes),
        credit_memos=sum(isinstance(change, CreditInvoice) for change in changes),
        people=len(sample.employees),
    )


def _change_source(change: Change, deals: dict[int, SampleDeal], customers: dict[int, SampleCustomer]) -> None:
    match change:
        case WinDeal(deal_id):
            deals[deal_id] = replace(deals[deal_id], won=True)
        case ChangeQuantity(deal_id, line, stated):
            deal = deals[deal_id]
            deals[deal_id] = replace(deal, lines=(line, *deal.lines[1:]), stated=stated)
        case ChangePhone(customer_id, phone):
            customers[customer_id] = replace(customers[customer_id], phone=phone)
        case NewCustomer(customer, deal):
            customers[customer.customer_id] = customer
            deals[deal.deal_id] = deal
        case Payment() | DeletePayment() | CreditInvoice() | EditInvoice() | AddLine():
            pass


def _change_books(changes: tuple[Change, ...], invoices: dict[str, ExpectedInvoice]) -> dict[str, Payment]:
    """Apply what was done in QuickBooks; the payments that stand at the end, by name."""
    payments: dict[str, Payment] = {}
    for change in changes:
        match change:
            case Payment():
                payments[change.name] = change
            case DeletePayment(name):
                del payments[name]
            case CreditInvoice(number, _, _, cents):
                invoices[number] = replace(invoices[number], credited=cents)
            case AddLine(number, cents):
                invoice = invoices[number]
                invoices[number] = replace(invoice, cents=invoice.cents + cents, added=cents)
            case EditInvoice(number, due):
                invoices[number] = replace(invoices[number], due=due)
            case WinDeal() | ChangeQuantity() | ChangePhone() | NewCustomer():
                pass
    for payment in payments.values():
        for place, (number, cents) in enumerate(payment.parts):
            invoice = invoices[number]
            surplus = payment.surplus if place == 0 else 0
            invoices[number] = replace(invoice, paid=invoice.paid + cents, surplus=surplus)
    return payments


def _entry(run: SamplePayRun) -> ExpectedEntry:
    shares = [
        Share(
            department=part.department,
            gross=part.gross,
            employer_taxes=sum(cents for _, cents in part.employer_taxes),
            withheld=part.benefit_withheld,
            contributed=part.benefit_contributed,
            deducted=part.deduction,
            reimbursed=part.reimbursement,
        )
        for part in run.parts
    ]
    return ExpectedEntry(uuid=run.uuid, day=run.check_date, accounts=entry_of(shares))


def _totals(pairs: Iterable[tuple[K, int]]) -> dict[K, int]:
    sums: dict[K, int] = {}
    for key, cents in pairs:
        sums[key] = sums.get(key, 0) + cents
    return sums
