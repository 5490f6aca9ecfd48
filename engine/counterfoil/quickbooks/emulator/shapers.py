"""Which function turns a checked body into a record, by entity."""

from collections.abc import Callable

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
from counterfoil.quickbooks.emulator.payments import shape_payment
from counterfoil.quickbooks.emulator.sales import shape_sale

SHAPERS: dict[str, Callable[[Draft], Shaped]] = {
    "Account": shape_account,
    "Class": shape_class,
    "CreditMemo": shape_sale,
    "Customer": shape_customer,
    "Department": shape_department,
    "Employee": shape_employee,
    "Invoice": shape_sale,
    "Item": shape_item,
    "JournalEntry": shape_journal_entry,
    "Payment": shape_payment,
    "PaymentMethod": shape_payment_method,
    "Term": shape_term,
    "Vendor": shape_vendor,
}
