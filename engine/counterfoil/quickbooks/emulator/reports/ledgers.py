"""The trial balance and the general ledger."""

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.lists import CLASSIFICATION
from counterfoil.quickbooks.emulator.reports.asked import Asked
from counterfoil.quickbooks.emulator.reports.layout import Report, cells, text_of
from counterfoil.quickbooks.emulator.reports.movements import BEGINNING, RESULT, Movement, Movements
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

LEDGER_COLUMNS = (
    ("Date", "tx_date"),
    ("Transaction Type", "txn_type"),
    ("Num", "doc_num"),
    ("Name", "name"),
    ("Memo/Description", "memo"),
    ("Amount", "subt_nat_amount"),
    ("Balance", "rbal_nat_amount"),
)
TYPE_NAMES = {
    "BillPayment": "Bill Payment",
    "CreditMemo": "Credit Memo",
    "Item": "Inventory Starting Value",
    "JournalEntry": "Journal Entry",
    "Purchase": "Expense",
    "RefundReceipt": "Refund",
    "SalesReceipt": "Sales Receipt",
    "VendorCredit": "Vendor Credit",
}
RETAINED_EARNINGS = "2"


def trial_balance(books: Books, asked: Asked) -> Report:
    """Every account with its balance on the one side or the other; former years' result is retained earnings."""
    rows: list[JsonValue] = []
    left = right = ZERO
    for name, identifier, amount in _balances(Movements(books, asked), asked.end):
        debit, credit = max(amount, ZERO), max(-amount, ZERO)
        left, right = left + debit, right + credit
        rows.append(cells(name, [text_of(side) if side else "" for side in (debit, credit)], identifier))
    if rows:
        total: JsonObject = {"Summary": cells("TOTAL", [text_of(left), text_of(right)])}
        rows.append({**total, "type": "Section", "group": "GrandTotal"})
    return Report((("", "Account"), ("Debit", "Money"), ("Credit", "Money")), rows)


def _balances(moved: Movements, end: date) -> list[tuple[str, str, Decimal]]:
    """Name, Id and debits less credits of every account that has a balance."""
    year = date(end.year, 1, 1)
    amounts: dict[str, tuple[str, Decimal]] = {}
    for row in moved.accounts(CLASSIFICATION):
        since = year if row.body.get("AccountType") in RESULT else BEGINNING
        amounts[row.id] = (_name(row), moved.sum(row.id, since, end))
    before = moved.result(BEGINNING, year - timedelta(days=1))
    if before:
        name, amount = amounts.get(RETAINED_EARNINGS, ("Retained Earnings", ZERO))
        amounts[RETAINED_EARNINGS] = (name, amount - before)
    return [(name, identifier, amount) for identifier, (name, amount) in amounts.items() if amount]


def general_ledger(books: Books, asked: Asked) -> Report:
    """Every posting of the period, account by account, with the balance that runs along."""
    return _postings(books, asked, CLASSIFICATION)


def profit_and_loss_detail(books: Books, asked: Asked) -> Report:
    """The same of the accounts of profit and loss alone."""
    return _postings(books, asked, RESULT)


def _postings(books: Books, asked: Asked, types: Collection[str]) -> Report:
    moved = Movements(books, asked)
    rows: list[JsonValue] = []
    for account in moved.accounts(types):
        sign = 1 if account.body.get("Classification") in {"Asset", "Expense"} else -1
        balance = sign * moved.sum(account.id, BEGINNING, asked.start - timedelta(days=1))
        inside: list[JsonValue] = []
        if balance:
            inside.append({**cells("Beginning Balance", ["", "", "", "", "", text_of(balance)]), "type": "Data"})
        total = ZERO
        for one in moved.of(account.id):
            if asked.start <= one.day <= asked.end:
                total += sign * one.amount
                balance += sign * one.amount
                inside.append(_posting(books, one, sign * one.amount, balance))
        if inside:
            name = _name(account)
            rows.append(
                {
                    "Header": cells(name, [""] * (len(LEDGER_COLUMNS) - 1), account.id),
                    "Rows": {"Row": inside},
                    "Summary": cells(f"Total for {name}", ["", "", "", "", text_of(total), ""]),
                    "type": "Section",
                }
            )
    return Report(LEDGER_COLUMNS, rows)


def _posting(books: Books, one: Movement, amount: Decimal, balance: Decimal) -> JsonObject:
    entity, identifier = one.document
    body = books.tables.find(entity, identifier).body
    party = as_object(body.get("CustomerRef") or body.get("VendorRef") or body.get("EntityRef"))
    shown: list[JsonValue] = [
        {"value": one.day.isoformat()},
        {"value": TYPE_NAMES.get(entity, entity), "id": identifier},
        {"value": as_text(body.get("DocNumber"))},
        {"value": as_text(party.get("name")), "id": as_text(party.get("value"))},
        {"value": as_text(body.get("PrivateNote"))},
        {"value": text_of(amount)},
        {"value": text_of(balance)},
    ]
    return {"ColData": shown, "type": "Data"}


def _name(row: Row) -> str:
    return as_text(row.body.get("FullyQualifiedName") or row.body.get("Name"))
