"""python-quickbooks buys, pays, deposits, transfers, estimates and clocks time in the emulator, unchanged."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.objects import Ref
from quickbooks.objects.attachable import Attachable
from quickbooks.objects.base import AttachableRef, LinkedTxn
from quickbooks.objects.bill import Bill
from quickbooks.objects.billpayment import BillPayment, BillPaymentLine, CheckPayment
from quickbooks.objects.customer import Customer
from quickbooks.objects.deposit import Deposit, DepositLine, DepositLineDetail
from quickbooks.objects.detailline import (
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    SalesItemLine,
    SalesItemLineDetail,
)
from quickbooks.objects.employee import Employee
from quickbooks.objects.estimate import Estimate
from quickbooks.objects.invoice import Invoice
from quickbooks.objects.item import Item
from quickbooks.objects.purchase import Purchase
from quickbooks.objects.purchaseorder import PurchaseOrder
from quickbooks.objects.refundreceipt import RefundReceipt
from quickbooks.objects.salesreceipt import SalesReceipt
from quickbooks.objects.timeactivity import TimeActivity
from quickbooks.objects.transfer import Transfer
from quickbooks.objects.vendor import Vendor
from quickbooks.objects.vendorcredit import VendorCredit

from support.quickbooks_emulator import EmulatorProcess, emulator_process

ADVERTISING, CHECKING, SAVINGS, SERVICES, PAYABLE = "7", "35", "36", "1", "33"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as process:
        yield process


@pytest.fixture
def books(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> QuickBooks:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", emulator["base_url"] + "/v3")
    monkeypatch.setattr("intuitlib.utils.DISCOVERY_URL", dict.fromkeys(("sandbox",), emulator["discovery_url"]))
    monkeypatch.setattr("intuitlib.config.DISCOVERY_URL", dict.fromkeys(("sandbox",), emulator["discovery_url"]))
    auth = AuthClient(
        client_id=emulator["client_id"],
        client_secret=emulator["client_secret"],
        redirect_uri="http://localhost:9999/callback",
        environment="sandbox",
    )
    return QuickBooks(
        auth_client=auth, refresh_token=emulator["refresh_token"], company_id=emulator["realm_id"], minorversion=75
    )


def to(identifier: str, kind: str | None = None) -> Ref:
    reference = Ref()
    reference.value = identifier
    if kind is not None:
        reference.type = kind
    return reference


def a_vendor(books: QuickBooks) -> Vendor:
    vendor = Vendor()
    vendor.DisplayName = f"Bob's Burgers {uuid4().hex[:8]}"
    return vendor.save(qb=books)


def an_expense(amount: float) -> AccountBasedExpenseLine:
    line = AccountBasedExpenseLine()
    line.Amount = amount
    line.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
    line.AccountBasedExpenseLineDetail.AccountRef = to(ADVERTISING)
    return line


def a_sale(books: QuickBooks, kind: type[Any], amount: float) -> Any:
    customer = Customer()
    customer.DisplayName = f"Ann {uuid4().hex[:8]}"
    item = Item()
    item.Name, item.Type, item.IncomeAccountRef = f"Hours {uuid4().hex[:8]}", "Service", to(SERVICES)
    line = SalesItemLine()
    line.Amount = amount
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = item.save(qb=books).to_ref()
    sale = kind()
    sale.CustomerRef = customer.save(qb=books).to_ref()
    sale.Line = [line]
    return sale


def test_a_bill_and_a_credit_are_paid(books: QuickBooks) -> None:
    vendor = a_vendor(books)
    bill, credit = Bill(), VendorCredit()
    for document, amount in ((bill, 50), (credit, 20)):
        document.VendorRef = vendor.to_ref()
        document.Line = [an_expense(amount)]
        document.save(qb=books)
    billed = Bill.get(bill.Id, qb=books)
    assert (billed.TotalAmt, billed.Balance) == (50, 50)
    payment = BillPayment()
    payment.VendorRef, payment.PayType, payment.TotalAmt = vendor.to_ref(), "Check", 30
    payment.CheckPayment = CheckPayment()
    payment.CheckPayment.BankAccountRef = to(CHECKING)
    for document, amount in ((bill, 50), (credit, 20)):
        line, link = BillPaymentLine(), LinkedTxn()
        link.TxnId, link.TxnType = document.Id, type(document).__name__
        line.Amount, line.LinkedTxn = amount, [link]
        payment.Line.append(line)
    payment = payment.save(qb=books)
    assert Bill.get(bill.Id, qb=books).Balance == 0
    assert Vendor.get(vendor.Id, qb=books).Balance == 0
    payment.void(qb=books)
    assert Bill.get(bill.Id, qb=books).Balance == 50
    assert [found.Id for found in Bill.where(f"VendorRef = '{vendor.Id}'", qb=books)] == [bill.Id]
    Bill.get(bill.Id, qb=books).delete(qb=books)
    assert Vendor.get(vendor.Id, qb=books).Balance == -20


def test_a_purchase_an_order_and_a_bill_to_it(books: QuickBooks) -> None:
    vendor = a_vendor(books)
    purchase = Purchase()
    purchase.PaymentType, purchase.AccountRef = "Cash", to(CHECKING)
    purchase.EntityRef = to(str(vendor.Id), "Vendor")
    purchase.Line = [an_expense(9.5)]
    purchase = purchase.save(qb=books)
    assert (purchase.TotalAmt, purchase.EntityRef.type) == (9.5, "Vendor")
    order = PurchaseOrder()
    order.VendorRef, order.APAccountRef, order.Line = vendor.to_ref(), to(PAYABLE), [an_expense(12)]
    order = order.save(qb=books)
    assert (order.TotalAmt, order.POStatus) == (12, "Open")


def test_money_is_deposited_and_transferred(books: QuickBooks) -> None:
    deposit, line = Deposit(), DepositLine()
    line.Amount, line.DepositLineDetail = 9, DepositLineDetail()
    line.DepositLineDetail.AccountRef = to(SERVICES)
    deposit.DepositToAccountRef, deposit.Line = to(CHECKING), [line]
    assert deposit.save(qb=books).TotalAmt == 9
    transfer = Transfer()
    transfer.FromAccountRef, transfer.ToAccountRef, transfer.Amount = to(CHECKING), to(SAVINGS), 4
    transfer = transfer.save(qb=books)
    assert Transfer.get(transfer.Id, qb=books).Amount == 4
    transfer.delete(qb=books)


def test_sales_at_once_refunds_and_estimates(books: QuickBooks) -> None:
    receipt = a_sale(books, SalesReceipt, 10).save(qb=books)
    assert (receipt.TotalAmt, receipt.Balance) == (10, 0)
    receipt.void(qb=books)
    assert SalesReceipt.get(receipt.Id, qb=books).TotalAmt == 0
    refund = a_sale(books, RefundReceipt, 3)
    refund.DepositToAccountRef = to(CHECKING)
    assert refund.save(qb=books).TotalAmt == 3
    estimate = a_sale(books, Estimate, 8).save(qb=books)
    assert (estimate.TotalAmt, estimate.TxnStatus) == (8, "Pending")


def test_time_is_clocked(books: QuickBooks) -> None:
    employee = Employee()
    employee.GivenName, employee.FamilyName = f"Bo {uuid4().hex[:8]}", "Ray"
    employee.save(qb=books)
    time = TimeActivity()
    time.NameOf, time.EmployeeRef, time.TxnDate = "Employee", employee.to_ref(), "2026-11-15"
    time.Hours, time.Minutes = 8, 0
    time.save(qb=books)
    found = TimeActivity.filter(EmployeeRef=employee.Id, qb=books)
    assert [(one.Id, one.Hours) for one in found] == [(time.Id, 8)]


def test_a_file_a_page_and_a_letter(books: QuickBooks, emulator: EmulatorProcess) -> None:
    invoice = a_sale(books, Invoice, 10).save(qb=books)
    attachable = Attachable()
    attachable.AttachableRef = [AttachableRef()]
    attachable.AttachableRef[0].EntityRef = invoice.to_ref()
    attachable.FileName, attachable.ContentType = "contract.txt", "text/plain"
    attachable._FileBytes = b"signed \xe2\x9c\x93"
    saved = attachable.save(qb=books)
    assert (saved.FileName, saved.Size) == ("contract.txt", 10)
    found = Attachable.get(saved.Id, qb=books)
    assert found.AttachableRef[0].EntityRef.value == invoice.Id
    assert requests.get(saved.TempDownloadUri, timeout=10).content == b"signed \xe2\x9c\x93"
    assert books.download_pdf("Invoice", invoice.Id).startswith(b"%PDF-")
    invoice.send(qb=books, send_to="ann@example.com")
    assert Invoice.get(invoice.Id, qb=books).EmailStatus == "EmailSent"


def test_reports_show_what_was_just_sold(books: QuickBooks) -> None:
    before = _income(books.get_report("ProfitAndLoss"))
    a_sale(books, Invoice, 123.45).save(qb=books)
    assert round(_income(books.get_report("ProfitAndLoss")) - before, 2) == 123.45
    (*_, total) = books.get_report("TrialBalance")["Rows"]["Row"]
    debit, credit = (cell["value"] for cell in total["Summary"]["ColData"][1:])
    assert debit == credit


def _income(report: Any) -> float:
    net = next(row for row in report["Rows"]["Row"] if row.get("group") == "NetIncome")
    return float(net["Summary"]["ColData"][1]["value"])
