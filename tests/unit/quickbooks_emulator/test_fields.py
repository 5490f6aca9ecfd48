"""The emulator's own tables of properties against Intuit's, and their effect: types, lengths, enumerations."""

import json
from typing import Any

import pytest

from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.fields import SERVER_PROPERTIES, checked, fields_of
from counterfoil.quickbooks.emulator.nested import checked_inside, types
from counterfoil.quickbooks.emulator.values import as_list
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.fact_sheets import fact_sheet
from support.quickbooks_company import Company

Facts = dict[str, dict[str, dict[str, Any]]]
# A value that no property of the type takes, and the fault that says so.
WRONG: dict[str, tuple[JsonValue, str]] = {
    "string": ([], "2010"),
    "decimal": ("much", "2090"),
    "integer": ("1.5", "2090"),
    "date": ("15/11/2026", "2060"),
    "boolean": ("maybe", "2230"),
    "enum": ("Magic", "2170"),
    "ReferenceType": ("1", "2010"),
}
KEPT = [name for name, spec in ENTITIES.items() if spec.kind not in {"template", "fixed"}]


def facts() -> Facts:
    found: Facts = json.loads(fact_sheet("quickbooks-online-fields.json"))
    return found


def refused(entity: str, body: JsonObject) -> str:
    with pytest.raises(QuickBooksFaultError) as caught:
        checked(entity, body)
    return caught.value.code


@pytest.mark.parametrize("entity", KEPT)
def test_the_table_of_an_entity_is_intuit_s(entity: str) -> None:
    own = fields_of(entity)
    for name, fact in facts()[entity].items():
        if name in SERVER_PROPERTIES:
            continue
        assert own[name].type == fact["type"], name
        # A number has no length.
        assert own[name].max_length == (fact["max_length"] or None), name
        assert own[name].values == frozenset(fact["enum"] or ()), name
        assert own[name].many == bool(fact.get("list")), name


@pytest.mark.parametrize("entity", KEPT)
def test_what_is_wrong_with_a_property_is_said_by_the_code_of_its_type(entity: str) -> None:
    tried = 0
    for name, fact in facts()[entity].items():
        own = fields_of(entity).get(name)
        if name in SERVER_PROPERTIES or own is None or own.read_only or fact.get("list"):
            continue
        if fact["type"] in WRONG:
            value, code = WRONG[fact["type"]]
            assert refused(entity, {name: value}) == code, name
            tried += 1
        if fact["max_length"] and fact["type"] == "string":
            assert refused(entity, {name: "x" * (fact["max_length"] + 1)}) == "2050", name
            assert checked(entity, {name: "x" * fact["max_length"]}) == {name: "x" * fact["max_length"]}
        for word in fact["enum"] or ():
            assert checked(entity, {name: word}) == {name: word}
    # Preferences are groups alone.
    assert tried >= 2 or entity == "Preferences"
    assert refused(entity, {"Colour": "red"}) == "2010"


def test_nested_types_are_intuit_s() -> None:
    known = facts()["_types"]
    for kind, table in types().items():
        for name, part in table.items():
            fact = known[kind].get(name)
            if fact is None:
                assert part.type == "any", (kind, name)
                continue
            assert part.type in {fact["type"], "any"}, (kind, name)
            assert part.values == frozenset(fact["enum"] or ()), (kind, name)
            assert part.many == bool(fact.get("list")), (kind, name)


@pytest.mark.parametrize(
    "kind", ["Line", "SalesItemLineDetail", "JournalEntryLineDetail", "TxnTaxDetail", "MarkupInfo"]
)
def test_what_is_wrong_inside_is_said_too(kind: str) -> None:
    for name, fact in facts()["_types"][kind].items():
        if fact["type"] in WRONG and not fact.get("list"):
            value, code = WRONG[fact["type"]]
            with pytest.raises(QuickBooksFaultError) as caught:
                checked_inside("Line", {name: value}, kind)
            assert (caught.value.code, caught.value.element) == (code, f"Line.{name}")
    with pytest.raises(QuickBooksFaultError) as caught:
        checked_inside("Line", {"Colour": "red"}, kind)
    assert (caught.value.code, caught.value.element) == ("2010", "Line.Colour")


def test_quoted_values_inside_become_what_they_say() -> None:
    body: JsonObject = {
        "Line": [
            {
                "Amount": "10.00",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"Qty": "2", "UnitPrice": "5", "ServiceDate": "2026-11-01T00:00:00"},
            }
        ]
    }
    (line,) = as_list(checked("Invoice", body)["Line"])
    assert json.loads(json.dumps(line, default=str))["SalesItemLineDetail"] == {
        "Qty": "2",
        "UnitPrice": "5",
        "ServiceDate": "2026-11-01",
    }


@pytest.mark.parametrize("entity", [name for name in KEPT if ENTITIES[name].updates and ENTITIES[name].kind != "rate"])
def test_whatever_is_shown_can_be_sent_back(entity: str) -> None:
    company = Company(QuickBooksEmulator(EmulatorOptions(seed=1, sample="craig", manual_clock=True)))
    for identifier in list(company.books.tables.table(entity).rows):
        before = company.shown(entity, identifier)
        after = company.write(entity, before, "update")
        moving = {"SyncToken", "MetaData"}
        assert {name: value for name, value in before.items() if name not in moving} == {
            name: value for name, value in after.items() if name not in moving
        }
