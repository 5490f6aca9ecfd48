"""What of the books is watched, and how: told by change data capture, or asked for; read as documents, or as names."""

from typing import Final

from counterfoil_schema.events.receipts import Hint

BOOKS: Final = "quickbooks"

DOCUMENTS: Final = (
    "Customer",
    "Vendor",
    "Employee",
    "Item",
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
    "Deposit",
    "Transfer",
)
"""Entities that are followed record by record, and that change data capture tells of."""

LISTS: Final = ("Account", "Class", "Department", "Term", "PaymentMethod")
"""Lists of which only the names matter: one that changed is read anew as a whole. Change data capture tells of them."""

SWEPT: Final = (*DOCUMENTS, *LISTS)
"""One call for all of these."""

POLLED_DOCUMENTS: Final = ("TimeActivity",)
POLLED_LISTS: Final = ("TaxCode", "TaxRate", "TaxAgency", "JournalCode")
"""Intuit's page leaves these out of change data capture; of TimeActivity a release note says otherwise: it is asked."""

NAMED: Final = ("Account", "Class", "Department", "Item", "TaxCode", "Term")
"""Name lists that mappings refer to by name, read at the first acquaintance."""

FOLLOWED: Final = frozenset((*DOCUMENTS, *POLLED_DOCUMENTS))
NAME_LISTS: Final = frozenset((*LISTS, *POLLED_LISTS))
SETTINGS: Final = frozenset({"Preferences", "CompanyInfo"})
"""What one names by no id: read as the company's settings."""

EVERYTHING: Final = Hint(kind="*", source_id="*", operation="unreadable")
"""Something changed, and nobody knows what: a sweep finds it."""
