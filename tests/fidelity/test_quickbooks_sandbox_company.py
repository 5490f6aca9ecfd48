"""python-quickbooks in the landscaping company: taxes, currencies, templates, settings, and the numbers it leans on."""

from collections.abc import Iterator
from typing import Any

import pytest
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.objects import Ref
from quickbooks.objects.account import Account
from quickbooks.objects.companycurrency import CompanyCurrency
from quickbooks.objects.creditcardpayment_entity import CreditCardPayment
from quickbooks.objects.customer import Customer
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail
from quickbooks.objects.employee import Employee
from quickbooks.objects.exchangerate import ExchangeRate
from quickbooks.objects.invoice import Invoice
from quickbooks.objects.item import Item
from quickbooks.objects.payment import Payment
from quickbooks.objects.preferences import Preferences
from quickbooks.objects.recurringtransaction import RecurringInfo, RecurringInvoice, RecurringTransaction, ScheduleInfo
from quickbooks.objects.tax import TxnTaxDetail
from quickbooks.objects.taxagency import TaxAgency
from quickbooks.objects.taxcode import TaxCode
from quickbooks.objects.taxrate import TaxRate
from quickbooks.objects.taxservice import TaxRateDetails, TaxService
from quickbooks.objects.vendor import Vendor

from support.quickbooks_emulator import EmulatorProcess, emulator_process


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7", "--sample", "craig") as process:
        yield process


