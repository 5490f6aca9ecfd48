"""What is bought, owed to vendors, and paid to them.

Source: Intuit's entity pages and schema; read-only properties are there to be read.
"""

from datetime import date
from decimal import Decimal

from counterfoil_schema.quickbooks import enums as e
from counterfoil_schema.quickbooks.parts import (
    CardDetail,
    CheckDetail,
    DocumentLine,
    Entity,
    LinkedTransaction,
    MailAddress,
    PostalAddress,
    Reference,
    TaxDetail,
    Text21,
    Text4000,
)


class PurchaseForm(Entity):
    """What is owed to a vendor, by him, or ordered."""

    DocNumber: Text21 | None = None
    TxnDate: date | None = None
    CurrencyRef: Reference | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: Text4000 | None = None
    LinkedTxn: tuple[LinkedTransaction, ...] | None = None
    Line: tuple[DocumentLine, ...] | None = None
    TransactionLocationType: str | None = None
    RecurDataRef: Reference | None = None
    VendorRef: Reference | None = None
    APAccountRef: Reference | None = None
    TotalAmt: Decimal | None = None
    GlobalTaxCalculation: e.GlobalTaxCalculation | None = None


class Bill(PurchaseForm):
    """A vendor's bill."""

    DepartmentRef: Reference | None = None
    TxnTaxDetail: TaxDetail | None = None
    SalesTermRef: Reference | None = None
    DueDate: date | None = None
    Balance: Decimal | None = None
    HomeBalance: Decimal | None = None
    IncludeInAnnualTPAR: bool | None = None


class VendorCredit(PurchaseForm):
    """A vendor's credit."""

    DepartmentRef: Reference | None = None
    Balance: Decimal | None = None
    IncludeInAnnualTPAR: bool | None = None


class PurchaseOrder(PurchaseForm):
    """An order to a vendor."""

    TxnTaxDetail: TaxDetail | None = None
    Memo: Text4000 | None = None
    ClassRef: Reference | None = None
    SalesTermRef: Reference | None = None
    DueDate: date | None = None
    VendorAddr: PostalAddress | None = None
    ShipTo: Reference | None = None
    ShipAddr: PostalAddress | None = None
    ShipMethodRef: Reference | None = None
    POEmail: MailAddress | None = None
    EmailStatus: e.EmailStatus | None = None
    POStatus: e.POStatus | None = None


class BillPayment(Entity):
    """A payment of bills."""

    DocNumber: Text21 | None = None
    TxnDate: date | None = None
    DepartmentRef: Reference | None = None
    CurrencyRef: Reference | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: Text4000 | None = None
    Line: tuple[DocumentLine, ...] | None = None
    TransactionLocationType: str | None = None
    VendorRef: Reference | None = None
    APAccountRef: Reference | None = None
    PayType: e.PayType | None = None
    CheckPayment: CheckDetail | None = None
    CreditCardPayment: CardDetail | None = None
    TotalAmt: Decimal | None = None
    ProcessBillPayment: bool | None = None


class Purchase(Entity):
    """A cheque, a card charge, or cash spent."""

    DocNumber: Text21 | None = None
    TxnDate: date | None = None
    DepartmentRef: Reference | None = None
    CurrencyRef: Reference | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: Text4000 | None = None
    LinkedTxn: tuple[LinkedTransaction, ...] | None = None
    Line: tuple[DocumentLine, ...] | None = None
    TxnTaxDetail: TaxDetail | None = None
    TxnSource: str | None = None
    TransactionLocationType: str | None = None
    RecurDataRef: Reference | None = None
    AccountRef: Reference | None = None
    PaymentMethodRef: Reference | None = None
    PaymentType: e.PaymentType | None = None
    EntityRef: Reference | None = None
    Credit: bool | None = None
    RemitToAddr: PostalAddress | None = None
    TotalAmt: Decimal | None = None
    PrintStatus: e.PrintStatus | None = None
    GlobalTaxCalculation: e.GlobalTaxCalculation | None = None
    PurchaseEx: dict[str, object] | None = None
    IncludeInAnnualTPAR: bool | None = None
