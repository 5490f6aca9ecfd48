"""What was posted when, and about whom and what, out of the ledger and the dates of its documents."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.postings import DocumentKey, Posting
from counterfoil.quickbooks.emulator.reports.asked import MEMBERS, Asked, Filters, Period
from counterfoil.quickbooks.emulator.reports.basis import Posted, accrued, settled_in_cash
from counterfoil.quickbooks.emulator.reports.layout import Line
from counterfoil.quickbooks.emulator.reports.subjects import UNNAMED, name_of, subject
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
    member: str


class Movements:
    """All postings that a report is about, by account; sums of any stretch of days are looked up, not added up."""

    def __init__(self, books: Books, asked: Asked) -> None:
        self._tables = books.tables
        self._asked = asked
        self._by_account: defaultdict[str, list[Movement]] = defaultdict(list)
        self._by_member: dict[str, dict[str | None, list[Movement]]] = {}
        self._running: dict[tuple[str, str | None], tuple[list[date], list[Decimal]]] = {}
        self._accounts: dict[frozenset[str], list[Row]] = {}
        documents = settled_in_cash(books) if asked.cash else accrued(books)
        for posted in documents:
            for posting in posted.postings:
                if _wanted(posting, posted, asked.filters):
                    member = subject(MEMBERS[asked.by], posting, posted.row) if asked.by in MEMBERS else ""
                    self._by_account[posting.account].append(
                        Movement(posted.day, posted.document, posting.amount, member)
                    )

    def columns(self, types: Collection[str]) -> list[Period]:
        """The columns of the report: parts of the time, or one for each member that these accounts moved for."""
        asked = self._asked
        if asked.by not in MEMBERS:
            return asked.periods
        found = {
            one.member
            for account in self.accounts(types)
            for one in self._by_account[account.id]
            if asked.start <= one.day <= asked.end
        }
        total = Period("TOTAL", asked.start, asked.end)
        named = sorted((name_of(self._tables, MEMBERS[asked.by], member), member) for member in found if member)
        if UNNAMED in found:
            named.append(("Not Specified", UNNAMED))
        return [*(replace(total, title=title, member=member) for title, member in named), total]

    def accounts(self, types: Collection[str]) -> list[Row]:
        """Accounts of these types, by name, that anything was ever posted to."""
        found = self._accounts.get(frozenset(types))
        if found is None:
            rows = [self._tables.find("Account", identifier) for identifier in self._by_account]
            found = sorted((row for row in rows if row.body.get("AccountType") in types), key=_name)
            self._accounts[frozenset(types)] = found
        return found

    def of(self, account: str) -> Iterator[Movement]:
        """The postings of an account, oldest first."""
        return iter(sorted(self._by_account.get(account, ()), key=lambda one: (one.day, int(one.document[1]))))

    def sum(self, account: str, start: date, end: date, member: str | None = None) -> Decimal:
        """Debits less credits from one day to another, both included; of one member, or of all."""
        days, sums = self._sums(account, member)
        return sums[bisect_right(days, end)] - sums[bisect_left(days, start)]

    def _sums(self, account: str, member: str | None) -> tuple[list[date], list[Decimal]]:
        found = self._running.get((account, member))
        if found is None:
            moved = sorted(self._parted(account).get(member, ()), key=lambda one: one.day)
            sums = [ZERO]
            for one in moved:
                sums.append(sums[-1] + one.amount)
            found = self._running[account, member] = ([one.day for one in moved], sums)
        return found

    def _parted(self, account: str) -> dict[str | None, list[Movement]]:
        """The postings of an account by member, and all of them under None."""
        found = self._by_member.get(account)
        if found is None:
            found = self._by_member[account] = {None: self._by_account.get(account, [])}
            for one in found[None]:
                found.setdefault(one.member, []).append(one)
        return found

    def lines(self, types: Collection[str], periods: list[Period], sign: int) -> list[Line]:
        """A line for each account of these types that moved in one of the periods."""
        found = []
        for row in self.accounts(types):
            amounts = tuple(sign * self.sum(row.id, period.start, period.end, period.member) for period in periods)
            if any(amounts):
                found.append(Line(_name(row), row.id, amounts))
        return found

    def result(self, start: date, end: date, member: str | None = None) -> Decimal:
        """What was earned: credits less debits of all accounts of profit and loss."""
        return -sum((self.sum(row.id, start, end, member) for row in self.accounts(RESULT)), ZERO)


def _wanted(posting: Posting, posted: Posted, filters: Filters) -> bool:
    return all(subject(kind, posting, posted.row) in wanted for kind, wanted in filters)


def _name(row: Row) -> str:
    return as_text(row.body.get("FullyQualifiedName") or row.body.get("Name"))
