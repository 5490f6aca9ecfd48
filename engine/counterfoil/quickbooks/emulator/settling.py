"""Which documents pay which, and what each kind of document does to the ledger."""

from collections.abc import Callable, Mapping

from counterfoil.quickbooks.emulator.adjustments import adjustment_effect
from counterfoil.quickbooks.emulator.banking import card_payment_effect, deposit_effect, transfer_effect
from counterfoil.quickbooks.emulator.inventory import item_effect
from counterfoil.quickbooks.emulator.journals import journal_effect
from counterfoil.quickbooks.emulator.ledger import Ledger
from counterfoil.quickbooks.emulator.payments import bill_payment_effect, payment_effect, voided_payment
from counterfoil.quickbooks.emulator.postings import NO_EFFECT, Effect
from counterfoil.quickbooks.emulator.purchases import bill_effect, purchase_effect
from counterfoil.quickbooks.emulator.sales import sale_effect, voided, with_balance
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import ZERO
from counterfoil_schema.exact_json import JsonObject

SETTLEMENTS = frozenset({"Payment", "BillPayment"})
SETTLED = frozenset({"Invoice", "CreditMemo", "Bill", "VendorCredit"})


_ALONE: Mapping[str, Callable[[JsonObject], Effect]] = {
    "BillPayment": bill_payment_effect,
    "CreditCardPaymentTxn": card_payment_effect,
    "Payment": payment_effect,
    "Transfer": transfer_effect,
}


def effect_of(entity: str, identifier: str, body: JsonObject, tables: Tables) -> Effect:
    """What a document as it stands does to the books; lists, but for items of inventory, and orders do nothing."""
    match entity:
        case "Invoice" | "CreditMemo" | "SalesReceipt" | "RefundReceipt":
            return sale_effect(entity, body, tables)
        case "Bill" | "VendorCredit":
            return bill_effect(entity, body, tables)
        case "Purchase":
            return purchase_effect(body, tables)
        case "JournalEntry":
            return journal_effect(body, tables)
        case "Deposit":
            return deposit_effect(body, tables)
        case "InventoryAdjustment":
            return adjustment_effect(body, tables)
        case "Item":
            return item_effect(body, identifier)
        case _:
            return _ALONE[entity](body) if entity in _ALONE else NO_EFFECT


def settled(entity: str, identifier: str, body: JsonObject, ledger: Ledger) -> JsonObject:
    """The body with the balance and the links that the ledger has for it."""
    return with_balance(entity, identifier, body, ledger) if entity in SETTLED else body


def emptied(entity: str, body: JsonObject) -> JsonObject:
    """The document after somebody voided it."""
    if entity in SETTLEMENTS:
        return voided_payment(body)
    empty = voided(body)
    if "Amount" in empty:
        empty["Amount"] = ZERO
    return empty
