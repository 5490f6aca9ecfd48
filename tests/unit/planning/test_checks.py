"""What QuickBooks would refuse parks before it is sent, and the emulator, asked, would refuse the same."""

import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.checks import problems, refusal
from counterfoil.planning.required import NEEDS
from counterfoil.planning.types import Intent, Park
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads_object
from support.fact_sheets import fact_sheet
from support.quickbooks_company import Company

SALE: JsonObject = {"ItemRef": {"value": "1"}, "Qty": Decimal(3), "UnitPrice": Decimal("3.3333")}
LINE: JsonObject = {"Amount": Decimal("10.00"), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": SALE}
INVOICE: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [LINE]}


def entry(debit: str, credit: str, side: str = "Credit") -> JsonObject:
    def one(amount: str, posting: str, account: str) -> JsonObject:
        detail: JsonObject = {"PostingType": posting, "AccountRef": {"value": account}}
        return {"Amount": Decimal(amount), "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}

    return {"Line": [one(debit, "Debit", "60"), one(credit, side, "35")]}


def posted(debit: str, credit: str) -> list[JsonValue]:
    lines = entry(debit, credit)["Line"]
    assert isinstance(lines, list)
    return lines


def without(body: JsonValue, name: str) -> JsonObject:
    """The body, or the detail of a line, without one property."""
    assert isinstance(body, dict)
    detail = body.get("JournalEntryLineDetail")
    if isinstance(detail, dict):
        return {**body, "JournalEntryLineDetail": without(detail, name)}
    return {key: value for key, value in body.items() if key != name}


def spent(**detail: JsonValue) -> JsonObject:
    kind = "AccountBasedExpenseLineDetail"
    return {"Amount": Decimal(5), "DetailType": kind, kind: {**detail, "TaxCodeRef": {"value": "NON"}}}


PAID: JsonObject = {
    "VendorRef": {"value": "2"},
    "TotalAmt": Decimal(5),
    "PayType": "Check",
    "CheckPayment": {"BankAccountRef": {"value": "35"}},
}
APPLIED: JsonObject = {"Amount": Decimal(5), "LinkedTxn": [{"TxnId": "1", "TxnType": "Bill"}]}
DEPOSITED: JsonObject = {"Amount": Decimal(9), "DetailType": "DepositLineDetail", "DepositLineDetail": {}}
WORKED: JsonObject = {"NameOf": "Employee", "EmployeeRef": {"value": "3"}, "TxnDate": "2026-11-15", "Hours": 8}

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
    ("JournalEntry", entry("-5.00", "-5.00"), "Line.1.Amount -5.00 is not positive", "2290"),
    ("JournalEntry", entry("0.00", "0.00"), "Line.1.Amount 0.00 is not positive", "2290"),
    ("JournalEntry", entry("5.00", "5.00", "Debit"), "Line needs a debit and a credit", "2300"),
    (
        "JournalEntry",
        {"Line": [*posted("5.00", "5.00"), without(posted("3.00", "3.00")[0], "PostingType")]},
        "Line.3.JournalEntryLineDetail.PostingType is missing",
        "2260",
    ),
    (
        "JournalEntry",
        {"Line": [without(one, "AccountRef") for one in posted("5.00", "5.00")]},
        "Line.2.JournalEntryLineDetail.AccountRef is missing",
        "2020",
    ),
    ("JournalEntry", {"Line": [{"Amount": Decimal(5)}]}, "Line.1.DetailType is missing", "2020"),
    ("Invoice", {**INVOICE, "Line": [{"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": SALE}]},
     "Line.1.Amount is missing", "2020"),
    ("Account", {"Name": "Dues"}, "AccountType or AccountSubType is missing", "2020"),
    ("Account", {"Name": "Dues", "AccountType": "Bank", "AcctNum": "1" * 21}, "AcctNum is 21 characters long", "2050"),
    ("Item", {"Name": "A", "Type": "Service"}, "IncomeAccountRef or ExpenseAccountRef is missing", "2020"),
    (
        "Item",
        {"Name": "A", "Type": "Inventory", "IncomeAccountRef": {"value": "1"}, "ExpenseAccountRef": {"value": "60"}},
        "TrackQtyOnHand and QtyOnHand and InvStartDate and AssetAccountRef are missing, because Type is Inventory",
        "2020",
    ),
    ("Term", {"Name": "Soon"}, "DueDays or DayOfMonthDue and DueNextMonthDays is missing", "2020"),
    ("Term", {"Name": "x" * 32, "DueDays": 3}, "Name is 32 characters long, and QuickBooks takes 31", "2050"),
    ("Payment", {"CustomerRef": {"value": "1"}, "TotalAmt": Decimal(-1)}, "TotalAmt -1 is negative", "2290"),
    (
        "Payment",
        {"CustomerRef": {"value": "1"}, "TotalAmt": Decimal(1), "Line": [{"Amount": Decimal(1)}]},
        "Line.1.LinkedTxn is missing",
        "2020",
    ),
    ("Bill", {"VendorRef": {"value": "2"}, "Line": [spent()]}, "Line.1.AccountBasedExpenseLineDetail.AccountRef is",
     "2020"),
    (
        "Purchase",
        {"PaymentType": "Cash", "AccountRef": {"value": "35"},
         "Line": [spent(AccountRef={"value": "60"}, BillableStatus="Billable")]},
        "Line.1.AccountBasedExpenseLineDetail.CustomerRef is missing, because BillableStatus is Billable",
        "2020",
    ),
    ("BillPayment", PAID, "Line is missing", "2020"),
    ("BillPayment", {**PAID, "CheckPayment": {}, "Line": [APPLIED]}, "CheckPayment.BankAccountRef is missing", "2020"),
    ("Deposit", {"DepositToAccountRef": {"value": "35"}, "Line": [DEPOSITED]},
     "Line.1.DepositLineDetail.AccountRef is missing", "2020"),
    ("Transfer", {"FromAccountRef": {"value": "35"}, "ToAccountRef": {"value": "4"}}, "Amount is missing", "2020"),
    ("Transfer", {"FromAccountRef": {"value": "35"}, "ToAccountRef": {"value": "4"}, "Amount": Decimal(-2)},
     "Amount -2 is negative", "2290"),
    ("TimeActivity", {"NameOf": "Employee", "Hours": 1}, "EmployeeRef is missing, because NameOf is Employee", "2020"),
    ("TimeActivity", without(WORKED, "Hours"), "Hours or Minutes or StartTime and EndTime is missing", "2020"),
    ("TimeActivity", {**WORKED, "VendorRef": {"value": "2"}}, "EmployeeRef and VendorRef are both given", "6290"),
    ("TimeActivity", {**WORKED, "Minutes": 60}, "Minutes 60 is more than 59", "6310"),
    ("TimeActivity", {**WORKED, "BillableStatus": "Billable"}, "CustomerRef and HourlyRate are missing", "2020"),
    ("Attachable", {"ContentType": "text/plain"}, "FileName or Note is missing", "2020"),
    ("Attachable", {"Note": "n" * 2001}, "Note is 2001 characters long, and QuickBooks takes 2000", "2050"),
]  # fmt: skip


