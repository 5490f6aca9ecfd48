"""The entities that the emulator keeps: where each lives, how it is removed, what can be asked of it.

Sources: Intuit's entity pages, its data-query page, and the operations table of the developer portal. The
filterable properties are the documented safe ones; anything else is refused with 4001, as PrivateNote is.
"""

from dataclasses import dataclass
from typing import Literal

META = ("MetaData.CreateTime", "MetaData.LastUpdatedTime")
_PERSON = ("GivenName", "MiddleName", "FamilyName", "DisplayName", "PrintOnCheckName", "Active")

Kind = Literal["list", "transaction", "file", "single"]


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """What distinguishes one entity from another.

    Attributes:
        name: canonical name; the address uses it in lower case.
        kind: name lists are made inactive, transactions and files are deleted, singles are only read.
        filterable: properties that a query may name, besides Id and MetaData.
        name_property: the property that must be unique, and `name_space` among whom.
        verbs: letters of the notifications it emits: created, updated, deleted, merged, void, emailed.
        void: how a client voids it, if it can.
    """

    name: str
    kind: Kind
    filterable: frozenset[str]
    verbs: str
    name_property: str = ""
    name_space: str = ""
    sequence: str = ""
    void: Literal["", "operation", "include"] = ""

    @property
    def active_by_default(self) -> bool:
        return self.kind == "list"


def _spec(
    name: str,
    kind: Kind,
    properties: tuple[str, ...],
    verbs: str,
    *,
    name_property: str = "",
    name_space: str = "",
    void: Literal["", "operation", "include"] = "",
) -> EntitySpec:
    return EntitySpec(
        name=name,
        kind=kind,
        filterable=frozenset(("Id", *properties, *META)),
        verbs=verbs,
        name_property=name_property,
        name_space=name_space or name,
        sequence="transaction" if kind == "transaction" else (name_space or name),
        void=void,
    )


_SALES = ("DocNumber", "TxnDate", "CustomerRef", "Balance", "TotalAmt")
_BOUGHT = ("DocNumber", "TxnDate", "VendorRef", "TotalAmt")
_NAMED = ("Name", "FullyQualifiedName", "Active")

ENTITIES: dict[str, EntitySpec] = {
    spec.name: spec
    for spec in (
        _spec("Account", "list", (*_NAMED, "AccountType", "AccountSubType", "Classification", "CurrentBalance"),
              "cudm", name_property="Name"),
        _spec("Attachable", "file", ("FileName", "Note", "Category"), ""),
        _spec("Bill", "transaction", (*_BOUGHT, "DueDate", "Balance"), "cud"),
        _spec("BillPayment", "transaction", (*_BOUGHT, "PayType"), "cudv", void="include"),
        _spec("Class", "list", _NAMED, "cudm", name_property="Name"),
        _spec("CompanyInfo", "single", ("CompanyName",), ""),
        _spec("CreditMemo", "transaction", _SALES, "cudve"),
        _spec("Customer", "list", (*_PERSON, "CompanyName", "FullyQualifiedName", "Balance"), "cudm",
              name_property="DisplayName", name_space="party"),
        _spec("Department", "list", _NAMED, "cum", name_property="Name"),
        _spec("Deposit", "transaction", ("DocNumber", "TxnDate", "TotalAmt"), "cud"),
        _spec("Employee", "list", _PERSON, "cudm", name_property="DisplayName", name_space="party"),
        _spec("Estimate", "transaction", ("DocNumber", "TxnDate", "CustomerRef", "TotalAmt"), "cude"),
        _spec("Invoice", "transaction", (*_SALES, "DueDate"), "cudve", void="operation"),
        _spec("Item", "list", (*_NAMED, "Type", "Sku"), "cudm", name_property="Name"),
        _spec("JournalEntry", "transaction", ("DocNumber", "TxnDate"), "cud"),
        _spec("Payment", "transaction", ("TxnDate", "CustomerRef", "TotalAmt", "PaymentRefNum"), "cudve",
              void="include"),
        _spec("PaymentMethod", "list", ("Name", "Active", "Type"), "cum", name_property="Name"),
        _spec("Preferences", "single", (), "u"),
        _spec("Purchase", "transaction", ("DocNumber", "TxnDate", "PaymentType", "TotalAmt"), "cudv"),
        _spec("PurchaseOrder", "transaction", _BOUGHT, "cude"),
        _spec("RefundReceipt", "transaction", _SALES, "cudve"),
        _spec("SalesReceipt", "transaction", _SALES, "cudve", void="include"),
        _spec("Term", "list", ("Name", "Active"), "cu", name_property="Name"),
        _spec("TimeActivity", "transaction", ("TxnDate", "EmployeeRef", "VendorRef", "CustomerRef"), "cud"),
        _spec("Transfer", "transaction", ("TxnDate", "Amount"), "cudv"),
        _spec("Vendor", "list", (*_PERSON, "CompanyName", "Balance"), "cudm",
              name_property="DisplayName", name_space="party"),
        _spec("VendorCredit", "transaction", (*_BOUGHT, "Balance"), "cud"),
    )
}  # fmt: skip

BY_PATH = {name.lower(): spec for name, spec in ENTITIES.items()}

# Which list a reference points into. ParentRef points into the entity's own list.
REFERENCES = {
    "ARAccountRef": "Account",
    "APAccountRef": "Account",
    "AccountRef": "Account",
    "AssetAccountRef": "Account",
    "ClassRef": "Class",
    "CustomerRef": "Customer",
    "DepartmentRef": "Department",
    "DepositToAccountRef": "Account",
    "DiscountAccountRef": "Account",
    "EmployeeRef": "Employee",
    "ExpenseAccountRef": "Account",
    "FromAccountRef": "Account",
    "IncomeAccountRef": "Account",
    "ItemRef": "Item",
    "PaymentMethodRef": "PaymentMethod",
    "PrefVendorRef": "Vendor",
    "SalesTermRef": "Term",
    "TermRef": "Term",
    "ToAccountRef": "Account",
    "VendorRef": "Vendor",
}
