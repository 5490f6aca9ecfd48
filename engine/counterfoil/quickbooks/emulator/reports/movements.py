"""What was posted when, out of the ledger and the dates of its documents."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.ledger import DocumentKey
from counterfoil.quickbooks.emulator.reports.asked import Period
from counterfoil.quickbooks.emulator.reports.layout import Line
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_text

BEGINNING = date(1, 1, 2)
"""Before every document; the day before it can still be written."""
RESULT = frozenset({"Income", "Other Income", "Cost of Goods Sold", "Expense", "Other Expense"})


@dataclass(frozen=True, slots=True)
class Movement:
    """A posting with its day and its document; positive is a debit."""

    day: date
    document: DocumentKey
    amount: Decimal


class Movements:
    """All postings, by account."""

    def __init__(self, books: Books) -> None:
        self._tables = books.tables
        self._by_account: defaultdict[str, list[Movement]] = defaultdict(list)
        for document, effect in books.ledger.effects():
            row = books.tables.get(*document)
            if row is None or not effect.postings:
                continue
            day = date.fromisoformat(as_text(row.body["TxnDate"]))
            for posting in effect.postings:
                self._by_account[posting.account].append(Movement(day, document, posting.amount))

    def accounts(self, types: Collection[str]) -> list[Row]:
        """Accounts of these types, by name, that anything was ever posted to."""
        rows = [self._tables.find("Account", identifier) for identifier in self._by_account]
        return sorted((row for row in rows if row.body.get("AccountType") in types), key=_name)

    def of(self, account: str) -> Iterator[Movement]:
        """The postings of an account, oldest first."""
        return iter(sorted(self._by_account.get(account, ()), key=lambda one: (one.day, int(one.document[1]))))

    def sum(self, account: str, start: date, end: date) -> Decimal:
        """Debits less credits from one day to another, both included."""
        moved = self._by_account.get(account, ())
        return sum((one.amount for one in moved if start <= one.day <= end), ZERO)

    def lines(self, types: Collection[str], periods: list[Period], sign: int) -> list[Line]:
        """A line for each account of these types that moved in one of the periods."""
        found = []
        for row in self.accounts(types):
            amounts = tuple(sign * self.sum(row.id, period.start, period.end) for period in periods)
            if any(amounts):
                found.append(Line(_name(row), row.id, amounts))
        return found

    def result(self, start: date, end: date) -> Decimal:
        """What was earned: credits less debits of all accounts of profit and loss."""
        return -sum((self.sum(row.id, start, end) for row in self.accounts(RESULT)), ZERO)


def _name(row: Row) -> str:
    return as_text(row.body.get("FullyQualifiedName") or row.body.get("Name"))
