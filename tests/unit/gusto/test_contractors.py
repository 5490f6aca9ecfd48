"""Contractors and their payments: names, figures, and what is refused without showing it."""

import pytest

from counterfoil.sources import SourceError, Unreadable
from counterfoil_adapters.gusto.grouping import Grouping
from counterfoil_adapters.gusto.normalising import Normaliser
from counterfoil_schema.exact_json import JsonObject, JsonValue

NORMALISER = Normaliser(company_uuid="us", connection="gusto", unassigned="Unassigned", grouping=Grouping())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wage_total", "1162.505"),
        ("wage_total", "much"),
        ("wage_total", None),
        ("wage_total", True),
        ("reimbursement", "1e400"),
        ("date", "13/11/2026"),
        ("contractor_uuid", None),
    ],
)
def test_a_payment_that_cannot_be_trusted_says_which_field_and_not_what_it_held(field: str, value: JsonValue) -> None:
    payload: JsonObject = {
        "uuid": "cp1",
        "contractor_uuid": "c1",
        "date": "2026-11-13",
        "wage_total": "1162.50",
        "reimbursement": "0.00",
    }
    found = NORMALISER.contractor_payment({**payload, field: value}, None)
    assert isinstance(found, Unreadable)
    assert (field.removesuffix("_uuid") in found.problem, str(value) in found.problem) == (True, False)


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "Business", "business_name": " ", "first_name": "Not", "last_name": "This"},
        {"type": "Individual", "business_name": "Not this"},
        {"type": "Individual", "first_name": 7, "last_name": "Seven"},
    ],
)
def test_a_contractor_without_a_name_is_unreadable(payload: JsonObject) -> None:
    found = NORMALISER.contractor({"uuid": "c1", **payload})
    assert isinstance(found, Unreadable)
    assert "name" in found.problem


def test_a_contractor_of_another_company_stops_the_reading() -> None:
    with pytest.raises(SourceError, match="another company"):
        NORMALISER.contractor({"uuid": "c1", "company_uuid": "them", "first_name": "A", "last_name": "B"})
