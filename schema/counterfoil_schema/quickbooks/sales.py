"""Sales forms and what is paid for them.

Source: Intuit's entity pages and schema; read-only properties are there to be read.
"""

from datetime import date
from decimal import Decimal

from counterfoil_schema.quickbooks import enums as e
from counterfoil_schema.quickbooks.parts import (
    DocumentLine,
    Entity,
    LinkedTransaction,
    MailAddress,
    MemoText,
    PostalAddress,
    Reference,
    TaxDetail,
    Text21,
    Text100,
    Text4000,
)


class SalesForm(Entity):
    """What the sales forms share."""

    DocNumber: Text21 | None = None
    TxnDate: date | None = None
    DepartmentRef: Reference | None = None
    CurrencyRef: Reference | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: Text4000 | None = None
    Line: tuple[DocumentLine, ...] | None = None
    TxnTaxDetail: TaxDetail | None = None
    TransactionLocationType: str | None = None
    RecurDataRef: Reference | None = None
    ProjectRef: Reference | None = None
    CustomerRef: Reference | None = None
    CustomerMemo: MemoText | None = None
    BillAddr: PostalAddress | None = None
    ShipAddr: PostalAddress | None = None
    ClassRef: Reference | None = None
    GlobalTaxCalculation: e.GlobalTaxCalculation | None = None
    TotalAmt: Decimal | None = None
    HomeTotalAmt: Decimal | None = None
    ApplyTaxAfterDiscount: bool | None = None
    PrintStatus: e.PrintStatus | None = None
    BillEmail: MailAddress | None = None


class Invoice(SalesForm):
    """An invoice."""

    LinkedTxn: tuple[LinkedTransaction, ...] | None = None
    TxnSource: str | None = None
    FreeFormAddress: bool | None = None
    ShipFromAddr: PostalAddress | None = None
    SalesTermRef: Reference | None = None
    DueDate: date | None = None
    ShipMethodRef: Reference | None = None
    ShipDate: date | None = None
    TrackingNum: str | None = None
    EmailStatus: e.EmailStatus | None = None
    BillEmailCc: MailAddress | None = None
    BillEmailBcc: MailAddress | None = None
    Balance: Decimal | None = None
    HomeBalance: Decimal | None = None
    DepositToAccountRef: Reference | None = None
    DeliveryInfo: dict[str, object] | None = None
    TaxExemptionRef: Reference | None = None
    Deposit: Decimal | None = None
    AllowIPNPayment: bool | None = None
    AllowOnlinePayment: bool | None = None
    AllowOnlineCreditCardPayment: bool | None = None
    AllowOnlineACHPayment: bool | None = None
    InvoiceLink: str | None = None


class Estimate(SalesForm):
    """An estimate."""

    TxnStatus: str | None = None
    LinkedTxn: tuple[LinkedTransaction, ...] | None = None
    FreeFormAddress: bool | None = None
    ShipFromAddr: PostalAddress | None = None
    SalesTermRef: Reference | None = None
    DueDate: date | None = None
    ShipMethodRef: Reference | None = None
    ShipDate: date | None = None
    EmailStatus: e.EmailStatus | None = None
    TaxExemptionRef: Reference | None = None
    ExpirationDate: date | None = None
    AcceptedBy: str | None = None
    AcceptedDate: date | None = None


class CreditMemo(SalesForm):
    """A credit memo."""

    SalesTermRef: Reference | None = None
    EmailStatus: e.EmailStatus | None = None
    Balance: Decimal | None = None
    HomeBalance: Decimal | None = None
    PaymentMethodRef: Reference | None = None
    TaxExemptionRef: Reference | None = None
    RemainingCredit: Decimal | None = None
    InvoiceRef: Reference | None = None


class SalesReceipt(SalesForm):
    """A sale paid at once."""

    LinkedTxn: tuple[LinkedTransaction, ...] | None = None
    TxnSource: str | None = None
    FreeFormAddress: bool | None = None
    ShipFromAddr: PostalAddress | None = None
    ShipMethodRef: Reference | None = None
    ShipDate: date | None = None
    TrackingNum: str | None = None
    EmailStatus: e.EmailStatus | None = None
    Balance: Decimal | None = None
    HomeBalance: Decimal | None = None
    PaymentMethodRef: Reference | None = None
    PaymentRefNum: Text21 | None = None
    CreditCardPayment: dict[str, object] | None = None
    DepositToAccountRef: Reference | None = None
    DeliveryInfo: dict[str, object] | None = None


class RefundReceipt(SalesForm):
    """A refund paid at once."""

    TxnSource: str | None = None
    Balance: Decimal | None = None
    HomeBalance: Decimal | None = None
    PaymentMethodRef: Reference | None = None
    PaymentRefNum: Text100 | None = None
    PaymentType: e.PaymentType | None = None
    CheckPayment: dict[str, object] | None = None
    CreditCardPayment: dict[str, object] | None = None
    DepositToAccountRef: Reference | None = None
    TaxExemptionRef: Reference | None = None


class Payment(Entity):
    """A customer's payment."""

    TxnDate: date | None = None
    CurrencyRef: Reference | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: Text4000 | None = None
    Line: tuple[DocumentLine, ...] | None = None
    TxnSource: str | None = None
    TransactionLocationType: str | None = None
    ProjectRef: Reference | None = None
    CustomerRef: Reference | None = None
    ARAccountRef: Reference | None = None
    DepositToAccountRef: Reference | None = None
    PaymentMethodRef: Reference | None = None
    PaymentRefNum: str | None = None
    CreditCardPayment: dict[str, object] | None = None
    TotalAmt: Decimal | None = None
    UnappliedAmt: Decimal | None = None
    TaxExemptionRef: Reference | None = None
