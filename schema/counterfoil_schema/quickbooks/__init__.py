"""The records of QuickBooks Online as they go over the wire, in pydantic models.

`MODELS` leads from an entity to its model. Amounts are Decimal, days are dates, properties that this release does not
know are kept and sent back.
"""

from counterfoil_schema.quickbooks import company, entries, lists, parties, purchases, sales
from counterfoil_schema.quickbooks.parts import Entity

MODELS: dict[str, type[Entity]] = {
    model.__name__: model
    for model in (
        company.CompanyInfo,
        company.ExchangeRate,
        company.Preferences,
        company.TaxAgency,
        company.TaxCode,
        company.TaxRate,
        entries.Attachable,
        entries.Deposit,
        entries.JournalEntry,
        entries.TimeActivity,
        entries.Transfer,
        lists.Account,
        lists.Class,
        lists.CompanyCurrency,
        lists.Department,
        lists.Item,
        lists.PaymentMethod,
        lists.Term,
        parties.Customer,
        parties.Employee,
        parties.Vendor,
        purchases.Bill,
        purchases.BillPayment,
        purchases.Purchase,
        purchases.PurchaseOrder,
        purchases.VendorCredit,
        sales.CreditMemo,
        sales.Estimate,
        sales.Invoice,
        sales.Payment,
        sales.RefundReceipt,
        sales.SalesReceipt,
    )
}

__all__ = ["MODELS", "Entity"]
