"""How records and instants look on the wire."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from counterfoil.quickbooks.emulator.inventory import FIRST_COST
from counterfoil.quickbooks.emulator.ledger import Ledger
from counterfoil.quickbooks.emulator.recurring import shown_as
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text, to_decimal
from counterfoil_schema.exact_json import JsonObject

PROFIT_AND_LOSS = frozenset({"Revenue", "Expense"})


def stamp(at: datetime, zone: ZoneInfo) -> str:
    """To the second, with the company's offset, as MetaData shows it."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def precise_stamp(at: datetime, zone: ZoneInfo) -> str:
    """To the millisecond, as the `time` of an answer."""
    return at.astimezone(zone).isoformat(timespec="milliseconds")


def view(entity: str, row: Row, ledger: Ledger, zone: ZoneInfo) -> JsonObject:
    """A record with its identity, its instants, and the balances that the ledger keeps."""
    shown: JsonObject = {**row.body}
    if entity == "Customer":
        shown["Balance"] = shown["BalanceWithJobs"] = ledger.party(row.id)
    elif entity == "Vendor":
        shown["Balance"] = ledger.party(row.id)
    elif entity == "Account":
        # Income and expense accounts show no balance, whatever was posted to them.
        balance = ZERO if shown.get("Classification") in PROFIT_AND_LOSS else ledger.account(row.id)
        shown["CurrentBalance"] = shown["CurrentBalanceWithSubAccounts"] = balance
    elif entity == "Item" and "QtyOnHand" in shown:
        shown["QtyOnHand"] = ledger.stock(row.id)
        shown.pop(FIRST_COST, None)
    shown["domain"] = "QBO"
    shown["sparse"] = False
    shown["Id"] = row.id
    shown["SyncToken"] = str(row.token)
    shown["MetaData"] = {"CreateTime": stamp(row.created, zone), "LastUpdatedTime": stamp(row.updated, zone)}
    if entity == "ExchangeRate":
        # A rate is named by its currency and day.
        del shown["Id"]
    return shown_as(shown) if entity == "RecurringTransaction" else shown


def amount_of(entity: str, body: JsonObject) -> Decimal | None:
    """What a document is about: its total, or of a journal entry the sum of its debits."""
    if entity == "JournalEntry":
        lines = (as_object(line) for line in as_list(body.get("Line")))
        return sum(
            (
                to_decimal(line.get("Amount", 0), "Amount")
                for line in lines
                if as_text(as_object(line.get("JournalEntryLineDetail")).get("PostingType")) == "Debit"
            ),
            ZERO,
        )
    name = "TotalAmt" if "TotalAmt" in body else "Amount"
    return to_decimal(body[name], name) if name in body else None
