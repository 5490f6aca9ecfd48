"""Accounts, items, terms and the other name lists.

Source: Intuit's entity pages and schema; read-only properties are there to be read.
"""

from datetime import date
from decimal import Decimal

from counterfoil_schema.quickbooks import enums as e
from counterfoil_schema.quickbooks.parts import (
    Entity,
    Reference,
    Text3,
    Text25,
    Text31,
    Text41,
    Text100,
    Text1000,
    Text4000,
)


class Account(Entity):
    """An account of the chart."""

    Name: Text100 | None = None
    SubAccount: bool | None = None
    ParentRef: Reference | None = None
    Description: Text100 | None = None
    FullyQualifiedName: str | None = None
    AccountAlias: str | None = None
    TxnLocationType: str | None = None
    Active: bool | None = None
    Classification: e.Classification | None = None
    AccountType: e.AccountType | None = None
    AccountSubType: str | None = None
    AcctNum: str | None = None
    CurrentBalance: Decimal | None = None
    CurrentBalanceWithSubAccounts: Decimal | None = None
    CurrencyRef: Reference | None = None
    TaxCodeRef: Reference | None = None


class Item(Entity):
    """A product or service."""

    Name: Text100 | None = None
    Sku: Text100 | None = None
    Description: Text4000 | None = None
    Active: bool | None = None
    SubItem: bool | None = None
    ParentRef: Reference | None = None
    Level: int | None = None
    FullyQualifiedName: Text41 | None = None
    Taxable: bool | None = None
    SalesTaxIncluded: bool | None = None
    UnitPrice: Decimal | None = None
    Type: e.Type | None = None
    IncomeAccountRef: Reference | None = None
    PurchaseDesc: Text1000 | None = None
    PurchaseTaxIncluded: bool | None = None
    PurchaseCost: Decimal | None = None
    ExpenseAccountRef: Reference | None = None
    AssetAccountRef: Reference | None = None
    PrefVendorRef: Reference | None = None
    TrackQtyOnHand: bool | None = None
    QtyOnHand: Decimal | None = None
    ReorderPoint: Decimal | None = None
    SalesTaxCodeRef: Reference | None = None
    PurchaseTaxCodeRef: Reference | None = None
    InvStartDate: date | None = None
    AbatementRate: Decimal | None = None
    ReverseChargeRate: Decimal | None = None
    ServiceType: str | None = None
    ItemCategoryType: str | None = None
    TaxClassificationRef: Reference | None = None
    UQCDisplayText: Text25 | None = None
    UQCId: str | None = None
    ClassRef: Reference | None = None
    Source: str | None = None


class Class(Entity):
    """A class."""

    Name: Text100 | None = None
    SubClass: bool | None = None
    ParentRef: Reference | None = None
    FullyQualifiedName: str | None = None
    Active: bool | None = None


class Department(Entity):
    """A location."""

    Name: Text100 | None = None
    SubDepartment: bool | None = None
    ParentRef: Reference | None = None
    FullyQualifiedName: str | None = None
    Active: bool | None = None


class Term(Entity):
    """Terms of payment."""

    Name: Text31 | None = None
    Active: bool | None = None
    Type: str | None = None
    DiscountPercent: Decimal | None = None
    DueDays: int | None = None
    DiscountDays: int | None = None
    DayOfMonthDue: int | None = None
    DueNextMonthDays: int | None = None
    DiscountDayOfMonth: int | None = None


class PaymentMethod(Entity):
    """A way to pay."""

    Name: Text31 | None = None
    Active: bool | None = None
    Type: str | None = None


class CompanyCurrency(Entity):
    """A currency that the company deals in."""

    Code: Text3 | None = None
    Name: str | None = None
    Active: bool | None = None
