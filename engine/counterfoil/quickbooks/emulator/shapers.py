"""Which function turns a checked body into a record, by entity."""

from collections.abc import Callable

from counterfoil.quickbooks.emulator.adjustments import shape_adjustment
from counterfoil.quickbooks.emulator.attachments import shape_attachable
from counterfoil.quickbooks.emulator.banking import shape_card_payment, shape_deposit, shape_transfer
from counterfoil.quickbooks.emulator.currencies import shape_company_currency
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.journals import shape_journal_entry
from counterfoil.quickbooks.emulator.lists import (
    shape_account,
    shape_budget,
    shape_class,
    shape_department,
    shape_item,
    shape_journal_code,
    shape_payment_method,
    shape_term,
)
from counterfoil.quickbooks.emulator.parties import shape_customer, shape_employee, shape_vendor
from counterfoil.quickbooks.emulator.payments import shape_bill_payment, shape_payment
from counterfoil.quickbooks.emulator.purchases import shape_bill, shape_purchase, shape_purchase_order
from counterfoil.quickbooks.emulator.sales import shape_sale
from counterfoil.quickbooks.emulator.taxes import shape_tax_agency
from counterfoil.quickbooks.emulator.timesheets import shape_time_activity

SHAPERS: dict[str, Callable[[Draft], Shaped]] = {
    "Account": shape_account,
    "Attachable": shape_attachable,
    "Bill": shape_bill,
    "BillPayment": shape_bill_payment,
    "Budget": shape_budget,
    "Class": shape_class,
    "CompanyCurrency": shape_company_currency,
    "CreditCardPaymentTxn": shape_card_payment,
    "CreditMemo": shape_sale,
    "Customer": shape_customer,
    "Department": shape_department,
    "Deposit": shape_deposit,
    "Employee": shape_employee,
    "Estimate": shape_sale,
    "InventoryAdjustment": shape_adjustment,
    "Invoice": shape_sale,
    "Item": shape_item,
    "JournalCode": shape_journal_code,
    "JournalEntry": shape_journal_entry,
    "Payment": shape_payment,
    "PaymentMethod": shape_payment_method,
    "Purchase": shape_purchase,
    "PurchaseOrder": shape_purchase_order,
    "RefundReceipt": shape_sale,
    "SalesReceipt": shape_sale,
    "TaxAgency": shape_tax_agency,
    "Term": shape_term,
    "TimeActivity": shape_time_activity,
    "Transfer": shape_transfer,
    "Vendor": shape_vendor,
    "VendorCredit": shape_bill,
}