@pytest.fixture
def books(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> QuickBooks:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", emulator["base_url"] + "/v3")
    addresses = {"sandbox": emulator["discovery_url"]}
    monkeypatch.setattr("intuitlib.utils.DISCOVERY_URL", addresses)
    monkeypatch.setattr("intuitlib.config.DISCOVERY_URL", addresses)
    auth = AuthClient(
        client_id=emulator["client_id"],
        client_secret=emulator["client_secret"],
        redirect_uri="http://localhost:9999/callback",
        environment="sandbox",
    )
    return QuickBooks(
        auth_client=auth,
        refresh_token=emulator["refresh_token"],
        company_id=emulator["realm_id"],
        minorversion=75,
    )


def the(kind: Any, books: QuickBooks, **asked: Any) -> Any:
    (found,) = kind.filter(qb=books, **asked)
    return found


def test_the_numbers_that_examples_lean_on(books: QuickBooks) -> None:
    accounts = {account.Id: account.FullyQualifiedName for account in Account.all(max_results=1000, qb=books)}
    for number, name in (
        ("1", "Services"), ("33", "Accounts Payable (A/P)"), ("35", "Checking"), ("42", "Visa"),
        ("45", "Landscaping Services"), ("49", "Landscaping Services:Job Materials:Plants and Soil"),
        ("60", "Job Expenses:Cost of Labor:Installation"), ("82", "Design income"),
        ("84", "Accounts Receivable (A/R)"), ("85", "Billable Expense Income"), ("86", "Discounts given"),
        ("90", "Board of Equalization Payable"),
    ):  # fmt: skip
        assert accounts[number] == name
    customers = {number: Customer.get(number, qb=books).DisplayName for number in ("1", "15", "24", "29")}
    assert list(customers.values()) == [
        "Amy's Bird Sanctuary", "Pye's Cakes", "Sonnenschein Family Store", "Weiskopf Consulting",
    ]  # fmt: skip
    vendors = {number: Vendor.get(number, qb=books).DisplayName for number in ("30", "41", "46", "56")}
    assert list(vendors.values()) == [
        "Books by Bessie", "Hicks Hardware", "Norton Lumber and Building Materials", "Bob's Burger Joint",
    ]  # fmt: skip
    assert Employee.get("55", qb=books).DisplayName == "Emily Platt"
    assert (Item.get("4", qb=books).IncomeAccountRef.value, Item.get("10", qb=books).Name) == ("82", "Pest Control")
    assert Item.filter(Type="Inventory", max_results=1, qb=books)
    assert CompanyCurrency.get(1, qb=books).Name == "Canadian Dollar"
    assert len(Payment.all(max_results=5, qb=books)) == 5
    assert {code.Id for code in TaxCode.all(qb=books)} >= {"TAX", "NON"}


def test_a_rate_is_found_and_set(books: QuickBooks) -> None:
    found = the(ExchangeRate, books, SourceCurrencyCode="EUR")
    assert found.TargetCurrencyCode == "USD"
    found.Rate = found.Rate + 1
    found.save(qb=books)
    assert the(ExchangeRate, books, SourceCurrencyCode="EUR").Rate == found.Rate


def test_a_tax_code_is_made_and_taxes_an_invoice(books: QuickBooks) -> None:
    agency = TaxAgency()
    agency.DisplayName = "State of Examples"
    agency.save(qb=books)
    detail = TaxRateDetails()
    detail.TaxRateName, detail.RateValue, detail.TaxAgencyId = "Examples state", 10, agency.Id
    service = TaxService()
    service.TaxCode = "Examples"
    service.TaxRateDetails.append(detail)
    made = service.save(qb=books)
    assert (made.TaxCode, made.TaxRateDetails[0].RateValue) == ("Examples", 10)
    assert TaxRate.get(made.TaxRateDetails[0].TaxRateId, qb=books).AgencyRef.value == agency.Id
    (code,) = TaxCode.query("select * from TaxCode where Name = 'Examples'", qb=books)

    line = SalesItemLine()
    line.Amount = 35
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = Item.get("10", qb=books).to_ref()
    line.SalesItemLineDetail.TaxCodeRef = Ref()
    line.SalesItemLineDetail.TaxCodeRef.value = "TAX"
    invoice = Invoice()
    invoice.CustomerRef = Customer.get("3", qb=books).to_ref()
    invoice.Line.append(line)
    invoice.TxnTaxDetail = TxnTaxDetail()
    invoice.TxnTaxDetail.TxnTaxCodeRef = code.to_ref()
    invoice.save(qb=books)
    assert Invoice.get(invoice.Id, qb=books).TotalAmt == 38.5


def test_a_template_is_made_found_changed_and_deleted(books: QuickBooks) -> None:
    line = SalesItemLine()
    line.Amount = 100
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = Item.get("10", qb=books).to_ref()
    invoice = RecurringInvoice()
    invoice.Line.append(line)
    invoice.CustomerRef = Customer.get("1", qb=books).to_ref()
    info = RecurringInfo()
    info.Active, info.RecurType, info.Name = True, "Automated", "Monthly pest control"
    info.ScheduleInfo = ScheduleInfo()
    info.ScheduleInfo.IntervalType, info.ScheduleInfo.NumInterval, info.ScheduleInfo.DayOfMonth = "Monthly", 1, 1
    invoice.RecurringInfo = info
    template = RecurringTransaction()
    template.Invoice = invoice
    saved = template.save(qb=books)
    assert [found.Invoice.Id for found in RecurringTransaction.where("Type = 'Invoice'", qb=books)] == [
        saved.Invoice.Id
    ]
    again = RecurringTransaction.get(saved.Invoice.Id, qb=books)
    again.Invoice.RecurringInfo.ScheduleInfo.DayOfMonth = 15
    again.Invoice.Deposit = None
    again.save(qb=books)
    read = RecurringTransaction.get(saved.Invoice.Id, qb=books)
    assert read.Invoice.RecurringInfo.ScheduleInfo.DayOfMonth == 15
    read.delete(qb=books)
    assert RecurringTransaction.all(qb=books) == []


def test_settings_are_read_and_changed(books: QuickBooks) -> None:
    settings = Preferences.get(qb=books)
    assert settings.TimeTrackingPrefs.WorkWeekStartDate == "Monday"
    settings.EmailMessagesPrefs.EstimateMessage.Subject = "Your estimate"
    settings.save(qb=books)
    assert Preferences.get(qb=books).EmailMessagesPrefs.EstimateMessage.Subject == "Your estimate"


def test_a_card_is_paid_from_the_bank(books: QuickBooks) -> None:
    payment = CreditCardPayment()
    payment.Amount = 100
    payment.BankAccountRef = Account.get("35", qb=books).to_ref()
    payment.CreditCardAccountRef = Account.get("42", qb=books).to_ref()
    payment.save(qb=books)
    before = Account.get("42", qb=books).CurrentBalance
    payment.Amount = 101
    payment.save(qb=books)
    assert CreditCardPayment.get(payment.Id, qb=books).Amount == 101
    assert Account.get("42", qb=books).CurrentBalance == before + 1


def test_what_is_not_equal_is_found(books: QuickBooks) -> None:
    found = Account.where("Classification = 'Asset' AND FullyQualifiedName != 'Accounts Receivable (A/R)'", qb=books)
    assert {account.Classification for account in found} == {"Asset"}
    assert "84" not in {account.Id for account in found}
