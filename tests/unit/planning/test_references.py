"""Whom a document names is found wherever Intuit puts it, and turned to whoever stands for them after a merge."""

import pytest

from counterfoil.planning.references import places_in, references_in, turned
from counterfoil_schema.exact_json import JsonObject

POSTING: JsonObject = {
    "PostingType": "Credit",
    "AccountRef": {"value": "35"},
    "Entity": {"Type": "Employee", "EntityRef": {"value": "55", "name": "Bo"}},
}
CASES: list[tuple[str, JsonObject, set[tuple[str, str]]]] = [
    ("Invoice", {"CustomerRef": {"value": "1", "name": "Ann"}}, {("Customer", "1")}),
    ("Bill", {"VendorRef": {"value": "2"}}, {("Vendor", "2")}),
    (
        "Invoice",
        {"Line": [{"Id": "1", "SalesItemLineDetail": {"ItemRef": {"value": "7"}}}, {"DetailType": "DescriptionOnly"}]},
        {("Item", "7")},
    ),
    (
        "JournalEntry",
        {"Line": [{"Id": "0", "JournalEntryLineDetail": POSTING}]},
        {("Account", "35"), ("Employee", "55")},
    ),
    ("Purchase", {"EntityRef": {"value": "8", "type": "Vendor", "name": "Cy"}}, {("Vendor", "8")}),
    (
        "Attachable",
        {"AttachableRef": [{"EntityRef": {"type": "Invoice", "value": "9"}, "IncludeOnSend": True}]},
        {("Invoice", "9")},
    ),
    ("Customer", {"ParentRef": {"value": "1"}, "CustomerMemo": {"value": "thanks"}}, {("Customer", "1")}),
    ("Item", {"Type": "Service", "PrefVendorRef": {"value": "2"}, "ParentRef": {"value": "3"}},
     {("Vendor", "2"), ("Item", "3")}),
    ("Payment", {"DepositToAccountRef": {"value": "4"}, "ARAccountRef": {"value": "84"}},
     {("Account", "4"), ("Account", "84")}),
    ("Invoice", {"SalesTermRef": {"value": "3"}, "TxnTaxDetail": {"TxnTaxCodeRef": {"value": "2"}}},
     {("Term", "3"), ("TaxCode", "2")}),
    ("JournalEntry", {"Line": [{"JournalEntryLineDetail": {"Entity": {"EntityRef": {"value": "5"}}}}]}, set()),
    ("Invoice", {"CustomerRef": {"value": 1}, "Line": ["x", None, {"ItemRef": []}]}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("entity", "document", "named"), CASES)
def test_whom_a_document_names(entity: str, document: JsonObject, named: set[tuple[str, str]]) -> None:
    assert references_in(document, entity) == named


def test_a_line_keeps_its_place_by_its_id_although_others_move() -> None:
    first: JsonObject = {"Id": "4", "SalesItemLineDetail": {"ItemRef": {"value": "7"}}}
    other: JsonObject = {"Id": "5", "SalesItemLineDetail": {"ItemRef": {"value": "8"}}}
    place = ("Line", "4", "SalesItemLineDetail", "ItemRef")
    for lines in ([first, other], [other, first]):
        assert places_in({"Line": [*lines]}, "Invoice")[place] == ("Item", "7")


def test_only_what_was_merged_is_turned() -> None:
    purchase: JsonObject = {"EntityRef": {"value": "55", "type": "Vendor"}, "AccountRef": {"value": "55"}}
    entry: JsonObject = {"Line": [{"Id": "0", "JournalEntryLineDetail": POSTING}]}
    survivors = {("Employee", "55"): "60"}
    assert turned(purchase, "Purchase", survivors) == purchase
    assert references_in(turned(entry, "JournalEntry", survivors), "JournalEntry") == {
        ("Account", "35"),
        ("Employee", "60"),
    }
    # The name that stands there is that of the one that went.
    assert turned({"ParentRef": {"value": "1", "name": "Ann"}}, "Customer", {("Customer", "1"): "2"}) == {
        "ParentRef": {"value": "2"}
    }
    assert entry == {"Line": [{"Id": "0", "JournalEntryLineDetail": POSTING}]}
