"""python-quickbooks and intuit-oauth drive the emulator unchanged but for the address."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import uuid4

import pytest
from intuitlib import config as intuit_config
from intuitlib import utils as intuit_utils
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    QuickbooksException,
    ValidationException,
)
from quickbooks.objects import Ref
from quickbooks.objects.account import Account
from quickbooks.objects.base import LinkedTxn
from quickbooks.objects.company_info import CompanyInfo
from quickbooks.objects.creditmemo import CreditMemo
from quickbooks.objects.customer import Customer
from quickbooks.objects.department import Department
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail
from quickbooks.objects.employee import Employee
from quickbooks.objects.invoice import Invoice
from quickbooks.objects.item import Item
from quickbooks.objects.journalentry import JournalEntry, JournalEntryLine, JournalEntryLineDetail
from quickbooks.objects.payment import Payment, PaymentLine
from quickbooks.objects.preferences import Preferences
from quickbooks.objects.trackingclass import Class
from quickbooks.objects.vendor import Vendor

from support.quickbooks_emulator import EmulatorProcess, emulator_process

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "5") as process:
        yield process


@pytest.fixture
def auth(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> AuthClient:
    addresses = dict.fromkeys(("sandbox", "production"), emulator["discovery_url"])
    monkeypatch.setattr(intuit_config, "DISCOVERY_URL", addresses)
    monkeypatch.setattr(intuit_utils, "DISCOVERY_URL", addresses)
    return AuthClient(
        client_id=emulator["client_id"],
        client_secret=emulator["client_secret"],
        redirect_uri="http://localhost:9999/callback",
        environment="sandbox",
    )


@pytest.fixture
def books(emulator: EmulatorProcess, auth: AuthClient, monkeypatch: pytest.MonkeyPatch) -> QuickBooks:
    # Its OAuth library insists on https unless told otherwise.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", emulator["base_url"] + "/v3")
    return QuickBooks(
        auth_client=auth,
        refresh_token=emulator["refresh_token"],
        company_id=emulator["realm_id"],
        minorversion=75,
    )


def unique(name: str) -> str:
    return f"{name} {uuid4().hex[:10]}"


def a_customer(books: QuickBooks) -> Customer:
    customer = Customer()
    customer.DisplayName = unique("Ann O'Lee")
    customer.CompanyName = "Lee & Söhne"
    return customer.save(qb=books)


def an_item(books: QuickBooks) -> Item:
    item = Item()
    item.Name = unique("Hours")
    item.Type = "Service"
    item.IncomeAccountRef = Account.get(1, qb=books).to_ref()
    return item.save(qb=books)


def a_line(item: Item, amount: float, **detail: float) -> SalesItemLine:
    line = SalesItemLine()
    line.Amount = amount
    line.Description = "Work"
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = item.to_ref()
    for name, value in detail.items():
        setattr(line.SalesItemLineDetail, name, value)
    return line


def an_invoice(customer: Customer, item: Item, *amounts: float) -> Invoice:
    invoice = Invoice()
    invoice.CustomerRef = customer.to_ref()
    invoice.Line = [a_line(item, amount) for amount in amounts]
    return invoice


def a_journal_entry(amount: float) -> JournalEntry:
    entry = JournalEntry()
    entry.DocNumber = unique("PR")
    entry.TxnDate = "2026-11-15"
    for side, account in (("Debit", "60"), ("Credit", "35")):
        line = JournalEntryLine()
        line.Amount = amount
        line.Description = "Wages"
        line.JournalEntryLineDetail = JournalEntryLineDetail()
        line.JournalEntryLineDetail.PostingType = side
        line.JournalEntryLineDetail.AccountRef = Ref()
        line.JournalEntryLineDetail.AccountRef.value = account
        entry.Line.append(line)
    return entry


def a_payment(customer: Customer, amount: float, applied: dict[str, tuple[str, float]]) -> Payment:
    payment = Payment()
    payment.CustomerRef = customer.to_ref()
    payment.TotalAmt = amount
    for identifier, (kind, part) in applied.items():
        line = PaymentLine()
        line.Amount = part
        link = LinkedTxn()
        link.TxnId, link.TxnType = identifier, kind
        line.LinkedTxn = [link]
        payment.Line.append(line)
    return payment


class Saved(Protocol):
    """Whatever python-quickbooks builds."""

    Id: str | None

    def save(self, qb: QuickBooks) -> "Saved": ...


def one_of_each(books: QuickBooks) -> dict[str, Saved]:
    customer, item = a_customer(books), an_item(books)
    vendor = Vendor()
    vendor.DisplayName = unique("Books by Bessie")
    employee = Employee()
    employee.GivenName, employee.FamilyName = unique("Bo"), "Ray"
    account = Account()
    account.Name, account.AccountType = unique("Clearing"), "Other Current Liability"
    account.AccountSubType = "PayrollClearing"
    tracked = Class()
    tracked.Name = unique("Class")
    department = Department()
    department.Name = unique("Department")
    memo = CreditMemo()
    memo.CustomerRef = customer.to_ref()
    memo.Line = [a_line(item, 4)]
    made: dict[str, Saved] = {"Customer": customer, "Item": item}
    others: list[Saved] = [
        vendor,
        employee,
        account,
        tracked,
        department,
        memo,
        an_invoice(customer, item, 10, 20),
        a_journal_entry(1000),
        a_payment(customer, 5, {}),
    ]
    for unsaved in others:
        made[type(unsaved).__name__] = unsaved.save(qb=books)
    return made


KINDS = {
    kind.__name__: kind
    for kind in (
        Account,
        Class,
        CreditMemo,
        Customer,
        Department,
        Employee,
        Invoice,
        Item,
        JournalEntry,
        Payment,
        Vendor,
    )
}


def test_consent_code_tokens_refresh_and_user_info(auth: AuthClient, emulator: EmulatorProcess) -> None:
    import requests

    url = auth.get_authorization_url([Scopes.ACCOUNTING], state_token="s1")
    sent_back = requests.get(url, allow_redirects=False, timeout=10).headers["Location"]
    parameters = dict(pair.split("=") for pair in sent_back.partition("?")[2].split("&"))
    assert parameters["state"] == "s1"
    assert emulator["realm_id"] == parameters["realmId"]
    auth.get_bearer_token(parameters["code"], realm_id=parameters["realmId"])
    assert auth.expires_in == 3600
    assert auth.x_refresh_token_expires_in == 8640000
    first = auth.refresh_token
    auth.refresh()
    assert first == auth.refresh_token
    assert auth.get_user_info().json()["email"] == "owner@example.com"
    with pytest.raises(AuthClientError) as refused:
        auth.get_bearer_token(parameters["code"])
    assert refused.value.status_code == 400
    emulator.ready["refresh_token"] = first


def test_rotation_after_a_day_kills_the_old_token(auth: AuthClient, emulator: EmulatorProcess) -> None:
    first = emulator["refresh_token"]
    emulator.control("/clock", {"advance_seconds": 86_400})
    auth.refresh(refresh_token=first)
    assert first != auth.refresh_token
    with pytest.raises(AuthClientError) as refused:
        auth.refresh(refresh_token=first)
    assert "invalid_grant" in str(refused.value.content)
    emulator.ready["refresh_token"] = auth.refresh_token


def test_a_wrong_secret_is_refused(auth: AuthClient, emulator: EmulatorProcess) -> None:
    auth.client_secret = "wrong"
    with pytest.raises(AuthClientError) as refused:
        auth.refresh(refresh_token=emulator["refresh_token"])
    assert refused.value.status_code == 401


def test_each_entity_is_created_read_and_queried(books: QuickBooks) -> None:
    made = one_of_each(books)
    assert set(KINDS) == set(made)
    for name, saved in made.items():
        read = KINDS[name].get(saved.Id, qb=books)
        assert saved.Id == read.Id
        found = KINDS[name].where(f"Id = '{saved.Id}'", qb=books)
        assert [saved.Id] == [one.Id for one in found]
        assert KINDS[name].count(qb=books) >= 1


def test_each_entity_is_updated_whole_and_sparsely(books: QuickBooks) -> None:
    for name, saved in one_of_each(books).items():
        whole = KINDS[name].get(saved.Id, qb=books)
        again = whole.save(qb=books)
        assert str(int(whole.SyncToken) + 1) == again.SyncToken, name
        assert getattr(whole, "TotalAmt", None) == getattr(again, "TotalAmt", None)
        text = "PrivateNote" if hasattr(again, "PrivateNote") else None
        body = {"Id": again.Id, "SyncToken": again.SyncToken, "sparse": True, **({text: "note"} if text else {})}
        path = f"{books.api_url}/company/{books.company_id}/{name.lower()}"
        import json

        sparse = books.post(path, json.dumps(body))[name]
        assert str(int(again.SyncToken) + 1) == sparse["SyncToken"]
        if text:
            assert sparse[text] == "note"


def test_a_stale_token_is_refused(books: QuickBooks) -> None:
    customer = a_customer(books)
    first = Customer.get(customer.Id, qb=books)
    customer.Notes = "one"
    customer.save(qb=books)
    first.Notes = "two"
    with pytest.raises(QuickbooksException) as refused:
        first.save(qb=books)
    assert refused.value.error_code == 5010


def test_duplicate_names_and_unknown_ids(books: QuickBooks) -> None:
    customer = a_customer(books)
    same = Vendor()
    same.DisplayName = customer.DisplayName.upper()
    with pytest.raises(QuickbooksException) as refused:
        same.save(qb=books)
    assert refused.value.error_code == 6240
    with pytest.raises(ObjectNotFoundException):
        Customer.get(99_999_999, qb=books)


def test_queries_page_count_filter_and_escape(books: QuickBooks) -> None:
    customer = a_customer(books)
    assert [customer.Id] == [one.Id for one in Customer.filter(DisplayName=customer.DisplayName, qb=books)]
    other = a_customer(books)
    chosen = Customer.choose([customer.DisplayName, other.DisplayName], field="DisplayName", qb=books)
    assert {customer.Id, other.Id} == {one.Id for one in chosen}
    total = Customer.count(qb=books)
    pages = [
        Customer.all(order_by="Id", start_position=start, max_results=2, qb=books) for start in range(1, total + 1, 2)
    ]
    ids = [one.Id for page in pages for one in page]
    assert total == len(ids) == len(set(ids))
    assert len(Item.all(qb=books)) >= 1 if Item.count(qb=books) else True
    with pytest.raises(ValidationException) as refused:
        Invoice.where("PrivateNote = 'x'", qb=books)
    assert refused.value.error_code == 4001


def test_batch_create_update_delete_with_an_item_fault(books: QuickBooks) -> None:
    customer, item = a_customer(books), an_item(books)
    good = [an_invoice(customer, item, 10.5 + number) for number in range(3)]
    bad = an_invoice(customer, item, 1)
    bad.CustomerRef.value = "99999999"
    result = batch_create([*good, bad], qb=books)
    assert [one.TotalAmt for one in result.successes] == [10.5, 11.5, 12.5]
    assert [fault.Error[0].code for fault in result.faults] == ["2500"]
    for one in result.successes:
        one.PrivateNote = "changed"
    updated = batch_update(result.successes, qb=books)
    assert [one.SyncToken for one in updated.successes] == ["1", "1", "1"]
    deleted = batch_delete(updated.successes, qb=books)
    assert len(deleted.successes) == 3
    assert len(deleted.faults) == 0


def test_payment_moves_the_invoice_and_its_void_moves_it_back(books: QuickBooks) -> None:
    customer, item = a_customer(books), an_item(books)
    invoice = an_invoice(customer, item, 100).save(qb=books)
    payment = a_payment(customer, 60, {invoice.Id: ("Invoice", 60)}).save(qb=books)
    paid = Invoice.get(invoice.Id, qb=books)
    assert (40, "1", [payment.Id]) == (paid.Balance, paid.SyncToken, [link.TxnId for link in paid.LinkedTxn])
    assert Customer.get(customer.Id, qb=books).Balance == 40
    payment.void(qb=books)
    assert Invoice.get(invoice.Id, qb=books).Balance == 100
    voided = Payment.get(payment.Id, qb=books)
    assert (voided.TotalAmt, voided.PrivateNote.startswith("Voided")) == (0, True)
    fresh = Invoice.get(invoice.Id, qb=books)
    fresh.void(qb=books)
    assert (Invoice.get(invoice.Id, qb=books).TotalAmt, Invoice.get(invoice.Id, qb=books).Balance) == (0, 0)


def test_deleted_documents_are_gone_and_show_in_change_data_capture(books: QuickBooks) -> None:
    customer, item = a_customer(books), an_item(books)
    invoice = an_invoice(customer, item, 7).save(qb=books)
    answer = invoice.delete(qb=books)
    assert answer["Invoice"]["status"] == "Deleted"
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(invoice.Id, qb=books)
    changed = change_data_capture([Invoice], YESTERDAY, qb=books)
    assert invoice.Id in [one.Id for one in changed.Invoice if getattr(one, "status", "") == "Deleted"]


def test_change_data_capture_of_all_eleven(books: QuickBooks) -> None:
    made = one_of_each(books)
    changed = change_data_capture(list(KINDS.values()), YESTERDAY, qb=books)
    for name, saved in made.items():
        assert saved.Id in [one.Id for one in getattr(changed, name)], name


def test_amounts_are_exact_with_decimals(emulator: EmulatorProcess, books: QuickBooks) -> None:
    books.use_decimal = True
    customer, item = a_customer(books), an_item(books)
    invoice = Invoice()
    invoice.CustomerRef = customer.to_ref()
    invoice.Line = [a_line(item, 0, UnitPrice=0, Qty=0)]
    invoice.Line[0].Amount = Decimal("83.13")
    invoice.Line[0].SalesItemLineDetail.Qty = Decimal(15)
    invoice.Line[0].SalesItemLineDetail.UnitPrice = Decimal("5.5419")
    saved = invoice.save(qb=books)
    # 15 x 5.5419 = 83.1285, half up 83.13.
    assert Decimal("83.13") == saved.TotalAmt
    wrong = Invoice()
    wrong.CustomerRef = customer.to_ref()
    wrong.Line = [a_line(item, 83.12, Qty=15, UnitPrice=5.5419)]
    with pytest.raises(QuickbooksException) as refused:
        wrong.save(qb=books)
    assert refused.value.error_code == 6070


def test_request_id_has_its_effect_once(books: QuickBooks, emulator: EmulatorProcess) -> None:
    customer, item = a_customer(books), an_item(books)
    key = uuid4().hex
    first = an_invoice(customer, item, 10).save(qb=books, request_id=key)
    second = an_invoice(customer, item, 10).save(qb=books, request_id=key)
    assert (first.Id, first.DocNumber) == (second.Id, second.DocNumber)
    effects = emulator.control("/journal")["effects"]
    assert isinstance(effects, list)
    assert sum(1 for effect in effects if isinstance(effect, dict) and effect["request_id"] == key) == 1


def test_company_info_and_preferences(books: QuickBooks) -> None:
    company = CompanyInfo.get(books.company_id, qb=books)
    assert (company.CompanyName, company.Country) == ("Sandbox Company", "US")
    assert False is Preferences.get(qb=books).SalesFormsPrefs.CustomTxnNumbers


def test_an_expired_access_token_is_refused(books: QuickBooks, emulator: EmulatorProcess) -> None:
    emulator.control("/oauth", {"expire_access": True})
    with pytest.raises(AuthorizationException):
        Customer.count(qb=books)


def test_webhook_signature_by_their_check(books: QuickBooks, emulator: EmulatorProcess) -> None:
    from counterfoil.quickbooks.emulator.notifications import signature

    body = '{"eventNotifications":[]}'
    assert books.validate_webhook_signature(
        body, signature(body.encode(), emulator["verifier_token"]), emulator["verifier_token"]
    )
