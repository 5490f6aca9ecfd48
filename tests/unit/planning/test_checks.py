"""What QuickBooks would refuse parks before it is sent, and the emulator, asked, would refuse the same."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.checks import problems, refusal
from counterfoil.planning.types import Intent, Park
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Company

SALE: JsonObject = {"ItemRef": {"value": "1"}, "Qty": Decimal(3), "UnitPrice": Decimal("3.3333")}
LINE: JsonObject = {"Amount": Decimal("10.00"), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": SALE}
INVOICE: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [LINE]}


def entry(debit: str, credit: str, side: str = "Credit") -> JsonObject:
    def one(amount: str, posting: str, account: str) -> JsonObject:
        detail: JsonObject = {"PostingType": posting, "AccountRef": {"value": account}}
        return {"Amount": Decimal(amount), "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}

    return {"Line": [one(debit, "Debit", "60"), one(credit, side, "35")]}


WRONG: list[tuple[str, JsonObject, str, str]] = [
    ("Invoice", {**INVOICE, "DocNumber": "x" * 22}, "DocNumber is 22 characters long, and QuickBooks takes 21", "2050"),
    ("Invoice", {**INVOICE, "PrivateNote": "n" * 4001}, "PrivateNote is 4001 characters long", "2050"),
    ("Invoice", {"Line": [LINE]}, "CustomerRef is missing", "2020"),
    ("Invoice", {"CustomerRef": {"value": "1"}, "Line": []}, "Line is missing", "2250"),
    ("Invoice", {**INVOICE, "PrintStatus": "Maybe"}, "PrintStatus is none of the values", "2170"),
    ("Invoice", {**INVOICE, "Line": [{**LINE, "Amount": Decimal("10.01")}]}, "Line.1.Amount 10.01 is not Qty", "6070"),
    ("Invoice", {**INVOICE, "TxnDate": "2026-13-01"}, "TxnDate does not fit", "2060"),
    ("Customer", {"DisplayName": "A", "PrimaryEmailAddr": {"Address": "nowhere"}}, "PrimaryEmailAddr.Address", "2210"),
    ("JournalEntry", entry("10.00", "9.99"), "debits 10.00, credits 9.99", "2300"),
    ("JournalEntry", entry("10.00", "10.00", "Credits"), "PostingType is none of the values", "2170"),
    ("Account", {"Name": "x" * 101, "AccountType": "Bank"}, "Name is 101 characters long", "2050"),
    ("Account", {"AccountType": "Bank"}, "Name is missing", "2020"),
    ("Item", {"Name": "A:B", "Type": "Service"}, "Name holds a character", "2040"),
    ("Customer", {"DisplayName": "A\tB"}, "DisplayName holds a character", "2040"),
    ("Vendor", {"CompanyName": "A"}, "DisplayName or Title or", "2020"),
    ("Employee", {"DisplayName": "A"}, "GivenName or FamilyName is missing", "2020"),
    ("JournalEntry", entry("-5.00", "-5.00"), "Line.1.Amount -5.00 is negative", "2290"),
    ("JournalEntry", entry("5.00", "5.00", "Debit"), "Line needs a debit and a credit", "2300"),
]


@pytest.mark.parametrize(("entity", "body", "said", "code"), WRONG)
def test_the_field_is_named_and_quickbooks_would_refuse_it_too(
    entity: str, body: JsonObject, said: str, code: str
) -> None:
    found = list(problems(entity, "create", body))
    assert any(said in one for one in found), found
    company = Company()
    company.write("Customer", {"DisplayName": "Ann Lee"})
    company.write("Item", {"Name": "Hours", "Type": "Service", "IncomeAccountRef": {"value": "1"}})
    with pytest.raises(QuickBooksFaultError) as refused:
        company.write(entity, body)
    assert refused.value.code == code


def wanted(entity: str, body: JsonObject) -> Intent:
    return Intent(target="quickbooks", entity=entity, operation="create", body=body)


def test_a_refusal_says_what_and_how_to_mend_it_without_words_about_people() -> None:
    secret = "Ann's illness " * 300
    park = refusal(wanted("Invoice", {**INVOICE, "PrivateNote": secret}), closed_until=None)
    assert isinstance(park, Park)
    assert "PrivateNote is 4200 characters long, and QuickBooks takes 4000" in park.reason
    assert "illness" not in park.reason
    assert park.fix


@pytest.mark.parametrize(
    ("day", "parks"), [("2026-10-30", True), ("2026-10-31", True), ("2026-11-01", False), (None, False)]
)
def test_a_closed_period_parks(day: str | None, parks: bool) -> None:
    body = INVOICE if day is None else {**INVOICE, "TxnDate": day}
    park = refusal(wanted("Invoice", body), closed_until=date(2026, 10, 31))
    assert (park is not None) is parks
    if park is not None:
        assert park.code == "period_closed"
        assert "closed to 2026-10-31" in park.reason


def test_symbolic_references_and_other_targets_pass() -> None:
    symbolic: JsonObject = {
        "CustomerRef": {"$record": "hubspot:company:1"},
        "TotalAmt": Decimal(1),
        "Line": [{"Amount": Decimal(1), "LinkedTxn": [{"TxnId": {"$record": "hubspot:deal:1"}, "TxnType": "Invoice"}]}],
    }
    assert refusal(wanted("Payment", symbolic), closed_until=None) is None
    elsewhere = Intent(target="hubspot", entity="Invoice", operation="update", body={"DocNumber": "x" * 99})
    assert refusal(elsewhere, closed_until=None) is None


@given(
    quantity=st.decimals("0.01", "999", places=2),
    price=st.decimals("0.0001", "999", places=4),
    off=st.decimals("-1", "1", places=2),
)
def test_amount_and_product_agree_with_the_books(quantity: Decimal, price: Decimal, off: Decimal) -> None:
    amount = (quantity * price).quantize(Decimal("0.01"), "ROUND_HALF_UP") + off
    detail: JsonObject = {"ItemRef": {"value": "1"}, "Qty": quantity, "UnitPrice": price}
    line: JsonObject = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    assert bool(list(problems("Invoice", "create", {"CustomerRef": {"value": "1"}, "Line": [line]}))) is (off != 0)
