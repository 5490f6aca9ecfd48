"""The entities that the emulator keeps: where each lives, how it is removed, what can be asked of it.

Sources: Intuit's entity pages, its data-query page, and the operations table of the developer portal. The
filterable properties are those that the entity pages mark so, and the data-query page's safe ones; anything else is
refused with 4001, as PrivateNote is.
"""

from dataclasses import dataclass
from typing import Literal

META = ("MetaData.CreateTime", "MetaData.LastUpdatedTime")
_PERSON = ("GivenName", "MiddleName", "FamilyName", "DisplayName", "PrintOnCheckName", "Active")

Kind = Literal["list", "transaction", "file", "single", "fixed", "template", "rate"]


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """What distinguishes one entity from another.

    Attributes:
        name: canonical name; the address uses it in lower case.
        kind: name lists are made inactive, transactions and files are deleted, of singles there is one, the fixed are
            only read; templates of transactions and rates have rules of their own.
        filterable: properties that a query may name, besides Id and MetaData.
        name_property: the property that must be unique, and `name_space` among whom.
        verbs: letters of the notifications it emits: created, updated, deleted, merged, void, emailed.
        void: how a client voids it, if it can.
        updates: whether a client may change it once it is there.
        path: its name in addresses, where that is not its name in lower case.
    """

    name: str
    kind: Kind
    filterable: frozenset[str]
    verbs: str
    name_property: str = ""
    name_space: str = ""
    sequence: str = ""
    void: Literal["", "operation", "include"] = ""
    updates: bool = True
    path: str = ""

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
    updates: bool = True,
    path: str = "",
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
        updates=updates,
        path=path or name.lower(),
    )


_SALES = ("DocNumber", "TxnDate", "CustomerRef", "Balance", "TotalAmt")
_BOUGHT = ("DocNumber", "TxnDate", "VendorRef", "APAccountRef", "TotalAmt")
_NAMED = ("Name", "FullyQualifiedName", "Active")
ATTACHED_TO = ("AttachableRef.EntityRef.Type", "AttachableRef.EntityRef.value")

