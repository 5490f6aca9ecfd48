"""Which documents a list of them is about, where a request narrows it: by kind, number, party, term, date or amount.

Source: Intuit's pages on transaction lists, as clients of them name their parameters. Nothing is ever cleared here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.reports.columns import Entry, booked_from
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import as_text, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

Span = tuple[date, date]
KINDS: Mapping[str, str] = {
    "InventoryAdjustment": "InventoryQuantityAdjustment",
    "Payment": "ReceivePayment",
    "RefundReceipt": "CreditRefund",
}
"""What a kind of document is called in `transaction_type`, where not by its own name."""
SPENT: Mapping[str, str] = {"Cash": "CashPurchase", "Check": "Check", "CreditCard": "CreditCardCharge"}
PARTIES = ("CustomerRef", "VendorRef", "EntityRef", "EmployeeRef")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What documents have to be to be listed; all of it must hold, and what is empty says nothing.

    Attributes:
        kinds: as `transaction_type` names them.
        numbers, memos: texts, blind to case.
        names: Ids of parties, and `terms` of terms.
        receivable_paid, payable_paid: Paid or Unpaid.
        account_types: of the account that a document is booked from, without spaces.
        amount: what it comes to.
        due, created, changed: days, both included.
        cleared, printed: words.
    """

    kinds: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    memos: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()
    receivable_paid: str = ""
    payable_paid: str = ""
    account_types: frozenset[str] = frozenset()
    amount: Decimal | None = None
    due: Span | None = None
    created: Span | None = None
    changed: Span | None = None
    cleared: str = ""
    printed: str = ""

    def holds(self, books: Books, entity: str, row: Row) -> bool:
        """Whether a document is to be listed."""
        body = row.body
        due = as_text(body.get("DueDate"))
        checks: tuple[bool, ...] = (
            not self.kinds or _kind(entity, body).casefold() in self.kinds,
            not self.numbers or as_text(body.get("DocNumber")).casefold() in self.numbers,
            not self.memos or as_text(body.get("PrivateNote")).casefold() in self.memos,
            not self.names or any(reference_id(body.get(name)) in self.names for name in PARTIES),
            not self.terms or reference_id(body.get("SalesTermRef")) in self.terms,
            not self.receivable_paid or (entity == "Invoice" and _paid(body) == self.receivable_paid),
            not self.payable_paid or (entity == "Bill" and _paid(body) == self.payable_paid),
            not self.account_types or _account_type(books, entity, row) in self.account_types,
            self.amount is None or to_decimal(body.get("TotalAmt", body.get("Amount", 0)), "Amount") == self.amount,
            self.due is None or (bool(due) and self.due[0] <= date.fromisoformat(due) <= self.due[1]),
            self.created is None or self.created[0] <= row.created.astimezone(books.zone).date() <= self.created[1],
            self.changed is None or self.changed[0] <= row.updated.astimezone(books.zone).date() <= self.changed[1],
            self.cleared in {"", "uncleared"},
            not self.printed or (as_text(body.get("PrintStatus")) == "PrintComplete") is (self.printed == "printed"),
        )
        return all(checks)


ALL: Final = Narrowing()


def narrowing_from(parameters: Mapping[str, str], span: Callable[[str], Span | None]) -> Narrowing:
    """What the parameters say.

    Args:
        span: the days that the parameters of one date mean, if they say anything: `due`, `create` or `mod`.

    Raises:
        QuickBooksFaultError: an amount that is none.
    """

    def several(name: str) -> frozenset[str]:
        return frozenset(part.strip().casefold() for part in parameters.get(name, "").split(",") if part.strip())

    amount = parameters.get("bothamount", "")
    return Narrowing(
        kinds=several("transaction_type"),
        numbers=several("docnum"),
        memos=several("memo"),
        names=several("name"),
        terms=several("term"),
        receivable_paid=_word(parameters, "arpaid"),
        payable_paid=_word(parameters, "appaid"),
        account_types=several("source_account_type"),
        amount=to_decimal(amount, "bothamount") if amount else None,
        due=span("due"),
        created=span("create"),
        changed=span("mod"),
        cleared=_word(parameters, "cleared"),
        printed=_word(parameters, "printed"),
    )


def _word(parameters: Mapping[str, str], name: str) -> str:
    word = parameters.get(name, "").casefold()
    return "" if word == "all" else word


def _kind(entity: str, body: JsonObject) -> str:
    if entity == "BillPayment":
        return f"BillPayment{as_text(body.get('PayType'))}"
    if entity == "Purchase":
        kind = SPENT.get(as_text(body.get("PaymentType")), "")
        return "CreditCardCredit" if kind == "CreditCardCharge" and body.get("Credit") is True else kind
    return KINDS.get(entity, entity)


def _paid(body: JsonObject) -> str:
    return "unpaid" if to_decimal(body.get("Balance", 0), "Balance") else "paid"


def _account_type(books: Books, entity: str, row: Row) -> str:
    found = books.tables.get("Account", booked_from(Entry(books, entity, row)))
    return as_text(found.body.get("AccountType")).replace(" ", "").casefold() if found is not None else ""
