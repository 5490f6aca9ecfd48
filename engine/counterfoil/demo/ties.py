"""Source, log and books beside the figures fixed beforehand: per month, customer and account, to the cent. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from counterfoil.demo.actual import BookedEntry, BookedInvoice, Books, LoggedInvoice, SoldDeal
from counterfoil.demo.expected import (
    BOOKKEEPERS_INCOME,
    INCOME,
    RECEIVABLE,
    UNDEPOSITED,
    Expected,
    ExpectedInvoice,
)

R = TypeVar("R")
Sums = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """One line of a comparison, in cents. `source` or `log` is None where it knows nothing of it.

    `added` is what a bookkeeper added in QuickBooks, of which the source cannot know.
    """

    name: str
    expected: int
    source: int | None
    added: int
    log: int | None
    books: int

    @property
    def holds(self) -> bool:
        """Whether all agree to the cent."""
        source = self.source is None or self.source + self.added == self.expected
        log = self.log is None or self.log == self.expected
        return source and log and self.books == self.expected


def by_month(
    expected: Expected, deals: Iterable[SoldDeal], logged: Iterable[LoggedInvoice], books: Books
) -> tuple[Tie, ...]:
    """Invoiced per month."""
    return _ties(
        expected=_sums(expected.invoices.values(), lambda one: f"{one.day:%Y-%m}", _cents),
        added=_sums(expected.invoices.values(), lambda one: f"{one.day:%Y-%m}", lambda one: one.added),
        source=_sums(posted(expected, deals), lambda one: one.month, lambda one: one.cents),
        log=_sums(logged, lambda one: one.day[:7], lambda one: one.cents),
        books=_sums(books.invoices, lambda one: one.day[:7], lambda one: one.cents),
    )


def by_customer(
    expected: Expected, deals: Iterable[SoldDeal], logged: Iterable[LoggedInvoice], books: Books
) -> tuple[Tie, ...]:
    """Invoiced per customer, under the sample's own name and number of the customer."""
    label = _labels(expected)
    in_books = books_customers(expected, books)
    number_of = {invoice.number: str(invoice.customer_id) for invoice in expected.invoices.values()}
    return _ties(
        expected=_sums(expected.invoices.values(), lambda one: label(str(one.customer_id)), _cents),
        added=_sums(expected.invoices.values(), lambda one: label(str(one.customer_id)), lambda one: one.added),
        source=_sums(
            posted(expected, deals),
            lambda one: label(_known(one.customer_id, number_of, one.number)),
            lambda one: one.cents,
        ),
        log=_sums(logged, lambda one: label(_known(one.customer_id, number_of, one.number)), lambda one: one.cents),
        books=_sums(books.invoices, lambda one: label(in_books.get(one.customer_id, "?")), lambda one: one.cents),
    )


def by_account(
    expected: Expected, deals: Iterable[SoldDeal], payroll: Sums, log: Sums, books: Books
) -> tuple[Tie, ...]:
    """The whole trial balance, debits less credits.

    HubSpot speaks for what was sold, Gusto for payroll; `added` is what people entered in QuickBooks: payments, a
    credit memo, a line of their own.
    """
    sold = sum(deal.cents for deal in posted(expected, deals))
    source = {**payroll, INCOME: -sold, RECEIVABLE: sold}
    received = expected.accounts.get(UNDEPOSITED, 0)
    credited = sum(invoice.credited for invoice in expected.invoices.values())
    added = {
        INCOME: credited,
        BOOKKEEPERS_INCOME: -expected.added,
        UNDEPOSITED: received,
        RECEIVABLE: expected.added - received - credited,
    }
    return _ties(expected=expected.accounts, added=added, source=source, log=log, books=books.accounts)


def by_pay_run(expected: Expected, source: Sums, log: Sums, books: Iterable[BookedEntry]) -> tuple[Tie, ...]:
    """What each approved pay run comes to: the debits of its journal entry."""
    booked: dict[str, int] = {}
    for entry in books:
        booked[entry.number] = booked.get(entry.number, 0) + entry.debits
    wanted = {f"PR-{one.day}-{one.uuid[-6:]}": (one.uuid, one.debits) for one in expected.entries}
    return tuple(
        Tie(
            name=number,
            expected=wanted.get(number, ("", 0))[1],
            source=source.get(wanted[number][0], 0) if number in wanted else None,
            added=0,
            log=log.get(wanted[number][0], 0) if number in wanted else None,
            books=booked.get(number, 0),
        )
        for number in sorted({*wanted, *booked})
    )


def posted(expected: Expected, deals: Iterable[SoldDeal]) -> list[SoldDeal]:
    """The won deals, without those that must end parked."""
    return [deal for deal in deals if deal.won and deal.number not in expected.parked]


def books_customers(expected: Expected, books: Books) -> dict[str, str]:
    """Sample customers by the Ids of the books, told by the names that they must bear there.

    Of two with one name, one bears its number behind the name; the plain name is the other's.
    """
    names = {name for name, _ in books.customers.values()}
    owner: dict[str, str] = {}
    for customer in expected.customers.values():
        suffixed = f"{customer.books_name} ({customer.customer_id})"
        owner[suffixed if suffixed in names else customer.books_name] = str(customer.customer_id)
    return {document_id: owner.get(name, "?") for document_id, (name, _) in books.customers.items()}


def _labels(expected: Expected) -> Callable[[str], str]:
    def label(customer_id: str) -> str:
        known = expected.customers.get(int(customer_id)) if customer_id.isdigit() else None
        return f"{known.name} ({customer_id})" if known else f"unknown ({customer_id})"

    return label


def _known(customer_id: str, number_of: Mapping[str, str], number: str) -> str:
    """The sample's number of a customer; one who came later bears another number in HubSpot than in the script."""
    scripted = number_of.get(number, "")
    return scripted if scripted.startswith("9") else customer_id


def _cents(invoice: ExpectedInvoice) -> int:
    return invoice.cents


def _sums(rows: Iterable[R], key: Callable[[R], str], amount: Callable[[R], int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        sums[key(row)] = sums.get(key(row), 0) + amount(row)
    return sums


def _ties(*, expected: Sums, added: Sums, source: Sums, log: Sums, books: Sums) -> tuple[Tie, ...]:
    return tuple(
        Tie(
            name=name,
            expected=expected.get(name, 0),
            source=source.get(name, 0),
            added=added.get(name, 0),
            log=log.get(name, 0),
            books=books.get(name, 0),
        )
        for name in sorted({*expected, *source, *log, *books})
    )


def invoice_of(books: Books) -> Mapping[str, BookedInvoice]:
    """The invoices in the books by number."""
    return {one.number: one for one in books.invoices}
