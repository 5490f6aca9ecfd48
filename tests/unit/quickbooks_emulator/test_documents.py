"""Invoices, credit memos, payments and journal entries: amounts, links, tokens, and a ledger that balances."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Company, allowed_to_refuse, applied, line, posting

AMOUNTS = st.integers(1, 100_000).map(lambda number: Decimal(number) / 100)


@pytest.fixture
def company() -> Company:
    made = Company()
    made.customer()
    made.item()
    return made


def lines_of(document: JsonObject) -> list[JsonObject]:
    return [as_object(member) for member in as_list(document["Line"])]


@pytest.mark.parametrize(
    ("asked", "kind", "subtype", "classification"),
    [
        ({"AccountSubType": "OtherPrimaryIncome"}, "Income", "OtherPrimaryIncome", "Revenue"),
        ({"AccountSubType": "Auto"}, "Expense", "Auto", "Expense"),
        ({"AccountSubType": "AccumulatedDepreciation"}, "Fixed Asset", "AccumulatedDepreciation", "Asset"),
        ({"AccountSubType": "CostOfLaborCos"}, "Cost of Goods Sold", "CostOfLaborCos", "Expense"),
        ({"AccountType": "Bank"}, "Bank", "Checking", "Asset"),
        ({"AccountType": "Equity", "AccountSubType": "OwnersEquity"}, "Equity", "OwnersEquity", "Equity"),
    ],
)
def test_an_account_is_made_by_its_type_or_its_sub_type(
    company: Company, asked: JsonObject, kind: str, subtype: str, classification: str
) -> None:
    made = company.write("Account", {"Name": "Another", **asked})
    assert (made["AccountType"], made["AccountSubType"], made["Classification"]) == (kind, subtype, classification)


def test_an_invoice_has_line_ids_a_subtotal_a_number_and_a_balance(company: Company) -> None:
    invoice = company.invoice("1", [line("1", "10.00"), line("1", "2.50", Qty="5", UnitPrice="0.5")])
    assert [member.get("Id") for member in lines_of(invoice)] == ["1", "2", None]
    assert {"Amount": Decimal("12.50"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}} == lines_of(
        invoice
    )[2]
    assert ("1001", "0", Decimal("12.50"), Decimal("12.50")) == (
        invoice["DocNumber"],
        invoice["SyncToken"],
        invoice["TotalAmt"],
        invoice["Balance"],
    )


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "code"),
    [
        ("15", "5.5419", "83.13", ""),
        ("15", "5.5419", "83.12", "6070"),
        ("3", "0.335", "1.01", ""),
        ("3", "0.335", "1.00", "6070"),
        ("1", "10", "10.005", "6070"),
        ("0", "0", "10.00", ""),
        ("0", "10", "10.00", "6070"),
    ],
)
def test_amount_is_quantity_times_price_half_up(
    company: Company, quantity: str, price: str, amount: str, code: str
) -> None:
    body: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [line("1", amount, Qty=quantity, UnitPrice=price)]}
    if code:
        assert code == company.refused("Invoice", body).code
    else:
        assert Decimal(amount) == company.write("Invoice", body)["TotalAmt"]


def test_discounts_and_tax(company: Company) -> None:
    percent: JsonObject = {
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": Decimal("12.5")},
    }
    invoice = company.invoice(
        "1", [line("1", "33.33"), line("1", "0.05"), percent], TxnTaxDetail={"TotalTax": Decimal("1.10")}
    )
    # 12.5 % of 33.38 is 4.1725.
    assert Decimal("33.38") - Decimal("4.17") + Decimal("1.10") == invoice["TotalAmt"]
    ledger = company.books.ledger
    assert [Decimal("30.31"), Decimal("-33.38"), Decimal("4.17"), Decimal("-1.10")] == [
        ledger.account(account) for account in ("84", "1", "86", "90")
    ]


def test_a_sparse_update_keeps_what_it_does_not_name(company: Company) -> None:
    invoice = company.invoice("1", [line("1", "10.00")], PrivateNote="ours", DueDate="2026-12-01")
    sparse: JsonObject = {"Id": invoice["Id"], "SyncToken": "0", "sparse": True, "DueDate": "2026-12-24"}
    updated = company.write("Invoice", sparse, "update")
    assert ("1", "ours", "2026-12-24", invoice["Line"]) == (
        updated["SyncToken"],
        updated["PrivateNote"],
        updated["DueDate"],
        updated["Line"],
    )


def test_a_blank_in_a_sparse_update_clears_the_property(company: Company) -> None:
    invoice = company.invoice("1", [line("1", "10.00")], PrivateNote="ours", DueDate="2026-12-01")
    sparse: JsonObject = {"Id": invoice["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "", "DueDate": None}
    updated = company.write("Invoice", sparse, "update")
    # Without a due date the terms give one: thirty days from the day of the invoice.
    assert ("PrivateNote" in updated, updated["DueDate"] == "2026-12-01") == (False, False)


def test_a_full_update_blanks_what_it_leaves_out(company: Company) -> None:
    invoice = company.invoice("1", [line("1", "10.00")], PrivateNote="ours", DocNumber="A-1")
    whole: JsonObject = {
        "Id": invoice["Id"],
        "SyncToken": 0,
        "CustomerRef": {"value": "1"},
        "Line": [line("1", "11.00")],
        "TotalAmt": 99,
    }
    updated = company.write("Invoice", whole, "update")
    assert ("PrivateNote" in updated, "DocNumber" in updated, Decimal("11.00")) == (False, False, updated["TotalAmt"])
    missing: JsonObject = {"Id": invoice["Id"], "SyncToken": "1", "Line": [line("1", "11.00")]}
    fault = company.refused("Invoice", missing, "update")
    assert (fault.code, fault.element) == ("2020", "CustomerRef")


def test_sent_lines_replace_all_and_keep_their_ids(company: Company) -> None:
    invoice = company.invoice("1", [line("1", "1.00"), line("1", "2.00"), line("1", "3.00")])
    third: JsonObject = {**lines_of(invoice)[2]}
    sparse: JsonObject = {"Id": "1", "SyncToken": "0", "sparse": True, "Line": [third, line("1", "4.00")]}
    updated = company.write("Invoice", sparse, "update")
    assert [("3", Decimal("3.00")), ("4", Decimal("4.00"))] == [
        (member["Id"], member["Amount"]) for member in lines_of(updated)[:-1]
    ]
    unknown: JsonObject = {"Id": "1", "SyncToken": "1", "sparse": True, "Line": [{**third, "Id": "9"}]}
    assert company.refused("Invoice", unknown, "update").code == "2030"
    twice: JsonObject = {"Id": "1", "SyncToken": "1", "sparse": True, "Line": [third, third]}
    assert company.refused("Invoice", twice, "update").code == "2030"


def test_a_payment_moves_balance_token_and_links(company: Company) -> None:
    company.invoice("1", [line("1", "100.00")])
    company.invoice("1", [line("1", "50.00")])
    payment = company.payment("1", "130.00", [applied("Invoice", "1", "100.00"), applied("Invoice", "2", "20.00")])
    assert Decimal("10.00") == payment["UnappliedAmt"]
    first, second = company.shown("Invoice", "1"), company.shown("Invoice", "2")
    assert [(Decimal("0.00"), "1"), (Decimal("30.00"), "1")] == [
        (invoice["Balance"], invoice["SyncToken"]) for invoice in (first, second)
    ]
    assert [{"TxnId": payment["Id"], "TxnType": "Payment"}] == first["LinkedTxn"]
    # 150 invoiced, 130 received.
    assert Decimal("20.00") == company.shown("Customer", "1")["Balance"]
    effects = [(effect.operation, effect.entity, effect.id, effect.caused_by) for effect in company.books.journal]
    cause = effects.index(("create", "Payment", as_text(payment["Id"]), None)) + 1
    assert [("linked", "Invoice", "1", cause), ("linked", "Invoice", "2", cause)] == effects[-2:]


def test_a_deleted_payment_gives_everything_back(company: Company) -> None:
    company.invoice("1", [line("1", "100.00")])
    payment = company.payment("1", "60.00", [applied("Invoice", "1", "60.00")])
    company.write("Payment", company.handle("Payment", as_text(payment["Id"])), "delete")
    invoice = company.shown("Invoice", "1")
    assert (Decimal("100.00"), "2", []) == (invoice["Balance"], invoice["SyncToken"], invoice["LinkedTxn"])
    assert Decimal("100.00") == company.books.ledger.account("84")
    assert Decimal(0) == company.books.ledger.account("4")


def test_a_deleted_or_voided_invoice_leaves_its_payment_unapplied(company: Company) -> None:
    operations = ("delete", "void")
    for number, operation in enumerate(operations, start=1):
        invoice = as_text(company.invoice("1", [line("1", "100.00")])["Id"])
        payment = as_text(company.payment("1", "60.00", [applied("Invoice", invoice, "60.00")])["Id"])
        company.write("Invoice", company.handle("Invoice", invoice), "delete" if operation == "delete" else "void")
        shown = company.shown("Payment", payment)
        assert (Decimal("60.00"), [], "1") == (shown["UnappliedAmt"], shown["Line"], shown["SyncToken"])
        assert Decimal(-60 * number) == company.shown("Customer", "1")["Balance"]


def test_a_void_keeps_the_record_at_zero(company: Company) -> None:
    invoice = company.invoice("1", [line("1", "10.00", Qty="2", UnitPrice="5")], PrivateNote="run 7")
    voided = company.write("Invoice", {"Id": invoice["Id"], "SyncToken": "0"}, "void")
    assert (Decimal(0), Decimal(0), "Voided - run 7", "1") == (
        voided["TotalAmt"],
        voided["Balance"],
        voided["PrivateNote"],
        voided["SyncToken"],
    )
    assert Decimal(0) == company.books.ledger.account("1")
    assert company.refused("JournalEntry", {"Id": "1", "SyncToken": "0"}, "void").code == "500"


def test_a_credit_memo_settles_an_invoice_through_a_payment_of_nothing(company: Company) -> None:
    company.invoice("1", [line("1", "100.00")])
    memo = company.write("CreditMemo", {"CustomerRef": {"value": "1"}, "Line": [line("1", "30.00")]})
    assert (Decimal("30.00"), Decimal("70.00")) == (memo["RemainingCredit"], company.shown("Customer", "1")["Balance"])
    both = [applied("Invoice", "1", "30.00"), applied("CreditMemo", as_text(memo["Id"]), "30.00")]
    payment = company.payment("1", "0", both)
    assert (Decimal(0), Decimal(0)) == (payment["TotalAmt"], payment["UnappliedAmt"])
    assert Decimal("70.00") == company.shown("Invoice", "1")["Balance"]
    assert Decimal(0) == company.shown("CreditMemo", as_text(memo["Id"]))["RemainingCredit"]
    assert Decimal("70.00") == company.shown("Customer", "1")["Balance"]


def test_a_changed_payment_moves_only_what_it_touches(company: Company) -> None:
    for amount in ("10.00", "20.00", "30.00"):
        company.invoice("1", [line("1", amount)])
    paid = company.payment("1", "30.00", [applied("Invoice", "1", "10.00"), applied("Invoice", "2", "20.00")])
    body: JsonObject = {
        **company.handle("Payment", as_text(paid["Id"])),
        "CustomerRef": {"value": "1"},
        "TotalAmt": 30,
        "Line": [applied("Invoice", "2", "20.00"), applied("Invoice", "3", "10.00")],
    }
    company.write("Payment", body, "update")
    assert [(Decimal("10.00"), "2"), (Decimal("0.00"), "1"), (Decimal("20.00"), "1")] == [
        (company.shown("Invoice", number)["Balance"], company.shown("Invoice", number)["SyncToken"])
        for number in ("1", "2", "3")
    ]


def test_an_invoice_lowered_below_what_was_paid_releases_the_surplus(company: Company) -> None:
    company.invoice("1", [line("1", "100.00")])
    payment = company.payment("1", "100.00", [applied("Invoice", "1", "100.00")])
    sparse: JsonObject = {**company.handle("Invoice", "1"), "sparse": True, "Line": [line("1", "40.00")]}
    assert Decimal(0) == company.write("Invoice", sparse, "update")["Balance"]
    assert Decimal("60.00") == company.shown("Payment", as_text(payment["Id"]))["UnappliedAmt"]
    assert Decimal("-60.00") == company.shown("Customer", "1")["Balance"]


def test_what_a_payment_may_not_do(company: Company) -> None:
    company.invoice("1", [line("1", "100.00")])
    company.customer("Bo Ray")

    def code(amount: str, *lines: JsonObject, customer: str = "1") -> str:
        body: JsonObject = {"CustomerRef": {"value": customer}, "TotalAmt": Decimal(amount), "Line": [*lines]}
        return company.refused("Payment", body).code

    assert code("200", applied("Invoice", "1", "100.01")) == "6000"
    assert code("99.99", applied("Invoice", "1", "100.00")) == "6000"
    assert code("10", applied("Invoice", "1", "10.00"), customer="2") == "620"
    assert code("10", applied("Invoice", "77", "10.00")) == "610"
    assert code("10", applied("Bill", "1", "10.00")) == "620"
    assert code("10", applied("Invoice", "1", "-10.00")) == "2290"
    assert code("10", {"Amount": 10}) == "2020"
    assert company.refused("Payment", {"CustomerRef": {"value": "1"}}).code == "2020"


def test_a_journal_entry_starts_its_lines_at_0_and_totals_0(company: Company) -> None:
    entry = company.write("JournalEntry", {"Line": [posting("Debit", "60", "10.00"), posting("Credit", "35", "10.00")]})
    assert ([member["Id"] for member in lines_of(entry)], entry["TotalAmt"], entry.get("DocNumber")) == (
        ["0", "1"],
        0,
        None,
    )
    assert Decimal("-10.00") == company.shown("Account", "35")["CurrentBalance"]
    assert Decimal(0) == company.shown("Account", "60")["CurrentBalance"]


def test_what_a_journal_entry_may_not_be(company: Company) -> None:
    def code(*lines: JsonObject) -> str:
        return company.refused("JournalEntry", {"Line": [*lines]}).code

    assert code(posting("Debit", "60", "10.00"), posting("Credit", "35", "9.99")) == "2300"
    assert code(posting("Debit", "60", "10.00")) == "2300"
    assert code(posting("Debit", "60", "-10.00"), posting("Credit", "35", "-10.00")) == "2290"
    assert code(posting("", "60", "10.00"), posting("Credit", "35", "10.00")) == "2260"
    assert code(posting("Both", "60", "10.00"), posting("Credit", "35", "10.00")) == "2170"
    assert code(posting("Debit", "6000", "10.00"), posting("Credit", "35", "10.00")) == "2500"
    assert code(posting("Debit", "84", "10.00"), posting("Credit", "35", "10.00")) == "6000"
    assert code() == "2250"
    customer: JsonObject = {"Type": "Customer", "EntityRef": {"value": "1"}}
    company.write("JournalEntry", {"Line": [posting("Debit", "84", "1", customer), posting("Credit", "35", "1")]})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["invoice", "pay", "memo", "delete", "void", "raise"]), AMOUNTS), max_size=25)
)
def test_whatever_happens_the_ledger_balances(steps: list[tuple[str, Decimal]]) -> None:
    company = Company()
    company.customer()
    company.item()
    for kind, amount in steps:
        with allowed_to_refuse("6000", "610"):
            do(company, kind, amount)
    assert Decimal(0) == sum(company.books.ledger.accounts().values(), Decimal(0))
    # What the customer owes is what the receivable account holds, and what its documents add up to.
    assert company.books.ledger.account("84") == company.books.ledger.party("1") == open_amounts(company)
    for row in company.books.tables.table("Invoice").rows.values():
        balance = as_decimal(row.body["Balance"])
        assert Decimal(0) <= balance <= as_decimal(row.body["TotalAmt"])


def do(company: Company, kind: str, amount: Decimal) -> None:
    invoices = list(company.books.tables.table("Invoice").rows)
    latest = invoices[-1] if invoices else "1"
    match kind:
        case "invoice":
            company.invoice("1", [line("1", str(amount))])
        case "memo":
            company.write("CreditMemo", {"CustomerRef": {"value": "1"}, "Line": [line("1", str(amount))]})
        case "pay":
            company.payment("1", str(amount), [applied("Invoice", latest, str(amount / 2 + Decimal("0.01")))])
        case "raise":
            sparse: JsonObject = {**company.handle("Invoice", latest), "sparse": True, "Line": [line("1", str(amount))]}
            company.write("Invoice", sparse, "update")
        case "delete":
            company.write("Invoice", company.handle("Invoice", latest), "delete")
        case _:
            payments = list(company.books.tables.table("Payment").rows)
            if payments:
                company.write("Payment", company.handle("Payment", payments[0]), "void")


def open_amounts(company: Company) -> Decimal:
    tables = company.books.tables
    invoices = sum((as_decimal(row.body["Balance"]) for row in tables.table("Invoice").rows.values()), Decimal(0))
    memos = sum((as_decimal(row.body["Balance"]) for row in tables.table("CreditMemo").rows.values()), Decimal(0))
    loose = sum((as_decimal(row.body["UnappliedAmt"]) for row in tables.table("Payment").rows.values()), Decimal(0))
    return invoices - memos - loose


def as_decimal(value: object) -> Decimal:
    assert isinstance(value, Decimal | int)
    return Decimal(value)
