"""What each document posts, line by line; and the chart of accounts."""

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.reports.asked import Asked
from counterfoil.quickbooks.emulator.reports.columns import Entry, chosen, closing, shown, titled
from counterfoil.quickbooks.emulator.reports.layout import Report, cells, text_of
from counterfoil.quickbooks.emulator.reports.lists import documents
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

JOURNAL_COLUMNS = ("tx_date", "txn_type", "doc_num", "name", "memo", "account_name", "debt_amt", "credit_amt")
SPLIT_COLUMNS = ("tx_date", "txn_type", "doc_num", "is_no_post", "name", "memo", "account_name", "subt_nat_amount")
ACCOUNT_COLUMNS = (
    ("Account", "account_name"),
    ("Type", "account_type"),
    ("Detail type", "detail_acc_type"),
    ("Description", "account_desc"),
    ("Balance", "account_bal"),
)


def journal(books: Books, asked: Asked) -> Report:
    """Each document of the period with its debits and credits, and both sums."""
    keys = chosen(asked.columns, JOURNAL_COLUMNS)
    rows: list[JsonValue] = []
    debits = credits_ = ZERO
    for entity, row in documents(books, asked):
        inside = _legs(books, entity, row)
        if inside:
            left = sum((entry.debit for entry in inside if entry.debit is not None and entry.debit > 0), ZERO)
            right = left - sum((entry.debit for entry in inside if entry.debit is not None), ZERO)
            debits, credits_ = debits + left, credits_ + right
            summary: JsonObject = {"Summary": closing("", keys, {"debt_amt": left, "credit_amt": right})}
            rows.append({"Rows": {"Row": [shown(entry, keys) for entry in inside]}, **summary, "type": "Section"})
    if rows:
        total = closing("TOTAL", keys, {"debt_amt": debits, "credit_amt": credits_})
        rows.append({"Summary": total, "type": "Section", "group": "GrandTotal"})
    return Report(titled(keys), rows)


def with_splits(books: Books, asked: Asked) -> Report:
    """Each document of the period with every account that it posts to."""
    keys = chosen(asked.columns, SPLIT_COLUMNS)
    rows: list[JsonValue] = [
        {
            "Header": cells(as_text(row.body.get("TxnDate")), [""] * (len(keys) - 1), row.id),
            "Rows": {"Row": [shown(entry, keys) for entry in inside]},
            "type": "Section",
        }
        for entity, row in documents(books, asked)
        if (inside := _legs(books, entity, row))
    ]
    return Report(titled(keys), rows)


def account_list(books: Books, _asked: Asked) -> Report:
    """The accounts in use with what they are and what is on them."""
    accounts = sorted(books.tables.table("Account").rows.values(), key=_name)
    rows: list[JsonValue] = [
        {
            **cells(
                _name(row),
                [
                    as_text(row.body.get("AccountType")),
                    as_text(row.body.get("AccountSubType")),
                    as_text(row.body.get("Description")),
                    text_of(books.ledger.account(row.id)),
                ],
                row.id,
            ),
            "type": "Data",
        }
        for row in accounts
        if row.active
    ]
    return Report(ACCOUNT_COLUMNS, rows)


def _legs(books: Books, entity: str, row: Row) -> list[Entry]:
    postings = books.ledger.effect_of((entity, row.id)).postings
    return [Entry(books, entity, row, one.account, one.amount, one.amount) for one in postings]


def _name(row: Row) -> str:
    return as_text(row.body.get("FullyQualifiedName") or row.body.get("Name"))
