"""What the records of QuickBooks Online are made of.

Unknown properties are kept and sent back; a property that was not there stays away (`model_dump(exclude_unset=True)`).
Sources: Intuit's entity pages and schema; lengths of addresses and telephone numbers as its pages give them.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from counterfoil_schema.quickbooks import enums as e

Text3 = Annotated[str, Field(max_length=3)]
Text10 = Annotated[str, Field(max_length=10)]
Text15 = Annotated[str, Field(max_length=15)]
Text16 = Annotated[str, Field(max_length=16)]
Text20 = Annotated[str, Field(max_length=20)]
Text21 = Annotated[str, Field(max_length=21)]
Text25 = Annotated[str, Field(max_length=25)]
Text30 = Annotated[str, Field(max_length=30)]
Text31 = Annotated[str, Field(max_length=31)]
Text41 = Annotated[str, Field(max_length=41)]
Text100 = Annotated[str, Field(max_length=100)]
Text110 = Annotated[str, Field(max_length=110)]
Text255 = Annotated[str, Field(max_length=255)]
Text500 = Annotated[str, Field(max_length=500)]
Text1000 = Annotated[str, Field(max_length=1000)]
Text1024 = Annotated[str, Field(max_length=1024)]
Text2000 = Annotated[str, Field(max_length=2000)]
Text4000 = Annotated[str, Field(max_length=4000)]


class Part(BaseModel):
    """Anything on the wire: what is not named here is kept as it came."""

    # Ids and tokens come as numbers from some tools.
    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)


class Reference(Part):
    """Another record: its Id, and its name where QuickBooks tells it."""

    value: str | None = None
    name: str | None = None


class MemoText(Part):
    """A text in an envelope."""

    value: Text1000 | None = None


class PostalAddress(Part):
    """A postal address."""

    Id: str | None = None
    Line1: Text500 | None = None
    Line2: Text500 | None = None
    Line3: Text500 | None = None
    Line4: Text500 | None = None
    Line5: Text500 | None = None
    City: Text255 | None = None
    Country: Text255 | None = None
    CountrySubDivisionCode: Text255 | None = None
    PostalCode: Text30 | None = None


class MailAddress(Part):
    """An e-mail address; more than one, with commas between, on sales forms."""

    Address: Annotated[str, Field(max_length=100, pattern=r"^$|@.*\.")] | None = None


class Telephone(Part):
    """A telephone number."""

    FreeFormNumber: Text30 | None = None


class WebSite(Part):
    """A web address."""

    URI: Text1000 | None = None


class LinkedTransaction(Part):
    """Another document that this one comes from, pays, or is paid by."""

    TxnId: str | None = None
    TxnType: str | None = None
    TxnLineId: str | None = None


class AttachedTo(Part):
    """What a file hangs on."""

    EntityRef: Reference | None = None
    IncludeOnSend: bool | None = None


class CheckDetail(Part):
    """How bills were paid from a bank account."""

    BankAccountRef: Reference | None = None


class CardDetail(Part):
    """How bills were paid by card."""

    CCAccountRef: Reference | None = None


class SaleDetail(Part):
    """What was sold."""

    ItemRef: Reference | None = None
    ClassRef: Reference | None = None
    TaxCodeRef: Reference | None = None
    Qty: Decimal | None = None
    UnitPrice: Decimal | None = None
    ServiceDate: date | None = None


class DiscountDetail(Part):
    """What was taken off."""

    PercentBased: bool | None = None
    DiscountPercent: Decimal | None = None
    DiscountAccountRef: Reference | None = None


class PostingDetail(Part):
    """One side of a journal entry."""

    PostingType: e.PostingType | None = None
    AccountRef: Reference | None = None
    ClassRef: Reference | None = None
    DepartmentRef: Reference | None = None


class ExpenseDetail(Part):
    """What was spent on an account."""

    AccountRef: Reference | None = None
    CustomerRef: Reference | None = None
    ClassRef: Reference | None = None
    TaxCodeRef: Reference | None = None
    BillableStatus: e.BillableStatus | None = None


class ItemExpenseDetail(Part):
    """What was bought."""

    ItemRef: Reference | None = None
    CustomerRef: Reference | None = None
    ClassRef: Reference | None = None
    TaxCodeRef: Reference | None = None
    BillableStatus: e.BillableStatus | None = None
    Qty: Decimal | None = None
    UnitPrice: Decimal | None = None


class DepositDetail(Part):
    """Where deposited money came from."""

    AccountRef: Reference | None = None
    ClassRef: Reference | None = None
    PaymentMethodRef: Reference | None = None
    CheckNum: str | None = None


class RateDetail(Part):
    """What one rate comes to."""

    TaxRateRef: Reference | None = None
    PercentBased: bool | None = None
    TaxPercent: Decimal | None = None
    NetAmountTaxable: Decimal | None = None


class DocumentLine(Part):
    """A line of a document: an amount, and the detail that its type names."""

    Id: str | None = None
    LineNum: int | None = None
    Description: Text4000 | None = None
    Amount: Decimal | None = None
    DetailType: e.DetailType | None = None
    LinkedTxn: tuple[LinkedTransaction, ...] | None = None
    SalesItemLineDetail: SaleDetail | None = None
    DiscountLineDetail: DiscountDetail | None = None
    JournalEntryLineDetail: PostingDetail | None = None
    AccountBasedExpenseLineDetail: ExpenseDetail | None = None
    ItemBasedExpenseLineDetail: ItemExpenseDetail | None = None
    DepositLineDetail: DepositDetail | None = None
    TaxLineDetail: RateDetail | None = None


class TaxDetail(Part):
    """The tax of a whole document."""

    TxnTaxCodeRef: Reference | None = None
    TotalTax: Decimal | None = None
    TaxLine: tuple[DocumentLine, ...] | None = None


class Instants(Part):
    """When a record was made and last changed."""

    CreateTime: str | None = None
    LastUpdatedTime: str | None = None


class Entity(Part):
    """What every record has."""

    Id: str | None = None
    SyncToken: str | None = None
    MetaData: Instants | None = None
    domain: str | None = None
    sparse: bool | None = None
    status: str | None = None
    CustomField: tuple[dict[str, object], ...] | None = None
