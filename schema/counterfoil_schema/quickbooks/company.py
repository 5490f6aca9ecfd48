"""The company itself: what it is, what is switched on, its taxes and rates.

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
    Text3,
    Text100,
    Text1024,
    WebSite,
)


class CompanyInfo(Entity):
    """What the company is."""

    CompanyName: Text1024 | None = None
    LegalName: Text1024 | None = None
    CompanyAddr: PostalAddress | None = None
    CustomerCommunicationAddr: PostalAddress | None = None
    LegalAddr: PostalAddress | None = None
    PrimaryPhone: Telephone | None = None
    CompanyStartDate: date | None = None
    FiscalYearStartMonth: e.FiscalYearStartMonth | None = None
    Country: str | None = None
    Email: MailAddress | None = None
    WebAddr: WebSite | None = None
    SupportedLanguages: str | None = None
    NameValue: tuple[dict[str, object], ...] | None = None


class Preferences(Entity):
    """What is switched on."""

    AccountingInfoPrefs: dict[str, object] | None = None
    ProductAndServicesPrefs: dict[str, object] | None = None
    SalesFormsPrefs: dict[str, object] | None = None
    EmailMessagesPrefs: dict[str, object] | None = None
    VendorAndPurchasesPrefs: dict[str, object] | None = None
    TimeTrackingPrefs: dict[str, object] | None = None
    TaxPrefs: dict[str, object] | None = None
    CurrencyPrefs: dict[str, object] | None = None
    ReportPrefs: dict[str, object] | None = None
    OtherPrefs: dict[str, object] | None = None


class TaxAgency(Entity):
    """Whom tax is owed to."""

    DisplayName: Text100 | None = None
    TaxRegistrationNumber: str | None = None
    TaxTrackedOnPurchases: bool | None = None
    TaxTrackedOnSales: bool | None = None
    LastFileDate: date | None = None
    TaxAgencyConfig: str | None = None


class TaxCode(Entity):
    """A tax code."""

    Name: Text100 | None = None
    Description: Text100 | None = None
    Active: bool | None = None
    Hidden: bool | None = None
    Taxable: bool | None = None
    TaxGroup: bool | None = None
    SalesTaxRateList: dict[str, object] | None = None
    PurchaseTaxRateList: dict[str, object] | None = None
    TaxCodeConfigType: e.TaxCodeConfigType | None = None


class TaxRate(Entity):
    """A tax rate."""

    Name: Text100 | None = None
    Description: Text100 | None = None
    Active: bool | None = None
    RateValue: Decimal | None = None
    AgencyRef: Reference | None = None
    TaxReturnLineRef: Reference | None = None
    EffectiveTaxRate: tuple[dict[str, object], ...] | None = None
    SpecialTaxType: e.SpecialTaxType | None = None
    DisplayType: e.DisplayType | None = None
    OriginalTaxRate: Reference | None = None


class ExchangeRate(Entity):
    """The rate of a currency on a day."""

    SourceCurrencyCode: Text3 | None = None
    TargetCurrencyCode: Text3 | None = None
    Rate: Decimal | None = None
    AsOfDate: date | None = None
