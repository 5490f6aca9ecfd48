"""What of a QuickBooks document lies in the clear in an event, and that the whole of it comes back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import ERASED
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.fact_sheets import fact_sheet

NAMED: JsonObject = {"value": "55", "name": "Bo Ray"}
ENTITY: JsonObject = {"Type": "Employee", "EntityRef": NAMED}
DOCUMENTS: list[tuple[str, JsonObject]] = [
    ("Invoice", {"Id": "1", "CustomerRef": NAMED, "BillEmail": {"Address": "Bo Ray"}, "TotalAmt": 5}),
    ("JournalEntry", {"Line": [{"Id": "0", "JournalEntryLineDetail": {"PostingType": "Debit", "Entity": ENTITY}}]}),
    ("Purchase", {"EntityRef": {**NAMED, "type": "Vendor"}, "RemitToAddr": {"Line1": "Bo Ray"}}),
    ("Bill", {"VendorAddr": {"Line1": "Bo Ray"}, "Line": [{"AccountBasedExpenseLineDetail": {"CustomerRef": NAMED}}]}),
    ("PurchaseOrder", {"POEmail": {"Address": "Bo Ray"}, "ShipTo": NAMED}),
    ("Payment", {"CreditCardPayment": {"CreditChargeInfo": {"NameOnAcct": "Bo Ray"}}}),
    ("RefundReceipt", {"CheckPayment": {"NameOnAcct": "Bo Ray", "AcctNum": "12"}}),
    ("Customer", {"DisplayName": "Bo Ray", "ParentRef": NAMED, "Active": True}),
    ("TimeActivity", {"EmployeeRef": NAMED, "Description": "Bo Ray"}),
]


@pytest.mark.parametrize(("entity", "fields"), DOCUMENTS)
def test_no_name_of_a_person_lies_in_the_clear(entity: str, fields: JsonObject) -> None:
    document = Document.of(entity, fields)
    assert "Bo Ray" not in document.clear
    assert document.fields() == fields
    erased = document.model_copy(update={"personal": ERASED}).fields()
    assert "Bo Ray" not in json.dumps(erased)


def test_the_ids_and_what_is_no_person_stay_in_the_clear() -> None:
    account: JsonObject = {"value": "35", "name": "Checking"}
    line: JsonObject = {"JournalEntryLineDetail": {"AccountRef": account, "Entity": ENTITY}}
    clear = json.loads(Document.of("JournalEntry", {"Line": [line], "DocNumber": "7"}).clear)
    detail = clear["Line"][0]["JournalEntryLineDetail"]
    assert (detail["AccountRef"], clear["DocNumber"]) == (account, "7")
    assert detail["Entity"] == {"Type": "Employee", "EntityRef": {"value": "55"}}


def test_what_was_sealed_before_is_read_as_it_was() -> None:
    kept = Document(entity="Invoice", clear='{"CustomerRef":{"value":"1"}}', personal='{"CustomerRef.name":"Ann"}')
    assert kept.fields() == {"CustomerRef": {"value": "1", "name": "Ann"}}


def test_addresses_and_means_of_payment_of_every_transaction_are_sealed() -> None:
    sheet = json.loads(fact_sheet("quickbooks-online-fields.json"))
    kinds = {"PhysicalAddress", "EmailAddress", "TransactionDeliveryInfo"}
    kinds |= {"CheckPayment", "CreditCardPayment", "BillPaymentCheck", "BillPaymentCreditCard"}
    personal = [
        (entity, name)
        for entity in sheet["_ops"]
        if entity in sheet and "TxnDate" in sheet[entity]
        for name, fact in sheet[entity].items()
        if fact["type"] in kinds
    ]
    assert len(personal) > 20
    shown = [key for key in personal if "secret" in Document.of(key[0], {key[1]: {"Line1": "secret"}}).clear]
    assert shown == []


_names = st.sampled_from(
    ["CustomerRef", "EntityRef", "name", "value", "Line", "/", "a/b", "~", "~1", "x.name", "0", ""]
)
# A NUL has no place in the log, so that our JSON writes a sign in its stead (`exact_json`).
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=15,
)


@given(st.sampled_from(["Invoice", "Customer", "JournalEntry"]), st.dictionaries(_names, _values, max_size=5))
def test_whatever_a_document_holds_comes_back(entity: str, fields: JsonObject) -> None:
    assert Document.of(entity, fields).fields() == fields


def test_a_refusal_that_repeats_what_is_personal_is_told_without_it() -> None:
    body: JsonObject = {
        "DisplayName": "Ann",
        "PrimaryEmailAddr": {"Address": "ann(at)x.test"},
        "Notes": "",
        "Active": True,
    }
    document = Document.of("Customer", body)
    said = "Email Address is invalid: ANN(AT)x.test. Ann cannot be saved; Anna can."
    assert document.masked(said) == "Email Address is invalid: [personal]. [personal] cannot be saved; Anna can."
    assert Document.of("JournalEntry", {"DocNumber": "7"}).masked(said) == said
    assert document.model_copy(update={"personal": ERASED}).masked(said) == said


def test_what_nests_without_end_is_no_trouble() -> None:
    fields: JsonObject = {"value": "1"}
    for _ in range(60):
        fields = {"Line": [fields]}
    assert Document.of("Invoice", fields).fields() == fields
