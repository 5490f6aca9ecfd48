"""What is bought, paid, moved between accounts, and worked: figures by hand, and a ledger that always balances."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator.values import ZERO, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_company import Company, allowed_to_refuse, line

ADVERTISING, OFFICE, CHECKING, SAVINGS, VISA, PAYABLE = "7", "15", "35", "36", "42", "33"


def expense(account: str, amount: str) -> JsonObject:
    detail: JsonObject = {"AccountRef": {"value": account}}
    return {
        "Amount": Decimal(amount),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    }


def vendor(company: Company, name: str = "Bob's Burgers") -> str:
    return as_text(company.write("Vendor", {"DisplayName": name})["Id"])


def bill(company: Company, who: str, *amounts: str, entity: str = "Bill") -> str:
    lines: list[JsonValue] = [expense(ADVERTISING, amount) for amount in amounts]
    return as_text(company.write(entity, {"VendorRef": {"value": who}, "Line": lines})["Id"])


def pay(company: Company, who: str, total: str, *links: tuple[str, str, str]) -> JsonObject:
    lines: list[JsonValue] = [
        {"Amount": Decimal(amount), "LinkedTxn": [{"TxnId": number, "TxnType": kind}]} for kind, number, amount in links
    ]
    means: JsonObject = {"BankAccountRef": {"value": CHECKING}}
    body: JsonObject = {"VendorRef": {"value": who}, "TotalAmt": Decimal(total), "PayType": "Check", "Line": lines}
    return company.write("BillPayment", {**body, "CheckPayment": means})


def test_a_bill_is_owed_until_it_is_paid() -> None:
    company = Company()
    who = vendor(company)
    number = bill(company, who, "50.00", "25.50")
    assert company.shown("Bill", number)["TotalAmt"] == Decimal("75.50")
    assert company.books.ledger.account(PAYABLE) == Decimal("-75.50")
    payment = pay(company, who, "60.00", ("Bill", number, "60.00"))
    shown = company.shown("Bill", number)
    assert shown["Balance"] == Decimal("15.50")
    assert shown["SyncToken"] == "1"
    assert shown["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "BillPaymentCheck"}]
    assert company.shown("Vendor", who)["Balance"] == Decimal("15.50")
    assert company.books.ledger.account(CHECKING) == Decimal("-60.00")
    company.write("BillPayment", company.handle("BillPayment", as_text(payment["Id"])), "void", "void")
    assert company.shown("Bill", number)["Balance"] == Decimal("75.50")
    assert company.books.ledger.account(CHECKING) == ZERO


def test_a_credit_of_the_vendor_pays_part_of_a_bill() -> None:
    company = Company()
    who = vendor(company)
    number, credit = bill(company, who, "100.00"), bill(company, who, "30.00", entity="VendorCredit")
    pay(company, who, "70.00", ("Bill", number, "100.00"), ("VendorCredit", credit, "30.00"))
    assert company.shown("Bill", number)["Balance"] == ZERO
    assert company.shown("VendorCredit", credit)["Balance"] == ZERO
    assert company.books.ledger.account(PAYABLE) == ZERO
    assert company.books.ledger.account(ADVERTISING) == Decimal("70.00")


def test_what_is_wrong_with_a_payment_of_bills_is_said() -> None:
    company = Company()
    who, other = vendor(company), vendor(company, "Another")
    number = bill(company, who, "10.00")
    means: JsonObject = {"BankAccountRef": {"value": CHECKING}}
    link: JsonObject = {"Amount": 10, "LinkedTxn": [{"TxnId": number, "TxnType": "Bill"}]}
    body: JsonObject = {"VendorRef": {"value": who}, "TotalAmt": 10, "PayType": "Check", "CheckPayment": means}
    assert company.refused("BillPayment", {**body, "Line": []}).code == "2020"
    assert company.refused("BillPayment", {**body, "PayType": "Cash", "Line": [link]}).code == "2170"
    assert company.refused("BillPayment", {**body, "VendorRef": {"value": other}, "Line": [link]}).code == "620"
    assert company.refused("BillPayment", {**body, "TotalAmt": 9, "Line": [link]}).code == "6000"
    assert company.refused("BillPayment", {**body, "Line": [{**link, "Amount": 11}]}).code == "6000"
    wrong: JsonObject = {"BankAccountRef": {"value": VISA}}
    assert company.refused("BillPayment", {**body, "CheckPayment": wrong, "Line": [link]}).code == "6430"


def test_a_purchase_is_paid_at_once_and_a_refund_turns_it_round() -> None:
    company = Company()
    body: JsonObject = {"PaymentType": "CreditCard", "AccountRef": {"value": VISA}, "Line": [expense(OFFICE, "9.99")]}
    company.write("Purchase", body)
    assert company.books.ledger.account(VISA) == Decimal("-9.99")
    company.write("Purchase", {**body, "Credit": True})
    assert company.books.ledger.account(VISA) == ZERO
    assert company.books.ledger.account(OFFICE) == ZERO
    assert company.refused("Purchase", {**body, "PaymentType": "Check"}).code == "6430"


def test_money_moves_between_accounts() -> None:
    company = Company()
    transfer: JsonObject = {"FromAccountRef": {"value": CHECKING}, "ToAccountRef": {"value": SAVINGS}, "Amount": 20}
    company.write("Transfer", transfer)
    assert (company.books.ledger.account(CHECKING), company.books.ledger.account(SAVINGS)) == (
        Decimal(-20),
        Decimal(20),
    )
    detail: JsonObject = {"AccountRef": {"value": "1"}}
    lines: list[JsonValue] = [{"Amount": 9, "DetailType": "DepositLineDetail", "DepositLineDetail": detail}]
    company.write("Deposit", {"DepositToAccountRef": {"value": CHECKING}, "Line": lines})
    assert (company.books.ledger.account(CHECKING), company.books.ledger.account("1")) == (Decimal(-11), Decimal(-9))
    assert company.refused("Transfer", {**transfer, "ToAccountRef": {"value": CHECKING}}).code == "6000"


def test_payments_wait_undeposited_until_they_are_deposited() -> None:
    company = Company()
    who, item = company.customer(), company.item()
    company.invoice(who, [line(item, "40.00")])
    payment = company.payment(who, "40.00", [{"Amount": 40, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}])
    assert company.books.ledger.account("4") == Decimal("40.00")
    link: JsonObject = {"TxnId": payment["Id"], "TxnType": "Payment"}
    lines: list[JsonValue] = [{"Amount": 40, "LinkedTxn": [link]}]
    company.write("Deposit", {"DepositToAccountRef": {"value": CHECKING}, "Line": lines})
    assert (company.books.ledger.account("4"), company.books.ledger.account(CHECKING)) == (ZERO, Decimal(40))


def test_sales_paid_at_once_refunds_and_estimates() -> None:
    company = Company()
    who, item = company.customer(), company.item()
    sale: JsonObject = {"CustomerRef": {"value": who}, "Line": [line(item, "10.00")]}
    receipt = company.write("SalesReceipt", sale)
    assert (receipt["Balance"], company.books.ledger.account("4")) == (ZERO, Decimal(10))
    estimate = company.write("Estimate", sale)
    assert (estimate["TxnStatus"], company.books.ledger.account("1")) == ("Pending", Decimal(-10))
    refund: JsonObject = {"DepositToAccountRef": {"value": CHECKING}, "Line": [line(item, "3.00")]}
    company.write("RefundReceipt", refund)
    assert (company.books.ledger.account(CHECKING), company.books.ledger.account("1")) == (Decimal(-3), Decimal(-7))
    made_from: JsonObject = {"TxnId": estimate["Id"], "TxnType": "Estimate"}
    invoice = company.write("Invoice", {**sale, "LinkedTxn": [made_from]})
    assert invoice["LinkedTxn"] == [made_from]
    company.write("SalesReceipt", company.handle("SalesReceipt", as_text(receipt["Id"])), "void", "void")
    assert company.books.ledger.account("4") == ZERO


def test_time_needs_a_worker_and_a_length() -> None:
    company = Company()
    worker = as_text(company.write("Employee", {"GivenName": "Bo"})["Id"])
    body: JsonObject = {"NameOf": "Employee", "EmployeeRef": {"value": worker}, "Hours": 8, "Minutes": 30}
    assert company.write("TimeActivity", body)["BillableStatus"] == "NotBillable"
    assert company.refused("TimeActivity", {"NameOf": "Employee", "EmployeeRef": {"value": worker}}).code == "2020"
    assert company.refused("TimeActivity", {**body, "NameOf": "Vendor"}).code == "2020"
    assert company.refused("TimeActivity", {**body, "Minutes": 60}).code == "6310"
    assert company.refused("TimeActivity", {**body, "BillableStatus": "Billable"}).code == "2020"


STEPS = st.sampled_from(["bill", "credit", "pay", "use", "void", "delete", "raise", "purchase"])
AMOUNTS = st.decimals("0.01", "500", places=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(STEPS, AMOUNTS), max_size=25))
def test_whatever_is_bought_and_paid_the_ledger_balances(steps: list[tuple[str, Decimal]]) -> None:
    company = Company()
    who = vendor(company)
    for kind, amount in steps:
        with allowed_to_refuse("6000", "610", "2020"):
            do(company, who, kind, str(amount))
    ledger = company.books.ledger
    assert sum(ledger.accounts().values(), ZERO) == ZERO
    owed = company.shown("Vendor", who)["Balance"]
    assert -ledger.account(PAYABLE) == owed
    for entity in ("Bill", "VendorCredit"):
        for row in company.books.tables.table(entity).rows.values():
            balance, total = row.body["Balance"], row.body["TotalAmt"]
            assert isinstance(balance, Decimal)
            assert isinstance(total, Decimal)
            assert ZERO <= balance <= total


def latest(company: Company, entity: str) -> str:
    return next(reversed(company.books.tables.table(entity).rows), "1")


def do(company: Company, who: str, kind: str, amount: str) -> None:
    match kind:
        case "bill":
            bill(company, who, amount)
        case "credit":
            bill(company, who, amount, entity="VendorCredit")
        case "pay":
            pay(company, who, amount, ("Bill", latest(company, "Bill"), amount))
        case "use":
            links = ("Bill", latest(company, "Bill"), amount), ("VendorCredit", latest(company, "VendorCredit"), amount)
            pay(company, who, "0", *links)
        case "void":
            company.write("BillPayment", company.handle("BillPayment", latest(company, "BillPayment")), "void", "void")
        case "delete":
            company.write("Bill", company.handle("Bill", latest(company, "Bill")), "delete")
        case "raise":
            handle = company.handle("Bill", latest(company, "Bill"))
            body: JsonObject = {**handle, "sparse": True, "Line": [expense(OFFICE, amount)]}
            company.write("Bill", body, "update")
        case _:
            body = {"PaymentType": "Cash", "AccountRef": {"value": CHECKING}, "Line": [expense(OFFICE, amount)]}
            company.write("Purchase", body)