@pytest.mark.parametrize(("entity", "body", "said", "code"), WRONG)
def test_the_field_is_named_and_quickbooks_would_refuse_it_too(
    entity: str, body: JsonObject, said: str, code: str
) -> None:
    found = list(problems(entity, "create", body))
    assert any(said in one for one in found), found
    company = Company()
    company.write("Customer", {"DisplayName": "Ann Lee"})
    company.write("Vendor", {"DisplayName": "Bo & Co"})
    company.write("Employee", {"GivenName": "Cy"})
    company.write("Item", {"Name": "Hours", "Type": "Service", "IncomeAccountRef": {"value": "1"}})
    with pytest.raises(QuickBooksFaultError) as refused:
        company.write(entity, body)
    assert refused.value.code == code


def on_account(account: str, entity: JsonObject | None = None) -> JsonObject:
    """A journal entry of which the second line stands on an account that wants a party."""
    first, second = posted("5.00", "5.00")
    assert isinstance(second, dict)
    detail: JsonObject = {"PostingType": "Credit", "AccountRef": {"value": account}}
    if entity is not None:
        detail["Entity"] = entity
    return {"Line": [first, {**second, "JournalEntryLineDetail": detail}]}


ANN: JsonObject = {"Type": "Customer", "EntityRef": {"value": "1"}}
BO: JsonObject = {"Type": "Vendor", "EntityRef": {"value": "2"}}
TYPES = {"84": "Accounts Receivable", "33": "Accounts Payable", "35": "Bank"}


