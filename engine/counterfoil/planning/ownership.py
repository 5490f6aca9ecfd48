"""Whose word counts for which field of a document, and which fields nobody decides because QuickBooks computes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Owner = Literal["source", "books", "last_writer", "ask"]

ENTITIES: Mapping[str, str] = {
    "customer": "Customer",
    "product": "Item",
    "vendor": "Vendor",
    "employee": "Employee",
    "invoice": "Invoice",
    "estimate": "Estimate",
    "credit_memo": "CreditMemo",
    "payment": "Payment",
    "refund": "RefundReceipt",
    "payout": "Deposit",
    "pay_run": "JournalEntry",
    "time_entry": "TimeActivity",
    "bill": "Bill",
    "bill_payment": "BillPayment",
    "cheque": "Purchase",
}
"""Documents, as a mapping calls them, and their QuickBooks entities."""

_PARTY = frozenset({"DisplayName", "PrimaryEmailAddr", "Active", "CurrencyRef"})
_SALE = frozenset(
    {
        *("CustomerRef", "TxnDate", "DocNumber", "CurrencyRef", "Line", "PrivateNote", "CustomerMemo"),
        *("GlobalTaxCalculation", "TxnTaxDetail"),
    }
)
_SPENT = frozenset({"TxnDate", "DocNumber", "DepartmentRef", "CurrencyRef", "PrivateNote", "Line"})

_WRITTEN: Mapping[str, frozenset[str]] = {
    "Customer": _PARTY | {"CompanyName", "GivenName", "FamilyName", "PrimaryPhone", "BillAddr"},
    "Vendor": _PARTY,
    "Employee": frozenset({"DisplayName", "GivenName", "FamilyName", "PrimaryEmailAddr", "HiredDate", "Active"}),
    "Item": frozenset({"Name", "Type", "Sku", "Description", "UnitPrice", "IncomeAccountRef", "Active"}),
    "Invoice": _SALE | {"DueDate", "SalesTermRef"},
    "Estimate": _SALE | {"ExpirationDate", "TxnStatus"},
    "CreditMemo": _SALE,
    "RefundReceipt": _SALE | {"DepositToAccountRef"},
    "Deposit": frozenset({"TxnDate", "DepositToAccountRef", "CurrencyRef", "PrivateNote", "Line"}),
    "Payment": frozenset(
        {
            "CustomerRef",
            "TxnDate",
            "TotalAmt",
            "PaymentRefNum",
            "DepositToAccountRef",
            "CurrencyRef",
            "PrivateNote",
            "Line",
        }
    ),
    "JournalEntry": frozenset({"TxnDate", "DocNumber", "CurrencyRef", "Line", "PrivateNote"}),
    "Bill": _SPENT | {"VendorRef", "APAccountRef", "DueDate"},
    "BillPayment": frozenset(
        {
            *("VendorRef", "APAccountRef", "TxnDate", "TotalAmt", "PayType", "CheckPayment"),
            *("CurrencyRef", "PrivateNote", "Line"),
        }
    ),
    "Purchase": _SPENT | {"EntityRef", "PaymentType", "AccountRef"},
    "TimeActivity": frozenset(
        {
            *("TxnDate", "NameOf", "EmployeeRef", "CustomerRef", "ItemRef", "ClassRef", "DepartmentRef"),
            *("Hours", "Minutes", "BillableStatus", "HourlyRate", "Description"),
        }
    ),
}

_READ_IN: Mapping[str, frozenset[str]] = {
    "Invoice": frozenset({"EmailStatus", "BillEmail", "ShipDate", "TrackingNum", "ShipAddr", "BillAddr"}),
    "Customer": frozenset({"Notes", "SalesTermRef", "ShipAddr", "Taxable"}),
}

_COMPUTED = frozenset(
    {
        "SyncToken",
        "MetaData",
        "domain",
        "sparse",
        "status",
        "time",
        "Balance",
        "BalanceWithJobs",
        "HomeBalance",
        "HomeTotalAmt",
        "HomeAmtTotal",
        "LinkedTxn",
        "UnappliedAmt",
        "RemainingCredit",
        "FullyQualifiedName",
        "Level",
        "IsProject",
        "V4IDPseudonym",
        "ClientEntityId",
        "InvoiceLink",
        "DeliveryInfo",
        "PrintStatus",
        "EmailStatus",
        "ExchangeRate",
        "QtyOnHand",
        "RecurDataRef",
        "TaxExemptionRef",
    }
)

FIXED_AT_CREATION: Mapping[str, frozenset[str]] = {
    "Customer": frozenset({"CurrencyRef"}),
    "Vendor": frozenset({"CurrencyRef"}),
    "Item": frozenset({"Type"}),
}
"""Fields that QuickBooks takes when a document is created and never again (Intuit: entity pages)."""

_NOTES: Mapping[str, str] = {"TimeActivity": "Description"}
_USUAL_NOTE = "PrivateNote"


def note_field(entity: str) -> str:
    """Where a document of ours bears its marker: a time activity has no private note.

    A bookkeeper writes there into what we posted, so that from its creation on it is left to the books.
    """
    return _NOTES.get(entity, _USUAL_NOTE)


def known_fields(entity: str) -> frozenset[str]:
    """The fields of an entity that a mapping may rule."""
    return _WRITTEN.get(entity, frozenset()) | _READ_IN.get(entity, frozenset())


def is_computed(entity: str, name: str) -> bool:
    """Whether QuickBooks computes a field, so that its change is nobody's edit.

    The total of a payment is entered by a person; any other total follows from the lines.
    """
    return name in _COMPUTED or (name == "TotalAmt" and entity not in {"Payment", "BillPayment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Owners of one entity's fields: what the mapping says, else the defaults."""

    entity: str
    owners: Mapping[str, Owner] = field(default_factory=dict)
    inward: frozenset[str] = frozenset()

    def owner(self, name: str) -> Owner:
        """Whose word counts for a field."""
        return self.owners.get(name, "books" if name == note_field(self.entity) else "source")

    def sends(self, name: str) -> bool:
        """Whether a field travels to the books at all."""
        return name not in self.inward

    def tracks(self, name: str) -> bool:
        """Whether anybody here cares about a field: one that we write, or that the mapping names."""
        if is_computed(self.entity, name) and name not in self.owners:
            return False
        return name in self.owners or name in _WRITTEN.get(self.entity, frozenset())
