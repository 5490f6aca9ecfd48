"""Journal entries, money between accounts, time, and attached files.

Source: Intuit's entity pages and schema; read-only properties are there to be read.
"""

from datetime import date
from decimal import Decimal

from counterfoil_schema.quickbooks import enums as e
from counterfoil_schema.quickbooks.parts import (
    AttachedTo,
    DocumentLine,
    Entity,
    Reference,
    TaxDetail,
    Text21,
    Text100,
    Text1000,
    Text2000,
    Text4000,
)


class JournalEntry(Entity):
    """A journal entry."""

    DocNumber: Text21 | None = None
    TxnDate: date | None = None
    CurrencyRef: Reference | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: Text4000 | None = None
    Line: tuple[DocumentLine, ...] | None = None
    TxnTaxDetail: TaxDetail | None = None
    TransactionLocationType: str | None = None
    RecurDataRef: Reference | None = None
    Adjustment: bool | None = None
    GlobalTaxCalculation: e.GlobalTaxCalculation | None = None
    TotalAmt: Decimal | None = None
    HomeTotalAmt: Decimal | None = None
    TaxRateRef: Reference | None = None


class Deposit(Entity):
    """A deposit."""

    TxnDate: date | None = None
    DepartmentRef: Reference | None = None
    CurrencyRef: Reference | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: Text4000 | None = None
    Line: tuple[DocumentLine, ...] | None = None
    TxnTaxDetail: TaxDetail | None = None
    TxnSource: str | None = None
    TransactionLocationType: str | None = None
    RecurDataRef: Reference | None = None
    DepositToAccountRef: Reference | None = None
    CashBack: dict[str, object] | None = None
    GlobalTaxCalculation: e.GlobalTaxCalculation | None = None
    TotalAmt: Decimal | None = None
    HomeTotalAmt: Decimal | None = None


class Transfer(Entity):
    """Money from one account to another."""

    TxnDate: date | None = None
    PrivateNote: Text4000 | None = None
    TransactionLocationType: str | None = None
    RecurDataRef: Reference | None = None
    FromAccountRef: Reference | None = None
    ToAccountRef: Reference | None = None
    Amount: Decimal | None = None


class TimeActivity(Entity):
    """Time worked."""

    TxnDate: date | None = None
    NameOf: e.NameOf | None = None
    EmployeeRef: Reference | None = None
    VendorRef: Reference | None = None
    CustomerRef: Reference | None = None
    DepartmentRef: Reference | None = None
    ItemRef: Reference | None = None
    ClassRef: Reference | None = None
    PayrollItemRef: Reference | None = None
    ProjectRef: Reference | None = None
    BillableStatus: e.BillableStatus | None = None
    Taxable: bool | None = None
    HourlyRate: Decimal | None = None
    CostRate: Decimal | None = None
    Hours: int | None = None
    Minutes: int | None = None
    StartTime: str | None = None
    EndTime: str | None = None
    Description: Text4000 | None = None
    TransactionLocationType: str | None = None


class Attachable(Entity):
    """A note or a file, and what it hangs on."""

    AttachableRef: tuple[AttachedTo, ...] | None = None
    FileName: Text1000 | None = None
    FileAccessUri: str | None = None
    TempDownloadUri: str | None = None
    Size: int | None = None
    ContentType: Text100 | None = None
    Category: Text100 | None = None
    Lat: Text100 | None = None
    Long: Text100 | None = None
    PlaceName: Text2000 | None = None
    Note: Text2000 | None = None
    Tag: Text2000 | None = None
    ThumbnailFileAccessUri: str | None = None
    ThumbnailTempDownloadUri: str | None = None
