"""What a document comes to on which account: debits less credits, in the document's own currency.

The side that QuickBooks posts by itself (receivables, payables) is what balances the others. Source: Intuit's entity
pages; which account an item leads to is the item's own word.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from counterfoil.planning.rollback.types import Chart
from counterfoil.planning.values import number, real_lines
from counterfoil_schema.exact_json import JsonObject, JsonValue

Posting = tuple[str, Decimal]

RECEIVABLE: Final = "Accounts Receivable"
PAYABLE: Final = "Accounts Payable"
TAX: Final = "Sales tax"
UNDEPOSITED: Final = "Undeposited Funds"
_SIGNS: Mapping[str, int] = {"Invoice": 1, "SalesReceipt": 1, "CreditMemo": -1, "RefundReceipt": -1}
_BOUGHT: Mapping[str, int] = {"Bill": 1, "Purchase": 1, "VendorCredit": -1}


def postings(document: JsonObject | None, entity: str, chart: Chart) -> dict[str, Decimal]:
    """By account name, what the document posts; nothing for what posts nothing, or is none."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    if document is not None:
        for account, amount in _posted(document, entity, chart):
            sums[account] += amount
    return {account: amount for account, amount in sums.items() if amount}


def _posted(document: JsonObject, entity: str, chart: Chart) -> Iterator[Posting]:
    match entity:
        case "JournalEntry":
            yield from _entry(document, chart)
        case "Invoice" | "SalesReceipt" | "CreditMemo" | "RefundReceipt":
            against = _receivable(document, chart)
            if entity in ("SalesReceipt", "RefundReceipt"):
                against = _named(document.get("DepositToAccountRef"), chart, UNDEPOSITED)
            yield from _balanced(_sold(document, chart), against, -_SIGNS[entity])
        case "Bill" | "VendorCredit" | "Purchase":
            against = _payable(document, chart)
            sign = _BOUGHT[entity]
            if entity == "Purchase":
                against = _named(document.get("AccountRef"), chart, "Unknown account")
                sign = -1 if document.get("Credit") is True else 1
            yield from _balanced(_bought(document, chart), against, sign)
        case "Payment":
            received = number(document.get("TotalAmt"))
            yield _named(document.get("DepositToAccountRef"), chart, UNDEPOSITED), received
            yield _receivable(document, chart), -received
        case "BillPayment":
            paid = number(document.get("TotalAmt"))
            means = _object(document.get("CheckPayment")) or _object(document.get("CreditCardPayment"))
            bank = means.get("BankAccountRef") or means.get("CCAccountRef")
            yield _payable(document, chart), paid
            yield _named(bank, chart, "Unknown account"), -paid
        case "Deposit":
            against = _named(document.get("DepositToAccountRef"), chart, "Unknown account")
            yield from _balanced(_deposited(document, chart), against, -1)
        case _:
            return


def _balanced(lines: Iterator[Posting], against: str, sign: int) -> Iterator[Posting]:
    total = Decimal(0)
    for account, amount in lines:
        yield account, sign * amount
        total += amount
    yield against, -sign * total


def _entry(document: JsonObject, chart: Chart) -> Iterator[Posting]:
    for line in real_lines(document):
        detail = _object(line.get("JournalEntryLineDetail"))
        sign = 1 if detail.get("PostingType") == "Debit" else -1
        yield _named(detail.get("AccountRef"), chart, "Unknown account"), sign * number(line.get("Amount"))


def _sold(document: JsonObject, chart: Chart) -> Iterator[Posting]:
    for line in _flat(document):
        amount = number(line.get("Amount"))
        if line.get("DetailType") == "DiscountLineDetail":
            detail = _object(line.get("DiscountLineDetail"))
            yield _named(detail.get("DiscountAccountRef"), chart, "Discounts given"), -amount
            continue
        detail = _object(line.get("SalesItemLineDetail"))
        item = _id(detail.get("ItemRef"))
        own = _id(detail.get("ItemAccountRef")) or chart.income.get(item)
        yield _account(own, chart, f"Income of item {item}" if item else "Income"), amount
    yield TAX, number(_object(document.get("TxnTaxDetail")).get("TotalTax"))


def _bought(document: JsonObject, chart: Chart) -> Iterator[Posting]:
    for line in real_lines(document):
        detail = _object(line.get("AccountBasedExpenseLineDetail"))
        account = _id(detail.get("AccountRef"))
        item = _id(_object(line.get("ItemBasedExpenseLineDetail")).get("ItemRef"))
        if not account:
            account = chart.expense.get(item, "")
        yield (
            _account(account, chart, f"Cost of item {item}" if item else "Unknown account"),
            number(line.get("Amount")),
        )
    yield TAX, number(_object(document.get("TxnTaxDetail")).get("TotalTax"))


def _deposited(document: JsonObject, chart: Chart) -> Iterator[Posting]:
    for line in real_lines(document):
        detail = _object(line.get("DepositLineDetail"))
        yield _named(detail.get("AccountRef"), chart, UNDEPOSITED), number(line.get("Amount"))


def _flat(document: JsonObject) -> Iterator[JsonObject]:
    for line in real_lines(document):
        group = _object(line.get("GroupLineDetail"))
        if group:
            yield from real_lines(group)
        else:
            yield line


def _receivable(document: JsonObject, chart: Chart) -> str:
    return _named(document.get("ARAccountRef"), chart, _only(chart, RECEIVABLE))


def _payable(document: JsonObject, chart: Chart) -> str:
    return _named(document.get("APAccountRef"), chart, _only(chart, PAYABLE))


def _only(chart: Chart, kind: str) -> str:
    """The name of the only account of a type; the type where there are several, or none is known."""
    found = [name for name, account_type in chart.accounts.values() if account_type == kind]
    return found[0] if len(found) == 1 else kind


def _named(reference: JsonValue, chart: Chart, otherwise: str) -> str:
    return _account(_id(reference), chart, otherwise)


def _account(identity: str | None, chart: Chart, otherwise: str) -> str:
    if not identity:
        return otherwise
    known = chart.accounts.get(identity)
    return known[0] if known is not None else f"account {identity}"


def _id(reference: JsonValue) -> str:
    value = _object(reference).get("value")
    return value if isinstance(value, str) else ""


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