def type_of(reference: JsonObject) -> tuple[str | None, str]:
    return TYPES.get(str(reference["value"])), f"account {reference['value']}"


@pytest.mark.parametrize(
    ("account", "entity", "said"),
    [
        ("84", None, "names no Customer, as a line on account 84 has to, which is of type Accounts Receivable"),
        ("33", None, "names no Vendor, as a line on account 33 has to, which is of type Accounts Payable"),
        ("33", ANN, "names no Vendor"),
        ("84", {"Type": "Customer", "EntityRef": {}}, "names no Customer"),
        ("84", ANN, ""),
        ("33", BO, ""),
        ("35", None, ""),
    ],
)
def test_a_line_on_account_names_its_party(account: str, entity: JsonObject | None, said: str) -> None:
    body = on_account(account, entity)
    park = refusal(wanted("JournalEntry", body), closed_until=None, home="USD", account_type=type_of)
    company = Company()
    company.write("Customer", {"DisplayName": "Ann Lee"})
    company.write("Vendor", {"DisplayName": "Bo & Co"})
    if not said:
        assert park is None
        company.write("JournalEntry", body)
        return
    assert isinstance(park, Park)
    assert f"Line.2.JournalEntryLineDetail.Entity {said}" in park.reason
    with pytest.raises(QuickBooksFaultError) as refused:
        company.write("JournalEntry", body)
    assert refused.value.code in {"6000", "2020"}


def test_text_outside_latin1_is_told_by_its_field_and_character() -> None:
    line = {**LINE, "Description": "Ann\u2019s secret wish, for “Łódź”"}
    body: JsonObject = {**INVOICE, "Line": [LINE, line], "PrivateNote": "Ünïcödé is fine: ÿ"}
    park = refusal(wanted("Invoice", body), closed_until=None, home="USD", latin1=True)
    assert isinstance(park, Park)
    assert "Line.2.Description holds “\u2019” (U+2019), ““” (U+201C), “Ł” (U+0141)." in park.reason
    assert "secret" not in park.reason
    assert 'text = "unicode"' in park.fix
    assert refusal(wanted("Invoice", body), closed_until=None, home="USD") is None
    company = Company()
    company.write("Customer", {"DisplayName": "Ann Lee"})
    company.write("Item", {"Name": "Hours", "Type": "Service", "IncomeAccountRef": {"value": "1"}})
    with pytest.raises(QuickBooksFaultError) as refused:
        company.write("Invoice", body)
    assert (refused.value.code, refused.value.element) == ("2040", "Line.Description")


def wanted(entity: str, body: JsonObject) -> Intent:
    return Intent(target="quickbooks", entity=entity, operation="create", body=body)


def test_a_refusal_says_what_and_how_to_mend_it_without_words_about_people() -> None:
    secret = "Ann's illness " * 300
    park = refusal(wanted("Invoice", {**INVOICE, "PrivateNote": secret}), closed_until=None, home="USD")
    assert isinstance(park, Park)
    assert "PrivateNote is 4200 characters long, and QuickBooks takes 4000" in park.reason
    assert "illness" not in park.reason
    assert park.fix


@pytest.mark.parametrize(
    ("day", "parks"), [("2026-10-30", True), ("2026-10-31", True), ("2026-11-01", False), (None, False)]
)
def test_a_closed_period_parks(day: str | None, parks: bool) -> None:
    body = INVOICE if day is None else {**INVOICE, "TxnDate": day}
    park = refusal(wanted("Invoice", body), closed_until=date(2026, 10, 31), home="USD")
    assert (park is not None) is parks
    if park is not None:
        assert park.code == "period_closed"
        assert "closed to 2026-10-31" in park.reason


