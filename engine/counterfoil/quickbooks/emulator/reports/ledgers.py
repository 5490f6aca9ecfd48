"""The trial balance and the general ledger."""

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.lists import CLASSIFICATION
from counterfoil.quickbooks.emulator.reports.asked import Asked
from counterfoil.quickbooks.emulator.reports.columns import Entry, chosen, closing, shown, titled
from counterfoil.quickbooks.emulator.reports.layout import Report, cells, text_of
from counterfoil.quickbooks.emulator.reports.movements import BEGINNING, RESULT, Movements
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

LEDGER_COLUMNS = ("tx_date", "txn_type", "doc_num", "name", "memo", "subt_nat_amount", "rbal_nat_amount")
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


def balance_sheet_detail(books: Books, asked: Asked) -> Report:
    """The same of the accounts of the balance sheet."""
    return _postings(books, asked, CLASSIFICATION.keys() - RESULT)


def _postings(books: Books, asked: Asked, types: Collection[str]) -> Report:
    moved = Movements(books, asked)
    keys = chosen(asked.columns, LEDGER_COLUMNS)
    rows: list[JsonValue] = []
    for account in moved.accounts(types):
        sign = 1 if account.body.get("Classification") in {"Asset", "Expense"} else -1
        balance = sign * moved.sum(account.id, BEGINNING, asked.start - timedelta(days=1))
        inside: list[JsonValue] = []
        if balance:
            beginning = closing("Beginning Balance", keys, {"rbal_nat_amount": balance})
            inside.append({**beginning, "type": "Data"})
        total = ZERO
        for one in moved.of(account.id):
            if asked.start <= one.day <= asked.end:
                total += sign * one.amount
                balance += sign * one.amount
                entity, identifier = one.document
                row = books.tables.find(entity, identifier)
                entry = Entry(
                    books, entity, row, account.id, sign * one.amount, one.amount, balance, one.day.isoformat()
                )
                inside.append(shown(entry, keys))
        if inside:
            name = _name(account)
            rows.append(
                {
                    "Header": cells(name, [""] * (len(keys) - 1), account.id),
                    "Rows": {"Row": inside},
                    "Summary": closing(f"Total for {name}", keys, {"subt_nat_amount": total}),
                    "type": "Section",
                }
            )
    return Report(titled(keys), rows)


def _name(row: Row) -> str:
    return as_text(row.body.get("FullyQualifiedName") or row.body.get("Name"))
