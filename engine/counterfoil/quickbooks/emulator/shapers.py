"""Which function turns a checked body into a record, by entity."""

from collections.abc import Callable

from counterfoil.quickbooks.emulator.attachments import shape_attachable
from counterfoil.quickbooks.emulator.banking import shape_deposit, shape_transfer
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.journals import shape_journal_entry
from counterfoil.quickbooks.emulator.lists import (
    shape_account,
    shape_class,
    shape_department,
    shape_item,
    shape_payment_method,
    shape_term,
)
from counterfoil.quickbooks.emulator.parties import shape_customer, shape_employee, shape_vendor
from counterfoil.quickbooks.emulator.payments import shape_bill_payment, shape_payment
from counterfoil.quickbooks.emulator.purchases import shape_bill, shape_purchase, shape_purchase_order
from counterfoil.quickbooks.emulator.sales import shape_sale
from counterfoil.quickbooks.emulator.timesheets import shape_time_activity

SHAPERS: dict[str, Callable[[Draft], Shaped]] = {
    "Account": shape_account,
    "Attachable": shape_attachable,
    "Bill": shape_bill,
    "BillPayment": shape_bill_payment,
    "Class": shape_class,
    "CreditMemo": shape_sale,
    "Customer": shape_customer,
    "Department": shape_department,
    "Deposit": shape_deposit,
    "Employee": shape_employee,
    "Estimate": shape_sale,
    "Invoice": shape_sale,
    "Item": shape_item,
    "JournalEntry": shape_journal_entry,
    "Payment": shape_payment,
    "PaymentMethod": shape_payment_method,
    "Purchase": shape_purchase,
    "PurchaseOrder": shape_purchase_order,
    "RefundReceipt": shape_sale,
    "SalesReceipt": shape_sale,
    "Term": shape_term,
    "TimeActivity": shape_time_activity,
    "Transfer": shape_transfer,
    "Vendor": shape_vendor,
    "VendorCredit": shape_bill,
}