EURO: JsonObject = {"CurrencyRef": {"value": "EUR"}}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**INVOICE, **EURO}, "names no ExchangeRate"),
        ({**INVOICE, **EURO, "ExchangeRate": None}, "names no ExchangeRate"),
        (INVOICE, "bears no CurrencyRef"),
        ({**INVOICE, **EURO, "ExchangeRate": Decimal("1.0831")}, ""),
        ({**INVOICE, **EURO, "ExchangeRate": {"$rate": ["EUR", "2026-03-14"]}}, ""),
        ({**INVOICE, "CurrencyRef": {"value": "USD"}}, ""),
    ],
)
def test_no_document_in_another_currency_goes_out_without_a_rate(body: JsonObject, said: str) -> None:
    """Whoever made it: QuickBooks stores one to one where none is named."""
    park = refusal(replace(wanted("Invoice", body), currency="EUR"), closed_until=None, home="USD")
    if not said:
        assert park is None
        return
    assert isinstance(park, Park)
    assert (park.code, said in park.reason) == ("no_rate", True)


def test_a_party_in_another_currency_needs_no_rate() -> None:
    assert refusal(wanted("Customer", {"DisplayName": "A", **EURO}), closed_until=None, home="USD") is None


def test_symbolic_references_and_other_targets_pass() -> None:
    symbolic: JsonObject = {
        "CustomerRef": {"$record": "hubspot:company:1"},
        "TotalAmt": Decimal(1),
        "Line": [{"Amount": Decimal(1), "LinkedTxn": [{"TxnId": {"$record": "hubspot:deal:1"}, "TxnType": "Invoice"}]}],
    }
    assert refusal(wanted("Payment", symbolic), closed_until=None, home="USD") is None
    elsewhere = Intent(target="hubspot", entity="Invoice", operation="update", body={"DocNumber": "x" * 99})
    assert refusal(elsewhere, closed_until=None, home="USD") is None


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


def many(entity: str, taxed: bool, count: int) -> list[str]:
    detail: JsonObject = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "TAX" if taxed else "NON"}}
    line: JsonObject = {"Amount": Decimal(1), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return list(problems(entity, "create", {"CustomerRef": {"value": "1"}, "Line": [line] * count}))


@pytest.mark.parametrize(("taxed", "most"), [(True, 750), (False, 10_000)])
def test_a_document_has_so_many_lines_at_most(taxed: bool, most: int) -> None:
    assert many("Invoice", taxed, most) == []
    (said,) = many("Invoice", taxed, most + 1)
    assert said.startswith(f"Line has {most + 1} members, and QuickBooks takes {most}")


# Of France alone, and of a transfer's own making.
NOT_SENT = {("Item", "ItemCategoryType"), ("Transfer", "TransferEx")}


def test_what_the_sheet_of_fields_calls_required_is_asked_for() -> None:
    sheet = json.loads(fact_sheet("quickbooks-online-fields.json"))
    for entity in NEEDS:
        said = " ".join(problems(entity, "create", {}))
        for name, fact in sheet[entity].items():
            if fact["required"] is True and not fact.get("required_note") and (entity, name) not in NOT_SENT:
                assert name in said, (entity, name)


OPTIONAL = {"TxnDate", "Hours", "Minutes", "AccountType", "AccountSubType", "GivenName", "FamilyName"}
"""In the bodies below, but not wanted alone: of two of them one is enough."""


def test_what_the_fact_sheet_asks_for_is_asked_for() -> None:
    """Its minimal bodies pass, and each part that its table calls required is missed."""
    sheet = fact_sheet("quickbooks-online.md")
    bodies = re.search(r"\*\*Minimal create bodies\*\*.*?```json\n(.*?)```", sheet, re.DOTALL)
    assert bodies is not None
    kinds = ("Customer", "Employee", "Account", "Item", "Invoice", "Payment", "Bill", "BillPayment", "TimeActivity",
             "Deposit", "Transfer")  # fmt: skip
    for kind, text in zip(kinds, bodies[1].splitlines(), strict=True):
        body = loads_object(text.encode())
        assert list(problems(kind, "create", body)) == [], kind
        for name in body.keys() - OPTIONAL - ({"Line"} if kind == "Payment" else set()):
            assert list(problems(kind, "create", without(body, name))), (kind, name)
    # Intuit's page lists the customer of a receipt as required, although its own forms let it be empty.
    assert list(problems("SalesReceipt", "create", {"Line": [LINE]})) == ["CustomerRef is missing"]
