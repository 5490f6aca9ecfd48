"""What must be true at the end, one line each, with what was expected and what was found. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.demo.actual import Books, Logged, SoldDeal
from counterfoil.demo.expected import Expected, ExpectedInvoice
from counterfoil.demo.loading import decimal
from counterfoil.demo.tally import cents
from counterfoil.demo.ties import Tie, books_customers, invoice_of, posted

_SHOWN_MAX = 5
_TOLD_LEAST = 50


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true."""

    title: str
    expected: str
    found: str

    @property
    def holds(self) -> bool:
        """Whether it is."""
        return self.expected == self.found


def money(amount: int) -> str:
    """Cents for people."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100:,}.{abs(amount) % 100:02d}"


def tie_check(title: str, ties: Sequence[Tie]) -> Check:
    """All lines of a comparison agree."""
    wrong = [tie.name for tie in ties if not tie.holds]
    return Check(title, f"{len(ties)} of {len(ties)} agree", f"{len(ties) - len(wrong)} of {len(ties)} agree")


def books_checks(expected: Expected, books: Books, logged: Logged) -> list[Check]:
    """Counts and totals in the books."""
    journal = books.created
    return [
        Check("Invoices in the books", str(len(expected.invoices)), str(len(books.invoices))),
        Check("Invoiced in all", money(expected.invoiced), money(sum(one.cents for one in books.invoices))),
        Check(
            "Invoiced according to the log", money(expected.invoiced), money(sum(one.cents for one in logged.invoices))
        ),
        Check("Customers in the books", str(len(expected.customers)), str(len(books.customers))),
        Check("Items of ours in the books", str(expected.items), str(journal.get("Item", 0))),
        Check("Journal entries for pay runs", str(len(expected.entries)), str(len(books.entries))),
        Check("Payments, with those that apply a credit memo", str(expected.payments), str(books.payments)),
        Check("Credit memos", str(expected.credit_memos), str(books.credit_memos)),
        Check("Debits less credits over all accounts", money(0), money(sum(books.accounts.values()))),
    ]


def one_each_checks(expected: Expected, deals: Iterable[SoldDeal], books: Books) -> list[Check]:
    """No document without a source, no source with two documents; by number, and by the emulator's own journal."""
    sold = {deal.number for deal in posted(expected, deals)}
    numbers = [one.number for one in books.invoices]
    runs = {f"PR-{one.day}-{one.uuid[-6:]}" for one in expected.entries}
    strangers = [number for number in numbers if number not in sold]
    strangers += [one.number for one in books.entries if one.number not in runs]
    owners = books_customers(expected, books)
    strangers += [name for document_id, (name, _) in books.customers.items() if owners[document_id] == "?"]
    strangers += list(books.unmarked)
    again = sorted({number for number in numbers if numbers.count(number) > 1})
    missing = sorted(sold - set(numbers))
    return [
        Check("Documents without a source", "0", _counted(strangers)),
        Check("Sources with two documents", "0", _counted([*again, *books.twice])),
        Check("Won deals without their invoice", "0", _counted(missing)),
        Check(
            "Creations in the emulator's journal: invoices and journal entries",
            f"{len(expected.invoices)} and {len(expected.entries)}",
            f"{books.created.get('Invoice', 0)} and {books.created.get('JournalEntry', 0)}",
        ),
        Check("Customers created, by the journal", str(len(expected.customers)), str(books.created.get("Customer", 0))),
    ]


