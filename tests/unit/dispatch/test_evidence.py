"""Whether a document shows what was sent: by value, not by form."""

from decimal import Decimal

import pytest

from counterfoil.dispatch.evidence import shows_effect
from counterfoil_schema.exact_json import JsonObject

LINE: JsonObject = {"Id": "1", "Amount": Decimal("9.50"), "DetailType": "SalesItemLineDetail"}
SUBTOTAL: JsonObject = {"Amount": Decimal("9.50"), "DetailType": "SubTotalLineDetail"}
SENT: JsonObject = {
    "Id": "5",
    "SyncToken": "2",
    "sparse": True,
    "DocNumber": "1001",
    "CustomerRef": {"value": "7"},
    "Line": [{"Amount": Decimal("9.5"), "DetailType": "SalesItemLineDetail"}],
}
SHOWN: JsonObject = {
    "Id": "5",
    "SyncToken": "3",
    "DocNumber": "1001",
    "CustomerRef": {"value": "7", "name": "Ann"},
    "Line": [LINE, SUBTOTAL],
    "TotalAmt": Decimal("9.50"),
}


def test_a_document_shows_what_was_sent_and_more() -> None:
    assert shows_effect(SENT, SHOWN)


@pytest.mark.parametrize(
    "other",
    [
        {"DocNumber": "1002"},
        {"CustomerRef": {"value": "8", "name": "Ann"}},
        {"CustomerRef": None},
        {"Line": [SUBTOTAL]},
        {"Line": [LINE, LINE, SUBTOTAL]},
        {"Line": [{**LINE, "Amount": Decimal("9.51")}]},
        {"Line": "none"},
    ],
)
def test_any_difference_tells(other: JsonObject) -> None:
    assert not shows_effect(SENT, {**SHOWN, **other})


def test_what_is_missing_is_not_shown() -> None:
    assert not shows_effect({"PrivateNote": "cf-1"}, SHOWN)


def test_an_emptied_field_is_shown_by_its_absence() -> None:
    assert shows_effect({"PrivateNote": None}, SHOWN)


def test_true_is_not_one() -> None:
    assert not shows_effect({"Active": True}, {"Active": 1})
    assert not shows_effect({"Active": False}, {"Active": True})
    assert shows_effect({"Active": True}, {"Active": True})
