"""Which entities can be created, deleted and voided, and how the calls look (Intuit: REST API features, entities)."""

from typing import Final, Literal

from counterfoil.errors import CounterfoilError

Operation = Literal["create", "update", "delete", "void"]

MINOR_VERSION: Final = "75"
NAME_LISTS: Final = frozenset(
    {"Customer", "Vendor", "Employee", "Item", "Account", "Class", "Department", "Term", "PaymentMethod"}
)
TRANSACTIONS: Final = frozenset(
    {
        "Invoice",
        "Estimate",
        "SalesReceipt",
        "CreditMemo",
        "RefundReceipt",
        "Payment",
        "Bill",
        "BillPayment",
        "VendorCredit",
        "Purchase",
        "PurchaseOrder",
        "JournalEntry",
        "TimeActivity",
        "Deposit",
        "Transfer",
    }
)
PRINTABLE: Final = frozenset(
    {"Invoice", "Estimate", "CreditMemo", "SalesReceipt", "RefundReceipt", "Payment", "PurchaseOrder"}
)
DELETABLE: Final = TRANSACTIONS | {"Attachable"}
READABLE: Final = (
    NAME_LISTS
    | TRANSACTIONS
    | {"Attachable", "TaxCode", "TaxRate", "TaxAgency", "CompanyCurrency", "CompanyInfo", "Preferences"}
)
_WRITABLE: Final = NAME_LISTS | DELETABLE
_CREATABLE: Final = _WRITABLE | {"TaxAgency"}
_UPDATABLE: Final = _WRITABLE | {"CompanyInfo", "Preferences"}
_VOID_BY_INCLUDE: Final = frozenset({"Payment", "SalesReceipt", "BillPayment"})


class OperationError(CounterfoilError):
    """A call that QuickBooks has no form for; a fault of the caller, found before anything is sent."""


def write_parameters(entity: str, operation: Operation) -> dict[str, str]:
    """The query parameters that make a POST to the entity this operation.

    Raises:
        OperationError: QuickBooks does not offer the operation for the entity.
    """
    if operation == "create" and entity in _CREATABLE:
        return {}
    if operation == "update" and entity in _UPDATABLE:
        return {}
    if operation == "delete" and entity in DELETABLE:
        return {"operation": "delete"}
    if operation == "void" and entity == "Invoice":
        return {"operation": "void"}
    if operation == "void" and entity in _VOID_BY_INCLUDE:
        return {"operation": "update", "include": "void"}
    raise OperationError(
        f"QuickBooks Online cannot {operation} a record of the kind {entity}.",
        remedy="Lists are made inactive by an update; a journal entry is deleted or reversed.",
    )