def people_checks(expected: Expected, books: Books) -> list[Check]:
    """What people did in either system is where it belongs."""
    owners = books_customers(expected, books)
    phones = {owners[document_id]: phone for document_id, (_, phone) in books.customers.items()}
    wrong = [one.name for one in expected.customers.values() if phones.get(str(one.customer_id)) != one.phone]
    booked = invoice_of(books)
    with_line = [one for one in expected.invoices.values() if one.added]
    lost = [one.number for one in with_line if one.number not in booked or booked[one.number].cents != one.cents]
    moved = [
        one.number
        for one in expected.invoices.values()
        if one.due and (one.number not in booked or booked[one.number].due != one.due.isoformat())
    ]
    balances = [
        number
        for number, one in expected.invoices.items()
        if number not in booked or booked[number].balance != one.balance
    ]
    return [
        Check("Customers whose telephone number differs from HubSpot's", "0", _counted(wrong)),
        Check("Bookkeeper's lines lost by a later change in HubSpot", "0", _counted(lost)),
        Check("Bookkeeper's due dates lost by a later change in HubSpot", "0", _counted(moved)),
        Check("Invoices with another balance than payments and credits leave", "0", _counted(balances)),
    ]


def write_back_checks(
    expected: Expected, deals: Sequence[SoldDeal], books: Books, parked: Mapping[str, str]
) -> list[Check]:
    """What HubSpot says of each invoice is what the books say, and what the script says.

    Args:
        parked: why deals are parked, by document number.
    """
    booked = invoice_of(books)
    by_number = {deal.number: deal for deal in deals}
    wrong: list[str] = []
    for number, invoice in expected.invoices.items():
        deal, document = by_number.get(number), booked.get(number)
        if deal is None or document is None:
            wrong.append(number)
            continue
        told = _told(deal.back)
        if told != _wanted(invoice, document.document_id) or told["balance"] != decimal(document.balance):
            wrong.append(number)
    silent = [deal.number for deal in deals if deal.number not in expected.invoices and deal.back.get("qbo_invoice_id")]
    puzzling = [deal.number for deal in deals if not _says(deal.back.get("qbo_problem", ""), parked.get(deal.number))]
    return [
        Check("Deals whose invoice HubSpot shows otherwise than the books", "0", _counted(wrong)),
        Check("Deals told of an invoice that does not exist", "0", _counted(silent)),
        Check("Parked deals that do not say why in HubSpot; others that say they are", "0", _counted(puzzling)),
    ]


def _says(shown: str, reason: str | None) -> bool:
    """Whether a deal shows why it is parked, at least how that begins: QuickBooks' own words do not leave for a source.

    Nothing where it is not parked.
    """
    return shown.startswith(" ".join(reason.split())[:_TOLD_LEAST]) if reason is not None else not shown


def _wanted(invoice: ExpectedInvoice, document_id: str) -> dict[str, str]:
    return {
        "number": invoice.number,
        "id": document_id,
        "status": invoice.status,
        "balance": decimal(invoice.balance),
        "paid": decimal(invoice.paid),
        "credited": decimal(invoice.credited),
        "overpaid": decimal(invoice.surplus),
    }


def _told(back: Mapping[str, str]) -> dict[str, str]:
    amounts = {"balance": "balance", "paid": "amount_paid", "credited": "credited", "overpaid": "overpaid"}
    told = {name: _plain(back.get(f"qbo_{prop}", "")) for name, prop in amounts.items()}
    return {
        "number": back.get("qbo_invoice_number", ""),
        "id": back.get("qbo_invoice_id", ""),
        "status": back.get("qbo_invoice_status", ""),
        **told,
    }


def _plain(amount: str) -> str:
    """HubSpot may show 12.5 for 12.50."""
    try:
        return decimal(cents(amount)) if amount else ""
    except (ValueError, ArithmeticError):
        return amount


def parked_check(expected: Expected, parked: Mapping[str, str]) -> Check:
    """Exactly the awkward deals are parked, each for its own reason. `parked`: codes by document number."""
    return Check("Parked, and why", _listed(expected.parked), _listed(parked))


def _listed(codes: Mapping[str, str]) -> str:
    return ", ".join(f"{number}: {code}" for number, code in sorted(codes.items()))


def _counted(names: Sequence[str]) -> str:
    """How many, with the first few of them."""
    if not names:
        return "0"
    more = ", …" if len(names) > _SHOWN_MAX else ""
    return f"{len(names)} ({', '.join(names[:_SHOWN_MAX])}{more})"
