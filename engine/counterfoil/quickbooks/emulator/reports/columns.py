"""The columns of reports about single documents: which ones a request asks for, and what a document has for each.

Source: Intuit's pages on these reports, which name the keys; the titles as extractors of reports expect them. What
the emulator does not keep is blank; a key that is none of Intuit's is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.reports.layout import cells, text_of
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import as_object, as_text, reference_id, to_decimal
from counterfoil.quickbooks.emulator.views import stamp
from counterfoil_schema.exact_json import JsonObject, JsonValue

TITLES: Mapping[str, str] = {
    "account_name": "Account",
    "account_num": "Account #",
    "chk_print_state": "Check Printed",
    "create_by": "Created By",
    "create_date": "Create Date",
    "credit_amt": "Credit",
    "credit_home_amt": "Credit (home)",
    "currency": "Currency",
    "cust_msg": "Customer/Vendor Message",
    "cust_name": "Customer",
    "debt_amt": "Debit",
    "debt_home_amt": "Debit (home)",
    "dept_name": "Location",
    "doc_num": "Num",
    "due_date": "Due Date",
    "emp_name": "Employee",
    "exch_rate": "Exchange Rate",
    "home_net_amount": "Taxable Amount (home)",
    "home_tax_amount": "Tax Amount (home)",
    "inv_date": "Invoice Date",
    "is_adj": "Adj",
    "is_ap_paid": "A/P Paid",
    "is_ar_paid": "A/R Paid",
    "is_cleared": "Clr",
    "is_no_post": "Posting",
    "item_name": "Product/Service",
    "klass_name": "Class",
    "last_mod_by": "Last Modified By",
    "last_mod_date": "Last Modified",
    "memo": "Memo/Description",
    "name": "Name",
    "nat_foreign_amount": "Foreign Amount",
    "nat_foreign_open_bal": "Foreign Open Balance",
    "nat_home_open_bal": "Open Balance (home)",
    "nat_open_bal": "Open Balance",
    "net_amount": "Taxable Amount",
    "other_account": "Split",
    "pmt_mthd": "Payment Method",
    "printed": "Check Printed",
    "quantity": "Qty",
    "rate": "Rate",
    "rbal_nat_amount": "Balance",
    "rbal_nat_home_amount": "Balance (home)",
    "ship_date": "Ship Date",
    "ship_via": "Ship Via",
    "split_acc": "Split",
    "subt_nat_amount": "Amount",
    "subt_nat_amount_home_nt": "Amount (home, no tax)",
    "subt_nat_amount_nt": "Amount (no tax)",
    "subt_nat_home_amount": "Amount (home)",
    "tax_amount": "Tax Amount",
    "tax_code": "Tax Name",
    "term_name": "Terms",
    "tracking_num": "Tracking Number",
    "tx_date": "Date",
    "txn_type": "Transaction Type",
    "vend_name": "Vendor",
}
TYPE_NAMES: Mapping[str, str] = {
    "BillPayment": "Bill Payment",
    "CreditMemo": "Credit Memo",
    "InventoryAdjustment": "Inventory Qty Adjust",
    "Item": "Inventory Starting Value",
    "JournalEntry": "Journal Entry",
    "Purchase": "Expense",
    "RefundReceipt": "Refund",
    "SalesReceipt": "Sales Receipt",
    "VendorCredit": "Vendor Credit",
}
SEVERAL = "-Split-"
_HEADS = ("DepositToAccountRef", "AccountRef", "BankAccountRef", "CCAccountRef", "FromAccountRef", "APAccountRef")
Cell = tuple[str, str]
"""A value, and the Id of what it names."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row about a document.

    Attributes:
        account: of the posting that the row is about; of the document as a whole the first it posts to.
        amount: as the report shows it, and `debit` as it is posted.
        balance: what runs along.
        day: on which it counts, where that is not the document's own.
    """

    books: Books
    entity: str
    row: Row
    account: str = ""
    amount: Decimal | None = None
    debit: Decimal | None = None
    balance: Decimal | None = None
    day: str = ""


def chosen(asked: Sequence[str], usual: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of the columns: those asked for that there are, or the usual ones."""
    return tuple(dict.fromkeys(key for key in asked if key in TITLES)) or usual


