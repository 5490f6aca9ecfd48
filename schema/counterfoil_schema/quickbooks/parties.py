"""Customers, vendors and employees.

Source: Intuit's entity pages and schema; read-only properties are there to be read.
"""

from datetime import date
from decimal import Decimal

from counterfoil_schema.quickbooks import enums as e
from counterfoil_schema.quickbooks.parts import (
    Entity,
    MailAddress,
    PostalAddress,
    Reference,
    Telephone,
    Text10,
    Text15,
    Text16,
    Text20,
    Text41,
    Text100,
    Text110,
    Text500,
    Text2000,
    WebSite,
)


class Party(Entity):
    """What the three kinds of party share."""

    Title: Text16 | None = None
    GivenName: Text100 | None = None
    MiddleName: Text100 | None = None
    FamilyName: Text100 | None = None
    Suffix: Text16 | None = None
    DisplayName: Text500 | None = None
    Active: bool | None = None
    PrimaryPhone: Telephone | None = None
    Mobile: Telephone | None = None
    PrimaryEmailAddr: MailAddress | None = None


class Customer(Party):
    """A customer, or a job of one."""

    FullyQualifiedName: Text41 | None = None
    CompanyName: Text100 | None = None
    PrintOnCheckName: Text110 | None = None
    AlternatePhone: Telephone | None = None
    Fax: Telephone | None = None
    WebAddr: WebSite | None = None
    DefaultTaxCodeRef: Reference | None = None
    Taxable: bool | None = None
    BillAddr: PostalAddress | None = None
    ShipAddr: PostalAddress | None = None
    Notes: Text2000 | None = None
    Job: bool | None = None
    BillWithParent: bool | None = None
    ParentRef: Reference | None = None
    Level: int | None = None
    CustomerTypeRef: Reference | None = None
    SalesTermRef: Reference | None = None
    PaymentMethodRef: Reference | None = None
    Balance: Decimal | None = None
    OpenBalanceDate: date | None = None
    BalanceWithJobs: Decimal | None = None
    CurrencyRef: Reference | None = None
    PreferredDeliveryMethod: str | None = None
    ResaleNum: Text16 | None = None
    SecondaryTaxIdentifier: str | None = None
    ARAccountRef: Reference | None = None
    PrimaryTaxIdentifier: str | None = None
    TaxExemptionReasonId: str | None = None
    IsProject: bool | None = None
    BusinessNumber: Text10 | None = None
    GSTIN: Text15 | None = None
    GSTRegistrationType: Text15 | None = None
    Source: str | None = None


class Vendor(Party):
    """A vendor."""

    CompanyName: Text100 | None = None
    PrintOnCheckName: Text100 | None = None
    AlternatePhone: Telephone | None = None
    Fax: Telephone | None = None
    WebAddr: WebSite | None = None
    OtherContactInfo: tuple[dict[str, object], ...] | None = None
    BillAddr: PostalAddress | None = None
    TaxIdentifier: Text20 | None = None
    BusinessNumber: Text10 | None = None
    TermRef: Reference | None = None
    Balance: Decimal | None = None
    BillRate: Decimal | None = None
    AcctNum: Text100 | None = None
    Vendor1099: bool | None = None
    T4AEligible: bool | None = None
    T5018Eligible: bool | None = None
    CurrencyRef: Reference | None = None
    TaxReportingBasis: str | None = None
    APAccountRef: Reference | None = None
    GSTIN: Text15 | None = None
    GSTRegistrationType: Text15 | None = None
    HasTPAR: bool | None = None
    VendorPaymentBankDetail: dict[str, object] | None = None
    Source: str | None = None
    CostRate: Decimal | None = None


class Employee(Party):
    """An employee."""

    Organization: bool | None = None
    PrintOnCheckName: Text100 | None = None
    V4IDPseudonym: str | None = None
    EmployeeNumber: Text100 | None = None
    SSN: Text100 | None = None
    PrimaryAddr: PostalAddress | None = None
    BillableTime: bool | None = None
    BillRate: Decimal | None = None
    BirthDate: date | None = None
    Gender: e.Gender | None = None
    HiredDate: date | None = None
    ReleasedDate: date | None = None
    CostRate: Decimal | None = None