ENTITIES: dict[str, EntitySpec] = {
    spec.name: spec
    for spec in (
        _spec("Account", "list", (*_NAMED, "AccountType", "AccountSubType", "Classification", "CurrentBalance"),
              "cudm", name_property="Name"),
        _spec("Attachable", "file",
              ("FileName", "Note", "Category", "ContentType", "PlaceName", "Size", "Tag", *ATTACHED_TO), ""),
        _spec("Bill", "transaction", (*_BOUGHT, "DueDate", "SalesTermRef", "Balance"), "cud"),
        _spec("BillPayment", "transaction", (*_BOUGHT, "PayType"), "cudv", void="include"),
        _spec("Budget", "transaction", ("Name", "Active", "StartDate", "EndDate"), "cu"),
        _spec("Class", "list", _NAMED, "cudm", name_property="Name"),
        _spec("CompanyCurrency", "list", ("Name", "Code", "Active"), "cud", name_property="Code"),
        _spec("CompanyInfo", "single", ("CompanyName",), ""),
        _spec("CreditCardPaymentTxn", "transaction", ("TxnDate", "Amount", "VendorRef"), "", path="creditcardpayment"),
        _spec("CreditMemo", "transaction", (*_SALES, "SalesTermRef", "ProjectRef"), "cudve"),
        _spec("Customer", "list", (*_PERSON, "CompanyName", "FullyQualifiedName", "Balance", "PrimaryEmailAddr"),
              "cudm",
              name_property="DisplayName", name_space="party"),
        _spec("CustomerType", "fixed", ("Name", "Active"), ""),
        _spec("Department", "list", _NAMED, "cum", name_property="Name"),
        _spec("Deposit", "transaction", ("DocNumber", "TxnDate", "TotalAmt"), "cud"),
        _spec("Employee", "list", (*_PERSON, "Suffix"), "cudm", name_property="DisplayName", name_space="party"),
        _spec("Estimate", "transaction",
              ("DocNumber", "TxnDate", "DueDate", "ExpirationDate", "AcceptedDate", "CustomerRef", "ProjectRef",
               "TotalAmt"),
              "cude"),
        _spec("ExchangeRate", "rate", ("SourceCurrencyCode", "TargetCurrencyCode", "AsOfDate"), ""),
        _spec("InventoryAdjustment", "transaction", ("DocNumber", "TxnDate"), ""),
        _spec("Invoice", "transaction", (*_SALES, "DueDate", "SalesTermRef", "ProjectRef"), "cudve", void="operation"),
        _spec("Item", "list", (*_NAMED, "Type", "Sku", "SubItem", "Taxable"), "cudm", name_property="Name"),
        _spec("JournalCode", "list", ("Name", "Active", "Type"), "cu", name_property="Name", updates=False),
        _spec("JournalEntry", "transaction", ("DocNumber", "TxnDate", "TotalAmt"), "cud"),
        _spec("Payment", "transaction", ("TxnDate", "CustomerRef", "TotalAmt", "PaymentMethodRef", "PaymentRefNum"),
              "cudve", void="include"),
        _spec("PaymentMethod", "list", ("Name", "Active", "Type"), "cum", name_property="Name"),
        _spec("Preferences", "single", (), "u"),
        _spec("Purchase", "transaction", ("DocNumber", "TxnDate", "PaymentType", "TotalAmt"), "cudv"),
        _spec("PurchaseOrder", "transaction", (*_BOUGHT, "DueDate"), "cude"),
        _spec("RecurringTransaction", "template", ("Type",), ""),
        _spec("ReimburseCharge", "fixed", ("CustomerRef", "HasBeenInvoiced"), ""),
        _spec("RefundReceipt", "transaction", (*_SALES, "PaymentType", "ProjectRef"), "cudve"),
        _spec("SalesReceipt", "transaction", (*_SALES, "ProjectRef"), "cudve", void="include"),
        _spec("TaxAgency", "list", ("DisplayName",), "cu", name_property="DisplayName", updates=False),
        _spec("TaxClassification", "fixed", ("Code", "Name", "Level"), ""),
        _spec("TaxCode", "fixed", ("Name", "Description", "Active"), ""),
        _spec("TaxPayment", "fixed", (), ""),
        _spec("TaxRate", "fixed", ("Name", "Description", "AgencyRef", "Active"), ""),
        _spec("Term", "list", ("Name", "Active"), "cu", name_property="Name"),
        _spec("TimeActivity", "transaction",
              ("TxnDate", "EmployeeRef", "VendorRef", "CustomerRef", "ProjectRef", "BillableStatus"), "cud"),
        _spec("Transfer", "transaction", ("TxnDate", "Amount"), "cudv"),
        _spec("Vendor", "list", (*_PERSON, "Suffix", "CompanyName", "Balance"), "cudm",
              name_property="DisplayName", name_space="party"),
        _spec("VendorCredit", "transaction", (*_BOUGHT, "Balance"), "cud"),
    )
}  # fmt: skip

BY_PATH = {
    **{name.lower(): spec for name, spec in ENTITIES.items()},
    **{spec.path: spec for spec in ENTITIES.values()},
}

# Which list a reference points into. ParentRef points into the entity's own list.
REFERENCES = {
    "ARAccountRef": "Account",
    "APAccountRef": "Account",
    "AccountRef": "Account",
    "AdjustAccountRef": "Account",
    "AssetAccountRef": "Account",
    "BankAccountRef": "Account",
    "ClassRef": "Class",
    "CreditCardAccountRef": "Account",
    "CustomerRef": "Customer",
    "DepartmentRef": "Department",
    "DepositToAccountRef": "Account",
    "DiscountAccountRef": "Account",
    "EmployeeRef": "Employee",
    "ExpenseAccountRef": "Account",
    "FromAccountRef": "Account",
    "GroupItemRef": "Item",
    "IncomeAccountRef": "Account",
    "ItemRef": "Item",
    "PaymentMethodRef": "PaymentMethod",
    "PrefVendorRef": "Vendor",
    "SalesTermRef": "Term",
    "TermRef": "Term",
    "ToAccountRef": "Account",
    "VendorRef": "Vendor",
}
