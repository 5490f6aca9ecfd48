"""Values that properties are limited to, in Intuit's spelling."""

from typing import Literal

AccountType = Literal[
    "Bank", "Accounts Receivable", "Other Current Asset", "Fixed Asset", "Other Asset", "Accounts Payable",
    "Credit Card", "Other Current Liability", "Long Term Liability", "Equity", "Income", "Cost of Goods Sold",
    "Expense", "Other Income", "Other Expense", "Non-Posting",
]  # fmt: skip
BillableStatus = Literal["Billable", "NotBillable", "HasBeenBilled"]
Classification = Literal["Asset", "Equity", "Expense", "Liability", "Revenue"]
DisplayType = Literal["ReadOnly", "HideInTransactionForms", "HideInPrintedForms", "HideInAll"]
EmailStatus = Literal["NotSet", "NeedToSend", "EmailSent"]
FiscalYearStartMonth = Literal[
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip
Gender = Literal["Male", "Female"]
GlobalTaxCalculation = Literal["TaxInclusive", "TaxExcluded", "NotApplicable"]
NameOf = Literal["Employee", "Other", "Vendor"]
POStatus = Literal["Open", "Closed"]
PayType = Literal["Check", "CreditCard"]
PaymentType = Literal["Cash", "Check", "CreditCard", "Expense", "Other"]
PrintStatus = Literal["NotSet", "NeedToPrint", "PrintComplete"]
SpecialTaxType = Literal["NONE", "ZERO_RATE", "FOREIGN_TAX", "REVERSE_CHARGE", "ADJUSTMENT_RATE"]
TaxCodeConfigType = Literal["SYSTEM_GENERATED", "USER_DEFINED", "SCRA_DEFINED", "HIDDEN_AGENCY"]
Type = Literal[
    "Assembly", "Category", "Fixed Asset", "Group", "Inventory", "NonInventory", "Other Charge", "Payment", "Service",
    "Subtotal", "Discount", "Tax", "Tax Group", "Bundle",
]  # fmt: skip
DetailType = Literal[
    "PaymentLineDetail", "DiscountLineDetail", "TaxLineDetail", "SalesItemLineDetail", "ItemBasedExpenseLineDetail",
    "AccountBasedExpenseLineDetail", "DepositLineDetail", "PurchaseOrderItemLineDetail", "ItemReceiptLineDetail",
    "JournalEntryLineDetail", "GroupLineDetail", "DescriptionOnly", "SubTotalLineDetail", "SalesOrderItemLineDetail",
    "TDSLineDetail", "ReimburseLineDetail", "ItemAdjustmentLineDetail",
]  # fmt: skip
PostingType = Literal["Credit", "Debit"]