def titled(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Title and type of each column."""
    return tuple((TITLES[key], key) for key in keys)


def shown(entry: Entry, keys: tuple[str, ...]) -> JsonObject:
    """The row."""
    told: list[JsonValue] = []
    for key in keys:
        value, identifier = _READ[key](entry) if key in _READ else ("", "")
        told.append({"value": value, "id": identifier} if identifier else {"value": value})
    return {"ColData": told, "type": "Data"}


def closing(title: str, keys: tuple[str, ...], sums: Mapping[str, Decimal]) -> JsonObject:
    """The last line of a section: its title in the first column, sums in theirs."""
    return cells(title, [text_of(sums[key]) if key in sums else "" for key in keys[1:]])


def _text(name: str) -> Callable[[Entry], Cell]:
    return lambda entry: (as_text(entry.row.body.get(name)), "")


def _reference(*names: str) -> Callable[[Entry], Cell]:
    def read(entry: Entry) -> Cell:
        named = next((as_object(entry.row.body[name]) for name in names if entry.row.body.get(name)), {})
        return as_text(named.get("name")), as_text(named.get("value"))

    return read


def booked_from(entry: Entry) -> str:
    """The account of a row; of a document as a whole that which its head names, else the first that it posts to."""
    body = entry.row.body
    holders = (body, as_object(body.get("CheckPayment")), as_object(body.get("CreditCardPayment")))
    named = (reference_id(holder.get(name)) for name in _HEADS for holder in holders)
    accounts = posted_to(entry)
    return entry.account or next((one for one in named if one in accounts), accounts[0] if accounts else "")


def _account(entry: Entry) -> Cell:
    return _named(entry.books, booked_from(entry))


def _other(entry: Entry) -> Cell:
    """The account on the other side; several have a name together."""
    first = booked_from(entry)
    others = [account for account in posted_to(entry) if account != first]
    return _named(entry.books, others[0]) if len(others) == 1 else (SEVERAL if others else "", "")


def posted_to(entry: Entry) -> list[str]:
    effect = entry.books.ledger.effect_of((entry.entity, entry.row.id))
    return list(dict.fromkeys(posting.account for posting in effect.postings))


def _named(books: Books, account: str) -> Cell:
    row = books.tables.get("Account", account)
    if row is None:
        return "", ""
    return as_text(row.body.get("FullyQualifiedName") or row.body.get("Name")), account


def _account_number(entry: Entry) -> Cell:
    row = entry.books.tables.get("Account", entry.account)
    return (as_text(row.body.get("AcctNum")) if row is not None else "", "")


def _side(sign: int) -> Callable[[Entry], Cell]:
    def read(entry: Entry) -> Cell:
        moved = sign * (entry.debit if entry.debit is not None else entry.amount or Decimal(0))
        return (text_of(moved) if moved > 0 else "", "")

    return read


def _amount(entry: Entry) -> Cell:
    return ("" if entry.amount is None else text_of(entry.amount), "")


def _balance(entry: Entry) -> Cell:
    return ("" if entry.balance is None else text_of(entry.balance), "")


def _open(entry: Entry) -> Cell:
    left = entry.row.body.get("Balance")
    return ("" if left is None else text_of(to_decimal(left, "Balance")), "")


def _posts(entry: Entry) -> Cell:
    return ("Yes" if posted_to(entry) else "No", "")


_READ: Mapping[str, Callable[[Entry], Cell]] = {
    "account_name": _account,
    "account_num": _account_number,
    "create_date": lambda entry: (stamp(entry.row.created, entry.books.zone), ""),
    "credit_amt": _side(-1),
    "credit_home_amt": _side(-1),
    "currency": lambda entry: (_reference("CurrencyRef")(entry)[1], ""),
    "cust_msg": lambda entry: (as_text(as_object(entry.row.body.get("CustomerMemo")).get("value")), ""),
    "cust_name": _reference("CustomerRef"),
    "debt_amt": _side(1),
    "debt_home_amt": _side(1),
    "dept_name": _reference("DepartmentRef"),
    "doc_num": _text("DocNumber"),
    "due_date": _text("DueDate"),
    "emp_name": _reference("EmployeeRef"),
    "exch_rate": _text("ExchangeRate"),
    "is_no_post": _posts,
    "klass_name": _reference("ClassRef"),
    "last_mod_date": lambda entry: (stamp(entry.row.updated, entry.books.zone), ""),
    "memo": _text("PrivateNote"),
    "name": _reference("CustomerRef", "VendorRef", "EntityRef", "EmployeeRef"),
    "nat_home_open_bal": _open,
    "nat_open_bal": _open,
    "other_account": _other,
    "pmt_mthd": _reference("PaymentMethodRef"),
    "rbal_nat_amount": _balance,
    "rbal_nat_home_amount": _balance,
    "ship_date": _text("ShipDate"),
    "split_acc": _other,
    "subt_nat_amount": _amount,
    "subt_nat_amount_home_nt": _amount,
    "subt_nat_amount_nt": _amount,
    "subt_nat_home_amount": _amount,
    "term_name": _reference("SalesTermRef"),
    "tracking_num": _text("TrackingNum"),
    "tx_date": lambda entry: (entry.day or as_text(entry.row.body.get("TxnDate")), ""),
    "txn_type": lambda entry: (TYPE_NAMES.get(entry.entity, entry.entity), entry.row.id),
    "vend_name": _reference("VendorRef"),
}
